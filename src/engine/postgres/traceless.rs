//! A run that writes nothing, shown in one message: no number is given to a transaction that has not written.
//!
//! <https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT>,
//! `pg_current_xact_id_if_assigned`: a row of a table or of the server's own catalogs cannot be written without a
//! number. A sequence can be moved on without one.

use super::link::{Link, value};
use super::run;
use super::transaction::settings;
use crate::engine::{Result, Unit};

/// Is set until the transaction ends, whoever ends it.
const TOKEN: &str = "dbbuild.trial";

/// Runs a unit in a transaction that is undone. True if it ran to its end and wrote no row. False says nothing: the
/// unit fails, or writes, or cannot run as one message.
pub(super) fn is(link: &mut Link, unit: &Unit) -> Result<bool> {
    if !run::is_one_message(unit) {
        return Ok(false);
    }
    link.ready()?;
    link.check_interrupt(|| "nothing of a proof is kept".into())?;
    let message = format!(
        "begin isolation level read committed read write;
         set local {TOKEN} = 'on';
         {}{};
         set constraints all immediate;
         select pg_catalog.current_setting('{TOKEN}', true) as token,
                pg_catalog.pg_current_xact_id_if_assigned()::text as transaction",
        settings(link, unit),
        run::as_one_message(unit)
    );
    let answers = link.send(&message);
    link.undo();
    let Ok(answers) = answers else { return Ok(false) };
    Ok(value(&answers, "token") == Some("on") && value(&answers, "transaction").is_none())
}
