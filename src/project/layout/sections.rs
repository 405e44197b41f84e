//! Up and down in one file, divided by lines that are comments to SQL.
//!
//! As in the tools themselves a marker is a whole line, wherever it stands. What the tools refuse is refused here
//! too: run as it stands, a file with a misspelt marker would make a version and take it back at once.

use crate::script::{Fault, Text};
use crate::sql::{Dialect, LexError, Lexer, Span, Token};

/// A file's text as its layout divides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sections<'a> {
    /// What makes the version, with the line it begins on.
    pub up: (usize, &'a str),
    /// What takes it back, with the line it begins on.
    pub down: Option<(usize, &'a str)>,
    /// True if the file's own markers ask to run `up` outside a transaction.
    pub no_transaction: bool,
    /// True if they ask it for `down`.
    pub down_no_transaction: bool,
}

/// Why a file cannot be divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionFault {
    /// The line it is about, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

impl SectionFault {
    /// Returns it as a fault of a file, whose whole text is given.
    pub fn in_file(&self, text: &Text) -> Fault {
        let start = text.as_str().split_inclusive('\n').take(self.line.saturating_sub(1)).map(str::len).sum();
        let length = text.as_str()[start..].lines().next().map_or(0, str::len);
        Fault::new("script/sections", text.file(), self.message.clone())
            .at(text.place(Span::new(start, start + length)))
            .hint(self.hint)
    }
}

impl<'a> Sections<'a> {
    /// Takes a whole text for what makes the version.
    pub fn whole(text: &'a str) -> Self {
        Self { up: (1, text), down: None, no_transaction: false, down_no_transaction: false }
    }
}

/// A line of a text.
struct Line<'a> {
    number: usize,
    start: usize,
    end: usize,
    text: &'a str,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, line)| {
        let this = Line { number: index + 1, start, end: start + line.len(), text: line.trim_end() };
        start = this.end;
        this
    })
}

fn fault(line: usize, message: impl Into<String>, hint: &'static str) -> SectionFault {
    SectionFault { line, message: message.into(), hint }
}

/// Plain files are whole. sqlx reads a first line `-- no-transaction`: <https://docs.rs/sqlx/latest/sqlx/macro.migrate.html>
pub fn plain(text: &str) -> Sections<'_> {
    let no_transaction = text.lines().next().is_some_and(|line| line.trim_end() == "-- no-transaction");
    Sections { no_transaction, ..Sections::whole(text) }
}

/// What a line says to the tool whose file it is in.
enum Marker {
    Up { no_transaction: bool },
    Down { no_transaction: bool },
}

/// How markers may stand in a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Markers {
    /// Once each, up first.
    Single,
    /// Again where their section goes on, and down first.
    Repeated,
}

/// Divides a text at its up marker and its down marker. The up section, where it is the first, begins at the head of the
/// file, so that directives above the marker count; nothing but comments may stand there.
fn divide<'a>(
    text: &'a str,
    up_marker: &str,
    markers: Markers,
    mut read: impl FnMut(&Line<'_>) -> Result<Option<Marker>, SectionFault>,
) -> Result<Sections<'a>, SectionFault> {
    let mut sections = Sections::whole(text);
    let mut up: Option<usize> = None;
    let mut head = None;
    let (mut goes_up, repeats) = (false, markers == Markers::Repeated);
    for line in lines(text) {
        let marker = read(&line)?;
        if marker.is_some() {
            head.get_or_insert(line.start);
        }
        match marker {
            Some(Marker::Up { no_transaction }) if goes_up && repeats => sections.no_transaction |= no_transaction,
            Some(Marker::Down { no_transaction }) if !goes_up && sections.down.is_some() && repeats => {
                sections.down_no_transaction |= no_transaction;
            }
            Some(Marker::Up { .. }) if let Some(first) = up => {
                let message = format!("a second up marker; the first is on line {first}");
                return Err(fault(line.number, message, "give the second change a file of its own"));
            }
            Some(Marker::Up { no_transaction }) => {
                if let Some((_, down)) = &mut sections.down {
                    *down = &down[..down.len() - (text.len() - line.start)];
                    sections.up = (line.number, &text[line.start..]);
                }
                (up, goes_up) = (Some(line.number), true);
                sections.no_transaction |= no_transaction;
            }
            Some(Marker::Down { .. }) if up.is_none() && !repeats => {
                return Err(fault(line.number, "the down marker stands before the up marker", "put the way up first"));
            }
            Some(Marker::Down { .. }) if sections.down.is_some() => {
                return Err(fault(line.number, "a second down marker", "put the whole way down behind the first one"));
            }
            Some(Marker::Down { no_transaction }) => {
                sections.up.1 = &text[..line.start];
                goes_up = false;
                sections.down = Some((line.number + 1, &text[line.end..]));
                sections.down_no_transaction |= no_transaction;
            }
            None => {}
        }
    }
    let hint = "see the layout's own documentation, or set another `style` under `[layout]` in dbbuild.toml";
    if up.is_none() {
        return Err(fault(1, format!("there is no line `{up_marker}`"), hint));
    }
    match first_statement(&text[..head.unwrap_or_default()]) {
        Some(line) => Err(fault(line, format!("a statement in front of `{up_marker}`"), "move it behind that line")),
        None => Ok(sections),
    }
}

