alter table customer add column if not exists mail text;
