//! A blocking lock that is waited for without a limit.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::live::existing;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::statement::Statement;
use crate::script::{Directive, directives};
use crate::sql::{ActionKind, Kind, Name, Tokens, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "missing-lock-timeout",
    set: Set::LiveSafety,
    dialects: POSTGRES,
    summary: "A blocking lock on a table that is in use, where the script takes dbbuild's lock timeout away",
    effect: "While the statement waits behind a long query, everybody else waits behind the statement. dbbuild waits 5 seconds and tries again, unless the script sets `lock_timeout` to nothing; and it waits without limit for a statement with VALIDATE CONSTRAINT in it, which alone blocks nobody.",
    remedy: "Leave `lock_timeout` to dbbuild, or give it a value: `-- dbbuild: lock-timeout 5s` at the head of the script. VALIDATE CONSTRAINT stands in a statement of its own.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let head = context.statements.first().map_or(context.text.len(), |first| first.span.start);
    let at_head = context.text.get(..head).unwrap_or_default();
    let directive =
        directives(at_head, context.dialect).into_iter().find_map(|(_, text)| match Directive::parse(text) {
            Ok(Directive::LockTimeout(limit)) => Some(!limit.is_zero()),
            _ => None,
        });
    let sets = context.statements.iter().any(|statement| setting(statement).is_some());
    // dbbuild's own limit does not hold for VALIDATE; one that is written does.
    let (mut limited, own) = (directive.unwrap_or(true), directive.is_some() || sets);
    for statement in context.statements {
        if let Some(value) = setting(statement) {
            limited = value;
        }
        let Some(table) = blocked(statement).filter(|table| existing(context, statement, table)) else { continue };
        let validates = |kind: ActionKind| kind == ActionKind::ValidateConstraint;
        let with_others = statement.actions.iter().any(|action| validates(action.kind)) && !own;
        if !limited || with_others {
            let why = if limited {
                "VALIDATE CONSTRAINT makes it wait without limit"
            } else {
                "the script has switched the lock timeout off"
            };
            let message = format!("everybody waits behind this while it waits for {table}: {why}");
            let help = if limited {
                "validate in a statement of its own"
            } else {
                "write `-- dbbuild: lock-timeout 5s` at the head of the script"
            };
            found.report(&RULE, statement.head_span(), message).help(help);
            return;
        }
    }
}

/// The table that a statement keeps everybody from.
fn blocked<'s>(statement: &'s Statement<'_>) -> Option<&'s Name> {
    let head = &statement.head;
    match (head.verb, head.kind) {
        // Alone it lets others read and write.
        (Verb::Alter, Some(Kind::Table)) => {
            let alone = statement.actions.iter().all(|action| action.kind == ActionKind::ValidateConstraint);
            head.name.as_ref().filter(|_| !alone)
        }
        (Verb::Drop, Some(Kind::Table)) | (Verb::Truncate | Verb::Lock, _) => head.name.as_ref(),
        (Verb::Create, Some(Kind::Index)) if !head.concurrently => head.table.as_ref(),
        (Verb::Create | Verb::Drop, Some(Kind::Trigger)) => head.table.as_ref(),
        _ => None,
    }
}

/// Whether a statement sets `lock_timeout` to a limit; `None` if it does not set it.
fn setting(statement: &Statement<'_>) -> Option<bool> {
    let mut tokens = statement.tokens();
    match statement.head.verb {
        Verb::Reset => tokens.has_any(&["lock_timeout", "all"]).then_some(false),
        Verb::Set => {
            tokens.skip_past("lock_timeout").then_some(())?;
            tokens.next();
            Some(is_limit(tokens))
        }
        Verb::Select => {
            let is_name = |text: &str| text.eq_ignore_ascii_case("'lock_timeout'");
            tokens.skip_to_any(&["set_config"]).then_some(())?;
            tokens.next();
            let list = tokens.eat_parens()?;
            let mut list = statement.part(crate::sql::Span::new(list.start + 1, list.end));
            list.next().filter(|token| is_name(token.text(statement.text)))?;
            list.next();
            Some(is_limit(list))
        }
        _ => None,
    }
}

/// Whether a value is next that is neither zero nor the default, which is zero.
fn is_limit(tokens: Tokens<'_>) -> bool {
    let value = tokens.next_text().trim_matches('\'').to_ascii_lowercase();
    let digits = value.trim_end_matches(|char: char| char.is_alphabetic() || char == ' ');
    value != "default" && !digits.is_empty() && !digits.chars().all(|char| char == '0')
}
