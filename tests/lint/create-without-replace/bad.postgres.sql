create view adult as select * from person where age > 17;
create function one() returns int language sql as $$ select 1 $$;
