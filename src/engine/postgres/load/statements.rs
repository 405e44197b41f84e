//! Runs a file of the schema: many statements a message, and after a failure one by one, to find out which.

use std::ops::Range;
use std::path::Path;

use super::{Counted, Way};
use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::error::{Spot, Trouble};
use crate::engine::{EngineError, Result, UnitFailure};
use crate::error::Place;
use crate::sql::{Dialect, LexErrorKind, Span, Statement, Statements, byte_of_char};

/// How many bytes go out in one message.
const MESSAGE: usize = 256 * 1024;

/// A file of the schema, cut into statements.
pub(super) struct File {
    text: String,
    /// Its path as messages name it.
    shown: String,
    statements: Vec<Statement>,
}

impl File {
    /// Reads a file, nothing if there is none; what psql alone understands is refused before anything runs.
    pub fn read(path: Option<&Path>, shown: String) -> Result<Self> {
        let Some(path) = path else { return Ok(Self { text: String::new(), shown, statements: Vec::new() }) };
        let bytes = std::fs::read(path).map_err(|source| EngineError::Io { path: path.to_owned(), source })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let start = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(error.as_bytes().get(..start).unwrap_or_default()).into_owned();
            refused(
                "baseline/encoding",
                "the file is not UTF-8".into(),
                Place::new(&shown, &before, Span::new(before.len(), before.len())),
            )
        })?;
        let mut file = Self { text, shown, statements: Vec::new() };
        file.statements = file.cut()?;
        Ok(file)
    }

    fn cut(&self) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        for statement in Statements::new(&self.text, Dialect::Postgres) {
            let statement = statement.map_err(|error| {
                let code = match error.kind {
                    LexErrorKind::MetaCommand { .. } => "baseline/meta-command",
                    _ => "baseline/unreadable",
                };
                refused(code, error.to_string(), self.place(error.span))
            })?;
            if statement.copy_data.is_some() {
                let message = "rows do not belong here but in the folder of the rows".into();
                return Err(refused("baseline/copy", message, self.place(statement.span)));
            }
            statements.push(statement);
        }
        Ok(statements)
    }

    /// Returns how many statements there are.
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Returns about how many locks a statement takes: on what it makes, and on all that it touches.
    pub fn locks(&self, at: usize) -> (usize, usize) {
        self.statements.get(at).map_or((0, 0), |statement| locks(statement.text(&self.text)))
    }

    /// Returns those of the statements that set something for the rest of the session.
    pub fn settings(&self, range: Range<usize>) -> String {
        let statements = self.statements.get(range).unwrap_or_default().iter();
        let set = statements.map(|statement| statement.text(&self.text)).filter(|text| text.starts_with("SET "));
        set.flat_map(|text| [text, ";\n"]).collect()
    }

    /// Sends statements, in the transaction that has begun.
    pub fn send(&self, way: &mut Way<'_>, range: Range<usize>, tell: &mut dyn FnMut(&str, Counted)) -> Result<()> {
        let mut rest = self.statements.get(range).unwrap_or_default();
        while !rest.is_empty() {
            way.stop_if_wished()?;
            let begin = rest.first().map_or(0, |statement| statement.span.start);
            let count = rest.partition_point(|statement| statement.tail.end <= begin + MESSAGE).max(1);
            let (some, others) = rest.split_at(count.min(rest.len()));
            tell(&self.shown, Some((begin as u64, self.text.len() as u64)));
            self.run(way, some)?;
            rest = others;
        }
        Ok(())
    }

    fn run(&self, way: &mut Way<'_>, statements: &[Statement]) -> Result<()> {
        let (Some(first), Some(last)) = (statements.first(), statements.last()) else { return Ok(()) };
        let whole = Span::new(first.span.start, last.span.end);
        way.run("savepoint dbbuild_load")?;
        match way.client.batch_execute(whole.text(&self.text)) {
            Ok(()) => return way.run("release savepoint dbbuild_load"),
            Err(error) => match Trouble::of(&error, &way.connector.redactor) {
                // No statement of its own is to blame.
                Trouble::Answer(failure, _) if failure.code == OUT_OF_LOCKS => {
                    return Err(self.failed(way.connector, &error, first));
                }
                Trouble::Answer(..) => {}
                broken @ Trouble::Broken(_) => return Err(broken.own(&self.shown, &way.connector.shown())),
            },
        }
        // The server does not say which statement of a message it was.
        way.run("rollback to savepoint dbbuild_load")?;
        for statement in statements {
            let sent = way.client.batch_execute(statement.text(&self.text));
            sent.map_err(|error| self.failed(way.connector, &error, statement))?;
        }
        Ok(())
    }

    fn failed(&self, connector: &Connector, error: &postgres::Error, statement: &Statement) -> EngineError {
        match Trouble::of(error, &connector.redactor) {
            Trouble::Answer(mut failure, spot) => {
                let text = statement.text(&self.text);
                let at = spot.and_then(|Spot(at)| byte_of_char(text, usize::try_from(at).ok()?)).unwrap_or(0);
                let start = statement.span.start + at;
                let word = self.text.get(start..).and_then(|rest| rest.split(char::is_whitespace).next());
                let span = Span::new(start, start + word.map_or(1, str::len));
                failure.position = Some((span.start, span.len()));
                let place = Some(self.place(span));
                EngineError::Unit(Box::new(UnitFailure { unit: 0, failure: *failure, place, kept: None }))
            }
            broken @ Trouble::Broken(_) => broken.own(&self.shown, &connector.shown()),
        }
    }

    fn place(&self, span: Span) -> Place {
        Place::new(&self.shown, &self.text, span)
    }
}

/// The SQLSTATE of shared memory that is full, which is that of the locks.
const OUT_OF_LOCKS: &str = "53200";

/// Words at the head of `pg_dump`'s statements; how many locks each takes on what it makes, and on all that it touches:
/// a table has a TOAST table with an index, and who changes a table's owner changes theirs.
const LOCKS: &[(&str, usize, usize)] = &[
    ("SET ", 0, 0),
    ("COMMENT ", 0, 1),
    ("CREATE TABLE ", 3, 6),
    ("CREATE UNLOGGED TABLE ", 3, 6),
    ("CREATE MATERIALIZED VIEW ", 3, 6),
    ("CREATE INDEX ", 1, 4),
    ("CREATE UNIQUE INDEX ", 1, 4),
    ("CREATE SEQUENCE ", 1, 2),
    ("CREATE VIEW ", 1, 4),
    ("CREATE FOREIGN TABLE ", 1, 2),
    ("CREATE ", 0, 2),
    ("ALTER TABLE ", 0, 6),
];

fn locks(statement: &str) -> (usize, usize) {
    let made_by_alter = [" ADD GENERATED ", " PRIMARY KEY ", " UNIQUE ", " EXCLUDE "];
    let of_head = LOCKS.iter().find(|(head, _, _)| statement.starts_with(head));
    let (_, made, touched) = of_head.copied().unwrap_or(("", 0, 2));
    let more = statement.starts_with("ALTER TABLE ") && made_by_alter.iter().any(|words| statement.contains(words));
    (made + usize::from(more), touched)
}

pub(super) fn refused(code: &'static str, message: String, place: Place) -> EngineError {
    let hint = Some("write the baseline anew with `dbbuild baseline`".into());
    EngineError::Refused { code, message, place: Some(place), hint }
}
