//! Whether a materialized view is as its text would make it now: it may be large, and is not made again for nothing.

use super::super::link::{Link, value};
use super::super::quote::ident;
use super::super::stop::Stop;
use super::known::{Known, spelt_in_full};
use crate::engine::Unit;
use crate::engine::code::Creation;

const PROBE: &str = "dbbuild_probe";

/// Makes the view under another name, without rows, compares the definitions, and takes it back.
pub(super) fn is_same(link: &mut Link, unit: &Unit, creation: &Creation, known: &Known) -> Result<bool, Stop> {
    let Some(part) = unit.parts.get(creation.part) else { return Ok(false) };
    let text = unit.text.as_str();
    let name = match creation.name.schema() {
        Some(schema) => format!("{}.{PROBE}", ident(schema)),
        None => PROBE.to_owned(),
    };
    let before = part.span.start..creation.name_span.start;
    let behind = text.get(creation.name_span.end..part.span.end).unwrap_or_default();
    let lower = behind.trim_end().to_ascii_lowercase();
    let behind = ["with data", "with no data"]
        .into_iter()
        .find(|end| lower.ends_with(end))
        .map_or(behind.trim_end(), |end| &behind.trim_end()[..behind.trim_end().len() - end.len()]);
    // On a line of its own: the text may end with a comment.
    let create = format!("{}{name}{behind}\nwith no data", text.get(before).unwrap_or_default());
    let shown = link.connector.shown();
    let own = |trouble| Stop::own(trouble, "comparing a materialized view", &shown);
    link.send_own("savepoint dbbuild_probe").map_err(own)?;
    let compared = link.send(&create).and_then(|_| {
        link.send_own(&spelt_in_full(&format!(
            "select (pg_get_viewdef(p.oid), p.reloptions, p.reltablespace, p.relam)
                        is not distinct from (pg_get_viewdef(c.oid), c.reloptions, c.reltablespace, c.relam) as same
               from pg_class p, pg_class c
              where p.relname = '{PROBE}' and p.relnamespace = c.relnamespace and c.oid = {}",
            known.objid
        )))
    });
    link.send_own("rollback to savepoint dbbuild_probe;\nrelease savepoint dbbuild_probe").map_err(own)?;
    link.take_notices();
    Ok(compared.is_ok_and(|answers| value(&answers, "same") == Some("t")))
}
