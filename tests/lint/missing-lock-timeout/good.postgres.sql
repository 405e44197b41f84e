alter table customer add column if not exists phone text;
set local lock_timeout = '2s';
alter table customer add column if not exists fax text;
