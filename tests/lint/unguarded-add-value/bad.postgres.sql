alter type mood add value 'calm' before 'glad';
alter type address add attribute zip text;
