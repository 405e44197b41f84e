//! PostgreSQL's lexical rules, after `src/backend/parser/scan.l` of the server
//! (and psql's own scanner for the backslash).

use super::{Fault, LexErrorKind, Scan, TokenKind, find, is_identifier_byte, quoted, run};

/// The token at `at`, which is inside `bytes`.
#[inline]
pub(super) fn scan(bytes: &[u8], at: usize) -> Scan {
    let byte = |offset: usize| bytes.get(at + offset).copied();
    let next = byte(1);
    Ok(match bytes.get(at).copied().unwrap_or(0) {
        b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C => (TokenKind::Whitespace, run(bytes, at + 1, is_space)),
        b'e' | b'E' if next == Some(b'\'') => {
            return string(bytes, at, 2, TokenKind::EscapeString, escaped);
        }
        b'n' | b'N' if next == Some(b'\'') => return string(bytes, at, 2, TokenKind::String, standard),
        b'b' | b'B' | b'x' | b'X' if next == Some(b'\'') => {
            return string(bytes, at, 2, TokenKind::BitString, bits);
        }
        b'u' | b'U' if next == Some(b'&') && byte(2) == Some(b'\'') => {
            return string(bytes, at, 3, TokenKind::UnicodeString, standard);
        }
        b'u' | b'U' if next == Some(b'&') && byte(2) == Some(b'"') => {
            let end = quoted(bytes, at + 2, b'"').ok_or(Fault::new(LexErrorKind::UnterminatedIdentifier, 3))?;
            (TokenKind::UnicodeIdentifier, end)
        }
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => (TokenKind::Word, run(bytes, at + 1, is_identifier_byte)),
        b'\'' => return string(bytes, at, 1, TokenKind::String, standard),
        b'"' => {
            let end = quoted(bytes, at, b'"').ok_or(Fault::new(LexErrorKind::UnterminatedIdentifier, 1))?;
            (TokenKind::QuotedIdentifier, end)
        }
        b'0'..=b'9' => (TokenKind::Number, number(bytes, at)),
        b',' => (TokenKind::Comma, at + 1),
        b';' => (TokenKind::Semicolon, at + 1),
        b'(' => (TokenKind::OpenParen, at + 1),
        b')' => (TokenKind::CloseParen, at + 1),
        b'[' => (TokenKind::OpenBracket, at + 1),
        b']' => (TokenKind::CloseBracket, at + 1),
        b'.' if next.is_some_and(|byte| byte.is_ascii_digit()) => (TokenKind::Number, number(bytes, at)),
        b'.' if next == Some(b'.') => (TokenKind::DotDot, at + 2),
        b'.' => (TokenKind::Dot, at + 1),
        b':' if matches!(next, Some(b':' | b'=')) => (TokenKind::Operator, at + 2),
        b':' => (TokenKind::Colon, at + 1),
        b'-' if next == Some(b'-') => (TokenKind::LineComment, run(bytes, at + 2, not_newline)),
        b'/' if next == Some(b'*') => {
            let end = comment(bytes, at).ok_or(Fault::new(LexErrorKind::UnterminatedComment, 2))?;
            (TokenKind::BlockComment, end)
        }
        b'$' => return dollar(bytes, at),
        b'\\' => (TokenKind::MetaCommand, run(bytes, at + 1, not_newline)),
        byte if is_operator(byte) => (TokenKind::Operator, operator(bytes, at)),
        _ => (TokenKind::Unknown, at + 1),
    })
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C)
}

const fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

const fn not_newline(byte: u8) -> bool {
    !is_newline(byte)
}

const fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

/// A string whose opening quote ends the first `opener` bytes, continuations included.
fn string(bytes: &[u8], at: usize, opener: usize, kind: TokenKind, close: fn(&[u8], usize) -> Option<usize>) -> Scan {
    let mut quote = at + opener - 1;
    loop {
        let Some(end) = close(bytes, quote) else {
            return Err(Fault::new(LexErrorKind::UnterminatedString, opener));
        };
        match continuation(bytes, end) {
            Some(next) => quote = next,
            None => return Ok((kind, end)),
        }
    }
}

fn standard(bytes: &[u8], quote: usize) -> Option<usize> {
    quoted(bytes, quote, b'\'')
}

