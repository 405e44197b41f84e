//! DROP, TRUNCATE or change of type of what a view or a foreign key needs that the script makes further down.

use super::super::alteration::alterations;
use super::super::context::Context;
use super::super::facts::dropped;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::shape::{columns, names};
use super::super::statement::Statement;
use super::super::witness;
use super::type_change_using::until_type;
use crate::sql::{ActionKind, Kind, Name, Span, TokenKind, Tokens, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "needed-by-later",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "DROP, TRUNCATE or a change of type of what a view or a foreign key needs that the script makes further down",
    effect: "A second run stops with an error: the view or the foreign key that the first run made depends on it. PostgreSQL refuses even a change to the type that the column has. An index that foreign keys use cannot go once it is a constraint's, and a table takes no columns once it is a partition.",
    remedy: "Drop what depends on it first, with `IF EXISTS`; put a change of type into a `DO` block that tests the column's type.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    types(context, found);
    keys(context, found);
    constraints(context, found);
    partitions(context, found);
    for drop in context.structure.iter().filter(|statement| statement.head.verb == Verb::Drop) {
        let kinds = [Kind::View, Kind::MaterializedView, Kind::Function, Kind::Table, Kind::Type];
        let names = dropped(drop);
        let ([name], true) = (names.as_slice(), drop.head.kind.is_some_and(|kind| kinds.contains(&kind))) else {
            continue;
        };
        if drop.is_guarded() || drop.caught().is_some() || drop.tokens().has_word("cascade") {
            continue;
        }
        let Some(again) = context.behind(drop).find(|other| makes(other, name) && other.head.kind == drop.head.kind)
        else {
            continue;
        };
        let Some(needs) = context.behind(again).find(|other| depends(context, drop, other, name)) else { continue };
        let (Some(kind), Some(written)) = (needs.head.kind, needs.head.name_span) else { continue };
        let message = format!(
            "a second run fails: {} {}, made further down, needs {name}",
            kind.name(),
            written.text(context.text)
        );
        let text = format!("DROP {} IF EXISTS ", kind.name().to_uppercase());
        let text = guard::cased(&text, guard::is_lower(drop)) + written.text(context.text) + ";\n";
        found.report(&RULE, drop.head_span(), message).fix(Fix::insert("drop that first", drop.span.start, text));
    }
}

fn makes(statement: &Statement<'_>, name: &Name) -> bool {
    statement.head.verb == Verb::Create && statement.head.name.as_ref().is_some_and(|made| made.matches(name))
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
        let shows = |other: &&Statement<'_>| depends(context, statement, other, table) && shows(other, column.object());
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
        let refers = |other: &&Statement<'_>| {
            let from = other.head.name.as_ref().filter(|from| !names.iter().any(|name| name.matches(from)));
            let read = from.is_some()
                && !other.head.temporary
                && references(other).iter().any(|to| names.iter().any(|name| name.matches(to)));
            let goes = |statement: &Statement<'_>| {
                let own = other.head.name.as_ref();
                statement.head.verb == Verb::Drop
                    && dropped(statement).iter().any(|gone| own.is_some_and(|own| own.matches(gone)))
            };
            read && !context.before(statement).any(goes)
                && !context.behind(other).any(goes)
                && !freed(context, statement, other)
        };
        let Some(other) = context.behind(statement).find(refers) else { continue };
        let Some(from) = &other.head.name else { continue };
        let message = format!("a second run fails: a foreign key of {from}, made further down, refers to it");
        found.report(&RULE, statement.head_span(), message).fix(witness::group(context));
    }
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

/// The script drops the constraint or the column first, so that nothing refers to the table any longer.
fn freed(context: &Context<'_>, statement: &Statement<'_>, adds: &Statement<'_>) -> bool {
    let gone = |action: &crate::sql::Action| {
        context.before(statement).flat_map(|before| &before.actions).any(|before| {
            matches!(before.kind, ActionKind::DropConstraint | ActionKind::DropColumn) && before.name == action.name
        })
    };
    adds.actions.iter().any(gone)
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

/// A view further down that reads it, is there at the end, and is not dropped in front.
fn depends(context: &Context<'_>, drop: &Statement<'_>, other: &Statement<'_>, name: &Name) -> bool {
    let is_view =
        matches!(other.head.kind, Some(Kind::View | Kind::MaterializedView)) && other.head.verb == Verb::Create;
    let Some(own) = other.head.name.as_ref().filter(|own| is_view && !own.matches(name)) else { return false };
    let drops = |statement: &&Statement<'_>| {
        statement.head.verb == Verb::Drop && dropped(statement).iter().any(|dropped| dropped.matches(own))
    };
    let mut reads = false;
    let mut tokens = other.tokens_behind_name();
    while tokens.peek().is_some() {
        match tokens.eat_name() {
            Some((read, _)) => reads |= read.matches(name),
            None => {
                tokens.next();
            }
        }
    }
    reads && !context.before(drop).any(|before| drops(&before)) && !context.behind(other).any(|behind| drops(&behind))
}
