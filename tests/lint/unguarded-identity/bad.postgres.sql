alter table customer alter column id add generated always as identity;
