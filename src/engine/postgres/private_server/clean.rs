//! Brings a private server back to what `initdb` made: roles, databases, settings and tablespaces outlive the
//! build that made them, and the next build must not meet them.

use postgres::Client;

use crate::engine::Result;
use crate::engine::postgres::quote::ident;

/// Names of databases that are kept for later runs begin so.
pub const KEPT: &str = "dbbuild_template_";

/// Removes everything that builds left in the server. A failure means that its data should be made anew.
pub fn clean(client: &mut Client, superuser: &str) -> Result<()> {
    let names = |client: &mut Client, query: &str| -> Result<Vec<String>> {
        let rows = client.query(query, &[&superuser, &KEPT]).map_err(super::sql("cleaning the private server"))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    };
    let run = |client: &mut Client, statement: String| {
        client.batch_execute(&statement).map_err(super::sql("cleaning the private server"))
    };
    for slot in names(client, SLOTS)? {
        client
            .execute("select pg_catalog.pg_drop_replication_slot($1)", &[&slot])
            .map_err(super::sql("cleaning the private server"))?;
    }
    for database in names(client, DATABASES)? {
        let database = ident(&database);
        run(client, format!("alter database {database} is_template false"))?;
        run(client, format!("drop database {database} with (force)"))?;
    }
    for setting in names(client, SETTINGS)? {
        run(client, setting)?;
    }
    for tablespace in names(client, TABLESPACES)? {
        run(client, format!("drop tablespace {}", ident(&tablespace)))?;
    }
    for role in names(client, ROLES)? {
        let role = ident(&role);
        run(client, format!("drop owned by {role} cascade"))?;
        run(client, format!("drop role {role}"))?;
    }
    Ok(())
}

// Each query takes the superuser's name and the prefix of what is kept, and ignores what it does not need.

const SLOTS: &str = "
    select slot_name::text
    from pg_catalog.pg_replication_slots
    where $1::text is not null and $2::text is not null";

const DATABASES: &str = "
    select datname::text
    from pg_catalog.pg_database
    where datname not in ('postgres', 'template0', 'template1')
      and not starts_with(datname, $2::text)
      and $1::text is not null";

const SETTINGS: &str = "
    select distinct case
        when s.setrole <> 0 and s.setdatabase <> 0
            then format('alter role %I in database %I reset all', r.rolname, d.datname)
        when s.setrole <> 0 then format('alter role %I reset all', r.rolname)
        when s.setdatabase <> 0 then format('alter database %I reset all', d.datname)
        else 'alter role all reset all'
    end
    from pg_catalog.pg_db_role_setting s
    left join pg_catalog.pg_roles r on r.oid = s.setrole
    left join pg_catalog.pg_database d on d.oid = s.setdatabase
    where $1::text is not null and $2::text is not null";

const TABLESPACES: &str = "
    select spcname::text
    from pg_catalog.pg_tablespace
    where spcname not in ('pg_default', 'pg_global')
      and $1::text is not null and $2::text is not null";

// Roles that a kept database needs stay with it.
const ROLES: &str = "
    select r.rolname::text
    from pg_catalog.pg_roles r
    where r.rolname <> $1::text
      and r.rolname not like 'pg\\_%'
      and not exists (
          select
          from pg_catalog.pg_shdepend s
          join pg_catalog.pg_database d on d.oid = s.dbid or (s.dbid = 0 and d.oid = s.objid)
          where s.refobjid = r.oid and starts_with(d.datname, $2::text))";
