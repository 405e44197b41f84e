alter table customer drop constraint customer_email_key;
alter table customer alter column id drop identity;
