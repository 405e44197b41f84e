-- dbbuild: lock-timeout 5s
alter table customer add column if not exists phone text;
