alter table customer add column if not exists email text not null;
