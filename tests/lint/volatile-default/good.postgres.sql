alter table customer add column if not exists token uuid;
