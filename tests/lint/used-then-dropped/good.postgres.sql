update customer set full_name = 'x';
alter table customer drop column if exists first;
