//! UPDATE that moves on with each run.

use super::super::called::{Event, fired};
use super::super::condition;
use super::super::context::Context;
use super::super::finding::Found;
use super::super::insert;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::shape::{Column, items};
use super::super::statement::Statement;
use super::super::update::{self, Update};
use super::super::witness;
use crate::sql::{Span, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "repeating-update",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "UPDATE that moves on with each run",
    effect: "A second run changes the rows again: `x = x + 1`, a text appended once more, a toggle, a new random value.",
    remedy: "Add a WHERE that is false after the first run, or compute the value from what the statement does not change, or put a guard directive in front.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let updates = match statement.head.verb {
            Verb::Update => vec![update::read(statement)],
            // The row is deleted and inserted again.
            Verb::Insert | Verb::Replace if statement.head.or_replace || statement.head.verb == Verb::Replace => {
                vec![Update::default()]
            }
            Verb::Insert if offers(statement) => vec![Update::default()],
            Verb::Insert | Verb::Merge => update::read_parts(statement),
            _ => continue,
        };
        if statement.is_guarded() || statement.head.name.as_ref().is_some_and(|name| context.is_temporary(name)) {
            continue;
        }
        for update in updates {
            let why = update::moves_on(statement, &update)
                .or_else(|| new_each_time(context, statement, &update))
                .or_else(|| set_otherwise(context, statement, &update))
                .or_else(|| replaced_by_new(context, statement))
                .or_else(|| read_then_set(context, statement, &update))
                .or_else(|| by_trigger(context, statement, &update));
            if let Some(why) = why
                && super::super::tree::agrees(statement)
            {
                let draft =
                    found.report(&RULE, statement.head_span(), format!("a second run changes rows again: {why}"));
                draft.help("add a WHERE that is false after the first run, or a guard directive");
                draft.fix(witness::group(context));
                break;
            }
        }
    }
}

/// `DO UPDATE SET at = excluded.at`, where the row brings `now()`.
fn new_each_time(context: &Context<'_>, statement: &Statement<'_>, update: &Update) -> Option<String> {
    let insert = insert::read(statement);
    if statement.head.verb != Verb::Insert || update.condition.is_some() {
        return None;
    }
    let shape = context.table(statement.head.name.as_ref()?, statement).filter(|shape| !shape.partly_known);
    let known = || Some(shape?.columns.iter().map(|column| column.name.clone()).collect());
    let columns: Vec<String> = insert.columns.clone().or_else(known)?;
    let by_default = |name: &str| shape.and_then(|shape| shape.column_named(name)).is_some_and(Column::is_renewed);
    let moving = update.assignments.iter().find(|assignment| {
        let mut value = statement.part(assignment.value);
        let excluded = value.eat_name().filter(|(name, _)| name.schema() == Some("excluded") && value.peek().is_none());
        let Some((name, _)) = excluded else { return false };
        let at = columns.iter().position(|column| column == name.object());
        at.map_or_else(
            || by_default(name.object()),
            |at| {
                insert::values_of(context.text, context.dialect, &insert, at)
                    .into_iter()
                    .any(|value| update::is_volatile(statement.part(value)))
            },
        )
    })?;
    Some(format!("`{}` gets another value on each run", moving.column))
}

/// `INSERT … (n) VALUES (1) ON CONFLICT … DO UPDATE SET n = 2`: the second run changes what the first one inserted.
fn set_otherwise(context: &Context<'_>, statement: &Statement<'_>, update: &Update) -> Option<String> {
    if update.assignments.is_empty() {
        return None;
    }
    let insert = insert::read(statement);
    let columns = insert.columns.as_ref().filter(|_| statement.head.verb == Verb::Insert)?;
    let shape = context.table(statement.head.name.as_ref()?, statement).filter(|shape| !shape.partly_known);
    let literal =
        |span: Span| insert::is_literal(context.text, span, context.dialect).then(|| span.text(context.text).trim());
    let is_null = |text: &str| text.eq_ignore_ascii_case("null");
    let inserted = |column: &str| match columns.iter().position(|name| name == column) {
        Some(at) => match insert::values_of(context.text, context.dialect, &insert, at).as_slice() {
            [value] if is_null(value.text(context.text).trim()) => Some("null"),
            [value] => literal(*value),
            _ => None,
        },
        None => shape?.column_named(column)?.default(),
    };
    // `coalesce(t.n, 2)` sets what was NULL.
    let of_null = |value: Span| {
        let mut tokens = statement.part(value);
        tokens.eat_any(&["coalesce", "ifnull"])?;
        let list = tokens.eat_parens().filter(|_| tokens.peek().is_none())?;
        items(context.text, list, context.dialect).get(1).copied().and_then(literal)
    };
    let set = update.assignments.iter().filter(|_| update.condition.is_none()).find(|assignment| {
        let before = inserted(&assignment.column);
        let set = match before {
            Some("null") => literal(assignment.value).or_else(|| of_null(assignment.value)),
            _ => literal(assignment.value),
        };
        before.zip(set).is_some_and(|(before, set)| !is_same(before, set))
    })?;
    Some(format!("`{}` is inserted with another value than the one that it is set to", set.column))
}

