//! DROP, TRUNCATE or change of type of what something needs that the script makes further down.

use super::super::alteration::alterations;
use super::super::context::Context;
use super::super::dependence::{depends, freed, is_view};
use super::super::facts::dropped;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::routine::{has_arguments, same_arguments};
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::shape::{columns, names};
use super::super::statement::Statement;
use super::super::witness;
use super::type_change_using::until_type;
use crate::sql::{Action, ActionKind, Kind, Name, Span, TokenKind, Tokens, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "needed-by-later",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "DROP, TRUNCATE or a change of type of what something needs that the script makes further down",
    effect: "A second run stops with an error: the view, foreign key, trigger, default, index or the like that the first run made depends on it. PostgreSQL refuses even a change to the type that the column has. An index that foreign keys use cannot go once it is a constraint's, and a table takes no columns once it is a partition. CASCADE takes foreign keys along, and no CREATE TABLE IF NOT EXISTS brings them back.",
    remedy: "Drop what depends on it first, with `IF EXISTS`; put a change of type into a `DO` block that tests the column's type.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    types(context, found);
    keys(context, found);
    taken_along(context, found);
    constraints(context, found);
    partitions(context, found);
    drops(context, found);
}

/// `DROP FUNCTION f; CREATE FUNCTION f …; CREATE TRIGGER … EXECUTE FUNCTION f()`.
fn drops(context: &Context<'_>, found: &mut Found) {
    let kinds = [
        Kind::View,
        Kind::MaterializedView,
        Kind::Function,
        Kind::Table,
        Kind::Type,
        Kind::Domain,
        Kind::Sequence,
        Kind::Schema,
    ];
    for drop in context.structure.iter().filter(|statement| statement.head.verb == Verb::Drop) {
        let cascades = drop.tokens().has_word("cascade");
        let Some(kind) = drop.head.kind.filter(|kind| kinds.contains(kind) && !cascades) else { continue };
        if drop.is_guarded() || drop.caught().is_some() {
            continue;
        }
        let needing = dropped(drop).into_iter().find_map(|name| {
            let again = context.behind(drop).find(|other| {
                let is_it =
                    other.head.creates(kind) && other.head.name.as_ref().is_some_and(|made| made.matches(&name));
                is_it && (!has_arguments(kind) || same_arguments(drop, other))
            })?;
            let needing = context.behind(again).find(|other| depends(context, drop, other, &name))?;
            Some((name, needing))
        });
        let Some((name, needing)) = needing else { continue };
        let (Some(kind), Some(written)) = (needing.head.kind, needing.head.name_span) else { continue };
        let message = format!(
            "a second run fails: {} {}, made further down, needs {name}",
            kind.name(),
            written.text(context.text)
        );
        found
            .report(&RULE, drop.head_span(), message)
            .fix(drop_first(drop, needing).or_else(|| witness::group(context)));
    }
}

/// Drops, in front of a statement, what needs what it drops, if the script makes that again as it was.
fn drop_first(drop: &Statement<'_>, needing: &Statement<'_>) -> Option<Fix> {
    let kind = needing.head.kind.filter(|_| needing.head.verb == Verb::Create)?;
    let on = match kind {
        Kind::View | Kind::MaterializedView | Kind::Index => String::new(),
        Kind::Trigger | Kind::Policy => format!(" ON {}", needing.head.table.as_ref()?),
        _ => return None,
    };
    let text = guard::cased(&format!("DROP {} IF EXISTS ", kind.name().to_uppercase()), guard::is_lower(drop));
    let written = needing.head.name_span?.text(drop.text);
    let text = text + written + &guard::cased(&on, guard::is_lower(drop)) + ";\n";
    Some(Fix::insert("drop that first", drop.span.start, text))
}

/// `ALTER COLUMN c TYPE …` of a column that a view further down shows.
fn types(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in alterations(context, ActionKind::AlterColumn) {
        let (Some(table), Some(column)) = (&statement.head.name, &action.name) else { continue };
        let mut tokens = statement.part(action.span);
        // With USING it is another rule's.
        if !tokens.skip_past("type") || tokens.has_word("using") || statement.caught().is_some() {
            continue;
        }
        let written = Span::new(tokens.start(), action.span.end).text(context.text);
        let shows = |other: &&Statement<'_>| {
            is_view(other) && depends(context, statement, other, table) && shows(other, column.object())
        };
        let Some(view) = context.behind(statement).find(shows) else { continue };
        let Some(view) = &view.head.name else { continue };
        let message = format!("a second run fails: view {view}, made further down, shows column {column} of {table}");
        let draft = found.report(&RULE, action.span, message);
        let known = context.table(table, statement).and_then(|shape| shape.column_named(column.object()));
        let differs = known.is_some_and(|known| !known.type_word().eq_ignore_ascii_case(written.trim()));
        if differs && !written.contains('(') && !written.to_lowercase().contains("collate") {
            draft.fix(guard::test(statement, &until_type(table, column.object(), written)));
        }
    }
}

/// `DROP TABLE t` or `TRUNCATE t`, where a foreign key made further down refers to it.
fn keys(context: &Context<'_>, found: &mut Found) {
    for statement in context.structure {
        let head = &statement.head;
        let names = match (head.verb, head.name_span) {
            (Verb::Drop, _) if head.kind == Some(Kind::Table) => dropped(statement),
            (Verb::Truncate, Some(span)) => names(statement.part(Span::new(span.start, statement.span.end))),
            _ => continue,
        };
        if statement.is_guarded() || statement.caught().is_some() || statement.tokens().has_word("cascade") {
            continue;
        }
        let refers = |other: &&Statement<'_>| refers(context, statement, &names, other);
        let Some(other) = context.behind(statement).find(refers) else { continue };
        let Some(from) = &other.head.name else { continue };
        let message = format!("a second run fails: a foreign key of {from}, made further down, refers to it");
        found.report(&RULE, statement.head_span(), message).fix(witness::group(context));
    }
}

