with own as (select oid, nspname, nspacl, nspowner from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema')
select 'schema ' || nspname || ' ' || nspowner::regrole || coalesce(nspacl::text, '') from own
union all select 'relation ' || n.nspname || ' ' || relname || ' ' || relkind::text || coalesce(array_to_string(reloptions, ','), '') || ' ' || relrowsecurity::text || relforcerowsecurity::text || relpersistence::text || relreplident::text || coalesce(relacl::text, '') || ' ' || relowner::regrole || ' ' || coalesce(a.amname, '') || reloftype::regtype || case when relispopulated then '' else ' empty' end || coalesce(pg_get_viewdef(case when relkind in ('v', 'm') then c.oid end), '') || coalesce(pg_get_partkeydef(c.oid), '') || coalesce(pg_get_expr(relpartbound, c.oid), '') from pg_class c join own n on n.oid = relnamespace left join pg_am a on a.oid = relam
union all select 'column ' || attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull::text || attidentity::text || attgenerated::text || coalesce(pg_get_expr(adbin, adrelid), '') || attstorage::text || attcompression::text || attstattarget || coalesce((select string_agg(o, ',' order by o) from unnest(attoptions) o where o not like 'pg_attver=%'), '') || coalesce(attacl::text, '') from pg_attribute a join pg_class c on c.oid = attrelid join own n on n.oid = relnamespace left join pg_attrdef d on adrelid = attrelid and adnum = attnum where attnum > 0 and not attisdropped
union all select 'constraint ' || conname || ' ' || conrelid::regclass || contypid::regtype || pg_get_constraintdef(k.oid) || condeferrable::text || condeferred::text || convalidated::text from pg_constraint k join own n on n.oid = connamespace
union all select 'index ' || pg_get_indexdef(indexrelid) || indisvalid::text || indisclustered::text || indisreplident::text from pg_index i join pg_class c on c.oid = indexrelid join own n on n.oid = relnamespace
union all select 'routine ' || p.oid::regprocedure || md5(prosrc) || prosecdef::text || provolatile::text || proisstrict::text || coalesce(proconfig::text, '') || coalesce(proacl::text, '') || proowner::regrole || pronamespace::regnamespace || prorettype::regtype from pg_proc p join own n on n.oid = pronamespace
union all select 'aggregate ' || aggfnoid || aggtransfn || coalesce(agginitval, '') from pg_aggregate where aggfnoid::oid >= 16384
union all select 'trigger ' || pg_get_triggerdef(oid) || tgenabled::text from pg_trigger where not tgisinternal
union all select 'rule ' || pg_get_ruledef(r.oid) || ev_enabled::text from pg_rewrite r join pg_class c on c.oid = ev_class join own n on n.oid = relnamespace where rulename <> '_RETURN'
union all select 'policy ' || polname || polrelid::regclass || polcmd::text || (select coalesce(string_agg(r.oid::regrole::text, ',' order by 1), '') from pg_roles r where r.oid = any (polroles)) || coalesce(pg_get_expr(polqual, polrelid), '') || coalesce(pg_get_expr(polwithcheck, polrelid), '') from pg_policy
union all select 'type ' || nspname || '.' || typname || typtype::text || typnotnull::text || coalesce(typdefault, '') || typowner::regrole from pg_type t join own n on n.oid = typnamespace where typelem = 0 and typrelid = 0
union all select 'label ' || enumtypid::regtype || enumlabel || enumsortorder from pg_enum
union all select 'inherits ' || inhrelid::regclass || inhparent::regclass from pg_inherits
union all select 'extension ' || extname || extversion || extnamespace::regnamespace from pg_extension
union all select 'member ' || objid::regprocedure from pg_depend where deptype = 'e' and classid = 'pg_proc'::regclass and objid::regprocedure::text !~ 'plpgsql'
union all select 'role ' || rolname || rolcanlogin::text || rolcreatedb::text || rolsuper::text || coalesce(rolconfig::text, '') from pg_roles where rolname !~ '^pg_' and rolname <> 'dbbuild'
union all select 'membership ' || roleid::regrole || member::regrole || admin_option::text from pg_auth_members where roleid >= 16384
union all select 'default acl ' || defaclrole::regrole || defaclnamespace || defaclobjtype::text || defaclacl::text from pg_default_acl
union all select 'comment ' || classoid::regclass || ' ' || objoid::regclass || objsubid || description from pg_description where objoid >= 16384 and classoid = 'pg_class'::regclass
union all select 'publication ' || pubname || pubowner::regrole || pubinsert::text || pubupdate::text || coalesce((select string_agg(prrelid::regclass::text, ',' order by 1) from pg_publication_rel r where r.prpubid = p.oid), '') from pg_publication p
union all select 'subscription ' || subname || subsynccommit from pg_subscription
union all select 'cast ' || castsource::regtype || casttarget::regtype || castcontext::text from pg_cast where oid >= 16384
union all select 'operator ' || oid::regoperator || oprowner::regrole || oprrest from pg_operator where oid >= 16384
union all select 'family ' || opfname || (select count(*) from pg_amop where amopfamily = f.oid) from pg_opfamily f where oid >= 16384
union all select 'opclass ' || opcname from pg_opclass where oid >= 16384
union all select 'collation ' || collname || coalesce(collversion, '') from pg_collation where oid >= 16384
union all select 'statistics ' || stxname || stxstattarget from pg_statistic_ext
union all select 'configuration ' || cfgname || coalesce((select string_agg(maptokentype || '-' || mapdict::regdictionary, ',' order by maptokentype, mapseqno) from pg_ts_config_map where mapcfg = c.oid), '') from pg_ts_config c where oid >= 16384
union all select 'dictionary ' || dictname || coalesce(dictinitoption, '') from pg_ts_dict where oid >= 16384
union all select 'parser ' || prsname from pg_ts_parser where oid >= 16384
union all select 'template ' || tmplname from pg_ts_template where oid >= 16384
union all select 'wrapper ' || fdwname || coalesce(array_to_string(fdwoptions, ','), '') from pg_foreign_data_wrapper
union all select 'server ' || srvname || coalesce(srvversion, '') || coalesce(array_to_string(srvoptions, ','), '') from pg_foreign_server
union all select 'mapping ' || srvname || usename || coalesce(umoptions::text, '') from pg_user_mappings
union all select 'foreign ' || ftrelid::regclass || coalesce(ftoptions::text, '') from pg_foreign_table
union all select 'event ' || evtname || evtenabled::text from pg_event_trigger
union all select 'method ' || amname from pg_am where oid >= 16384
union all select 'language ' || lanname from pg_language where oid >= 16384
union all select 'conversion ' || conname from pg_conversion where oid >= 16384
union all select 'sequence ' || q.schemaname || '.' || sequencename || ' ' || increment_by || ' ' || data_type || coalesce((select refobjid::regclass || '.' || (select attname from pg_attribute where attrelid = refobjid and attnum = refobjsubid) from pg_depend where classid = 'pg_class'::regclass and objid = format('%I.%I', q.schemaname, sequencename)::regclass and deptype in ('a', 'i') and refclassid = 'pg_class'::regclass limit 1), '') from pg_sequences q
union all select 'large object ' || oid from pg_largeobject_metadata
-- A digest stands for many rows: their texts would take longer than the scripts.
union all select 'rows ' || c.oid::regclass || ' ' || query_to_xml('select case when n <= 2000 then (select string_agg(x::text, E''\n'' order by x::text) from ' || c.oid::regclass || ' x) else n || '' rows '' || (select sum(hashtextextended(x::text, 0)) from ' || c.oid::regclass || ' x) end as r from (select count(*) as n from ' || c.oid::regclass || ') c', true, true, '')::text from pg_class c join own n on n.oid = relnamespace where relkind in ('r', 'p', 'm') and relispopulated
