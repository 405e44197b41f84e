//! Gives definitions back in the server's own words: each is created beside what is there, read again, and taken
//! back. A view, a CHECK with IN or an index with a condition comes in other words from a database that was loaded
//! from a dump than from the one that was dumped.

use postgres::Client;

use super::scope::Scope;
use super::{optional, parts, relations, routines, search, types, unknown};
use crate::engine::Result;
use crate::engine::catalog::Object;
use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::dump::{self, own, server_major};
use crate::engine::postgres::quote::{ident, literal, qualified};
use crate::sql::{Kind, Name};

/// The name of what is created.
const PROBE: &str = "dbbuild_probe";

/// Returns the definition of each object as this server tells it, or nothing where it cannot be created here.
/// Everything is rolled back.
pub(in crate::engine::postgres) fn reread(
    client: &mut Client,
    connector: &Connector,
    objects: &[&Object],
) -> Result<Vec<Option<String>>> {
    let sql = own(connector, "reading definitions again");
    client.batch_execute("begin").map_err(&sql)?;
    let read = within(client, connector, objects);
    client.batch_execute("rollback").map_err(&sql)?;
    read
}

fn within(client: &mut Client, connector: &Connector, objects: &[&Object]) -> Result<Vec<Option<String>>> {
    let sql = own(connector, "reading definitions again");
    client.batch_execute(dump::SETTINGS).map_err(&sql)?;
    // Bodies are the subject, not whether they run.
    client.batch_execute("set local check_function_bodies = off").map_err(&sql)?;
    let major = server_major(client, connector)?;
    let mut texts = Vec::new();
    for object in objects {
        let Some(probe) = Probe::of(object) else {
            texts.push(None);
            continue;
        };
        client.batch_execute("savepoint probe").map_err(&sql)?;
        let text = probe.run(client, major);
        client.batch_execute("rollback to savepoint probe; release savepoint probe").map_err(&sql)?;
        match text {
            Ok(text) => texts.push(text),
            Err(error) if error.as_db_error().is_some() => texts.push(None),
            Err(error) => return Err(sql(error)),
        }
    }
    if texts.len() == objects.len() { Ok(texts) } else { Err(unknown("definition")) }
}

/// How one definition is created, and where its text is found then.
struct Probe {
    create: String,
    /// A query for the number of what was created.
    find: String,
    query: fn(&Scope) -> String,
    /// Names that stand in the text instead of the object's own.
    back: Vec<(String, String)>,
    /// Which column of a table it is.
    column: Option<&'static str>,
}

