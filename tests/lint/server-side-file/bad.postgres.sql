create temp table work (a text);
copy work from program 'cat /etc/passwd';
