//! SQLite's half of the product.

use std::collections::BTreeMap;

use super::{Cell, Half, Own, Texts, Under};
use crate::support::Case;

pub struct Sqlite;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    View,
    Star,
    Trigger,
    InsteadOf,
    Index,
}

const TABLES: &str = "\
create table if not exists {p}t (id integer primary key, a integer, b text);
create table if not exists {p}u (id integer primary key, a integer, b text);
create table if not exists {p}log (what text);
insert into {p}t values (1, 10, 'x') on conflict do nothing;
";

impl Half for Sqlite {
    type Kind = Kind;
    const KINDS: &'static [Kind] = &[Kind::View, Kind::Star, Kind::Trigger, Kind::InsteadOf, Kind::Index];
    const STATE: &'static str =
        "select group_concat(type || ' ' || name, ',') from (select type, name from sqlite_schema
          where type in ('view', 'trigger') or name like '%\\_o' escape '\\' order by type, name)";

    fn texts(cell: &Cell<Kind>) -> Option<Texts> {
        let own: &[Own] = match cell.kind {
            Kind::View => &[
                Own::Stays,
                Own::Body,
                Own::Wider,
                Own::Narrower,
                Own::Retyped,
                Own::Relabelled,
                Own::Reordered,
                Own::Renamed,
                Own::Moved,
                Own::Emptied,
            ],
            Kind::Star => &[Own::Stays, Own::Body, Own::Renamed, Own::Emptied],
            Kind::Trigger | Kind::InsteadOf => {
                &[Own::Stays, Own::Body, Own::Retyped, Own::Renamed, Own::Moved, Own::Emptied]
            }
            Kind::Index => &[Own::Stays, Own::Body, Own::Renamed, Own::Emptied],
        };
        let has_levels = !matches!(cell.kind, Kind::Index);
        if !own.contains(&cell.own) || cell.said || (cell.levels > 0 && !has_levels) {
            return None;
        }
        Some(Texts {
            tables: TABLES.to_owned(),
            before: files(cell, Own::Stays, Under::Nothing),
            script: script(cell),
            after: files(cell, cell.own, cell.under),
        })
    }

    fn prefix(at: usize) -> String {
        format!("c{at}_")
    }

    fn say(_: &Case, _: &Cell<Kind>, _: &str, _: &str) {}

    fn said(_: &Case, _: &str) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

fn script(cell: &Cell<Kind>) -> String {
    let rebuild = |a: &str| {
        format!(
            "create table if not exists {{p}}t_new (id integer primary key, a {a}, b text);\n\
             insert into {{p}}t_new select id, a, b from {{p}}t;\ndrop table {{p}}t;\n\
             alter table {{p}}t_new rename to t_moved;\n"
        )
        .replace("t_moved", "{p}t")
    };
    let text = match cell.under {
        Under::Nothing => return String::new(),
        Under::Added => {
            return "-- dbbuild: unless column {p}t.extra\nalter table {p}t add column extra text;\n".to_owned();
        }
        Under::ColumnRenamed => return "alter table {p}t rename column a to z;\n".to_owned(),
        Under::TableRenamed => return "alter table {p}t rename to {p}t2;\n".to_owned(),
        Under::Dropped => "alter table {p}t drop column a;\n".to_owned(),
        Under::Retyped => rebuild("text"),
        Under::Rebuilt => rebuild("integer"),
        Under::TableDropped => "drop table {p}t;\n".to_owned(),
    };
    format!("-- dbbuild: suspend-code {{p}}o, {{p}}d0, {{p}}d1, {{p}}tr\n{text}")
}

/// The cell's code files in a state of its own and of the table.
fn files(cell: &Cell<Kind>, own: Own, under: Under) -> BTreeMap<&'static str, String> {
    let (table, a) = under.source();
    let t = format!("{{p}}{table}");
    let name = if own == Own::Renamed { "{p}o2" } else { "{p}o" };
    let mut files = BTreeMap::new();
    // The chain that views of views are made of, and that a trigger is on or reads.
    let mut chain = |from: &str| {
        for level in 1..=cell.levels {
            let below = if level == 1 { from.to_owned() } else { format!("{{p}}d{}", level - 1) };
            let (file, text) = match level {
                1 => ("d1", format!("create view {{p}}d1 as select * from {below};\n")),
                _ => ("d2", format!("create view {{p}}d2 as select id from {below};\n")),
            };
            files.insert(file, text);
        }
        if cell.levels > 0 {
            let top = format!("{{p}}d{}", cell.levels);
            files.insert(
                "tr",
                format!("create trigger {{p}}tr after insert on {{p}}u begin insert into {{p}}log select id from {top}; end;\n"),
            );
        }
    };
    let object = match cell.kind {
        Kind::View | Kind::Star => {
            chain(if own == Own::Emptied { "{p}u" } else { name });
            let columns = match (cell.kind, own) {
                (Kind::Star, _) => "*".to_owned(),
                (_, Own::Wider) => format!("id, {a} as v, b, 1 as w"),
                (_, Own::Narrower) => format!("id, {a} as v"),
                (_, Own::Retyped) => format!("id, cast({a} as text) as v, b"),
                (_, Own::Reordered) => format!("b, {a} as v, id"),
                (_, Own::Relabelled) => format!("id, {a} as vv, b"),
                _ => format!("id, {a} as v, b"),
            };
            let filter = if own == Own::Body { " where id > 0" } else { "" };
            format!("create view {name} as select {columns} from {t}{filter};\n")
        }
        Kind::Trigger => {
            chain(&t);
            let read = if cell.levels == 0 { t.clone() } else { format!("{{p}}d{}", cell.levels) };
            let when = if own == Own::Retyped { "before" } else { "after" };
            let what = if own == Own::Body { "'new'" } else { "id" };
            format!(
                "create trigger {name} {when} insert on {t} begin insert into {{p}}log select {what} from {read}; end;\n"
            )
        }
        Kind::InsteadOf => {
            files_of_views(&mut files, cell.levels, &t);
            let event = if own == Own::Retyped { "delete" } else { "insert" };
            let what = if own == Own::Body { "'new'" } else { "'old'" };
            format!(
                "create trigger {name} instead of {event} on {{p}}d{} begin insert into {{p}}log values ({what}); end;\n",
                cell.levels
            )
        }
        Kind::Index => {
            let column = if own == Own::Body { "b" } else { a };
            format!("create index if not exists {name} on {t} ({column});\n")
        }
    };
    files.insert(
        if own == Own::Moved { "moved" } else { "o" },
        if own == Own::Emptied { "-- nothing\n".to_owned() } else { object },
    );
    files
}

/// Views of views for a trigger to be on.
fn files_of_views(files: &mut BTreeMap<&'static str, String>, levels: usize, table: &str) {
    files.insert("d0", format!("create view {{p}}d0 as select * from {table};\n"));
    if levels > 0 {
        files.insert("d1", "create view {p}d1 as select * from {p}d0;\n".to_owned());
    }
    if levels > 1 {
        files.insert("d2", "create view {p}d2 as select id from {p}d1;\n".to_owned());
    }
}
