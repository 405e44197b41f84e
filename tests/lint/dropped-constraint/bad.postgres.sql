alter table customer drop constraint if exists customer_email_key;
alter table customer alter column email drop not null;
