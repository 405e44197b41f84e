insert into t values ('it''s; here', E'it\'s; there', e'\\', 'back\');
select $$a; 'b $x$ c;$$, $x$ $$;$$ $y$; $x$, $été$;$été$;
do $outer$ begin execute $inner$ select ';'; $inner$; end; $outer$;
select a$b$ from x$b$;
select U&'d\0061t;', U&"d\0061t;", N'n;', B'01', X'1F';
select 'one;'
  'two;' -- it's; a comment between
  'three;';
select E'one\';'
  'two\';';
select "a;""b;", "--", '/*' from "/*;*/";
/* nested /* one; */ still; */ select 1;
/*/ opened; */ select 2;
select 3 */* a; */ 4;
select 5 --;
  + 6;
select 7 -- 'quote
;
select 'a' /* ' */ , 'b;';
select '-- no; comment', $$-- no; comment$$;
select $1, $2::int[], a[1:2], f(x => 1);
select '{"a": "$$"}'::jsonb ? 'a;', '$body$', '$$';
select 'é;ü', "ñ;" from naïve;
create function f() returns trigger language plpgsql as $function$
declare s text := '/*';
begin
  -- don't; stop
  if new.x is null then return null; end if;
  return new;
end;
$function$;
create function g() returns int language plpython3u as $py$
s = """it's; $$"""
return 1 # don't
$py$;
select 1
