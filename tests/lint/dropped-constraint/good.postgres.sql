alter table customer drop constraint if exists adult, add constraint adult check (age >= 18) not valid;
