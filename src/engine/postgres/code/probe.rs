//! Whether an object is as its text would make it now: a materialized view may be large, and is not made again for
//! nothing; a text that asks for all columns gets others when a script has added some.

use super::super::link::{Link, value};
use super::super::quote::ident;
use super::super::stop::Stop;
use super::known::{Known, spelt_in_full};
use crate::engine::Unit;
use crate::engine::code::Creation;
use crate::sql::Kind;

const PROBE: &str = "dbbuild_probe";

/// Returns true for the objects whose definition the server keeps in its own words, with all columns spelt out.
pub(super) fn can_tell(kind: Kind, unit: &Unit) -> bool {
    match kind {
        Kind::View | Kind::MaterializedView | Kind::Rule => true,
        Kind::Function | Kind::Procedure => unit.text.as_str().to_ascii_lowercase().contains("atomic"),
        _ => false,
    }
}

/// Makes the object under another name, a view without rows, compares the definitions, and takes it back.
pub(super) fn is_same(link: &mut Link, unit: &Unit, creation: &Creation, known: &Known) -> Result<bool, Stop> {
    let Some(part) = unit.parts.get(creation.part) else { return Ok(false) };
    let text = unit.text.as_str();
    let name = match creation.name.schema() {
        Some(schema) => format!("{}.{PROBE}", ident(schema)),
        None => PROBE.to_owned(),
    };
    let before = text.get(part.span.start..creation.name_span.start).unwrap_or_default();
    let behind = text.get(creation.name_span.end..part.span.end).unwrap_or_default().trim_end();
    let create = match creation.kind {
        Kind::MaterializedView => format!("{before}{name}{}\nwith no data", without_data(behind)),
        _ => format!("{before}{name}{behind}"),
    };
    let compare = match creation.kind {
        Kind::View | Kind::MaterializedView => {
            "select (pg_get_viewdef(p.oid), p.reloptions, p.reltablespace, p.relam)
                        is not distinct from (pg_get_viewdef(c.oid), c.reloptions, c.reltablespace, c.relam) as same
               from pg_class p, pg_class c
              where p.relname = 'dbbuild_probe' and p.relnamespace = c.relnamespace"
        }
        Kind::Rule => {
            "select replace(pg_get_ruledef(p.oid), 'dbbuild_probe', quote_ident(c.rulename)) = pg_get_ruledef(c.oid) as same
               from pg_rewrite p, pg_rewrite c
              where p.rulename = 'dbbuild_probe' and p.ev_class = c.ev_class"
        }
        _ => {
            "select pg_get_function_sqlbody(p.oid) is not distinct from pg_get_function_sqlbody(c.oid) as same
               from pg_proc p, pg_proc c
              where p.proname = 'dbbuild_probe' and p.pronamespace = c.pronamespace"
        }
    };
    let shown = link.connector.shown();
    let own = |trouble| Stop::own(trouble, "comparing a code object with its text", &shown);
    link.send_own("savepoint dbbuild_probe").map_err(own)?;
    let compared = link
        .send(&create)
        .and_then(|_| link.send_own(&spelt_in_full(&format!("{compare} and c.oid = {}", known.objid))));
    link.send_own("rollback to savepoint dbbuild_probe;\nrelease savepoint dbbuild_probe").map_err(own)?;
    link.take_notices();
    Ok(compared.is_ok_and(|answers| value(&answers, "same") == Some("t")))
}

/// Takes `with data` off the end of a text; what is put there instead needs a line of its own, behind a comment.
fn without_data(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    ["with data", "with no data"]
        .into_iter()
        .find(|end| lower.ends_with(end))
        .map_or(text, |end| &text[..text.len() - end.len()])
}