/// Whether two literals are the same value of a column.
fn is_same(one: &str, other: &str) -> bool {
    let bare = |literal: &str| {
        let text = literal.split("::").next().unwrap_or_default().trim().trim_matches('\'').to_ascii_lowercase();
        match text.as_str() {
            "true" | "t" => "1".to_owned(),
            "false" | "f" => "0".to_owned(),
            _ => text,
        }
    };
    let (one, other) = (bare(one), bare(other));
    let number = |text: &str| text.parse::<f64>().ok();
    one == other || number(&one).is_some_and(|value| number(&other) == Some(value))
}

/// `INSERT OR REPLACE`, where the row brings another value each time.
fn replaced_by_new(context: &Context<'_>, statement: &Statement<'_>) -> Option<String> {
    let replaces = statement.head.or_replace || statement.head.verb == Verb::Replace;
    let insert = insert::read(statement);
    if !replaces || context.emptied_before(statement.head.name.as_ref()?, statement) {
        return None;
    }
    if insert.rows.iter().any(|row| update::is_volatile_inside(statement.part(*row))) {
        return Some("the row that replaces has another value on each run".to_owned());
    }
    // The rows of the table itself, computed with.
    let table = statement.head.name.as_ref()?;
    let [source] = insert::read_tables(statement.tokens_behind_name()).try_into().ok()?;
    let columns = insert.columns.filter(|_| table.matches(&source))?;
    let moving = columns.into_iter().zip(insert.selected).find(|(column, value)| {
        let own = update::mentions(statement, *value, column);
        !own.is_empty() && !update::rests(statement, *value, column)
    })?;
    Some(format!("`{}` is computed from itself, so each run moves it on", moving.0))
}

/// `UPDATE t SET b = a; UPDATE t SET a = NULL`: what is read is something else by then.
fn read_then_set(context: &Context<'_>, statement: &Statement<'_>, update: &Update) -> Option<String> {
    if statement.head.verb != Verb::Update || update.condition.is_some() {
        return None;
    }
    let reads = |assignment: &update::Assignment, column: &str| {
        let mut value = statement.part(assignment.value);
        assignment.column != column
            && value.eat_name().is_some_and(|(name, _)| name.object() == column)
            && value.peek().is_none()
    };
    let sets = |other: &&Statement<'_>| {
        other.head.verb == Verb::Update && other.head.name == statement.head.name && !other.is_guarded()
    };
    context.behind(statement).filter(sets).find_map(|other| {
        let later = update::read(other);
        let sets = |set: &&update::Assignment| {
            let fixed = update::reads_nothing(other, set.value);
            fixed && update.assignments.iter().any(|assignment| reads(assignment, &set.column))
        };
        let set = later.assignments.iter().filter(|_| later.condition.is_none()).find(sets)?;
        Some(format!("it reads `{}`, which the script sets further down", set.column))
    })
}

/// The rows are updated again, to what they are, and a trigger takes that for a change.
fn by_trigger(context: &Context<'_>, statement: &Statement<'_>, update: &Update) -> Option<String> {
    let guarded = |condition: Span| {
        condition::excludes_itself(statement, update, condition) || statement.head.verb == Verb::Insert
    };
    if update.condition.is_some_and(guarded) || statement.tokens().has_words(&["matched", "and"]) {
        return None;
    }
    let (event, done) = match update.assignments.is_empty() {
        true if offers(statement) => (Event::Offer, "offered"),
        true => (Event::Insert, "inserted"),
        false => (Event::Update, "updated"),
    };
    let trigger = fired(context, statement, event, update)?;
    Some(format!("trigger {trigger} writes whenever rows are {done}"))
}

/// Whether rows that are there already are left as they are.
fn offers(statement: &Statement<'_>) -> bool {
    let skips = || insert::read(statement).conflict.is_some_and(|conflict| !conflict.updates);
    statement.head.or_ignore || statement.head.verb == Verb::Insert && !statement.head.or_replace && skips()
}
