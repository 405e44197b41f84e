-- dbbuild: if column customer.mail
alter table customer rename column mail to email;
