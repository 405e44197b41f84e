set lock_timeout = '5s';
alter table orders alter column amount type bigint, alter column amount set not null;
alter table orders alter column note set default '';
