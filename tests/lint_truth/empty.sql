do $$
declare
  each record;
begin
  for each in select evtname from pg_event_trigger loop
    execute format('drop event trigger %I cascade', each.evtname);
  end loop;
  for each in select pubname from pg_publication loop
    execute format('drop publication %I', each.pubname);
  end loop;
  for each in select extname from pg_extension where extname <> 'plpgsql' loop
    execute format('drop extension %I cascade', each.extname);
  end loop;
  for each in select fdwname from pg_foreign_data_wrapper loop
    execute format('drop foreign data wrapper %I cascade', each.fdwname);
  end loop;
  for each in select lanname from pg_language where oid >= 16384 loop
    execute format('drop language %I cascade', each.lanname);
  end loop;
  for each in select oid from pg_largeobject_metadata loop
    perform lo_unlink(each.oid);
  end loop;
  for each in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
    execute format('drop schema %I cascade', each.nspname);
  end loop;
  for each in select amname from pg_am where oid >= 16384 loop
    execute format('drop access method %I cascade', each.amname);
  end loop;
  for each in select rolname from pg_roles where rolname !~ '^pg_' and oid >= 16384 and rolname <> current_user loop
    execute format('drop owned by %I cascade', each.rolname);
    execute format('drop role %I', each.rolname);
  end loop;
  create schema public authorization pg_database_owner;
  grant usage on schema public to public;
  comment on schema public is 'standard public schema';
end
$$;
