alter table customer alter column name type text;
