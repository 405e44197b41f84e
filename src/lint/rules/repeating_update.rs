//! UPDATE that moves on with each run.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::insert;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::Statement;
use super::super::update::{self, Update};
use super::super::witness;
use crate::sql::Verb;

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
            Verb::Insert | Verb::Merge => update::read_parts(statement),
            _ => continue,
        };
        if statement.is_guarded() || statement.head.name.as_ref().is_some_and(|name| context.is_temporary(name)) {
            continue;
        }
        for update in updates {
            let why = update::moves_on(statement, &update).or_else(|| new_each_time(context, statement, &update));
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
    let columns =
        insert.columns.as_ref().filter(|_| statement.head.verb == Verb::Insert && update.condition.is_none())?;
    let moving = update.assignments.iter().find(|assignment| {
        let mut value = statement.part(assignment.value);
        let excluded = value.eat_name().filter(|(name, _)| name.schema() == Some("excluded") && value.peek().is_none());
        let at = excluded.and_then(|(name, _)| columns.iter().position(|column| column == name.object()));
        at.is_some_and(|at| {
            insert::values_of(context.text, context.dialect, &insert, at)
                .into_iter()
                .any(|value| update::is_volatile(statement.part(value)))
        })
    })?;
    Some(format!("`{}` gets another value on each run", moving.column))
}
