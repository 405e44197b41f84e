alter table customer drop column email;
