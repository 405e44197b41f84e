set local lock_timeout = 0;
alter table customer add column if not exists phone text;
