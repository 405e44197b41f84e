//! A script that uses a code object.

use super::super::context::Context;
use super::super::context::Role;
use super::super::finding::Found;
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::Statement;
use crate::sql::{Kind, Span, TokenKind, Tokens, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "used-code",
    set: Set::Order,
    dialects: BOTH,
    summary: "A script that uses a code object",
    effect: "Code objects are applied after the scripts, so on a fresh build it is not there yet.",
    remedy: "Make it a script, or move the statement into the code.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    if context.role != Role::Script || context.code.is_empty() {
        return;
    }
    for statement in context.statements.iter().filter(|statement| statement.head.verb != Verb::Drop) {
        let own = statement.head.name.as_ref().filter(|_| statement.head.verb == Verb::Create);
        // A routine's body is looked at only when it runs.
        if matches!(statement.head.kind, Some(Kind::Function | Kind::Procedure)) || statement.head.verb == Verb::Do {
            continue;
        }
        let mut tokens = statement.tokens();
        while tokens.peek().is_some() {
            let Some((name, span)) = tokens.eat_name() else {
                tokens.next();
                continue;
            };
            let used = context
                .code
                .iter()
                .find(|code| code.matches(&name) && (name.is_qualified() || stands_as_object(tokens, statement, span)));
            if let Some(code) = used.filter(|code| own != Some(code)) {
                let message = format!("{code} is a code object, and code is applied after the scripts");
                found.report(&RULE, span, message);
                break;
            }
        }
    }
}

/// A bare word is an object where it is called, or behind FROM, JOIN, INTO, UPDATE.
fn stands_as_object(behind: Tokens<'_>, statement: &Statement<'_>, span: Span) -> bool {
    let before = statement.part(Span::new(statement.span.start, span.start)).last();
    let words = ["from", "join", "into", "update", "function", "procedure", "execute"];
    behind.at(TokenKind::OpenParen)
        && !before.is_some_and(|token| token.is_word(statement.text, "on") || token.is_word(statement.text, "into"))
        || before.is_some_and(|token| words.iter().any(|word| token.is_word(statement.text, word)))
}
