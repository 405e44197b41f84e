-- Bodies that are not quoted: semicolons inside do not end the statement.
CREATE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql RETURN a + b;

create or replace function pair(a int) returns setof int
language sql
begin atomic
  select 1;
  select case when a > 1 then 2 else case a when 3 then 4 end end;
end;

CREATE PROCEDURE p(a int) BEGIN ATOMIC
  INSERT INTO t VALUES (a); -- END; in a comment
  UPDATE t SET x = CASE WHEN x > 0 THEN (SELECT CASE 1 WHEN 1 THEN 2 END) END;
  SELECT 'END;' AS end, t.end, t.case, $q$END;$q$ FROM t;
  SELECT 1 END;
END;
create function nothing() returns void begin atomic end; select 'behind';

-- "atomic" elsewhere is a name.
create table atomic_swap (begin_atomic int, atomic int);
create function atomic(atomic int) returns int language plpgsql as $$ begin return atomic; end $$;
select begin, atomic from atomic_swap;
begin; select atomic; commit;
create function begin() returns int language sql as 'select 1;';
create function defaults(a text default 'begin atomic', b int default (1)) returns text language sql as $$ select a; $$;
create view begin_atomic as select 1 as begin, 2 as atomic;
create function comes_last() returns int begin /* x */ ATOMIC select 1; end
