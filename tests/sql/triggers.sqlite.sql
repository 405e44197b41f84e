CREATE TABLE t (id INTEGER PRIMARY KEY, a, "end", end2);
CREATE TABLE log (id, what);
CREATE TRIGGER g AFTER INSERT ON t BEGIN
  INSERT INTO log VALUES (new.id, CASE WHEN new.a > 1 THEN 'x; END;' ELSE CASE new.a WHEN 2 THEN 3 END END);
  UPDATE t SET a = CASE a WHEN 1 THEN 2 END WHERE id = new.id;
  -- END;
  DELETE FROM log WHERE what = 'END' /* END; */;
END;
create temp trigger if not exists h after update of a on t for each row when new.a is not case 1 when 1 then 2 end
begin
  select case when 1 then 2 end;
end; select 'behind';
CREATE TABLE e (end, begin, "trigger", "case");
CREATE TRIGGER begin BEFORE DELETE ON e WHEN old.begin BEGIN
  UPDATE e SET end = 1;
  SELECT end FROM e;
  SELECT 1 AS end;
END;
create trigger "create trigger x; begin" after delete on t begin select ';'; end
;
EXPLAIN QUERY PLAN SELECT * FROM t; EXPLAIN SELECT 1;
EXPLAIN CREATE TRIGGER i AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;
create view v as select 'create trigger' as begin, 1 as end; select 1;
DROP TRIGGER g; DROP TRIGGER IF EXISTS begin;
BEGIN; INSERT INTO t (a) VALUES (1); END;
begin immediate; commit; begin; rollback;
