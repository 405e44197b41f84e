with own as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema')
select 'schema ' || nspname from own
union all select 'relation ' || n.nspname || ' ' || relname || ' ' || relkind::text || coalesce(array_to_string(reloptions, ','), '') || relrowsecurity::text || coalesce(pg_get_viewdef(case when relkind in ('v', 'm') then c.oid end), '') from pg_class c join own n on n.oid = relnamespace
union all select 'column ' || attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull::text || attidentity::text || coalesce(pg_get_expr(adbin, adrelid), '') from pg_attribute a join pg_class c on c.oid = attrelid join own n on n.oid = relnamespace left join pg_attrdef d on adrelid = attrelid and adnum = attnum where attnum > 0 and not attisdropped
union all select 'constraint ' || conname || ' ' || conrelid::regclass || contypid::regtype || pg_get_constraintdef(k.oid) from pg_constraint k join own n on n.oid = connamespace
union all select 'index ' || pg_get_indexdef(indexrelid) || indisvalid::text from pg_index i join pg_class c on c.oid = indexrelid join own n on n.oid = relnamespace
union all select 'routine ' || p.oid::regprocedure || md5(prosrc) || prosecdef::text || provolatile::text from pg_proc p join own n on n.oid = pronamespace
union all select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
union all select 'rule ' || pg_get_ruledef(r.oid) from pg_rewrite r join pg_class c on c.oid = ev_class join own n on n.oid = relnamespace where rulename <> '_RETURN'
union all select 'policy ' || polname || polrelid::regclass || coalesce(pg_get_expr(polqual, polrelid), '') from pg_policy
union all select 'type ' || typname || typtype::text from pg_type t join own n on n.oid = typnamespace where typelem = 0 and typrelid = 0
union all select 'label ' || enumtypid::regtype || enumlabel || enumsortorder from pg_enum
union all select 'inherits ' || inhrelid::regclass || inhparent::regclass from pg_inherits
union all select 'extension ' || extname from pg_extension
union all select 'role ' || rolname || rolcanlogin::text from pg_roles where rolname !~ '^pg_' and rolname <> 'dbbuild'
union all select 'publication ' || pubname || coalesce((select string_agg(prrelid::regclass::text, ',') from pg_publication_rel r where r.prpubid = p.oid), '') from pg_publication p
union all select 'cast ' || castsource::regtype || casttarget::regtype from pg_cast where oid >= 16384
union all select 'operator ' || oid::regoperator from pg_operator where oid >= 16384
union all select 'opclass ' || opcname from pg_opclass where oid >= 16384
union all select 'collation ' || collname from pg_collation where oid >= 16384
union all select 'statistics ' || stxname from pg_statistic_ext
union all select 'configuration ' || cfgname from pg_ts_config where oid >= 16384
union all select 'dictionary ' || dictname from pg_ts_dict where oid >= 16384
union all select 'wrapper ' || fdwname from pg_foreign_data_wrapper
union all select 'server ' || srvname || coalesce(array_to_string(srvoptions, ','), '') from pg_foreign_server
union all select 'mapping ' || srvname || usename from pg_user_mappings
union all select 'event ' || evtname from pg_event_trigger
union all select 'conversion ' || conname from pg_conversion where oid >= 16384
union all select 'sequence ' || schemaname || '.' || sequencename || ' ' || coalesce(last_value::text, '-') from pg_sequences
union all select 'rows ' || c.oid::regclass || ' ' || query_to_xml('select * from ' || c.oid::regclass || ' x order by x::text', true, true, '')::text from pg_class c join own n on n.oid = relnamespace where relkind in ('r', 'p', 'm')
