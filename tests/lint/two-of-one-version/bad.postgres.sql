alter table customer add column if not exists phone text;