impl Probe {
    fn of(object: &Object) -> Option<Self> {
        let parts: Vec<&str> = object.name.parts().iter().map(String::as_str).collect();
        let own = object.name.object();
        let schema = parts.first().copied()?;
        let text = object.definition.as_str();
        let table = object.table.as_ref().map(|name| qualified(name.parts().iter().map(String::as_str)));
        let by_name =
            |catalog: &str, column: &str| format!("select oid from {catalog} where {column} = {}", literal(PROBE));
        let probe_in_schema = format!("{}.{PROBE}", ident(schema));
        // Its name in the text, with its schema, and what stands there instead.
        let in_schema = || {
            let found = spellings(schema)
                .into_iter()
                .flat_map(|schema| spellings(own).map(|own| (format!("{schema}.{own}"), format!("{schema}.{PROBE}"))))
                .find(|(name, _)| text.contains(name.as_str()))?;
            let create = text.replacen(&found.0, &found.1, 1);
            Some((create, vec![(found.1, found.0)]))
        };
        let probe = match object.kind {
            Kind::View | Kind::MaterializedView => {
                let (create, back) = in_schema()?;
                Self { create, find: by_name("pg_class", "relname"), query: relations::views, back, column: None }
            }
            Kind::Index => Self {
                create: text.replacen("INDEX ON ", &format!("INDEX {PROBE} ON "), 1),
                find: by_name("pg_class", "relname"),
                query: parts::indexes,
                back: Vec::new(),
                column: None,
            },
            Kind::Constraint => {
                let (table, domain) = (table?, parts.len() == 3 && text.contains("VALUE"));
                let kind = if domain { "domain" } else { "table" };
                let alter = |kind: &str| format!("alter {kind} {table} add constraint {PROBE} {text}");
                Self {
                    create: alter(kind),
                    find: by_name("pg_constraint", "conname"),
                    query: parts::constraints,
                    back: Vec::new(),
                    column: None,
                }
            }
            Kind::Trigger | Kind::Rule | Kind::Policy => {
                let word = if text.contains(" CONSTRAINT TRIGGER ") { "TRIGGER" } else { object.kind.name() };
                let word = if object.kind == Kind::Policy { word.to_owned() } else { word.to_uppercase() };
                let (catalog, column) = match object.kind {
                    Kind::Trigger => ("pg_trigger", "tgname"),
                    Kind::Rule => ("pg_rewrite", "rulename"),
                    _ => ("pg_policy", "polname"),
                };
                let names = spellings(own).map(|own| format!("{word} {own} "));
                let from = names.into_iter().find(|name| text.contains(name.as_str()))?;
                let to = format!("{word} {PROBE} ");
                Self {
                    create: text.replacen(&from, &to, 1),
                    find: by_name(catalog, column),
                    query: parts::triggers_rules_policies,
                    back: vec![(to, from)],
                    column: None,
                }
            }
            Kind::Column => {
                let table = table?;
                let (name, rest) = spellings(own)
                    .into_iter()
                    .find_map(|own| text.strip_prefix(own.as_str()).map(|rest| (own.clone(), rest.to_owned())))?;
                Self {
                    create: format!(
                        "create table {probe_in_schema} (like {table}); alter table {probe_in_schema} add column {PROBE}{rest}"
                    ),
                    find: by_name("pg_class", "relname"),
                    query: relations::columns,
                    back: vec![(PROBE.to_owned(), name)],
                    column: Some(PROBE),
                }
            }
            Kind::Domain => {
                let (create, back) = in_schema()?;
                Self { create, find: by_name("pg_type", "typname"), query: types::types, back, column: None }
            }
            Kind::Statistics => {
                let (create, back) = in_schema()?;
                Self {
                    create,
                    find: by_name("pg_statistic_ext", "stxname"),
                    query: search::statistics,
                    back,
                    column: None,
                }
            }
            // Others call it by its name, so it keeps it.
            Kind::Function | Kind::Procedure => Self {
                create: text.to_owned(),
                find: format!(
                    "select p.oid
                       from pg_proc p
                       join pg_namespace n on n.oid = p.pronamespace
                      where n.nspname = {} and p.proname = {}
                        and format('(%s)', pg_get_function_identity_arguments(p.oid)) = {}",
                    literal(schema),
                    literal(own),
                    literal(&object.signature)
                ),
                query: routines::routines,
                back: Vec::new(),
                column: None,
            },
            _ => return None,
        };
        Some(probe)
    }

    fn run(&self, client: &mut Client, major: u32) -> std::result::Result<Option<String>, postgres::Error> {
        client.batch_execute(&self.create)?;
        let oid: u32 = client.query_one(&self.find, &[])?.try_get(0)?;
        let rows = client.query(&(self.query)(&Scope::of_one(major, oid)), &[])?;
        for row in &rows {
            let name: Vec<String> = row.try_get("name")?;
            if self.column.is_some_and(|column| name.last().is_none_or(|last| last != column)) {
                continue;
            }
            let text: Option<String> = optional(row, "definition")?;
            return Ok(text.map(|text| self.back.iter().fold(text, |text, (from, to)| text.replacen(from, to, 1))));
        }
        Ok(None)
    }
}

/// A name as the server may spell it: it quotes its grammar's words too, which are many and grow in number.
fn spellings(name: &str) -> [String; 2] {
    [ident(name), Name::new([name]).to_string()]
}
