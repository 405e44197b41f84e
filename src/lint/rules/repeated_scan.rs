//! Several ALTER TABLE that each read every row, where one would read them once.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::existing;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use crate::sql::{Action, ActionKind, Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "repeated-scan",
    set: Set::Style,
    dialects: POSTGRES,
    summary: "several ALTER TABLE that each read every row of one table",
    effect: "The table is read, or rewritten, once for each of them, and locked all the while.",
    remedy: "Write the actions into one ALTER TABLE, with commas between them: it reads the rows once.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let mut before: Option<&Statement<'_>> = None;
    for statement in context.statements {
        // Rows that change in between need two of them.
        if statement.head.verb != Verb::Alter {
            before = None;
        }
        let reading = statement.actions.iter().find(|action| reads_rows(statement, action));
        let is_table = statement.head.kind == Some(Kind::Table) && statement.guards.is_empty();
        let (Some(action), Some(table), true) = (reading, &statement.head.name, is_table) else { continue };
        if before.is_some_and(|before| before.head.name.as_ref() == Some(table)) && existing(context, statement, table)
        {
            found
                .report(&RULE, action.span, format!("every row of {table} is read once more"))
                .help("write it into the ALTER TABLE in front, which reads them too");
        }
        before = Some(statement);
    }
}

/// A type that is stored otherwise, a NOT NULL, a CHECK: what PostgreSQL does for all actions of an ALTER TABLE in one
/// pass over the rows.
fn reads_rows(statement: &Statement<'_>, action: &Action) -> bool {
    let tokens = statement.part(action.span);
    match action.kind {
        ActionKind::AlterColumn => tokens.has_words(&["set", "not", "null"]) || changes_type(statement, action),
        ActionKind::AddConstraint => tokens.has_word("check") && !tokens.has_words(&["not", "valid"]),
        _ => false,
    }
}

/// To text, or varchar without a limit, is often a change of the catalog alone.
fn changes_type(statement: &Statement<'_>, action: &Action) -> bool {
    let mut tokens = statement.part(action.span);
    tokens.skip_past("type") && !tokens.at_any(&["text", "varchar"])
}
