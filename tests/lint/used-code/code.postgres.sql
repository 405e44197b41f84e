create or replace function next_number() returns int language sql as 'select 1';
