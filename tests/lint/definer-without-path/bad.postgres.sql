create or replace function f() returns int language sql security definer as 'select 1';
