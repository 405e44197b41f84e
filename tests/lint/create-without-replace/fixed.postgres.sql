create or replace view adult as select * from person where age > 17;
create or replace function one() returns int language sql as $$ select 1 $$;
