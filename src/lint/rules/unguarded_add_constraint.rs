//! ADD CONSTRAINT without a guard.

use super::super::alteration::alterations_of_any;
use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard::{self, Test};
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::{Guarding, Statement};
use super::super::witness;
use crate::sql::{Action, ActionKind, Kind, Name, Span, quote_literal};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-add-constraint",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "ADD CONSTRAINT without a guard",
    effect: "A second run stops with an error: the constraint exists. `ALTER TABLE IF EXISTS` does not help: it asks for the table.",
    remedy: "CHECK and FOREIGN KEY: `DROP CONSTRAINT IF EXISTS c, ADD CONSTRAINT c …` in one ALTER. UNIQUE, PRIMARY KEY, EXCLUDE and USING INDEX: a `DO` block that asks pg_constraint.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for (statement, action) in alterations_of_any(context, ActionKind::AddConstraint) {
        let Some(owner) = &statement.head.name else { continue };
        let Form { named, is_primary, is_index, raises } = form(statement, action);
        // Without a name a primary key fails as well; the others are another rule's.
        if named.is_none() && !is_primary {
            continue;
        }
        // Without a name a primary key is called so.
        let key_name = Name::new([format!("{}_pkey", owner.object())]);
        if is_primary
            && referenced_behind(context, statement, owner)
            && dropped(context, statement, action, named.as_ref().unwrap_or(&key_name))
        {
            let message = format!(
                "a second run cannot drop the primary key of {owner}: a foreign key that is added further down needs it"
            );
            found.report(&RULE, action.span, message).fix(witness::group(context));
            continue;
        }
        if let Some(index) = taken_index(statement, action).filter(|index| named.as_ref() != Some(index))
            && dropped(context, statement, action, named.as_ref().unwrap_or(&key_name))
        {
            let message = format!("a second run fails: index {index} has the constraint's name by then");
            found
                .report(&RULE, action.span, message)
                .fix(guard::test(statement, &Test::relation(true, "index", &index)));
            continue;
        }
        let is_dropped = dropped(context, statement, action, named.as_ref().unwrap_or(&key_name));
        if let Some(condition) = condition_of_drop_behind(context, statement, action).filter(|_| is_dropped) {
            let message =
                format!("a second run adds it again, and what drops it further down runs no longer: {owner} keeps it");
            let draft = found.report(&RULE, action.span, message).help("put the same condition around it");
            draft.fix(condition.map(|condition| guard::test(statement, &Test::new(condition, String::new()))));
            continue;
        }
        if statement.caught().is_some() || is_dropped {
            continue;
        }
        let what = named.as_ref().map_or_else(|| "the primary key".to_owned(), |name| format!("constraint {name}"));
        let message = match statement.head.if_exists {
            true => format!("a second run fails: {what} of {owner} exists; IF EXISTS asks for the table only"),
            false => format!("a second run fails: {what} of {owner} exists"),
        };
        let draft = found.report(&RULE, action.span, message);
        draft.help(format!("a second run raises {raises}"));
        let lower = guard::is_lower(statement);
        let of_domain = statement.head.kind == Some(Kind::Domain);
        match (&named, is_index || is_primary) {
            (Some(name), false) if of_domain => {
                let head = Span::new(statement.span.start, action.span.start).text(context.text);
                let text = format!(
                    "{head}{}{}",
                    guard::cased("DROP CONSTRAINT IF EXISTS ", lower),
                    name_text(statement, action, name)
                );
                draft.fix(Fix::insert("drop it first", statement.span.start, text + ";\n"));
            }
            (Some(name), false) => {
                let drop = guard::cased("DROP CONSTRAINT IF EXISTS ", lower);
                let text = format!("{drop}{}, ", name_text(statement, action, name));
                draft.fix(Fix::insert("drop it first", action.span.start, text));
            }
            _ if is_primary && key_columns(statement, action).is_some() => {
                // A key that goes with its column may be there before: only this one counts.
                let columns = key_columns(statement, action).unwrap_or_default();
                let table = quote_literal(context.dialect, &owner.to_string());
                let places = vec!["%I"; columns.len()].join(", ");
                let names: Vec<String> = columns.iter().map(|name| quote_literal(context.dialect, name)).collect();
                // The server knows which names it quotes in a definition: `timestamp`, for one.
                let query = format!(
                    "SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass({table}) AND pg_get_constraintdef(oid) = format('PRIMARY KEY ({places})', {})",
                    names.join(", ")
                );
                draft.fix(guard::test(statement, &Test::query(false, &query)));
            }
            (Some(name), true) => {
                draft.fix(guard::test(statement, &Test::constraint(false, owner, name)));
            }
            (None, _) => {
                let table = quote_literal(context.dialect, &owner.to_string());
                let query =
                    format!("SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass({table}) AND contype = 'p'");
                draft.fix(guard::test(statement, &Test::query(false, &query)));
            }
        }
    }
}

struct Form {
    named: Option<Name>,
    is_primary: bool,
    is_index: bool,
    raises: &'static str,
}

fn form(statement: &Statement<'_>, action: &Action) -> Form {
    let mut tokens = statement.part(action.span);
    tokens.eat_word("add");
    let mut named = None;
    if tokens.eat_word("constraint") {
        named = tokens.eat_name().map(|(name, _)| name);
    }
    let is_primary = tokens.at_word("primary");
    let is_index = tokens.at_any(&["unique", "exclude"]) || tokens.has_words(&["using", "index"]);
    let raises = match () {
        () if tokens.has_words(&["using", "index"]) => "undefined_object: the index was renamed",
        () if is_primary => "invalid_table_definition",
        () if is_index => "duplicate_table",
        () => "duplicate_object",
    };
    Form { named, is_primary, is_index, raises }
}

