alter table customer drop column if exists email;