/// `DROP TABLE t CASCADE; CREATE TABLE t …; CREATE TABLE IF NOT EXISTS c (… REFERENCES t)`: the foreign key goes with what
/// it refers to, and a table that is there is not made again.
fn taken_along(context: &Context<'_>, found: &mut Found) {
    for statement in context.structure.iter().filter(|statement| statement.head.kind == Some(Kind::Table)) {
        let takes = |action: &&Action| {
            action.kind == ActionKind::DropConstraint && statement.part(action.span).has_word("cascade")
        };
        let names = match statement.head.verb {
            Verb::Drop if statement.tokens().has_word("cascade") => dropped(statement),
            Verb::Alter if statement.actions.iter().any(|action| takes(&action)) => {
                statement.head.name.iter().cloned().collect()
            }
            _ => continue,
        };
        if statement.is_guarded() || statement.caught().is_some() {
            continue;
        }
        let stays = |other: &&Statement<'_>| {
            let head = &other.head;
            head.verb == Verb::Create && head.if_not_exists && refers(context, statement, &names, other)
        };
        let Some(from) = context.behind(statement).find(stays).and_then(|other| other.head.name.as_ref()) else {
            continue;
        };
        let message =
            format!("a second run takes the foreign key of {from}, made further down, and does not bring it back");
        found.report(&RULE, statement.head_span(), message).fix(witness::group(context));
    }
}

/// Whether a statement makes a foreign key to one of these tables that is there at the end, and when the script begins
/// again.
fn refers(context: &Context<'_>, statement: &Statement<'_>, names: &[Name], other: &Statement<'_>) -> bool {
    let Some(own) = &other.head.name else { return false };
    let goes = |statement: &Statement<'_>| {
        statement.head.verb == Verb::Drop && dropped(statement).iter().any(|gone| own.matches(gone))
    };
    let is_one = |table: &Name| names.iter().any(|name| name.matches(table));
    !is_one(own)
        && !other.head.temporary
        && references(other).iter().any(is_one)
        && !context.before(statement).any(goes)
        && !goes(statement)
        && !context.behind(other).any(goes)
        && !freed(context, statement, other)
}

/// `DROP CONSTRAINT k; ADD CONSTRAINT k … USING INDEX i`, where foreign keys of earlier scripts use the index: it is the
/// constraint's on a second run.
fn constraints(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in alterations(context, ActionKind::DropConstraint) {
        let (Some(table), Some(name)) = (&statement.head.name, &action.name) else { continue };
        if statement.caught().is_some() || statement.part(action.span).has_word("cascade") {
            continue;
        }
        let index_of = |other: &Statement<'_>| {
            let own = other.head.name.as_ref().is_some_and(|own| own.matches(table));
            let mut adds = other.actions.iter().filter(|added| own && added.kind == ActionKind::AddConstraint);
            adds.find_map(|added| {
                let mut tokens = other.part(added.span);
                let same = added.name.as_ref() == Some(name) && tokens.skip_past("index");
                same.then(|| tokens.eat_name()).flatten().map(|(index, _)| index)
            })
        };
        let Some(index) = context.behind(statement).find_map(index_of) else { continue };
        let moment = context.moment(statement);
        let Some(definition) = context.history.other(Kind::Index, &index, moment) else { continue };
        let mut tokens = Tokens::of(definition, context.dialect);
        tokens.skip_past("on");
        while tokens.peek().is_some_and(|token| token.kind != TokenKind::OpenParen) {
            tokens.next();
        }
        let Some(columns) = columns(&mut tokens) else { continue };
        let Some(from) = context.history.referring(table, &columns, moment).first().copied() else { continue };
        let message =
            format!("a second run fails: a foreign key of {from} needs index {index}, the constraint's by then");
        found.report(&RULE, action.span, message).fix(witness::group(context));
    }
}

/// `ALTER TABLE t ADD COLUMN …`, where `t` becomes a partition further down: it takes no columns then.
fn partitions(context: &Context<'_>, found: &mut Found) {
    for kind in [ActionKind::AddColumn, ActionKind::DropColumn] {
        for (statement, action) in alterations(context, kind) {
            let Some(table) = &statement.head.name else { continue };
            if statement.caught().is_some() || !witness::becomes_partition(context, statement, table) {
                continue;
            }
            let message = format!("a second run fails: {table} is a partition by then, attached further down");
            found.report(&RULE, action.span, message).fix(witness::group(context));
        }
    }
}

/// The tables that the foreign keys of a statement refer to.
fn references(statement: &Statement<'_>) -> Vec<Name> {
    let mut found = Vec::new();
    if statement.head.kind == Some(Kind::Table) && matches!(statement.head.verb, Verb::Create | Verb::Alter) {
        // In a CREATE they stand in its parentheses.
        let mut words = statement.tokens();
        while let Some(token) = words.next() {
            if token.is_word(statement.text, "references") {
                found.extend(words.eat_name().map(|(name, _)| name));
            }
        }
    }
    found
}

/// Whether a view names a column, or all columns of something.
fn shows(view: &Statement<'_>, column: &str) -> bool {
    let mut tokens = view.tokens_behind_name();
    let mut last = String::new();
    while let Some(token) = tokens.peek() {
        let text = token.text(view.text);
        if text == "*" && (last == "." || last == "select" || last == ",") || text.trim_matches('"') == column {
            return true;
        }
        last = text.to_ascii_lowercase();
        tokens.next();
    }
    false
}
