//! Which objects a code file makes, and which names it mentions: enough to
//! order files by reference without a database.
//!
//! Mentions are a superset: every identifier counts, whatever its place, since
//! a name too many costs nothing (it only matters if a file makes it) and a name
//! too few breaks the order.

use std::collections::BTreeSet;

use super::{Dialect, Head, Kind, Lexer, Name, Span, Token, TokenKind, Tokens, Verb};

/// The objects that a statement creates.
#[must_use]
pub fn creates(tokens: Tokens<'_>) -> Vec<(Kind, Name)> {
    let head = Head::of(tokens);
    match (head.verb, head.kind, head.name) {
        (Verb::Create, Some(kind), Some(name)) => vec![(kind, name)],
        _ => Vec::new(),
    }
}

/// Every name in a statement, qualified ones with all their parts, those in the
/// dollar-quoted body of a function included. Strings are not looked into.
#[must_use]
pub fn mentions(tokens: Tokens<'_>) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    let mut bodies = Vec::new();
    collect(tokens, &mut found, &mut bodies);
    // Bodies inside bodies (EXECUTE $q$ … $q$), level by level: each level reads
    // the text once more, so their number has an end.
    for _ in 0..DEEPEST {
        for body in std::mem::take(&mut bodies) {
            collect(Tokens::new(tokens.text(), body, tokens.dialect()), &mut found, &mut bodies);
        }
    }
    found
}

/// How many dollar quotes inside each other are looked into.
const DEEPEST: usize = 8;

fn collect(mut tokens: Tokens<'_>, found: &mut BTreeSet<Name>, bodies: &mut Vec<Span>) {
    while let Some(token) = tokens.peek() {
        // A string can be a name in SQLite, but only where nobody writes one.
        let name = if token.kind.is_identifier() { tokens.eat_name() } else { None };
        if let Some((name, _)) = name {
            found.insert(name);
            continue;
        }
        if token.kind == TokenKind::DollarString {
            bodies.extend(dollar_body(token, tokens.text()));
        }
        tokens.next();
    }
}

/// What stands between the tags of a dollar-quoted string.
#[must_use]
pub fn dollar_body(token: Token, text: &str) -> Option<Span> {
    let quoted = (token.kind == TokenKind::DollarString).then(|| token.text(text))?;
    let tag = quoted.get(1..)?.find('$')? + 2;
    let end = quoted.len().checked_sub(tag).filter(|end| *end >= tag)?;
    Some(Span::new(token.span.start + tag, token.span.start + end))
}

/// Whether a body is text that reads as SQL to its end: a language such as
/// Python or Perl may break off.
#[must_use]
pub fn reads_as_sql(text: &str, body: Span, dialect: Dialect) -> bool {
    Lexer::part(text, body, dialect).all(|token| token.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read() {
        let text = "create or replace function app.f(a int) returns int language plpgsql as $f$ begin \
                    perform \"Other\".g(1); execute $q$select * from deep$q$; return 'quoted' || b; end $f$";
        let tokens = Tokens::of(text, Dialect::Postgres);
        assert_eq!(creates(tokens), [(Kind::Function, Name::new(["app", "f"]))]);
        let names = mentions(tokens);
        for name in [Name::new(["Other", "g"]), Name::new(["deep"]), Name::new(["app", "f"])] {
            assert!(names.contains(&name), "{name}");
        }
        assert!(!names.contains(&Name::new(["quoted"])));
        let view = mentions(Tokens::of("create view v as select 'a' from [My T]", Dialect::Sqlite));
        assert!(view.contains(&Name::new(["my t"])) && !view.contains(&Name::new(["a"])));
    }

    #[test]
    fn broken_bodies_are_harmless() {
        let text = "create function f() returns int language plpython3u as $$ return x if y else 'it''s $$";
        let tokens = Tokens::of(text, Dialect::Postgres);
        assert!(mentions(tokens).contains(&Name::new(["x"])));
        let body = tokens.last().and_then(|token| dollar_body(token, text));
        assert!(body.is_some_and(|body| !reads_as_sql(text, body, Dialect::Postgres)));
    }
}
