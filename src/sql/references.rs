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
    match (head.verb, head.kind, head.full_name()) {
        (Verb::Create, Some(kind), Some(name)) => vec![(kind, name)],
        _ => Vec::new(),
    }
}

/// A name in a statement, and what of the text around it says which kind of object is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The name, with all its parts.
    pub name: Name,
    /// True where a routine may be meant: `f(`, `sfunc = f`, `function f`.
    is_routine: bool,
    /// The word in front of it.
    behind: String,
}

impl Mention {
    /// Whether an object of this kind and name may be meant.
    #[must_use]
    pub fn may_be(&self, kind: Kind, name: &Name) -> bool {
        let fits = match kind {
            Kind::Function | Kind::Procedure | Kind::Aggregate => self.is_routine,
            // They are spoken of by their kind alone: a trigger may be called what a table is called.
            Kind::Trigger | Kind::Rule | Kind::Policy | Kind::Index | Kind::EventTrigger => {
                kind.name().ends_with(&self.behind) && !self.behind.is_empty()
            }
            _ => true,
        };
        fits && self.name.matches(name)
    }
}

/// Every name in a statement, qualified ones with all their parts, those in the
/// body of a function included. Other strings are not looked into.
#[must_use]
pub fn mentions(tokens: Tokens<'_>) -> BTreeSet<Mention> {
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

fn collect(mut tokens: Tokens<'_>, found: &mut BTreeSet<Mention>, bodies: &mut Vec<Span>) {
    let mut behind = "";
    while let Some(token) = tokens.peek() {
        let before = std::mem::replace(&mut behind, token.text(tokens.text()));
        // A string can be a name in SQLite, but only where nobody writes one.
        let name = if token.kind.is_identifier() { tokens.eat_name() } else { None };
        if let Some((name, _)) = name {
            let before = before.to_ascii_lowercase();
            let is_routine =
                tokens.next_text() == "(" || matches!(before.as_str(), "=" | "function" | "procedure" | "aggregate");
            found.insert(Mention { name, is_routine, behind: before });
            continue;
        }
        match token.kind {
            TokenKind::DollarString => bodies.extend(dollar_body(token, tokens.text())),
            // The body of a function, as older texts write it. A quote inside is doubled, which hides no name.
            TokenKind::String if before.eq_ignore_ascii_case("as") && tokens.dialect() == Dialect::Postgres => {
                bodies.push(Span::new(token.span.start + 1, token.span.end.saturating_sub(1)));
            }
            _ => {}
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
        let names = |tokens| mentions(tokens).into_iter().map(|mention| mention.name).collect::<BTreeSet<Name>>();
        let found = names(tokens);
        for name in [Name::new(["Other", "g"]), Name::new(["deep"]), Name::new(["app", "f"])] {
            assert!(found.contains(&name), "{name}");
        }
        assert!(!found.contains(&Name::new(["quoted"])));
        let old = "create function f() returns text language sql as 'select ''quoted'', b from app.v where c = ''d'''";
        let found = names(Tokens::of(old, Dialect::Postgres));
        assert!(found.contains(&Name::new(["app", "v"])) && found.contains(&Name::new(["c"])));
        let view = names(Tokens::of("create view v as select 'a' from [My T]", Dialect::Sqlite));
        assert!(view.contains(&Name::new(["my t"])) && !view.contains(&Name::new(["a"])));
    }

    #[test]
    fn what_stands_around_a_name_tells_its_kind() {
        let may_be = |text: &str, kind, name: &str| {
            let name = Name::new(name.split('.'));
            mentions(Tokens::of(text, Dialect::Postgres)).iter().any(|mention| mention.may_be(kind, &name))
        };
        let view = "create view v as select g(a) from app.t";
        assert!(may_be(view, Kind::View, "t") && may_be(view, Kind::Function, "g"));
        assert!(!may_be(view, Kind::Function, "app.t") && !may_be(view, Kind::Trigger, "t"));
        assert!(may_be("create aggregate s(integer) (sfunc = f, stype = integer)", Kind::Function, "f"));
        assert!(may_be("comment on trigger t on u is 'x'", Kind::Trigger, "t"));
        assert!(may_be("create trigger x after insert on t execute procedure app.f()", Kind::Function, "app.f"));
    }

    #[test]
    fn broken_bodies_are_harmless() {
        let text = "create function f() returns int language plpython3u as $$ return x if y else 'it''s $$";
        let tokens = Tokens::of(text, Dialect::Postgres);
        assert!(mentions(tokens).iter().any(|mention| mention.name == Name::new(["x"])));
        let body = tokens.last().and_then(|token| dollar_body(token, text));
        assert!(body.is_some_and(|body| !reads_as_sql(text, body, Dialect::Postgres)));
    }
}
