alter table customer alter column active type boolean using (active = 1);
