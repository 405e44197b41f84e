//! SET SCHEMA without a guard.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use super::super::{guard, shape};
use crate::sql::{ActionKind, Kind, Name, quote_literal};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-set-schema",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "SET SCHEMA without a guard",
    effect: "A second run stops with an error: the object is in the other schema.",
    remedy: "A table, view, index or sequence: `ALTER … IF EXISTS … SET SCHEMA`, so that the second run finds nothing to move. Everything else: a `DO` block that asks the catalog.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let moves = statement.actions.iter().find(|action| action.kind == ActionKind::SetSchema);
        let (Some(action), Some(name), Some(kind)) = (moves, &statement.head.name, statement.head.kind) else {
            continue;
        };
        // An extension that is there already is left there.
        if kind == Kind::Extension {
            continue;
        }
        let native = shape::is_relation(kind) || kind == Kind::ForeignTable;
        let again = context.made_behind(statement, kind, name);
        let safe = statement.is_guarded()
            || statement.caught().is_some()
            // Without a schema the search path decides; if it leads to the moved one, that one stays where it is.
            || native && statement.head.if_exists && !again;
        if safe {
            continue;
        }
        let draft = found.report(&RULE, action.span, format!("a second run does not find {kind} {name} where it was"));
        if !native {
            draft.help("ask the catalog for where it is, in a DO block");
            draft.fix(
                action
                    .name
                    .as_ref()
                    .and_then(|schema| moved(statement, kind, name, schema))
                    .map(|test| guard::test(statement, &test)),
            );
        } else if again {
            // What is made again further down is not to follow; the target says whether it was moved.
            let moved = action.name.as_ref().map(|schema| Name::new([schema.object(), name.object()]));
            draft.fix(moved.map(|moved| guard::test(statement, &guard::Test::relation(false, kind.name(), &moved))));
        } else {
            let guard = guard::cased("IF EXISTS ", guard::is_lower(statement));
            draft.fix(Fix::insert("add IF EXISTS", statement.head.guard_slot, guard));
        }
    }
}

/// True while the object is not in the other schema.
fn moved(statement: &Statement<'_>, kind: Kind, name: &Name, schema: &Name) -> Option<guard::Test> {
    let literal = |text: &str| quote_literal(statement.dialect, text);
    let there = Name::new([schema.object(), name.object()]).to_string();
    let query = match kind {
        Kind::Type | Kind::Domain => format!("SELECT 1 WHERE to_regtype({}) IS NOT NULL", literal(&there)),
        Kind::Function | Kind::Procedure | Kind::Aggregate | Kind::Routine => {
            let types = guard::signature(statement)?;
            format!("SELECT 1 WHERE to_regprocedure({}) IS NOT NULL", literal(&(there + &types)))
        }
        _ => {
            let (catalog, column) = match kind {
                Kind::Collation => ("pg_collation", "coll"),
                Kind::Conversion => ("pg_conversion", "con"),
                Kind::Statistics => ("pg_statistic_ext", "stx"),
                Kind::TextSearchConfiguration => ("pg_ts_config", "cfg"),
                Kind::TextSearchDictionary => ("pg_ts_dict", "dict"),
                Kind::TextSearchParser => ("pg_ts_parser", "prs"),
                Kind::TextSearchTemplate => ("pg_ts_template", "tmpl"),
                Kind::OperatorClass => ("pg_opclass", "opc"),
                Kind::OperatorFamily => ("pg_opfamily", "opf"),
                _ => return None,
            };
            let (object, schema) = (literal(name.object()), literal(schema.object()));
            format!(
                "SELECT 1 FROM {catalog} JOIN pg_namespace n ON n.oid = {column}namespace WHERE {column}name = {object} AND nspname = {schema}"
            )
        }
    };
    Some(guard::Test::query(false, &query))
}
