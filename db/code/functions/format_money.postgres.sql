-- 1990 with two decimal places is '19.90'. Used by the view order_overview; SQLite has no
-- stored functions, so there the view itself spells it out.
create or replace function format_money(amount_minor bigint, minor_unit integer)
returns text
language sql
immutable
strict
parallel safe
set search_path = ''
as $$
    select round(amount_minor / power(10::numeric, minor_unit), minor_unit)::text
$$;

comment on function format_money(bigint, integer) is 'Minor units as a decimal number';