/// Bits have no quotes to double: the first one ends them.
fn bits(bytes: &[u8], quote: usize) -> Option<usize> {
    find(bytes, quote + 1, b'\'').map(|close| close + 1)
}

fn escaped(bytes: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The quote that continues a string which ended at `end`: white space with a
/// line break (line comments are white space, block comments are not) and then
/// another quote. It counts for `E''`: the next part has escapes as well.
fn continuation(bytes: &[u8], end: usize) -> Option<usize> {
    let mut at = end;
    let mut broken = false;
    loop {
        match *bytes.get(at)? {
            b'\'' if broken => return Some(at),
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = run(bytes, at, not_newline);
                // A comment counts only with the line break behind it.
                bytes.get(at)?;
            }
            byte if is_space(byte) => {
                broken |= is_newline(byte);
                at += 1;
            }
            _ => return None,
        }
    }
}

fn comment(bytes: &[u8], at: usize) -> Option<usize> {
    let mut depth = 1_usize;
    let mut at = at + 2;
    loop {
        match (*bytes.get(at)?, *bytes.get(at + 1)?) {
            (b'/', b'*') => {
                depth += 1;
                at += 2;
            }
            (b'*', b'/') => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
}

fn dollar(bytes: &[u8], at: usize) -> Scan {
    let first = bytes.get(at + 1).copied().unwrap_or(b' ');
    if first.is_ascii_digit() {
        return Ok((TokenKind::Parameter, run(bytes, at + 1, |byte| byte.is_ascii_digit())));
    }
    // A tag is an identifier without dollars.
    let tag = run(bytes, at + 1, |byte| is_identifier_byte(byte) && byte != b'$');
    if bytes.get(tag) != Some(&b'$') {
        return Ok((TokenKind::Unknown, at + 1));
    }
    let opener = bytes.get(at..=tag).unwrap_or(&[]);
    let mut from = tag + 1;
    while let Some(close) = find(bytes, from, b'$') {
        if bytes.get(close..).is_some_and(|rest| rest.starts_with(opener)) {
            return Ok((TokenKind::DollarString, close + opener.len()));
        }
        from = close + 1;
    }
    let tag = String::from_utf8_lossy(bytes.get(at + 1..tag).unwrap_or(&[])).into_owned();
    Err(Fault::new(LexErrorKind::UnterminatedDollarQuote { tag }, opener.len()))
}

fn number(bytes: &[u8], at: usize) -> usize {
    let digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    if byte(at) == b'0' && matches!(byte(at + 1), b'x' | b'X' | b'o' | b'O' | b'b' | b'B') {
        return run(bytes, at + 2, |byte| byte.is_ascii_hexdigit() || byte == b'_');
    }
    let mut end = run(bytes, at, digit);
    // `1..10` is a number and two dots.
    if byte(end) == b'.' && byte(end + 1) != b'.' {
        end = run(bytes, end + 1, digit);
    }
    if matches!(byte(end), b'e' | b'E') {
        let sign = usize::from(matches!(byte(end + 1), b'+' | b'-'));
        if byte(end + 1 + sign).is_ascii_digit() {
            end = run(bytes, end + 1 + sign, digit);
        }
    }
    end
}

/// The longest operator, cut where a comment begins; a trailing `+` or `-`
/// belongs to it only if it has a character that no SQL operator has.
///
/// No operator is longer than an identifier; looking no further keeps a line of
/// a million `+` linear.
fn operator(bytes: &[u8], at: usize) -> usize {
    let near = bytes.get(..bytes.len().min(at + 64)).unwrap_or(&[]);
    let mut end = run(near, at, is_operator);
    let all = bytes.get(at..end).unwrap_or(&[]);
    if let Some(cut) = all.windows(2).position(|pair| pair == b"--" || pair == b"/*") {
        end = at + cut.max(1);
    }
    let special = |byte: &u8| matches!(byte, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%');
    let text = bytes.get(at..end).unwrap_or(&[]);
    if text.len() > 1 && !text.iter().any(special) {
        let kept = text.iter().rposition(|byte| !matches!(byte, b'+' | b'-'));
        end = at + kept.map_or(1, |last| last + 1);
    }
    end
}
