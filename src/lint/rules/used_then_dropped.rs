//! A statement that needs what the script drops or renames further down.

use std::collections::{BTreeSet, HashMap};

use super::super::catalog;
use super::super::context::Context;
use super::super::facts;
use super::super::finding::Found;
use super::super::guard::{self, Test};
use super::super::routine::same_arguments;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::shape::{self, Column, Shape};
use super::super::statement::Statement;
use super::super::witness;
use crate::sql::{ActionKind, Kind, Name, Span, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "used-then-dropped",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "A statement that needs what the script drops or renames further down",
    effect: "A second run stops with an error: the table or column that it reads is gone.",
    remedy: "Test for it: a `DO` block with `IF EXISTS (…)`, or `-- dbbuild: if column table.old` in front of the statement.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    labels(context, found);
    others(context, found);
    let losses = losses(context);
    if losses.is_empty() {
        return;
    }
    let mut by_table: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, loss) in losses.iter().enumerate() {
        by_table.entry(loss.table.object()).or_default().push(at);
    }
    for statement in context.statements {
        if statement.is_guarded() || statement.caught().is_some() || is_rebuild_part(context, statement) {
            continue;
        }
        let named = |name: Name| by_table.get(name.object()).cloned().unwrap_or_default();
        let spoken_of: BTreeSet<usize> = names(statement).flat_map(named).collect();
        let needed = spoken_of.iter().filter_map(|at| losses.get(*at)).find(|loss| {
            loss.at > statement.span.start && needs(statement, loss) && !comes_back(context, loss, statement)
        });
        let Some(loss) = needed else { continue };
        let Loss { table, column, .. } = loss;
        let what = match column {
            Some(column) => format!("column {} of {table}", Name::new([column.as_str()])),
            None => format!("table {table}"),
        };
        let message = format!("a second run fails: {what} goes away further down");
        let draft = found.report(&RULE, statement.head_span(), message);
        let test = match column {
            Some(column) => Test::column(true, table, column),
            None => Test::relation(true, "table", table),
        };
        // A table that is made anew has lost its rows by then: the whole script or nothing.
        draft.fix(if loss.anew { witness::group(context) } else { Some(guard::test(statement, &test)) });
    }
}

/// A value of an enum that the script makes anew without it: no column takes it then.
fn labels(context: &Context<'_>, found: &mut Found) {
    for remade in witness::remade_types(context).filter(|remade| !remade.lost.is_empty()) {
        let rows = context
            .statements
            .iter()
            .filter(|statement| matches!(statement.head.verb, Verb::Update | Verb::Delete | Verb::Insert));
        for statement in rows.filter(|statement| !statement.is_guarded() && statement.caught().is_none()) {
            let is_lost = |token: &crate::sql::Token| {
                token.kind.is_string() && remade.lost.iter().any(|label| label == token.text(context.text))
            };
            // Compared as a text it is none of its values.
            let as_text = statement.tokens().has_words(&["text"]);
            if let Some(token) = statement.tokens().find(is_lost).filter(|_| !as_text) {
                let message =
                    format!("a second run fails: {} is no value of {} by then", token.text(context.text), remade.name);
                found.report(&RULE, statement.head_span(), message).fix(witness::group(context));
            }
        }
    }
}

/// What is neither a table nor a column, and is spoken of before it goes: `REASSIGN OWNED BY r …; DROP ROLE IF EXISTS r`.
fn others(context: &Context<'_>, found: &mut Found) {
    let speaks = |statement: &&Statement<'_>| {
        let verbs = [Verb::Alter, Verb::Comment, Verb::Refresh, Verb::Reassign, Verb::Grant, Verb::Revoke];
        let head = &statement.head;
        (verbs.contains(&head.verb) || head.kind == Some(Kind::Owned))
            && !statement.is_guarded()
            && statement.caught().is_none()
    };
    let mut speakers: HashMap<String, Vec<&Statement<'_>>> = HashMap::new();
    for speaker in context.statements.iter().filter(speaks) {
        for name in names(speaker).map(|name| name.object().to_owned()).collect::<BTreeSet<_>>() {
            speakers.entry(name).or_default().push(speaker);
        }
    }
    let drops = context.statements.iter().filter(|statement| statement.head.verb == Verb::Drop && !speakers.is_empty());
    for drop in drops.filter(|drop| drop.head.kind.is_some_and(|kind| kind != Kind::Table && !kind.is_on_table())) {
        let Some(kind) = drop.head.kind else { continue };
        for name in facts::dropped(drop) {
            let needs = |other: &&&Statement<'_>| speaks_of(other, kind, &name) && same_arguments(other, drop);
            let of_name = speakers.get(name.object()).into_iter().flatten();
            let before = of_name.take_while(|other| other.span.start < drop.span.start);
            for statement in before.filter(needs).filter(|_| !is_made(context, kind, &name)) {
                let message = format!("a second run fails: {kind} {name} goes away further down");
                let draft = found.report(&RULE, statement.head_span(), message);
                let test = match kind {
                    _ if shape::is_relation(kind) => Some(Test::relation(true, kind.name(), &name)),
                    _ => catalog::object(true, drop, kind, &name),
                };
                draft.fix(test.map(|test| guard::test(statement, &test)));
            }
        }
    }
}

