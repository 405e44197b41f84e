//! BEGIN … COMMIT around the statements of a script.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::{Edit, Fix};
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::statement::Statement;
use crate::sql::{Span, TransactionPairs, transaction_control, transaction_pairs};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "own-transaction",
    set: Set::Order,
    dialects: BOTH,
    summary: "BEGIN … COMMIT around the statements of a script",
    effect: "The tool commits the script together with its journal entry; a transaction of its own is in the way, and read as none.",
    remedy: "Take BEGIN and COMMIT out.",
    fixable: Fixable::Always,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    let own: Vec<_> = context.statements.iter().filter(|statement| !statement.nested).collect();
    let control = |statement: &Statement<'_>| transaction_control(statement.tokens());
    let controls: Vec<_> = own.iter().filter(|statement| control(statement).is_some()).collect();
    let kinds: Vec<_> = controls.iter().filter_map(|statement| control(statement)).collect();
    let pairs = transaction_pairs(&kinds);
    // In a script without a transaction a pair around statements means something.
    let is_read_as_none = match pairs {
        Some(TransactionPairs::Around) => !context.no_transaction,
        Some(TransactionPairs::Between) => true,
        Some(TransactionPairs::Out) => context.no_transaction,
        None => false,
    };
    for statement in &controls {
        let message = match pairs {
            Some(TransactionPairs::Out) if is_read_as_none => "each statement is committed by itself here",
            _ if is_read_as_none => "the tool's own transaction is around the script",
            _ => "the build refuses the script: it controls the transaction itself",
        };
        let draft = found.report(&RULE, statement.span, message);
        if is_read_as_none {
            draft.fix(Fix::edits("take it out", vec![Edit::replace(line(context.text, statement), "")]));
        }
    }
}

/// The statement with its semicolon, and its line if nothing else stands there.
fn line(text: &str, statement: &Statement<'_>) -> Span {
    let start = text.get(..statement.span.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let end =
        text.get(statement.end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| statement.end + at + 1);
    let alone = |from: usize, to: usize| text.get(from..to).is_some_and(|part| part.trim().is_empty());
    if alone(start, statement.span.start) && alone(statement.end, end) {
        Span::new(start, end)
    } else {
        Span::new(statement.span.start, statement.end)
    }
}
