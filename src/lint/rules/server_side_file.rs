//! COPY PROGRAM, COPY from or to a file of the server, or a function that reads its files.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Span, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "server-side-file",
    set: Set::Security,
    dialects: POSTGRES,
    summary: "COPY PROGRAM, COPY from or to a file of the server, or a function that reads its files",
    effect: "It needs the rights of a superuser and depends on one machine.",
    remedy: "`COPY … FROM stdin` with the rows in the script, or a CSV seed.",
    fixable: Fixable::Never,
    check,
};

const FUNCTIONS: &[&str] = &["pg_read_file", "pg_read_binary_file", "pg_ls_dir", "lo_import", "lo_export"];

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        if statement.head.verb == Verb::Copy {
            let mut tokens = statement.tokens_behind_name();
            if tokens.skip_to_any(&["from", "to"]) {
                let start = tokens.start();
                tokens.next();
                let program = tokens.at_word("program");
                if program || tokens.peek().is_some_and(|token| token.kind.is_string()) {
                    tokens.next();
                    let what = if program { "a program of the server" } else { "a file of the server" };
                    found.report(
                        &RULE,
                        Span::new(start, tokens.end()),
                        format!("this needs {what}, and a superuser's rights"),
                    );
                }
            }
        } else if statement.head.verb == Verb::Select || statement.head.verb == Verb::Insert {
            let mut tokens = statement.tokens();
            let hit = tokens.find(|token| FUNCTIONS.iter().any(|name| token.is_word(context.text, name)));
            if let Some(token) = hit {
                found.report(&RULE, token.span, "this reads a file of the server, with a superuser's rights");
            }
        }
    }
}
