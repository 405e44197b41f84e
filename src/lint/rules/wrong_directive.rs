//! A guard directive for another name than the statement's, or the wrong way round.

use super::super::context::Context;
use super::super::facts::dropped;
use super::super::finding::Found;
use super::super::insert;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::{Guarding, Statement};
use crate::script::{Guard, Object, RunIf, Test};
use crate::sql::{Action, ActionKind, Kind, Name, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "wrong-directive",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "A guard directive for another name than the statement's, or the wrong way round",
    effect: "The guard lies: it asks for something else, so the statement runs again and fails, or never runs.",
    remedy: "Ask for what the statement makes (`unless`) or takes away (`if`).",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| !statement.nested) {
        for guard in &statement.guards {
            let Guarding::Directive(guard) = guard else { continue };
            // A group is about all of its statements.
            if guard.group || statement.guards.len() > 1 {
                continue;
            }
            if let Some(message) = lie(statement, guard).or_else(|| other_row(statement, guard)) {
                found
                    .report(&RULE, statement.head_span(), message)
                    .help("ask for what the statement makes or takes away");
            }
        }
    }
}

/// A query for another row than the statement inserts.
fn other_row(statement: &Statement<'_>, guard: &Guard) -> Option<String> {
    let Test::Query(query) = &guard.test else { return None };
    let table = statement.head.name.as_ref().filter(|_| statement.head.verb == Verb::Insert)?;
    let query = crate::sql::Tokens::of(query, statement.dialect);
    let own = insert::read_tables(query).iter().any(|asked| asked.matches(table));
    let lies =
        guard.run == RunIf::Absent && own && insert::asks_for_another(statement, &insert::read(statement), query);
    lies.then(|| format!("the guard lies: it asks for another row than the one that goes into {table}"))
}

fn lie(statement: &Statement<'_>, guard: &Guard) -> Option<String> {
    let Test::Object(object, asked) = &guard.test else { return None };
    let mut tokens = crate::sql::Tokens::of(asked, statement.dialect);
    let (asked, _) = tokens.eat_name()?;
    // What the statement makes is asked for with `unless`, what it takes away with `if`.
    let (made, gone) = match object {
        Object::Column => columns(statement)?,
        Object::Constraint => constraints(statement)?,
        Object::Table | Object::Index | Object::View | Object::Trigger => objects(statement, *object)?,
        _ => return None,
    };
    let is = |names: &[Name]| names.iter().any(|name| name.matches(&asked));
    let (own, other) = if guard.run == RunIf::Absent { (&made, &gone) } else { (&gone, &made) };
    if is(own) {
        return None;
    }
    let word = if guard.run == RunIf::Absent { "unless" } else { "if" };
    if is(other) {
        return Some(format!("the guard lies: `{word} … {asked}` asks the wrong way round"));
    }
    let names: Vec<String> = made.iter().chain(&gone).map(ToString::to_string).collect();
    Some(format!("the guard lies: it asks for {asked}, and the statement is about {}", names.join(", ")))
}

/// The columns that an `ALTER TABLE` makes and takes away, each with its table; `None` for other statements.
fn columns(statement: &Statement<'_>) -> Option<(Vec<Name>, Vec<Name>)> {
    parts(statement, [ActionKind::AddColumn, ActionKind::DropColumn, ActionKind::RenameColumn])
}

/// The constraints likewise.
fn constraints(statement: &Statement<'_>) -> Option<(Vec<Name>, Vec<Name>)> {
    parts(statement, [ActionKind::AddConstraint, ActionKind::DropConstraint, ActionKind::RenameConstraint])
}

/// What actions of these kinds make, take away and rename.
fn parts(statement: &Statement<'_>, kinds: [ActionKind; 3]) -> Option<(Vec<Name>, Vec<Name>)> {
    let [adds, drops, renames] = kinds;
    let table = statement
        .head
        .name
        .as_ref()
        .filter(|_| statement.head.verb == Verb::Alter && statement.head.kind == Some(Kind::Table))?;
    let of = |part: &Name| {
        let mut parts: Vec<&str> = table.parts().iter().map(String::as_str).collect();
        parts.push(part.object());
        Name::new(parts)
    };
    let (mut made, mut gone) = (Vec::new(), Vec::new());
    for action in &statement.actions {
        let name = action.name.as_ref();
        if action.kind == adds {
            // One without a name gets any.
            made.push(of(name?));
        } else if action.kind == drops {
            gone.extend(name.map(of));
        } else if action.kind == renames {
            gone.extend(name.map(of));
            made.extend(renamed_to(statement, action).as_ref().map(of));
        } else {
            // Something else may well wait for it.
            return None;
        }
    }
    (!made.is_empty() || !gone.is_empty()).then_some((made, gone))
}

fn objects(statement: &Statement<'_>, object: Object) -> Option<(Vec<Name>, Vec<Name>)> {
    let kind = match object {
        Object::Table => Kind::Table,
        Object::Index => Kind::Index,
        Object::View => Kind::View,
        _ => Kind::Trigger,
    };
    let head = &statement.head;
    let name = head.name.clone().filter(|_| head.kind == Some(kind))?;
    match head.verb {
        Verb::Create => Some((vec![name], Vec::new())),
        Verb::Drop => Some((Vec::new(), dropped(statement))),
        Verb::Alter => {
            let action = statement.actions.iter().find(|action| action.kind == ActionKind::Rename)?;
            Some((vec![action.name.clone()?], vec![name]))
        }
        _ => None,
    }
}

fn renamed_to(statement: &Statement<'_>, action: &Action) -> Option<Name> {
    let mut tokens = statement.part(action.span);
    tokens.skip_to_any(&["to"]);
    tokens.next();
    tokens.eat_name().map(|(name, _)| name)
}