/// Returns the line on which something stands that is no comment, of either form.
fn first_statement(text: &str) -> Option<usize> {
    let is_statement = |token: &Result<Token, LexError>| !token.as_ref().is_ok_and(|token| token.kind.is_trivia());
    let token = Lexer::new(text, Dialect::Postgres).find(is_statement)?;
    let start = token.map_or_else(|error| error.span.start, |token| token.span.start);
    Some(text[..start].matches('\n').count() + 1)
}

/// <https://github.com/amacneil/dbmate#creating-migrations>: the colon form is exact, options follow.
pub fn dbmate(text: &str) -> Result<Sections<'_>, SectionFault> {
    divide(text, "-- migrate:up", Markers::Single, |line| {
        let Some(rest) = line.text.strip_prefix("--") else { return Ok(None) };
        let mut words = rest.split_whitespace();
        let marker = words.next();
        let no_transaction = words.any(|word| word == "transaction:false");
        Ok(match marker {
            Some("migrate:up") => Some(Marker::Up { no_transaction }),
            Some("migrate:down") => Some(Marker::Down { no_transaction }),
            _ => None,
        })
    })
}

/// <https://pressly.github.io/goose/documentation/annotations/>: any case; `StatementBegin` and `StatementEnd` say
/// nothing to a splitter that knows SQL; `NO TRANSACTION` is about the whole file.
pub fn goose(text: &str) -> Result<Sections<'_>, SectionFault> {
    let mut whole_file = false;
    let mut sections = divide(text, "-- +goose Up", Markers::Single, |line| {
        let Some(words) = annotation(line.text, "+goose") else { return Ok(None) };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["up"] => return Ok(Some(Marker::Up { no_transaction: false })),
            ["down"] => return Ok(Some(Marker::Down { no_transaction: false })),
            ["no", "transaction"] => whole_file = true,
            ["envsub" | "envsubst", "on"] => {
                let hint = "the text must be the same everywhere: declare `-- dbbuild: variables …` with values in \
                            dbbuild.toml, or write the values into the script";
                return Err(fault(line.number, "`+goose ENVSUB` puts values of the environment into the script", hint));
            }
            ["envsub" | "envsubst", "off"] | ["statementbegin" | "statementend"] => {}
            _ => {
                let message = format!("unknown annotation `{}`", line.text);
                return Err(fault(
                    line.number,
                    message,
                    "goose knows Up, Down, StatementBegin, StatementEnd and NO TRANSACTION",
                ));
            }
        }
        Ok(None)
    })?;
    sections.no_transaction = whole_file;
    sections.down_no_transaction = whole_file;
    Ok(sections)
}

/// <https://github.com/rubenv/sql-migrate#writing-migrations>: `notransaction` behind the marker, which may stand above
/// each statement (`ParseMigration` of <https://github.com/rubenv/sql-migrate/blob/master/sqlparse/sqlparse.go>).
pub fn sql_migrate(text: &str) -> Result<Sections<'_>, SectionFault> {
    divide(text, "-- +migrate Up", Markers::Repeated, |line| {
        let Some(words) = annotation(line.text, "+migrate") else { return Ok(None) };
        let no_transaction = words.iter().skip(1).any(|word| word == "notransaction");
        match words.first().map(String::as_str) {
            Some("up") => Ok(Some(Marker::Up { no_transaction })),
            Some("down") => Ok(Some(Marker::Down { no_transaction })),
            Some("statementbegin" | "statementend") => Ok(None),
            _ => {
                let message = format!("unknown annotation `{}`", line.text);
                Err(fault(line.number, message, "sql-migrate knows Up, Down, StatementBegin and StatementEnd"))
            }
        }
    })
}

/// Returns the words behind `-- +tool` in lower case.
fn annotation(line: &str, tool: &str) -> Option<Vec<String>> {
    let rest = line.strip_prefix("--")?.trim_start();
    let head = rest.get(..tool.len())?;
    let behind = head.eq_ignore_ascii_case(tool).then(|| &rest[tool.len()..])?;
    behind.starts_with(char::is_whitespace).then(|| behind.split_whitespace().map(str::to_lowercase).collect())
}

/// What stands between up and down in a file of tern's.
pub const TERN_BETWEEN: &str = "---- create above / drop below ----";

/// <https://github.com/jackc/tern#migrations>: no up marker.
pub fn tern(text: &str) -> Result<Sections<'_>, SectionFault> {
    let mut sections = Sections::whole(text);
    for line in lines(text) {
        if line.text.trim() == "---- tern: disable-tx ----" {
            (sections.no_transaction, sections.down_no_transaction) = (true, true);
        }
        // tern looks for these words wherever they are, so with white space in front of them too.
        if let Some(at) = line.text.find(TERN_BETWEEN).filter(|_| sections.down.is_none()) {
            sections.up.1 = &text[..line.start + at];
            let end = line.start + at + TERN_BETWEEN.len();
            sections.down = Some(match text[end..line.end].trim().is_empty() {
                true => (line.number + 1, &text[line.end..]),
                false => (line.number, &text[end..]),
            });
        }
    }
    Ok(sections)
}
