//! Runs the parts of a unit inside a transaction: in one message where the result is the same, statement by
//! statement where guards, COPY, timeouts or the wish to name a failing statement ask for it.

use std::io::Write;

use postgres::SimpleQueryMessage;

use super::guard::{self, Groups};
use super::journal::DIALECT;
use super::link::Link;
use super::stop::Stop;
use crate::engine::{Applied, Part, Unit};
use crate::sql::{Lexer, Span, TokenKind, Tokens};

/// How a unit's statements go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// One by one, so that the one that fails is known.
    Statements,
    /// As many as possible in a message.
    Messages,
}

/// A good length of a message, in bytes. The server parses the whole of one before it begins; what it parsed from this
/// much it has room for, of longer ones each page is new to it: a tenth of the time of 100,000 small statements.
const GOOD: usize = 1 << 16;
/// The longest message that what must be one message is sent as.
const LONGEST: usize = 1 << 20;
/// Up to so many statements the round trips cost less than running a failed script again to name its statement.
const FEW: usize = 20;

/// Returns the style for a unit's first run.
pub(super) fn style(unit: &Unit) -> Style {
    let is_simple = unit.parts.len() <= FEW || unit.parts.iter().any(|part| sets_timeout(unit, part));
    if is_simple { Style::Statements } else { Style::Messages }
}

fn sets_timeout(unit: &Unit, part: &Part) -> bool {
    part.sets_session && contains(part.span.text(unit.text.as_str()), "_timeout")
}

/// Returns true if a text has a word, in whatever case.
pub(super) fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// Runs all parts.
pub(super) fn parts(link: &mut Link, unit: &Unit, style: Style, applied: &mut Applied) -> Result<(), Stop> {
    let mut groups = Groups::new();
    let mut rest = unit.parts.as_slice();
    while let Some(first) = rest.first() {
        let count = match style {
            Style::Statements => 1,
            Style::Messages => together(unit, rest),
        };
        if count > 1 {
            message(link, unit, &rest[..count], applied)?;
        } else if guard::lets_run(link, unit, first, &mut groups)? {
            part(link, unit, first, applied)?;
        } else {
            applied.skipped += 1;
        }
        rest = &rest[count..];
    }
    Ok(())
}

/// Runs one part, with or without a transaction around it. Returns the rows that it changed.
pub(super) fn part(link: &mut Link, unit: &Unit, part: &Part, applied: &mut Applied) -> Result<u64, Stop> {
    let patience = waits_without_limit(unit, part);
    if patience {
        limit(link, "set lock_timeout = 0")?;
    }
    let rows = match part.copy_data {
        Some(data) => copy(link, unit, part, data)?,
        None => statement(link, unit, part)?,
    };
    if patience {
        limit(link, &format!("set lock_timeout = {}", lock_timeout(link, unit)))?;
    }
    applied.statements += 1;
    applied.rows += rows;
    Ok(rows)
}

fn limit(link: &mut Link, text: &str) -> Result<(), Stop> {
    let target = link.connector.shown();
    link.send_own(text).map(|_| ()).map_err(|trouble| Stop::own(trouble, "setting lock_timeout", &target))
}

/// Returns the limit in milliseconds under which a unit waits for locks.
pub(super) fn lock_timeout(link: &Link, unit: &Unit) -> u128 {
    unit.lock_timeout.unwrap_or(link.connector.target.lock_timeout).as_millis()
}

/// `CONCURRENTLY` and `VALIDATE` work for hours and wait for others meanwhile; to give up would throw that away.
/// A limit of the script's own holds for them too.
pub(super) fn waits_without_limit(unit: &Unit, part: &Part) -> bool {
    if unit.lock_timeout.is_some() {
        return false;
    }
    let tokens = Tokens::new(unit.text.as_str(), part.span, DIALECT);
    let is_alter_or_like = tokens.at_any(&["alter", "create", "drop", "reindex", "refresh"]);
    is_alter_or_like
        && (tokens.has_word("concurrently") || tokens.has_words(&["validate", "constraint"]))
        && !unit
            .parts
            .iter()
            .any(|other| other.sets_session && contains(other.span.text(unit.text.as_str()), "lock_timeout"))
}

fn statement(link: &mut Link, unit: &Unit, part: &Part) -> Result<u64, Stop> {
    let text = part.span.text(unit.text.as_str());
    let answers = link.send(text).map_err(|trouble| Stop::of(trouble, unit, part.span, Some(part.span)))?;
    Ok(changed(unit, std::slice::from_ref(part), &answers))
}

/// Adds up the rows that INSERT, UPDATE, DELETE and MERGE report; others count rows too, but change none.
pub(super) fn changed(unit: &Unit, parts: &[Part], answers: &[SimpleQueryMessage]) -> u64 {
    let counts = answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::CommandComplete(count) => Some(*count),
        _ => None,
    });
    let changes = |part: &Part| {
        Tokens::new(unit.text.as_str(), part.span, DIALECT).at_any(&["insert", "update", "delete", "merge", "with"])
    };
    parts.iter().zip(counts).filter(|(part, _)| changes(part)).map(|(_, count)| count).sum()
}

