//! Runs a file of the schema: many statements a message, and after a failure one by one, to find out which.

use std::path::Path;

use postgres::Client;

use super::Counted;
use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::error::{Spot, Trouble};
use crate::engine::{EngineError, Result, UnitFailure};
use crate::error::Place;
use crate::interrupt::Interrupt;
use crate::sql::{Dialect, LexErrorKind, Span, Statement, Statements, byte_of_char};

/// How many bytes go out in one message.
const MESSAGE: usize = 256 * 1024;

/// Runs a file. `shown` is its path as messages name it.
pub(super) fn load(
    client: &mut Client,
    connector: &Connector,
    interrupt: &Interrupt,
    path: &Path,
    shown: &str,
    tell: &mut dyn FnMut(&str, Counted),
) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|source| EngineError::Io { path: path.to_owned(), source })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let start = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..start).unwrap_or_default()).into_owned();
        refused(
            "baseline/encoding",
            "the file is not UTF-8".into(),
            Place::new(shown, &before, Span::new(before.len(), before.len())),
        )
    })?;
    let file = File { text: &text, shown, connector };
    let statements = file.statements()?;
    let mut rest = statements.as_slice();
    while !rest.is_empty() {
        if interrupt.is_raised() {
            return Err(EngineError::Interrupted { kept: "nothing of the baseline was kept".into() });
        }
        let begin = rest.first().map_or(0, |statement| statement.span.start);
        let count = rest.partition_point(|statement| statement.tail.end <= begin + MESSAGE).max(1);
        let (some, others) = rest.split_at(count.min(rest.len()));
        tell(shown, Some((begin as u64, text.len() as u64)));
        file.run(client, some)?;
        rest = others;
    }
    Ok(())
}

struct File<'a> {
    text: &'a str,
    shown: &'a str,
    connector: &'a Connector,
}

impl File<'_> {
    /// Cuts the file; what psql alone understands is refused before anything runs.
    fn statements(&self) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        for statement in Statements::new(self.text, Dialect::Postgres) {
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

    fn run(&self, client: &mut Client, statements: &[Statement]) -> Result<()> {
        let (Some(first), Some(last)) = (statements.first(), statements.last()) else { return Ok(()) };
        let whole = Span::new(first.span.start, last.span.end);
        self.own(client, "savepoint dbbuild_load")?;
        match client.batch_execute(whole.text(self.text)) {
            Ok(()) => return self.own(client, "release savepoint dbbuild_load"),
            Err(error) => match Trouble::of(&error, &self.connector.redactor) {
                Trouble::Answer(..) => {}
                broken => return Err(broken.own(self.shown, &self.connector.shown())),
            },
        }
        // The server does not say which statement of a message it was.
        self.own(client, "rollback to savepoint dbbuild_load")?;
        for statement in statements {
            client.batch_execute(statement.text(self.text)).map_err(|error| self.failed(&error, statement))?;
        }
        Ok(())
    }

    fn own(&self, client: &mut Client, statement: &str) -> Result<()> {
        client.batch_execute(statement).map_err(super::own(self.connector, "loading"))
    }

    fn failed(&self, error: &postgres::Error, statement: &Statement) -> EngineError {
        match Trouble::of(error, &self.connector.redactor) {
            Trouble::Answer(mut failure, spot) => {
                let text = statement.text(self.text);
                let at = spot.and_then(|Spot(at)| byte_of_char(text, usize::try_from(at).ok()?)).unwrap_or(0);
                let start = statement.span.start + at;
                let word = self.text.get(start..).and_then(|rest| rest.split(char::is_whitespace).next());
                let span = Span::new(start, start + word.map_or(1, str::len));
                failure.position = Some((span.start, span.len()));
                let place = Some(self.place(span));
                EngineError::Unit(Box::new(UnitFailure { unit: 0, failure: *failure, place, kept: None }))
            }
            broken @ Trouble::Broken(_) => broken.own(self.shown, &self.connector.shown()),
        }
    }

    fn place(&self, span: Span) -> Place {
        Place::new(self.shown, self.text, span)
    }
}

pub(super) fn refused(code: &'static str, message: String, place: Place) -> EngineError {
    let hint = Some("write the baseline anew with `dbbuild baseline`".into());
    EngineError::Refused { code, message, place: Some(place), hint }
}
