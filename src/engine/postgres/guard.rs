//! Guards: what a script asks the database just before a statement.

use std::collections::BTreeMap;

use super::journal::DIALECT;
use super::link::{Link, rows, value};
use super::quote::{literal, qualified};
use super::stop::Stop;
use crate::engine::{EngineError, Part, PlacedGuard, SqlFailure, Unit};
use crate::script::{Object, RunIf, Test};
use crate::sql::{Name, Span, Tokens};

/// The groups whose guard was tested, and what came of it. A group is known by its guard's text and by which of
/// the guards with that text it is, so that what was added elsewhere does not confuse a script that resumes.
pub(super) type Groups = BTreeMap<String, bool>;

/// Returns true if each guard of a part lets it run. A group's guard is tested once.
pub(super) fn lets_run(link: &mut Link, unit: &Unit, part: &Part, groups: &mut Groups) -> Result<bool, Stop> {
    for index in &part.guards {
        let Some(guard) = unit.guards.get(*index) else { continue };
        let name = guard.guard.group.then(|| group_name(unit, *index));
        let known = name.as_ref().and_then(|name| groups.get(name).copied());
        let runs = match known {
            Some(runs) => runs,
            None => test(link, unit, guard)?,
        };
        if let Some(name) = name {
            groups.insert(name, runs);
        }
        if !runs {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns what a group is known by.
pub(super) fn group_name(unit: &Unit, index: usize) -> String {
    let text = |guard: &PlacedGuard| guard.span.text(unit.text.as_str()).trim().to_owned();
    let own = unit.guards.get(index).map(text).unwrap_or_default();
    let before = unit.guards.iter().take(index).filter(|guard| text(guard) == own).count();
    format!("{before} {own}")
}

fn test(link: &mut Link, unit: &Unit, placed: &PlacedGuard) -> Result<bool, Stop> {
    let is_present = match &placed.guard.test {
        Test::Object(kind, name) => has_object(link, *kind, name, unit, placed.span)?,
        Test::Query(query) => finds_something(link, query, unit, placed.span)?,
    };
    Ok(match placed.guard.run {
        RunIf::Absent => !is_present,
        RunIf::Present => is_present,
    })
}

fn has_object(link: &mut Link, kind: Object, name: &str, unit: &Unit, span: Span) -> Result<bool, Stop> {
    let condition = condition(kind, name).ok_or_else(|| Stop::Engine(no_name(kind, name, unit, span)))?;
    let answers = link.send(&format!("select exists ({condition}) as present"));
    let answers =
        answers.map_err(|trouble| Stop::of(trouble, unit, Span { start: span.start, end: span.start }, Some(span)))?;
    Ok(value(&answers, "present") == Some("t"))
}

/// Refuses guards whose names cannot be ones. Nothing has run.
pub(super) fn refuse_unanswerable(unit: &Unit) -> Result<(), EngineError> {
    for placed in &unit.guards {
        if let Test::Object(kind, name) = &placed.guard.test
            && condition(*kind, name).is_none()
        {
            return Err(no_name(*kind, name, unit, placed.span));
        }
    }
    Ok(())
}

/// The refusal of a guard whose name cannot be one.
pub(super) fn no_name(kind: Object, name: &str, unit: &Unit, span: Span) -> EngineError {
    EngineError::Refused {
        code: "guard/name",
        message: format!("`{name}` is no name of a {}", kind.word()),
        place: Some(unit.text.place(span)),
        hint: needs_table(kind).map(str::to_owned),
    }
}

fn needs_table(kind: Object) -> Option<&'static str> {
    match kind {
        Object::Column => Some("write `table.column`"),
        Object::Policy => Some("write `table.policy`"),
        _ => None,
    }
}

/// Returns the catalog query that finds an object; an unqualified name is looked up as the script's own
/// statements would. `None` if the name cannot be one of that kind.
pub(super) fn condition(kind: Object, text: &str) -> Option<String> {
    if kind == Object::Function && text.contains('(') {
        return Some(format!("select where pg_catalog.to_regprocedure({}) is not null", literal(text)));
    }
    let mut tokens = Tokens::of(text, DIALECT);
    let (name, _) = tokens.eat_name()?;
    if tokens.peek().is_some() {
        return None;
    }
    let own = literal(name.object());
    let full = regclass(name.parts());
    let owner = (name.parts().len() > 1).then(|| regclass(name.parts().split_last().map_or(&[][..], |(_, rest)| rest)));
    let relation =
        |kinds: &str| format!("select from pg_catalog.pg_class c where c.oid = {full} and c.relkind in ({kinds})");
    let is_plain = !name.is_qualified();
    match kind {
        Object::Table => Some(relation("'r', 'p', 'f'")),
        Object::View => Some(relation("'v', 'm'")),
        Object::Index => Some(relation("'i', 'I'")),
        Object::Sequence => Some(relation("'S'")),
        Object::Column => Some(format!(
            "select from pg_catalog.pg_attribute a where a.attrelid = {} and a.attname = {own} and a.attnum > 0 \
             and not a.attisdropped",
            owner?
        )),
        Object::Trigger => {
            let table = owner
                .map_or("pg_catalog.pg_table_is_visible(t.tgrelid)".into(), |table| format!("t.tgrelid = {table}"));
            Some(format!(
                "select from pg_catalog.pg_trigger t where t.tgname = {own} and not t.tgisinternal and {table}"
            ))
        }
        Object::Constraint => {
            let table = owner.map_or(
                "(pg_catalog.pg_table_is_visible(c.conrelid) or pg_catalog.pg_type_is_visible(c.contypid))".into(),
                |table| {
                    format!("(c.conrelid = {table} or c.contypid <> 0 and c.contypid = {})", regtype_of_owner(&name))
                },
            );
            Some(format!("select from pg_catalog.pg_constraint c where c.conname = {own} and {table}"))
        }
        Object::Policy => {
            Some(format!("select from pg_catalog.pg_policy p where p.polname = {own} and p.polrelid = {}", owner?))
        }
        Object::Type => {
            Some(format!("select where pg_catalog.to_regtype({}) is not null", literal(&quoted(name.parts()))))
        }
        Object::Role if is_plain => Some(format!("select from pg_catalog.pg_roles r where r.rolname = {own}")),
        Object::Schema if is_plain => Some(format!("select from pg_catalog.pg_namespace n where n.nspname = {own}")),
        Object::Extension if is_plain => Some(format!("select from pg_catalog.pg_extension e where e.extname = {own}")),
        Object::Role | Object::Schema | Object::Extension => None,
        Object::Function => {
            let schema = name.schema().map_or("pg_catalog.pg_function_is_visible(p.oid)".into(), |schema| {
                format!("n.nspname = {}", literal(schema))
            });
            Some(format!(
                "select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace \
                 where p.proname = {own} and {schema}"
            ))
        }
    }
}

fn quoted(parts: &[String]) -> String {
    qualified(parts.iter().map(String::as_str))
}

fn regclass(parts: &[String]) -> String {
    format!("pg_catalog.to_regclass({})", literal(&quoted(parts)))
}

/// A domain has constraints too.
fn regtype_of_owner(name: &Name) -> String {
    let owner = name.parts().split_last().map_or(&[][..], |(_, rest)| rest);
    format!("pg_catalog.to_regtype({})", literal(&quoted(owner)))
}

/// Returns true if the query's first row begins with something that is neither NULL, false nor 0.
fn finds_something(link: &mut Link, query: &str, unit: &Unit, span: Span) -> Result<bool, Stop> {
    // Where the query stands in the directive, so that the server's position leads there.
    let inside = span.text(unit.text.as_str()).rfind(query).unwrap_or_default();
    let sent = Span { start: span.start + inside, end: span.end };
    let stop = |trouble| Stop::of(trouble, unit, sent, Some(span));
    // The protocol's simple form has no types, and the text `f` is something unless it is a boolean's.
    let statement = link.exchange(true, |client| client.prepare(query)).map_err(stop)?;
    let Some(first) = statement.columns().first() else {
        return Err(Stop::Failed {
            failure: Box::new(SqlFailure {
                code: "42601".into(),
                message: "a guard's query must return a column".into(),
                detail: None,
                hint: Some("write `SELECT 1 FROM …`".into()),
                context: None,
                position: None,
            }),
            span: Some(span),
        });
    };
    use postgres::types::Type;
    let kind = first.type_().clone();
    drop(statement);
    let answers = link.send(query).map_err(stop)?;
    let Some(text) = rows(&answers).next().and_then(|row| row.try_get(0).ok().flatten()) else { return Ok(false) };
    let is_number =
        [Type::INT2, Type::INT4, Type::INT8, Type::FLOAT4, Type::FLOAT8, Type::NUMERIC, Type::OID].contains(&kind);
    Ok(match kind {
        Type::BOOL => text != "f",
        _ if is_number => text.parse::<f64>() != Ok(0.0),
        _ => true,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_one_is_none() {
        assert_eq!(condition(Object::Column, "email"), None);
        assert_eq!(condition(Object::Role, "a.b"), None);
        assert_eq!(condition(Object::Table, "a b"), None);
        assert_eq!(condition(Object::Policy, "p"), None);
        assert!(condition(Object::Table, "\"A b\"").unwrap().contains("'\"A b\"'"));
        assert!(
            condition(Object::Column, "s.T.\"C\"").unwrap().contains("to_regclass('\"s\".\"t\"') and a.attname = 'C'")
        );
    }
}
