//! The first rows of an empty table: nothing is there to be compared, which costs half as much.

use postgres::SimpleQueryMessage;

use super::table::{Table, typed};
use super::write::UNDO;
use super::{Stop, as_role, send};
use crate::engine::postgres::link::{Link, value};
use crate::engine::postgres::quote::ident;

/// Writes all staged rows into a table that is empty. `None` if it is not, or if some row cannot be written: then
/// nothing was, and the usual way tells which one.
pub(super) fn fill(link: &mut Link, table: &Table, owner: Option<&str>) -> Result<Option<u64>, Stop> {
    let names: Vec<String> = table.columns.iter().map(|column| ident(&column.name)).collect();
    let values: Vec<String> = (0..names.len()).map(|index| typed(table, index)).collect();
    let asked =
        format!("{}savepoint dbbuild_rows;\nselect exists (select from {}) as is_filled", as_role(owner), table.sql);
    // In the order of the file: a temporary table is read from its beginning, by one process.
    let insert = format!(
        "insert into {} ({}) overriding system value select {} from pg_temp.dbbuild_seed s",
        table.sql,
        names.join(", "),
        values.join(", ")
    );
    let filled = send(link, &asked).and_then(|answers| match value(&answers, "is_filled") {
        Some("f") => send(link, &insert).map(|answers| written(&answers)),
        _ => Ok(None),
    });
    match filled {
        Err(Stop::Failed { failure, .. }) if failure.code != "57014" && !failure.is_somebody_else() => {
            send(link, UNDO).map(|_| None)
        }
        other => other,
    }
}

/// Returns how many rows the only statement of a message wrote.
fn written(answers: &[SimpleQueryMessage]) -> Option<u64> {
    answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
        _ => None,
    })
}
