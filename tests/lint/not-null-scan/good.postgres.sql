alter table customer alter column email drop not null;
