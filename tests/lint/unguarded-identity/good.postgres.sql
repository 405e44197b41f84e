-- dbbuild: unless query select 1 from pg_attribute where attrelid = 'customer'::regclass and attidentity <> ''
alter table customer alter column id add generated always as identity;