/// Whether the script makes such an object, so that a second run has it again.
fn is_made(context: &Context<'_>, kind: Kind, name: &Name) -> bool {
    context.structure.iter().any(|other| {
        let of_kind = other.head.verb == Verb::Create && other.head.kind == Some(kind);
        let renames = other
            .actions
            .iter()
            .any(|action| action.kind == ActionKind::Rename && action.name.as_ref().is_some_and(|to| to.matches(name)));
        renames || of_kind && other.head.name.as_ref().is_some_and(|made| made.matches(name))
    })
}

/// Whether a statement fails without an object that is no table.
fn speaks_of(statement: &Statement<'_>, kind: Kind, name: &Name) -> bool {
    let head = &statement.head;
    let is_head = head.kind == Some(kind) && head.name.as_ref().is_some_and(|own| own.matches(name));
    match head.verb {
        Verb::Alter | Verb::Comment | Verb::Refresh if is_head => !head.if_exists,
        Verb::Reassign | Verb::Grant | Verb::Revoke => mentions(statement, name),
        Verb::Alter => kind == Kind::Role && mentions(statement, name),
        Verb::Drop => kind == Kind::Role && head.kind == Some(Kind::Owned) && mentions(statement, name),
        _ => false,
    }
}

fn mentions(statement: &Statement<'_>, name: &Name) -> bool {
    names(statement).any(|spoken| spoken.matches(name))
}

/// What reads like a name.
fn names(statement: &Statement<'_>) -> impl Iterator<Item = Name> {
    let mut tokens = statement.tokens();
    std::iter::from_fn(move || {
        while tokens.peek().is_some() {
            match tokens.eat_name() {
                Some((name, _)) => return Some(name),
                None => tokens.next(),
            };
        }
        None
    })
}

/// A name that a statement takes away.
struct Loss {
    at: usize,
    table: Name,
    column: Option<String>,
    /// True if the table is made again without it.
    anew: bool,
}

fn losses(context: &Context<'_>) -> Vec<Loss> {
    let mut found = Vec::new();
    if let Some(rebuild) = &context.rebuild {
        for rebuilt in &rebuild.tables {
            let lost = rebuilt.gone.iter().map(|column| Loss {
                at: rebuild.span.start,
                table: rebuilt.table.clone(),
                column: Some(column.clone()),
                anew: false,
            });
            found.extend(lost);
        }
    }
    for statement in context.statements {
        let at = statement.span.start;
        let head = &statement.head;
        if head.verb == Verb::Drop && head.kind == Some(Kind::Table) {
            for table in facts::dropped(statement) {
                found.extend(lost_columns(context, statement, &table));
                found.push(Loss { at, table, column: None, anew: false });
            }
        }
        let Some(table) = head.name.as_ref().filter(|_| head.verb == Verb::Alter && head.kind == Some(Kind::Table))
        else {
            continue;
        };
        for action in &statement.actions {
            let column = action.name.as_ref().map(|name| name.object().to_owned());
            match action.kind {
                ActionKind::DropColumn | ActionKind::RenameColumn => {
                    found.push(Loss { at, table: table.clone(), column, anew: false });
                }
                ActionKind::Rename => found.push(Loss { at, table: table.clone(), column: None, anew: false }),
                _ => {}
            }
        }
    }
    found
}

/// `DROP TABLE t; CREATE TABLE t (…)`: the columns that the new one has no longer.
fn lost_columns(context: &Context<'_>, drop: &Statement<'_>, table: &Name) -> Vec<Loss> {
    let create = context.behind(drop).find(|other| {
        other.head.creates(Kind::Table) && other.head.name.as_ref().is_some_and(|name| name.matches(table))
    });
    let (Some(create), Some(old)) = (create, context.table(table, drop)) else { return Vec::new() };
    let new = Shape::read(create.tokens_behind_name());
    if old.partly_known || new.partly_known {
        return Vec::new();
    }
    let gone = old.columns.iter().filter(|column| new.column_named(&column.name).is_none());
    let loss = |column: &Column| Loss {
        at: drop.span.start,
        table: table.clone(),
        column: Some(column.name.clone()),
        anew: true,
    };
    gone.map(loss).collect()
}