fn name_text<'a>(statement: &Statement<'a>, action: &Action, name: &Name) -> std::borrow::Cow<'a, str> {
    match action.name_span {
        Some(span) => span.text(statement.text).into(),
        None => name.to_string().into(),
    }
}

/// Dropped in front, in this statement or in one before.
fn dropped(context: &Context<'_>, statement: &Statement<'_>, action: &Action, name: &Name) -> bool {
    let drops = |other: &Statement<'_>, until: usize| {
        other.head.name.as_ref().zip(statement.head.name.as_ref()).is_some_and(|(left, right)| left.matches(right))
            && other.actions.iter().any(|other| {
                other.kind == ActionKind::DropConstraint
                    && other.span.start < until
                    && other.name.as_ref().is_some_and(|dropped| dropped.object() == name.object())
            })
    };
    // A column that is dropped takes its constraints along; a table that is made anew has none.
    let anew =
        |other: &Statement<'_>| {
            other.head.verb == crate::sql::Verb::Drop
                && other.head.kind == Some(Kind::Table)
                && statement.head.name.as_ref().is_some_and(|table| {
                    super::super::facts::dropped(other).iter().any(|dropped| dropped.matches(table))
                })
        };
    drops(statement, action.span.start)
        || goes_by_cascade(context, statement, statement, action)
        || context.before(statement).any(|other| drops(other, other.span.end) || anew(other))
}

/// A foreign key to what is dropped in front of a statement, or whose key is, with CASCADE.
fn goes_by_cascade(context: &Context<'_>, statement: &Statement<'_>, adds: &Statement<'_>, action: &Action) -> bool {
    let mut tokens = adds.part(action.span);
    let Some((to, _)) = tokens.skip_past("references").then(|| tokens.eat_name()).flatten() else { return false };
    context.before(statement).filter(|other| !other.is_guarded()).any(|other| {
        let key = other.actions.iter().filter(|action| action.kind == ActionKind::DropConstraint);
        let mut cascades = key.map(|action| other.part(action.span)).filter(|tokens| tokens.has_word("cascade"));
        let table = other.head.verb == crate::sql::Verb::Drop && other.tokens().has_word("cascade");
        cascades.next().is_some() && other.head.name.as_ref().is_some_and(|name| name.matches(&to))
            || table && super::super::facts::dropped(other).iter().any(|name| name.matches(&to))
    })
}

/// The constraint is dropped again further down, by a statement that a condition guards: the condition's text, if it is
/// a test in a `DO` block.
fn condition_of_drop_behind<'a>(
    context: &Context<'a>,
    statement: &Statement<'_>,
    action: &Action,
) -> Option<Option<&'a str>> {
    let name = action.name.as_ref()?;
    let drops = |other: &&Statement<'_>| {
        let mut actions = other.actions.iter().filter(|other| other.kind == ActionKind::DropConstraint);
        other.is_guarded()
            && other
                .head
                .name
                .as_ref()
                .zip(statement.head.name.as_ref())
                .is_some_and(|(left, right)| left.matches(right))
            && actions.any(|other| other.name.as_ref().is_some_and(|dropped| dropped.object() == name.object()))
    };
    let drop = context.behind(statement).find(drops)?;
    let [Guarding::Condition(condition)] = drop.guards.as_slice() else { return Some(None) };
    Some(Some(condition.text(context.text)))
}

/// A foreign key to the table, added further down and not dropped in front.
fn referenced_behind(context: &Context<'_>, statement: &Statement<'_>, owner: &Name) -> bool {
    context.behind(statement).any(|other| {
        other
            .actions
            .iter()
            .filter(|action| matches!(action.kind, ActionKind::AddConstraint | ActionKind::AddColumn))
            .any(|action| {
                let mut tokens = other.part(action.span);
                let refers =
                    tokens.skip_past("references") && tokens.eat_name().is_some_and(|(name, _)| name.matches(owner));
                let mut gone = context.before(statement).flat_map(|before| &before.actions);
                // A column takes its foreign key along.
                let takes_it = if action.kind == ActionKind::AddColumn {
                    ActionKind::DropColumn
                } else {
                    ActionKind::DropConstraint
                };
                refers
                    && !goes_by_cascade(context, statement, other, action)
                    && !gone.any(|before| before.kind == takes_it && before.name == action.name)
            })
    })
}

/// The index of `USING INDEX`.
fn taken_index(statement: &Statement<'_>, action: &Action) -> Option<Name> {
    let mut tokens = statement.part(action.span);
    while tokens.skip_past("using") {
        if tokens.eat_word("index") {
            return tokens.eat_name().map(|(name, _)| name);
        }
    }
    None
}

/// The columns of a primary key, as the server writes them; `None` for an index or a clause behind them.
fn key_columns(statement: &Statement<'_>, action: &Action) -> Option<Vec<String>> {
    let mut tokens = statement.part(action.span);
    tokens.skip_past("key").then_some(())?;
    let columns = super::super::shape::columns(&mut tokens)?;
    tokens.peek().is_none().then_some(columns)
}
