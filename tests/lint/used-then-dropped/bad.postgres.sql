update customer set full_name = first || ' ' || last;
alter table customer drop column if exists first, drop column if exists last;
