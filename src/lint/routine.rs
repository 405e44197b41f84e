//! The arguments that tell two routines of one name apart.

use super::shape::items;
use super::statement::Statement;
use crate::sql::{Kind, Span, TokenKind, Tokens};

/// Returns false if two statements name routines of different arguments; a list that is not there fits any, and so does
/// a type that is not read, as `table.column%TYPE`.
pub fn same_arguments(left: &Statement<'_>, right: &Statement<'_>) -> bool {
    let (Some(left), Some(right)) = (arguments(left), arguments(right)) else { return true };
    let fits = |(left, right): (&Option<String>, &Option<String>)| left.is_none() || right.is_none() || left == right;
    left.len() == right.len() && left.iter().zip(&right).all(fits)
}

/// Returns true if a kind is told apart by arguments.
pub const fn has_arguments(kind: Kind) -> bool {
    matches!(kind, Kind::Function | Kind::Procedure | Kind::Aggregate | Kind::Routine)
}

/// The types of what goes in, as one spelling each, or `None` for one that is not read; `None` without a list.
fn arguments(statement: &Statement<'_>) -> Option<Vec<Option<String>>> {
    let mut tokens = statement.tokens_behind_name();
    let list = tokens.eat_parens()?;
    let mut found = Vec::new();
    for item in items(statement.text, list, statement.dialect) {
        let mut tokens = statement.part(item);
        let is_out = tokens.at_word("out");
        tokens.eat_any(&["in", "out", "inout", "variadic"]);
        if !is_out {
            found.push(type_of(statement, tokens, item.end));
        }
    }
    Some(found)
}

/// The type of an argument, whose name may stand in front and its default behind.
fn type_of(statement: &Statement<'_>, tokens: Tokens<'_>, end: usize) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    let mut rest = statement.part(Span::new(tokens.start(), end));
    while let Some(token) = rest.next() {
        let text = token.text(statement.text);
        if token.is_word(statement.text, "default") || token.kind == TokenKind::Operator && text == "=" {
            break;
        }
        match token.kind {
            // A length says nothing about which routine it is.
            TokenKind::OpenParen => {
                rest.find(|token| token.kind == TokenKind::CloseParen)?;
            }
            TokenKind::Word => all.push(text.to_ascii_lowercase()),
            _ => all.push(text.to_owned()),
        }
    }
    let words: Vec<&str> = all.iter().map(String::as_str).collect();
    one_spelling(&words).or_else(|| one_spelling(words.get(1..)?))
}

/// A type as one of its spellings, without its schema; `None` for what is no type alone.
fn one_spelling(words: &[&str]) -> Option<String> {
    let plain: Vec<&str> = words.iter().copied().filter(|word| !["[", "]", "array"].contains(word)).collect();
    let list = if plain.len() < words.len() { "[]" } else { "" };
    let name = match plain.as_slice() {
        ["int" | "int4" | "integer"] => "integer",
        ["int8" | "bigint"] => "bigint",
        ["int2" | "smallint"] => "smallint",
        ["bool" | "boolean"] => "boolean",
        ["varchar"] | ["character", "varying"] => "varchar",
        ["char" | "character" | "bpchar"] => "char",
        ["decimal" | "numeric"] => "numeric",
        ["float8" | "float"] | ["double", "precision"] => "float8",
        ["float4" | "real"] => "float4",
        ["timestamptz"] | ["timestamp", "with", "time", "zone"] => "timestamptz",
        ["timestamp"] | ["timestamp", "without", "time", "zone"] => "timestamp",
        ["time"] | ["time", "without", "time", "zone"] => "time",
        ["timetz"] | ["time", "with", "time", "zone"] => "timetz",
        ["varbit"] | ["bit", "varying"] => "varbit",
        [name] | [_, ".", name] => name,
        _ => return None,
    };
    Some(format!("{}{list}", name.trim_matches('"')))
}
