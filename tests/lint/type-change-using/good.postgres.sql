alter table customer alter column active type boolean using active::boolean;
alter table customer alter column name type text;