/// Returns how many parts from the first on go out in one message; at least 1.
pub(super) fn together(unit: &Unit, parts: &[Part]) -> usize {
    within(GOOD, unit, parts)
}

/// Returns how many parts from the first on may go out in one message of so many bytes; at least 1.
fn within(longest: usize, unit: &Unit, parts: &[Part]) -> usize {
    let text = unit.text.as_str();
    let is_plain = |part: &Part| {
        part.guards.is_empty() && part.copy_data.is_none() && !part.repeat && !waits_without_limit(unit, part)
    };
    let Some(first) = parts.first().filter(|part| is_plain(part)) else { return 1 };
    let mut end = first.span.end;
    let mut count = 1;
    for part in &parts[1..] {
        let is_next = nothing_between(text, Span { start: end, end: part.span.start });
        if !is_next || !is_plain(part) || part.span.end - first.span.start > longest {
            break;
        }
        (end, count) = (part.span.end, count + 1);
    }
    count
}

/// Returns true if all of a unit's statements may go out in one message.
pub(super) fn is_one_message(unit: &Unit) -> bool {
    within(LONGEST, unit, &unit.parts) == unit.parts.len()
}

/// Returns the text of all of a unit's statements.
pub(super) fn as_one_message(unit: &Unit) -> &str {
    match (unit.parts.first(), unit.parts.last()) {
        (Some(first), Some(last)) => first.span.join(last.span).text(unit.text.as_str()),
        _ => "",
    }
}

/// Returns true if there is nothing to run in a stretch between two statements: a transaction's own `BEGIN`
/// that the cut took out must not come back in.
fn nothing_between(text: &str, gap: Span) -> bool {
    Lexer::part(text, gap, DIALECT)
        .all(|token| token.is_ok_and(|token| token.kind.is_trivia() || token.kind == TokenKind::Semicolon))
}

/// Runs parts in one message. Which of them fails is not known, unless the server names its place.
pub(super) fn message(link: &mut Link, unit: &Unit, parts: &[Part], applied: &mut Applied) -> Result<(), Stop> {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Ok(()) };
    let sent = first.span.join(last.span);
    let answers = link.send(sent.text(unit.text.as_str())).map_err(|trouble| Stop::of(trouble, unit, sent, None))?;
    applied.statements += parts.len();
    applied.rows += changed(unit, parts, &answers);
    Ok(())
}

/// Streams the data behind a `COPY … FROM stdin`.
fn copy(link: &mut Link, unit: &Unit, part: &Part, data: Span) -> Result<u64, Stop> {
    let text = unit.text.as_str();
    let bytes = data.text(text).as_bytes();
    let mut is_started = false;
    let result = link.exchange(true, |client| stream(client, part.span.text(text), bytes, &mut is_started));
    result.map_err(|trouble| {
        if !is_started {
            // A COPY that does not begin leaves the protocol out of step:
            // https://github.com/sfackler/rust-postgres/issues/1337
            link.drop_connection();
        }
        let mut stop = Stop::of(trouble, unit, part.span, Some(part.span));
        if let Stop::Failed { failure, span } = &mut stop
            && let Some(line) = failure.context.as_deref().and_then(copy_line)
            && let Some(found) = line_of(data, text, line)
        {
            *span = Some(found);
            failure.position = Some((found.start, found.len().max(1)));
        }
        stop
    })
}

fn stream(
    client: &mut postgres::Client,
    statement: &str,
    mut data: &[u8],
    is_started: &mut bool,
) -> Result<u64, postgres::Error> {
    let mut writer = client.copy_in(statement)?;
    *is_started = true;
    while !data.is_empty() {
        let (chunk, rest) = data.split_at(data.len().min(64 << 10));
        // What made the server stop listening comes with `finish`.
        if writer.write_all(chunk).is_err() {
            break;
        }
        data = rest;
    }
    writer.finish()
}

/// Reads the line number in `COPY customer, line 2, column id: "x"`.
pub(super) fn copy_line(context: &str) -> Option<usize> {
    let rest = context.lines().find_map(|line| line.strip_prefix("COPY "))?;
    let (_, rest) = rest.split_once(", line ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

fn line_of(data: Span, text: &str, line: usize) -> Option<Span> {
    let mut start = data.start;
    for (index, content) in data.text(text).split('\n').enumerate() {
        if index + 1 == line {
            return Some(Span { start, end: start + content.len() });
        }
        start += content.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_bad_data_is_read_from_the_context() {
        assert_eq!(copy_line("COPY t, line 12, column a: \"x\""), Some(12));
        assert_eq!(copy_line("something\nCOPY \"a, b\", line 3"), Some(3));
        assert_eq!(copy_line("SQL function \"f\""), None);
        let text = "copy t from stdin;\n1\tä\n2\tb\n\\.\n";
        let data = Span { start: 19, end: 28 };
        assert_eq!(line_of(data, text, 2).map(|span| span.text(text)), Some("2\tb"));
    }

    #[test]
    fn only_white_space_comments_and_semicolons_are_nothing() {
        let nothing = |text: &str| nothing_between(text, Span { start: 0, end: text.len() });
        assert!(nothing(" ; -- a\n /* b */ ;"));
        assert!(!nothing("; begin;"));
    }
}
