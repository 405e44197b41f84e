//! CREATE INDEX (or STATISTICS) without a name.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{POSTGRES, Fixable, Rule, Set};
use super::super::fix::Fix;
use super::super::statement::Statement;
use super::super::{guard, shape};
use crate::sql::{Kind, Name, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unnamed-index",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "CREATE INDEX (or STATISTICS) without a name",
    effect: "A second run silently makes the same index again under another generated name; IF NOT EXISTS needs a name.",
    remedy: "Give it a name and write `IF NOT EXISTS`.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let head = &statement.head;
        let kind = head.kind.filter(|kind| matches!(kind, Kind::Index | Kind::Statistics));
        let (Some(kind), true, None) = (kind, head.verb == Verb::Create, &head.name) else { continue };
        let of_temporary = head.table.as_ref().is_some_and(|table| context.is_temporary(table));
        if of_temporary || statement.is_guarded() || !super::super::tree::agrees(statement) {
            continue;
        }
        let message = format!("a second run makes a second {kind}: it has no name to be recognised by");
        let draft = found.report(&RULE, statement.head_span(), message);
        if let Some(name) = generated(context, statement) {
            let guard = guard::cased("IF NOT EXISTS ", guard::is_lower(statement));
            // The name that PostgreSQL would have made, so that databases stay the same.
            let text = format!("{guard}{} ", quoted(&name));
            draft.fix(Fix::insert("give it the name that PostgreSQL gives it", head.guard_slot, text));
        }
    }
}

/// The name that PostgreSQL makes: table, columns, `idx`; nothing for expressions, whose names depend on more.
fn generated(context: &Context<'_>, statement: &Statement<'_>) -> Option<String> {
    let table = statement.head.table.as_ref()?;
    let mut tokens = statement.tokens();
    let columns = if statement.head.kind == Some(Kind::Index) {
        tokens.skip_to_any(&["on"]);
        tokens.next();
        tokens.eat_word("only");
        tokens.eat_name();
        if tokens.eat_word("using") {
            tokens.eat_name();
        }
        shape::columns(&mut tokens)?
    } else {
        tokens.skip_to_any(&["on"]);
        tokens.next();
        shape::names(tokens).iter().map(|name| name.object().to_owned()).collect()
    };
    let suffix = if statement.head.kind == Some(Kind::Index) { "idx" } else { "stat" };
    let name = format!("{}_{}_{suffix}", table.object(), columns.join("_"));
    let taken = context.before(statement).any(|other| other.head.name.as_ref().is_some_and(|other| other.object() == name))
        || context.history.other(Kind::Index, &Name::new([name.as_str()]), context.moment(statement)).is_some();
    (name.len() < 60 && !columns.is_empty() && !taken).then_some(name)
}

fn quoted(name: &str) -> String {
    Name::new([name]).to_string()
}
