//! SQLite's lexical rules, after `src/tokenize.c`, except that what SQLite
//! silently accepts at the end of a text (an open comment) is an error.

use super::{Fault, LexErrorKind, Scan, TokenKind, find, is_identifier_byte, quoted, run};

/// The token at `at`, which is inside `bytes`.
#[inline]
pub(super) fn scan(bytes: &[u8], at: usize) -> Scan {
    let next = bytes.get(at + 1).copied();
    Ok(match bytes.get(at).copied().unwrap_or(0) {
        b' ' | b'\t' | b'\n' | b'\r' | 0x0C => (TokenKind::Whitespace, run(bytes, at + 1, is_space)),
        b'x' | b'X' if next == Some(b'\'') => {
            let close = find(bytes, at + 2, b'\'').ok_or(Fault::new(LexErrorKind::UnterminatedString, 2))?;
            (TokenKind::BitString, close + 1)
        }
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => (TokenKind::Word, run(bytes, at + 1, is_identifier_byte)),
        b'\'' => {
            let end = quoted(bytes, at, b'\'').ok_or(Fault::new(LexErrorKind::UnterminatedString, 1))?;
            (TokenKind::String, end)
        }
        quote @ (b'"' | b'`') => {
            let end = quoted(bytes, at, quote).ok_or(Fault::new(LexErrorKind::UnterminatedIdentifier, 1))?;
            (TokenKind::QuotedIdentifier, end)
        }
        b'[' => {
            let close = find(bytes, at + 1, b']').ok_or(Fault::new(LexErrorKind::UnterminatedIdentifier, 1))?;
            (TokenKind::QuotedIdentifier, close + 1)
        }
        b'0'..=b'9' => (TokenKind::Number, number(bytes, at)),
        b'.' if next.is_some_and(|byte| byte.is_ascii_digit()) => (TokenKind::Number, number(bytes, at)),
        b',' => (TokenKind::Comma, at + 1),
        b';' => (TokenKind::Semicolon, at + 1),
        b'(' => (TokenKind::OpenParen, at + 1),
        b')' => (TokenKind::CloseParen, at + 1),
        b']' => (TokenKind::CloseBracket, at + 1),
        b'.' => (TokenKind::Dot, at + 1),
        b'-' if next == Some(b'-') => (TokenKind::LineComment, run(bytes, at + 2, |byte| byte != b'\n')),
        b'/' if next == Some(b'*') => {
            let end = comment(bytes, at).ok_or(Fault::new(LexErrorKind::UnterminatedComment, 2))?;
            (TokenKind::BlockComment, end)
        }
        b'?' => (TokenKind::Parameter, run(bytes, at + 1, |byte| byte.is_ascii_digit())),
        b'$' | b'@' | b'#' | b':' => parameter(bytes, at),
        b'-' | b'+' | b'*' | b'/' | b'%' | b'=' | b'<' | b'>' | b'!' | b'|' | b'&' | b'~' => {
            (TokenKind::Operator, at + operator(bytes.get(at..).unwrap_or(&[])))
        }
        // No token of SQLite: a script that was written for psql.
        b'\\' if bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) => {
            (TokenKind::MetaCommand, run(bytes, at + 1, |byte| byte != b'\n'))
        }
        _ => (TokenKind::Unknown, at + 1),
    })
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C)
}

fn comment(bytes: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 2;
    loop {
        let star = find(bytes, from, b'*')?;
        if bytes.get(star + 1) == Some(&b'/') {
            return Some(star + 2);
        }
        from = star + 1;
    }
}

/// A number with whatever sticks to it: `12abc` is one (wrong) token in SQLite.
fn number(bytes: &[u8], at: usize) -> usize {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let mut end = run(bytes, at, |byte| byte.is_ascii_digit() || byte == b'_');
    if byte(end) == b'.' {
        end = run(bytes, end + 1, |byte| byte.is_ascii_digit() || byte == b'_');
    }
    let signed = matches!(byte(end), b'e' | b'E') && matches!(byte(end + 1), b'+' | b'-');
    if signed && byte(end + 2).is_ascii_digit() {
        end += 2;
    }
    run(bytes, end, is_identifier_byte)
}

/// `:a`, `@a`, `#a`, `$a`, with the `::` and `(…)` that Tcl's variables have.
fn parameter(bytes: &[u8], at: usize) -> (TokenKind, usize) {
    let mut end = at + 1;
    let mut named = false;
    while let Some(byte) = bytes.get(end).copied() {
        match byte {
            byte if is_identifier_byte(byte) => {
                named = true;
                end += 1;
            }
            b':' if bytes.get(end + 1) == Some(&b':') => end += 2,
            b'(' if named => {
                let close = run(bytes, end + 1, |byte| !is_space(byte) && byte != b')');
                if bytes.get(close) != Some(&b')') {
                    return (TokenKind::Unknown, close);
                }
                end = close + 1;
                break;
            }
            _ => break,
        }
    }
    match (named, bytes.get(at)) {
        (true, _) => (TokenKind::Parameter, end),
        (false, Some(b':')) => (TokenKind::Colon, at + 1),
        (false, _) => (TokenKind::Unknown, at + 1),
    }
}

fn operator(rest: &[u8]) -> usize {
    match rest {
        [b'-', b'>', b'>', ..] => 3,
        [b'-', b'>', ..] | [b'=', b'=', ..] | [b'<', b'=' | b'>' | b'<', ..] => 2,
        [b'>', b'=' | b'>', ..] | [b'!', b'=', ..] | [b'|', b'|', ..] => 2,
        _ => 1,
    }
}
