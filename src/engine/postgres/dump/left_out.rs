//! What is no part of a dump: dbbuild's own schema, schemas that are not the project's or not asked for, and, where
//! that is wished, the tables in which other tools keep what they ran.

use postgres::Client;

use crate::engine::dump::{DumpWish, JOURNALS};
use crate::engine::postgres::connect::Connector;
use crate::engine::{EngineError, Result};

/// What is left out.
pub(super) struct LeftOut {
    /// Schemas.
    pub schemas: Vec<String>,
    /// The one schema that is asked for.
    only: Option<String>,
    /// Tables and their sequences, by schema and name.
    tables: Vec<(String, String)>,
}

impl LeftOut {
    /// Reads what there is to leave out; refuses a schema that is not there.
    pub fn read(client: &mut Client, connector: &Connector, wish: &DumpWish) -> Result<Self> {
        let sql = super::own(connector, "reading the schemas");
        let only: Vec<&str> = wish.schema.as_deref().into_iter().collect();
        let asked = if only.is_empty() { connector.target.schemas.clone() } else { vec![only.concat()] };
        let rows = client.query(SCHEMAS, &[&connector.target.journal_name, &asked]).map_err(&sql)?;
        let schemas = rows.iter().map(|row| row.get(0)).collect();
        let mut left_out = Self { schemas, only: wish.schema.clone(), tables: Vec::new() };
        if let Some(schema) = &wish.schema {
            let there = "select exists (select from pg_catalog.pg_namespace where nspname = $1)";
            if !client.query_one(there, &[schema]).map_err(&sql)?.get::<_, bool>(0) {
                return Err(EngineError::Refused {
                    code: "dump/schema",
                    message: format!("{} has no schema {schema}", connector.shown()),
                    place: None,
                    hint: Some("`\\dn` in psql lists them".into()),
                });
            }
        }
        if wish.without_journals {
            let rows = client.query(TABLES, &[&JOURNALS]).map_err(&sql)?;
            left_out.tables = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        }
        Ok(left_out)
    }

    /// Returns the options of `pg_dump` that say so.
    pub fn options(&self) -> Vec<String> {
        let mut options = match &self.only {
            Some(schema) => vec![format!("--schema={}", pattern(schema))],
            None => self.schemas.iter().map(|schema| format!("--exclude-schema={}", pattern(schema))).collect(),
        };
        let table =
            |(schema, name): &(String, String)| format!("--exclude-table={}.{}", pattern(schema), pattern(name));
        options.extend(self.tables.iter().map(table));
        options
    }

    /// Returns true if a table is part of the dump.
    pub fn has_table(&self, schema: &str, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == schema)
            && !self.tables.iter().any(|(other, table)| other == schema && table == name)
    }
}

/// Says what belongs to the database as a whole, which no dump of its content carries, a line each.
pub(super) fn of_the_database(client: &mut Client) -> std::result::Result<Vec<String>, postgres::Error> {
    let found = client.query(WHOLE, &[])?;
    let line = |row: &postgres::Row| format!("not part of a dump: {} of the database itself", row.get::<_, String>(0));
    Ok(found.iter().map(line).collect())
}

/// Returns a pattern that only this name matches: between quotes, all but a quote means itself.
fn pattern(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Schemas that extensions made are the extensions' own.
const SCHEMAS: &str = "
    select n.nspname::text
    from pg_catalog.pg_namespace n
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and (
          n.nspname = $1
          or (cardinality($2::text[]) > 0 and n.nspname <> all ($2::text[]))
      )
      and not exists (
          select
          from pg_catalog.pg_depend d
          where d.classid = 'pg_catalog.pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e'
      )
    order by n.nspname collate \"C\"";

/// With the sequences that their columns own: `pg_dump` keeps those without their table.
const TABLES: &str = "
    with journal as (
        select c.oid
        from pg_catalog.pg_class c
        where c.relkind in ('r', 'p') and lower(c.relname) = any ($1::text[])
    )
    select n.nspname::text, c.relname::text
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid in (select oid from journal)
       or (
           c.relkind = 'S'
           and c.oid in (
               select d.objid
               from pg_catalog.pg_depend d
               where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
                 and d.refobjid in (select oid from journal) and d.deptype in ('a', 'i')
           )
       )
    order by n.nspname collate \"C\", c.relname collate \"C\"";

const WHOLE: &str = "
    select 'the setting ' || setting
    from pg_catalog.pg_db_role_setting s
    cross join lateral unnest(s.setconfig) as setting
    join pg_catalog.pg_database d on d.oid = s.setdatabase
    where d.datname = current_database()
    union all
    select 'the comment'
    from pg_catalog.pg_shdescription c
    join pg_catalog.pg_database d on d.oid = c.objoid
    where c.classoid = 'pg_catalog.pg_database'::regclass and d.datname = current_database()
    union all
    select 'the subscription ' || s.subname
    from pg_catalog.pg_subscription s
    join pg_catalog.pg_database d on d.oid = s.subdbid
    where d.datname = current_database()
    order by 1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excluded_schema_is_one_schema() {
        assert_eq!(pattern("db*\"uild"), "\"db*\"\"uild\"");
    }
}
