//! `dbbuild show`: the catalog for people.

use clap::Subcommand;
use serde_json::json;

use super::{Context, Exit, Outcome};
use crate::build::{Refusal, discover};
use crate::engine::{Access, Catalog, Object};
use crate::show::{Origin, origins};
use crate::sql::{Dialect, Kind, Tokens};

/// What can be shown.
#[derive(Debug, Subcommand)]
pub enum What {
    /// The tables and views, with what they have.
    Tables,
    /// The tables and columns that have no comment.
    Comments,
    /// An object's definition as the database has it, what made it and what changed it since.
    Object {
        /// Its name: `customer`, `public.customer`, `customer.email`, `"Order Line"`.
        name: String,
    },
}

/// Shows.
pub fn run(context: &Context, what: &What) -> Outcome {
    let opened = context.open()?;
    let catalog = opened.engine.connect(Access::Read)?.catalog()?;
    match what {
        What::Tables => tables(context, &catalog),
        What::Comments if !catalog.keeps_comments => {
            return Err(Refusal::new(
                "show/comments",
                "this engine keeps no comments on tables and columns".to_owned(),
            )
            .hint("what stands beside a column in its table's definition: `dbbuild show object NAME`")
            .into());
        }
        What::Comments => comments(context, &catalog),
        What::Object { name } => {
            let found = named(&catalog, name, opened.engine.dialect());
            if found.is_empty() {
                return Err(Refusal::new("show/unknown", format!("there is no object {name} here"))
                    .hint("see what there is: `dbbuild show tables`")
                    .into());
            }
            let checkout = discover(&opened.project, opened.engine.dialect())?;
            let mut shown = Vec::new();
            for object in found {
                shown.push((object, origins(&opened.project, &checkout, object)?));
            }
            objects(context, &catalog, &shown);
        }
    }
    Ok(Exit::Done)
}

fn is_table(object: &Object) -> bool {
    matches!(object.kind, Kind::Table | Kind::VirtualTable | Kind::View | Kind::MaterializedView)
}

fn tables(context: &Context, catalog: &Catalog) {
    let count = |table: &Object, kind: Kind| catalog.parts(table).filter(|part| part.kind == kind).count();
    let tables: Vec<&Object> = catalog.objects().filter(|object| is_table(object)).collect();
    if context.is_json() {
        let rows: Vec<_> = tables
            .iter()
            .map(|table| {
                json!({
                    "kind": table.kind.name(),
                    "name": table.shown(),
                    "columns": table.columns,
                    "indexes": count(table, Kind::Index),
                    "constraints": count(table, Kind::Constraint),
                    "triggers": count(table, Kind::Trigger),
                    "comment": table.comment,
                })
            })
            .collect();
        return context.document(&json!({"v": 1, "tables": rows}));
    }
    let width = tables.iter().map(|table| table.shown().chars().count()).max().unwrap_or_default();
    for table in &tables {
        let numbers = [
            (table.columns.len(), "column", "columns"),
            (count(table, Kind::Index), "index", "indexes"),
            (count(table, Kind::Trigger), "trigger", "triggers"),
        ];
        let mut details: Vec<String> = numbers
            .iter()
            .filter(|(count, _, _)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
            .collect();
        if table.kind != Kind::Table {
            details.insert(0, table.kind.name().to_owned());
        }
        let comment = table.comment.as_deref().and_then(|comment| comment.lines().next()).unwrap_or_default();
        let line = format!("{:<width$}   {:<40} {comment}", table.shown(), details.join(", "));
        context.print(line.trim_end());
    }
    context.print(match tables.len() {
        1 => "1 table or view".to_owned(),
        count => format!("{count} tables and views"),
    });
}

fn comments(context: &Context, catalog: &Catalog) {
    let wanted = |object: &&Object| is_table(object) || object.kind == Kind::Column;
    let all: Vec<&Object> = catalog.objects().filter(wanted).collect();
    let without: Vec<&Object> = all.iter().copied().filter(|object| object.comment.is_none()).collect();
    if context.is_json() {
        let rows: Vec<_> =
            without.iter().map(|object| json!({"kind": object.kind.name(), "name": object.shown()})).collect();
        return context.document(&json!({"v": 1, "without_comment": rows, "of": all.len()}));
    }
    for object in &without {
        context.print(format!("{:<18} {}", object.kind.name(), object.shown()));
    }
    context.print(format!("{} of {} tables and columns have no comment", without.len(), all.len()));
}

/// Objects of this name; what is a part of another one only if nothing else is called so.
fn named<'a>(catalog: &'a Catalog, name: &str, dialect: Dialect) -> Vec<&'a Object> {
    let Some((wanted, _)) = Tokens::of(name, dialect).eat_name() else { return Vec::new() };
    let found: Vec<&Object> = catalog.objects().filter(|object| object.name.matches(&wanted)).collect();
    let wholes: Vec<&Object> =
        found.iter().copied().filter(|object| object.table.is_none() || object.kind == Kind::Index).collect();
    if wholes.is_empty() { found } else { wholes }
}

fn objects(context: &Context, catalog: &Catalog, shown: &[(&Object, Vec<Origin>)]) {
    if context.is_json() {
        let rows: Vec<_> = shown
            .iter()
            .map(|(object, origins)| {
                json!({
                    "kind": object.kind.name(),
                    "name": object.shown(),
                    "definition": catalog.whole(object),
                    "comment": object.comment,
                    "needs": object.needs,
                    "origins": origins,
                })
            })
            .collect();
        return context.document(&json!({"v": 1, "objects": rows}));
    }
    for (at, (object, origins)) in shown.iter().enumerate() {
        if at > 0 {
            context.print("");
        }
        context.print(object.key());
        for origin in origins {
            let word = if origin.made { "made" } else { "changed" };
            context.print(format!("  {word:<9} {}:{}   {}", origin.file, origin.line, origin.what));
        }
        context.print("");
        context.print(catalog.whole(object));
    }
}
