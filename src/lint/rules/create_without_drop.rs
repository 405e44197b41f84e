//! CREATE of a trigger, policy or event trigger without a DROP IF EXISTS in front.

use super::super::context::Context;
use super::super::creation::{Form, unguarded};
use super::super::finding::Found;
use super::super::fix::{Edit, Fix};
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use crate::sql::Span;

pub(in crate::lint) static RULE: Rule = Rule {
    name: "create-without-drop",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "CREATE of a trigger, policy or event trigger without a DROP IF EXISTS in front",
    effect: "A second run stops with an error: these kinds have neither IF NOT EXISTS nor (before PostgreSQL 14, or as constraint triggers) OR REPLACE.",
    remedy: "Write `DROP … IF EXISTS` in front of it, in the same transaction.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        if !unguarded(context, statement).is_some_and(|creation| creation.form == Form::DropFirst) {
            continue;
        }
        let head = &statement.head;
        let (Some(kind), Some(name), Some(span)) = (head.kind, &head.name, head.name_span) else { continue };
        let draft = found.report(&RULE, statement.head_span(), format!("a second run fails: {kind} {name} exists"));
        let table = if kind.is_on_table() {
            let Some(table) = table_text(statement) else { continue };
            format!(" ON {table}")
        } else {
            String::new()
        };
        let lower = guard::is_lower(statement);
        let drop = guard::cased(&format!("DROP {} IF EXISTS ", kind.name().to_uppercase()), lower);
        let on = if lower { table.replacen(" ON ", " on ", 1) } else { table };
        let line_start = context.text[..statement.span.start].rfind('\n').map_or(0, |at| at + 1);
        let indent: String =
            context.text[line_start..statement.span.start].chars().take_while(|char| char.is_whitespace()).collect();
        let mut edits =
            vec![Edit::insert(statement.span.start, format!("{drop}{}{on};\n{indent}", span.text(context.text)))];
        // The server refuses OR REPLACE there.
        if head.or_replace && head.constraint {
            edits.push(Edit::replace(Span::new(head.replace_slot, constraint_start(statement)), " "));
        }
        draft.fix(Fix::edits("drop it first", edits));
    }
}

/// The table as it is written behind ON.
fn table_text<'a>(statement: &Statement<'a>) -> Option<&'a str> {
    let mut tokens = statement.tokens_behind_name();
    tokens.skip_to_any(&["on"]);
    tokens.next();
    tokens.eat_word("only");
    tokens.eat_name().map(|(_, span)| span.text(statement.text))
}

fn constraint_start(statement: &Statement<'_>) -> usize {
    let mut tokens = statement.tokens();
    tokens.skip_to_any(&["constraint"]);
    tokens.start()
}
