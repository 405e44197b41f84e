create rule r as on insert to t do also (
  insert into log values (new.a);
  update counts set n = n + 1;
);
create or replace rule s as on delete to t do instead nothing;
create rule u as on update to t do instead (select case when 1 > 0 then ';' end; select 2;);
select (1; -- never valid, but not ours to cut
);
select 1;
