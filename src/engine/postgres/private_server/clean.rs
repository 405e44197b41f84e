//! Brings a private server back to what `initdb` made: roles, databases, settings and tablespaces outlive the
//! build that made them, and the next build must not meet them. What is kept for later runs is out of its way.

use std::time::{Duration, Instant};

use postgres::Client;
use postgres::types::ToSql;

use super::kept;
use crate::engine::postgres::quote::ident;
use crate::engine::{EngineError, Result};

/// Removes everything that builds left in the server. A failure means that its data should be made anew.
pub fn clean(client: &mut Client, superuser: &str) -> Result<()> {
    let names = |client: &mut Client, query: &str, given: &[&(dyn ToSql + Sync)]| -> Result<Vec<String>> {
        let rows = client.query(query, given).map_err(super::sql("cleaning the private server"))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    };
    let run = |client: &mut Client, statement: String| {
        client.batch_execute(&statement).map_err(super::sql("cleaning the private server"))
    };
    let roles = kept::put_away(client)?;
    for slot in names(client, SLOTS, &[])? {
        client
            .execute("select pg_catalog.pg_drop_replication_slot($1)", &[&slot])
            .map_err(super::sql("cleaning the private server"))?;
    }
    for database in names(client, DATABASES, &[&kept::PREFIX])? {
        let database = ident(&database);
        run(client, format!("alter database {database} is_template false"))?;
        run(client, format!("drop database {database} with (force)"))?;
    }
    for setting in names(client, SETTINGS, &[&roles])? {
        run(client, setting)?;
    }
    for tablespace in names(client, TABLESPACES, &[])? {
        run(client, format!("drop tablespace {}", ident(&tablespace)))?;
    }
    for role in names(client, ROLES, &[&superuser, &roles])? {
        let role = ident(&role);
        run(client, format!("drop owned by {role} cascade"))?;
        run(client, format!("drop role {role}"))?;
    }
    let answer = client.query_one(OF_THE_SYSTEM, &[]).map_err(super::sql("cleaning the private server"))?;
    if answer.get(0) { reset_system(client) } else { Ok(()) }
}

/// Takes back what `ALTER SYSTEM` has set, and waits until it holds no more. The server's own process reads its files
/// before it tells its sessions to.
fn reset_system(client: &mut Client) -> Result<()> {
    let sql = super::sql("cleaning the private server");
    let loaded = "select pg_catalog.pg_conf_load_time()::text";
    let before: String = client.query_one(loaded, &[]).map_err(&sql)?.get(0);
    client.batch_execute("alter system reset all").map_err(&sql)?;
    client.batch_execute("select pg_catalog.pg_reload_conf()").map_err(&sql)?;
    let began = Instant::now();
    while client.query_one(loaded, &[]).map_err(&sql)?.get::<_, String>(0) == before {
        if began.elapsed() > PATIENCE {
            return Err(EngineError::Tool {
                message: "the private server does not read its settings again".into(),
                hint: "run the same once more: it is made anew".into(),
            });
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// How long a server may take to read its settings again, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

const OF_THE_SYSTEM: &str = "
    select exists (
        select
        from pg_catalog.pg_file_settings
        where sourcefile like '%/postgresql.auto.conf'
    )";

const SLOTS: &str = "
    select slot_name::text
    from pg_catalog.pg_replication_slots";

const DATABASES: &str = "
    select datname::text
    from pg_catalog.pg_database
    where datname not in ('postgres', 'template0', 'template1')
      and not starts_with(datname, $1::text)";

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
    where s.setrole <> all ($1::oid[])";

const TABLESPACES: &str = "
    select spcname::text
    from pg_catalog.pg_tablespace
    where spcname not in ('pg_default', 'pg_global')";

const ROLES: &str = "
    select r.rolname::text
    from pg_catalog.pg_roles r
    where r.rolname <> $1::text
      and r.rolname not like 'pg\\_%'
      and r.oid <> all ($2::oid[])";
