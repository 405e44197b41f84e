//! ADD of a CHECK, UNIQUE or FOREIGN KEY constraint without a name.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{POSTGRES, Fixable, Rule, Set};
use super::super::alteration::alterations_of_any;
use super::super::fix::Fix;
use super::super::{guard, shape};
use super::super::statement::Statement;
use crate::sql::{ActionKind, Kind, Name, Tokens};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unnamed-constraint",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "ADD of a CHECK, UNIQUE or FOREIGN KEY constraint without a name",
    effect: "A second run succeeds and silently adds the same constraint again under another generated name.",
    remedy: "Give it a name, so that it can be recognised, and guard it.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in alterations_of_any(context, ActionKind::AddConstraint) {
        let Some(owner) = &statement.head.name else { continue };
        let mut tokens = statement.part(action.span);
        tokens.eat_word("add");
        if !tokens.at_any(&["check", "unique", "foreign", "exclude"]) || statement.caught().is_some() {
            continue;
        }
        let slot = tokens.start();
        let message = format!("a second run adds a second constraint to {owner}: it has no name to be recognised by");
        let draft = found.report(&RULE, action.span, message);
        let name = if statement.head.kind == Some(Kind::Domain) {
            of_domain(context, owner, statement)
        } else {
            generated(tokens, owner, statement)
        };
        let Some(name) = name else { continue };
        if context.table(owner, statement).is_some_and(|table| table.constraints.contains(&name)) {
            continue;
        }
        let text = guard::cased("CONSTRAINT ", guard::is_lower(statement));
        // The name that PostgreSQL would have made, so that databases stay the same.
        let text = format!("{text}{} ", Name::new([name.as_str()]));
        draft.fix(Fix::insert("give it the name that PostgreSQL gives it", slot, text));
    }
}

/// The name that PostgreSQL makes: table, columns, and what it is.
fn generated(mut tokens: Tokens<'_>, owner: &Name, statement: &Statement<'_>) -> Option<String> {
    let first = tokens.eat_any(&["check", "unique", "foreign"])?;
    tokens.eat_word("key");
    let (columns, suffix) = match first {
        "check" => {
            let condition = tokens.eat_parens()?;
            let inner = statement.part(condition);
            let words: Vec<String> = inner
                .filter(|token| token.kind.is_identifier())
                .map(|token| token.text(statement.text).to_lowercase())
                .collect();
            // With one column in it the name has that column; which words are columns is known only for one word.
            let [only] = words.as_slice() else { return None };
            (vec![only.trim_matches('"').to_owned()], "check")
        }
        "unique" => (shape::columns(&mut tokens)?, "key"),
        _ => (shape::columns(&mut tokens)?, "fkey"),
    };
    let name = format!("{}_{}_{suffix}", owner.object(), columns.join("_"));
    (name.len() < 60).then_some(name)
}

/// A domain's constraints are called after it alone; with one of that name already a number follows.
fn of_domain(context: &Context<'_>, owner: &Name, statement: &Statement<'_>) -> Option<String> {
    let name = format!("{}_check", owner.object());
    let known = context.history.other(Kind::Domain, owner, context.moment(statement))?;
    let taken = known.split(' ').any(|word| word == "check") && (!known.contains("constraint") || known.contains(&name));
    (!taken).then_some(name)
}
