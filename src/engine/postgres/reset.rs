//! Empties a database object by object, for roles that may not drop and create it.
//!
//! Extensions and their members stay: who made them, a script or an administrator, cannot be told, and the role
//! that empties the database may be unable to bring them back.

use super::inspect::project_schemas;
use super::journal::Journal;
use super::link::{Link, column, rows};
use super::stop::Stop;
use crate::engine::Result;
use crate::event::{Event, Observer};

/// So many objects are dropped in one transaction: each costs locks, of which a server has a fixed number.
const BATCH: usize = 500;

/// Drops everything of the project and the journal.
pub(super) fn reset(link: &mut Link, journal: &Journal, observer: &mut dyn Observer) -> Result<()> {
    // The journal goes first: a database that was emptied half-way must not say that its scripts have run.
    link.own("dropping the journal", &format!("drop schema if exists {} cascade", journal.schema))?;
    let mut before = usize::MAX;
    loop {
        link.check_interrupt(|| "what was dropped is gone".into())?;
        let found = link.own("listing the objects", &objects(&link.connector.target.schemas.clone(), journal))?;
        let drops: Vec<String> = rows(&found).filter_map(|row| column(row, "drop")).map(str::to_owned).collect();
        if drops.is_empty() {
            break;
        }
        observer.event(Event::Progress {
            name: "reset".into(),
            message: format!("{} objects to drop", drops.len()),
            done: None,
        });
        for batch in drops.chunks(BATCH) {
            drop_all(link, batch, drops.len() < before)?;
        }
        before = drops.len();
    }
    link.take_notices();
    Ok(())
}

fn drop_all(link: &mut Link, batch: &[String], is_progressing: bool) -> Result<()> {
    if link.send(&format!("begin;\n{};\ncommit", batch.join(";\n"))).is_ok() {
        return Ok(());
    }
    link.rollback();
    // One of them stands in the way; the others go, and what is left is listed again.
    let mut last = None;
    for drop in batch {
        if let Err(trouble) = link.send(drop) {
            last = Some(trouble);
            link.ready()?;
        }
    }
    match last {
        Some(trouble) if !is_progressing => match Stop::own(trouble, "dropping an object", &link.connector.shown()) {
            Stop::Engine(error) => Err(error),
            Stop::Broken(message) => Err(link.lost(message)),
            Stop::Failed { .. } => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Lists the statements that drop the project's objects. `pg_identify_object` names every class of object as its
/// DROP statement does, with the few exceptions below.
fn objects(schemas: &[String], journal: &Journal) -> String {
    let is_project = project_schemas(schemas, journal);
    // What belongs to the database and not to a schema is the project's only if everything is.
    let global = if schemas.is_empty() {
        "union all
         select 'pg_catalog.pg_event_trigger'::pg_catalog.regclass, e.oid, 1 from pg_catalog.pg_event_trigger e
         union all
         select 'pg_catalog.pg_publication'::pg_catalog.regclass, p.oid, 1 from pg_catalog.pg_publication p
         union all
         select 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, s.oid, 4 from pg_catalog.pg_foreign_server s
         union all
         select 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, w.oid, 5 from pg_catalog.pg_foreign_data_wrapper w"
    } else {
        ""
    };
    format!(
        "with project as (
             select n.oid, n.nspname from pg_catalog.pg_namespace n where {is_project}
         ), object (classid, objid, place) as (
             select d.classid, d.objid, case d.classid when 'pg_catalog.pg_class'::pg_catalog.regclass then 2 else 3 end
               from pg_catalog.pg_depend d
               join project n on d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.refobjid = n.oid
              where d.deptype in ('n', 'a') and d.objsubid = 0
                and d.classid not in ('pg_catalog.pg_namespace'::pg_catalog.regclass,
                                      'pg_catalog.pg_default_acl'::pg_catalog.regclass,
                                      'pg_catalog.pg_extension'::pg_catalog.regclass)
             union all
             select 'pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid, 6 from project n
              where n.nspname <> 'public'
                and not exists (select from pg_catalog.pg_depend d
                                  join pg_catalog.pg_depend e on e.classid = d.classid and e.objid = d.objid and e.deptype = 'e'
                                 where d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.refobjid = n.oid)
             {global}
         )
         select case i.type when 'foreign-data wrapper' then 'drop foreign data wrapper if exists '
                            when 'statistics object' then 'drop statistics if exists '
                            else 'drop ' || i.type || ' if exists ' end
                || i.identity || case i.type when 'event trigger' then '' when 'publication' then '' else ' cascade' end as drop
           from object o
          cross join pg_catalog.pg_identify_object(o.classid, o.objid, 0) i
          where not exists (select from pg_catalog.pg_depend e
                             where e.classid = o.classid and e.objid = o.objid and e.deptype in ('e', 'i'))
          order by o.place, o.objid desc"
    )
}
