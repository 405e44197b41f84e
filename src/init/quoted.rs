//! Text between double quotes in SQLite's scripts, as far as their words alone tell it from names.
//!
//! SQLite takes `"x"` for text where nothing is called x, if it is asked to; a build asks for that only where a script
//! has the directive. A guess: a script that gets the directive and needs none runs as it would without.

use std::collections::BTreeSet;

use crate::sql::{Dialect, Head, Name, Statements, Token, TokenKind, Tokens, Verb};

/// What the scripts of a history call something by.
#[derive(Debug, Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// Adds what a script calls something by: every bare word, and between quotes what is made or stands behind `as`.
    pub fn add(&mut self, text: &str) {
        each(text, |makes, before, token| {
            let is_after_as = before.is_some_and(|before| before.is_word(text, "as"));
            if token.kind == TokenKind::Word || makes || is_after_as {
                self.0.insert(folded(text, token));
            }
        });
    }

    /// Returns true if something between double quotes in a script is called so nowhere.
    pub fn lack_something(&self, text: &str) -> bool {
        let mut lacks = false;
        each(text, |makes, before, token| {
            let is_quoted = token.kind == TokenKind::QuotedIdentifier && token.text(text).starts_with('"');
            let is_named = before.is_some_and(|before| before.kind == TokenKind::Dot || before.is_word(text, "as"));
            let name = folded(text, token);
            lacks |= is_quoted && !makes && !is_named && !name.starts_with("sqlite_") && !self.0.contains(&name);
        });
        lacks
    }
}

/// Goes through the names of a text: whether their statement makes something, what stands before them, and they.
fn each(text: &str, mut visit: impl FnMut(bool, Option<Token>, Token)) {
    for statement in Statements::new(text, Dialect::Sqlite).map_while(Result::ok) {
        let tokens = Tokens::new(text, statement.span, Dialect::Sqlite);
        let makes = matches!(Head::of(tokens).verb, Verb::Create | Verb::Alter);
        let mut before = None;
        for token in tokens {
            if token.kind.is_identifier() {
                visit(makes, before, token);
            }
            before = Some(token);
        }
    }
}

fn folded(text: &str, token: Token) -> String {
    Name::part(token.text(text), token.kind, Dialect::Sqlite).object().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_nothing_is_called() {
        let made = "create table \"user\" (id int, \"kind\" text default \"x\"); create index i on t (a);";
        let mut names = Names::default();
        names.add(made);
        for (text, lacks) in [
            ("update \"user\" set \"kind\" = \"\"", true),
            ("insert into new select id, \"SIDECAR\" as type from \"user\"", true),
            ("update \"user\" set \"kind\" = 'x' where \"ID\" = 1", false),
            ("delete from \"sqlite_sequence\"; select u.\"own\", a as \"b\", \"i\" from u", false),
            (made, false),
        ] {
            assert_eq!(names.lack_something(text), lacks, "{text}");
        }
    }
}