/// The script makes it again, before the statement or behind the loss, so a second run finds it.
fn comes_back(context: &Context<'_>, loss: &Loss, statement: &Statement<'_>) -> bool {
    context.statements.iter().any(|other| {
        let in_reach = other.span.start < statement.span.start || other.span.start > loss.at;
        let head = &other.head;
        let is_table = head.name.as_ref().is_some_and(|name| name.matches(&loss.table));
        let has = || {
            loss.column
                .as_ref()
                .is_none_or(|column| Shape::read(other.tokens_behind_name()).column_named(column).is_some())
        };
        // A table that stays is not made again, and so has lost the column by then.
        let makes_it =
            || loss.column.is_none() || loss.anew || context.dropped_before(other) || context.dropped_behind(other);
        let creates = head.verb == Verb::Create
            && is_table
            && head.kind == Some(Kind::Table)
            && !other.is_guarded()
            && (!loss.anew || has())
            && makes_it();
        let adds = |column: &String| {
            is_table
                && other.actions.iter().any(|action| match action.kind {
                    ActionKind::AddColumn => action.name.as_ref().is_some_and(|name| name.object() == column),
                    ActionKind::RenameColumn => renames_to(other, action.span, column),
                    _ => false,
                })
        };
        let renamed_to = loss.column.is_none()
            && other.actions.iter().any(|action| {
                action.kind == ActionKind::Rename && action.name.as_ref().is_some_and(|name| name.matches(&loss.table))
            });
        in_reach && (creates || renamed_to || loss.column.as_ref().is_some_and(adds))
    })
}

fn renames_to(statement: &Statement<'_>, action: Span, column: &str) -> bool {
    let mut tokens = statement.part(action);
    tokens.skip_to_any(&["to"]);
    tokens.next();
    tokens.eat_name().is_some_and(|(name, _)| name.object() == column)
}

fn is_rebuild_part(context: &Context<'_>, statement: &Statement<'_>) -> bool {
    context.rebuild.as_ref().is_some_and(|rebuild| rebuild.holds(statement))
}

fn needs(statement: &Statement<'_>, loss: &Loss) -> bool {
    let head = &statement.head;
    let reads = matches!(
        head.verb,
        Verb::Update
            | Verb::Insert
            | Verb::Delete
            | Verb::Alter
            | Verb::Create
            | Verb::Merge
            | Verb::Truncate
            | Verb::Copy
    ) && !matches!(head.kind, Some(Kind::Function | Kind::Procedure))
        && !(loss.column.is_some() && declares(statement))
        || head.verb == Verb::Comment;
    let nothing = head.if_exists && head.verb == Verb::Alter && loss.column.is_none()
        || head.verb == Verb::Alter && loss.column.is_some() && !uses_in_alter(statement);
    if !reads || nothing {
        return false;
    }
    let mut mentions_table = false;
    let mut mentions_column = false;
    let new_names: Vec<Span> = statement
        .actions
        .iter()
        .filter(|action| action.kind == ActionKind::Rename)
        .filter_map(|action| action.name_span)
        .collect();
    let mut tokens = statement.tokens();
    while tokens.peek().is_some() {
        let Some((name, span)) = tokens.eat_name() else {
            tokens.next();
            continue;
        };
        // What it is called from now on is not what it needs.
        if new_names.contains(&span) {
            continue;
        }
        mentions_table |= name.matches(&loss.table) && name.parts().len() <= 2;
        mentions_column |= loss.column.as_ref().is_some_and(|column| name.object() == column);
    }
    // Creating the table itself, or adding the column, is no need of it.
    let makes = head.verb == Verb::Create && head.name.as_ref().is_some_and(|name| name.matches(&loss.table));
    mentions_table && !makes && (loss.column.is_none() || mentions_column)
}

/// Actions that read columns by name in an expression, or need them to be there.
fn uses_in_alter(statement: &Statement<'_>) -> bool {
    statement
        .actions
        .iter()
        .any(|action| matches!(action.kind, ActionKind::AlterColumn | ActionKind::AddConstraint | ActionKind::Other))
}

/// `CREATE TABLE … (…)`: its columns are its own.
fn declares(statement: &Statement<'_>) -> bool {
    statement.head.creates(Kind::Table) && !statement.tokens_behind_name().has_word("select")
}
