-- Who may do what in the shop's database (PostgreSQL). Every statement may run again.
--
-- Three roles that nobody logs in as; people and programs are members of one of them:
--
--   shop_owner    owns the tables and builds them
--   shop_app      the shop itself: reads and writes rows
--   shop_report   reads only
--
-- Passwords are not kept here. Give a login its password once, by hand (psql: \password shop_web),
-- or let it log in by certificate or as a local peer.

do $$
declare
    name text;
begin
    foreach name in array array['shop_owner', 'shop_app', 'shop_report'] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I nologin', name);
        end if;
    end loop;
    -- The programs that log in.
    foreach name in array array['shop_deploy', 'shop_web', 'shop_dashboard'] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I login', name);
        end if;
    end loop;
end
$$;

grant shop_owner to shop_deploy;
grant shop_app to shop_web;
grant shop_report to shop_dashboard;

-- A connection that hangs must not hold the shop up.
alter role shop_web set statement_timeout = '30s';
alter role shop_web set idle_in_transaction_session_timeout = '1min';
alter role shop_dashboard set default_transaction_read_only = on;
alter role shop_dashboard set statement_timeout = '5min';

revoke create on schema public from public;
grant usage, create on schema public to shop_owner;
grant usage on schema public to shop_app, shop_report;

-- What is there today ...
grant select, insert, update, delete on all tables in schema public to shop_app;
grant usage, select on all sequences in schema public to shop_app;
grant select on all tables in schema public to shop_report;

-- ... and what shop_owner will make.
alter default privileges for role shop_owner in schema public
    grant select, insert, update, delete on tables to shop_app;
alter default privileges for role shop_owner in schema public
    grant usage, select on sequences to shop_app;
alter default privileges for role shop_owner in schema public
    grant select on tables to shop_report;

-- Lookup rows come from seed/ alone; reports need no customer's address.
revoke insert, update, delete
    on country, currency, order_state, tax_category, tax_rate from shop_app;
revoke select on address from shop_report;
