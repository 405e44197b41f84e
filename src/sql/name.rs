//! Names of objects as their server sees them.
//!
//! Two spellings of one name are equal: PostgreSQL lower-cases what is not
//! quoted and cuts at 63 bytes, SQLite ignores the case of ASCII letters
//! whether a name is quoted or not.

use super::{Dialect, TokenKind};

/// A name, qualified or not, folded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    parts: Vec<String>,
}

/// PostgreSQL's limit for one identifier, in bytes.
const LONGEST: usize = 63;

impl Name {
    /// A name from parts that are folded already, as a catalog has them.
    #[must_use]
    pub fn new<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        Self { parts: parts.into_iter().map(Into::into).collect() }
    }

    /// A name of one part, from the text of a token.
    #[must_use]
    pub fn part(text: &str, kind: TokenKind, dialect: Dialect) -> Self {
        Self { parts: vec![fold(text, kind, dialect)] }
    }

    /// Adds a part at the end, from the text of a token.
    pub fn push(&mut self, text: &str, kind: TokenKind, dialect: Dialect) {
        self.parts.push(fold(text, kind, dialect));
    }

    /// Its parts, the object's own last.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The object's own name, without what qualifies it.
    #[must_use]
    pub fn object(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// The schema (in SQLite the attached database), if it is given.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        let at = self.parts.len().checked_sub(2)?;
        self.parts.get(at).map(String::as_str)
    }

    /// Whether it is qualified.
    #[must_use]
    pub fn is_qualified(&self) -> bool {
        self.parts.len() > 1
    }

    /// The same name without what qualifies it.
    #[must_use]
    pub fn unqualified(&self) -> Self {
        Self { parts: vec![self.object().into()] }
    }

    /// Whether both may mean one object: equal parts, as far as both have them.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        let pairs = self.parts.iter().rev().zip(other.parts.iter().rev());
        !self.parts.is_empty() && !other.parts.is_empty() && pairs.into_iter().all(|(left, right)| left == right)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            let plain = part.starts_with(|char: char| char.is_ascii_lowercase() || char == '_')
                && part.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
            if plain {
                f.write_str(part)?;
            } else {
                write!(f, "\"{}\"", part.replace('"', "\"\""))?;
            }
        }
        Ok(())
    }
}

/// The identifier that a token spells.
fn fold(text: &str, kind: TokenKind, dialect: Dialect) -> String {
    let inner = || text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    let mut folded = match (kind, text.chars().next()) {
        (TokenKind::UnicodeIdentifier, _) => unescape(text.get(3..text.len().saturating_sub(1)).unwrap_or("")),
        (TokenKind::QuotedIdentifier | TokenKind::String, Some('[')) => inner().into(),
        (TokenKind::QuotedIdentifier | TokenKind::String, Some(quote)) if inner().contains(quote) => {
            let quote = quote.to_string();
            inner().replace(&quote.repeat(2), &quote)
        }
        (TokenKind::QuotedIdentifier | TokenKind::String, Some(_)) => inner().into(),
        _ => text.to_ascii_lowercase(),
    };
    match dialect {
        Dialect::Sqlite => folded.make_ascii_lowercase(),
        Dialect::Postgres => {
            let cut = (0..=LONGEST.min(folded.len())).rev().find(|at| folded.is_char_boundary(*at));
            folded.truncate(cut.unwrap_or(0));
        }
    }
    folded
}

/// The text of a `U&"…"` with the default escape character.
fn unescape(inner: &str) -> String {
    let inner = inner.replace("\"\"", "\"");
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner.as_str();
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or(""));
        rest = rest.get(at + 1..).unwrap_or("");
        let (digits, skip) = match rest.chars().next() {
            Some('\\') => {
                out.push('\\');
                rest = rest.get(1..).unwrap_or("");
                continue;
            }
            Some('+') => (rest.get(1..7), 7),
            _ => (rest.get(..4), 4),
        };
        let char = digits.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        match char {
            Some(char) => {
                out.push(char);
                rest = rest.get(skip..).unwrap_or("");
            }
            // The server refuses it; so the spelling stays as it is.
            None => out.push('\\'),
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::super::Tokens;
    use super::*;

    fn name(text: &str, dialect: Dialect) -> String {
        Tokens::of(text, dialect).eat_name().map_or_else(String::new, |(name, _)| name.to_string())
    }

    #[test]
    fn postgres_folds_what_is_not_quoted() {
        let postgres = |text| name(text, Dialect::Postgres);
        assert_eq!(postgres("Public . Customer"), "public.customer");
        assert_eq!(postgres("\"A b\".\"c\"\"d\""), "\"A b\".\"c\"\"d\"");
        assert_eq!(postgres("U&\"d\\0061t\\+000061\""), "data");
        assert_eq!(postgres("ÉTÉ"), "\"ÉtÉ\"");
        assert_eq!(postgres(&"a".repeat(70)).len(), 63);
    }

    #[test]
    fn sqlite_ignores_case() {
        let sqlite = |text| name(text, Dialect::Sqlite);
        assert_eq!(sqlite("Main.[Order Line]"), "main.\"order line\"");
        assert_eq!(sqlite("`A``b`"), "\"a`b\"");
        assert_eq!(sqlite("'T'"), "t");
    }

    #[test]
    fn matching_ignores_missing_qualifiers() {
        let full = Name::new(["s", "t"]);
        assert!(full.matches(&Name::new(["t"])) && !full.matches(&Name::new(["r", "t"])));
        assert_eq!((full.schema(), full.object()), (Some("s"), "t"));
        assert_eq!(full.unqualified(), Name::new(["t"]));
    }
}
