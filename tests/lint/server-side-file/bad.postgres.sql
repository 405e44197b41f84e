create temp table work (a text) on commit drop;
copy work from program 'cat /etc/passwd';
