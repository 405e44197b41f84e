//! Variables in a script, spelled as in psql: `:'name'` and `:"name"`.
//!
//! They are tokens, not text: nothing inside a string, a comment, a dollar
//! quote or data of `COPY` is ever a variable, and neither is a cast (`::`) or
//! an array slice, since the colon must touch the quote.

use super::{Dialect, LexError, Lexer, Span, Token, TokenKind};

/// How a variable's value is written into the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VariableKind {
    /// `:'name'`: a string literal.
    Literal,
    /// `:"name"`: a quoted identifier.
    Identifier,
}

/// One use of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// How its value is written.
    pub kind: VariableKind,
    /// Where it stands, from the colon to the closing quote.
    pub span: Span,
}

/// Every use of a variable in a script, in order.
///
/// # Errors
///
/// The first error of the text.
pub fn variables(text: &str, dialect: Dialect) -> Result<Vec<Variable>, LexError> {
    let mut found = Vec::new();
    let mut colon: Option<Token> = None;
    for token in Lexer::new(text, dialect) {
        let token = token?;
        let touching = colon.filter(|colon| colon.span.end == token.span.start);
        if let Some(variable) = touching.and_then(|colon| variable(text, colon, token)) {
            found.push(variable);
        }
        colon = (token.kind == TokenKind::Colon).then_some(token);
    }
    Ok(found)
}

fn variable(text: &str, colon: Token, quoted: Token) -> Option<Variable> {
    let kind = match (quoted.kind, quoted.text(text).as_bytes().first()) {
        (TokenKind::String, Some(b'\'')) => VariableKind::Literal,
        (TokenKind::QuotedIdentifier, Some(b'"')) => VariableKind::Identifier,
        _ => return None,
    };
    // A string that goes on behind a line break is not one: the name ends at
    // its first quote.
    let inside = quoted.text(text).get(1..)?;
    let length = inside.find(['\'', '"'])?;
    let name = inside.get(..length)?;
    let named = !name.is_empty() && name.chars().all(|char| char.is_alphanumeric() || char == '_');
    let span = Span::new(colon.span.start, quoted.span.start + 1 + length + 1);
    named.then(|| Variable { name: name.into(), kind, span })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, dialect: Dialect) -> Vec<String> {
        let shown = |variable: Variable| format!("{:?} {} {}", variable.kind, variable.name, variable.span.text(text));
        variables(text, dialect).unwrap_or_default().into_iter().map(shown).collect()
    }

    #[test]
    fn only_outside_quotes() {
        let text = "select :'a', :\"b\", ':''c''', $$:'d'$$, -- :'e'\n x::\"f\", a[1:'2'], : 'g', 'x:' /* :'h' */;";
        let both = ["Literal a :'a'", "Identifier b :\"b\""];
        assert_eq!(found(text, Dialect::Postgres), [both[0], both[1], "Literal 2 :'2'"]);
        assert_eq!(found("select :'a', :\"b\", :c, ':\"d\"'", Dialect::Sqlite), both);
    }

    #[test]
    fn not_in_copy_data() {
        let text = "copy t from stdin;\n:'a'\n\\.\nselect :'b'";
        assert_eq!(found(text, Dialect::Postgres), ["Literal b :'b'"]);
    }
}
