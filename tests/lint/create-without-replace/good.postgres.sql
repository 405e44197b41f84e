create or replace view adult as select * from person where age > 17;
drop function if exists one();
create function one() returns int language sql as $$ select 1 $$;
