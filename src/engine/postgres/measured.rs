//! What the statements of a script lock, while the script runs for good: `pg_locks` is asked behind each of them, in
//! the message that carries them. What is locked is named by a second connection, which sees it as it was before.

use std::time::Duration;

use postgres::error::SqlState;
use postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::connect::Connection;
use super::guard::{self, Groups};
use super::held::{self, Counters, LOCKED, Locked, number};
use super::inspect::project_schemas;
use super::link::{Answers, Link, value};
use super::run;
use super::session::PostgresSession;
use super::stop::Stop;
use super::transaction::{self, Tried};
use super::trial::counted;
use crate::engine::trial::Seen;
use crate::engine::{Applied, Part, Result, Unit};
use crate::event::Silent;
use crate::journal::Run;

/// How many statements go out with one message, each with the question behind it.
const TOGETHER: usize = 50;

/// The question: which locks are held on what is not newer than a number.
const PREPARED: &str = "dbbuild_locked";

/// The question of the second connection: what relations of some numbers are called.
const NAMED: &str = "dbbuild_named";

/// What the tool does here, for its errors.
const DOING: &str = "reading the locks";

/// What was asked behind a statement.
#[derive(Default)]
struct Note {
    /// When the question began and ended, in microseconds of the server's clock.
    began: u64,
    ended: u64,
    locks: Vec<Locked>,
}

/// Runs a unit and writes its entry. Returns how many rows it wrote, and what each of its statements did. None if it
/// does not come to its end, and then nothing of it is kept.
pub(super) fn measured(session: &mut PostgresSession, unit: &Unit, run: &Run) -> Result<Option<(u64, Vec<Seen>)>> {
    let before = counted(session)?;
    let PostgresSession { link, journal, witness } = session;
    let schemas = project_schemas(&link.connector.target.schemas, journal);
    let mut notes = Notes { before, all: Vec::new() };
    let mut names = Vec::new();
    let work = |link: &mut Link, applied: &mut Applied| {
        notes.statements(link, unit, applied)?;
        let numbers = held::numbers(notes.all.iter().flat_map(|note| &note.locks));
        names = ask_witness(witness, link, &numbers, &schemas)?;
        Ok(())
    };
    let ran = transaction::go(link, journal, unit, run, work, &mut Silent);
    link.take_notices();
    let Ok(Tried::Applied(applied)) = ran else {
        link.undo();
        link.check_interrupt(|| "nothing of a proof is kept".into())?;
        return Ok(None);
    };
    let durations = notes.all.windows(2).map(|pair| pair[1].began.saturating_sub(pair[0].ended));
    let held = held::told(notes.all.iter().map(|note| &note.locks), &names).into_iter().skip(1);
    let seen = held.zip(durations).map(|(locks, duration)| Seen { locks, duration: Duration::from_micros(duration) });
    Ok(Some((applied.rows, seen.collect())))
}

/// Asks on the second connection, which keeps the question prepared.
fn ask_witness(witness: &mut Option<Connection>, link: &Link, numbers: &str, schemas: &str) -> Result<Answers> {
    let connector = &link.connector;
    let witness = match witness {
        Some(known) if !known.client.is_closed() => known,
        missing => missing.insert(connector.connect()?),
    };
    let ask = format!("execute {NAMED} ({numbers})");
    let answers = match witness.client.simple_query(&ask) {
        Err(error) if error.code() == Some(&SqlState::INVALID_SQL_STATEMENT_NAME) => {
            let query = held::names("$1", schemas);
            witness.client.simple_query(&format!("prepare {NAMED} (oid[]) as {query};\n{ask}"))
        }
        answers => answers,
    };
    answers.map_err(|error| super::error::Trouble::of(&error, &connector.redactor).own(DOING, &connector.shown()))
}

/// What was asked so far. The first note is from before the first statement.
struct Notes {
    before: Counters,
    all: Vec<Note>,
}

impl Notes {
    /// Runs the statements.
    fn statements(&mut self, link: &mut Link, unit: &Unit, applied: &mut Applied) -> std::result::Result<(), Stop> {
        // What is made from here on has higher numbers, until they begin anew; then more is read than need be.
        let facts = format!(
            "select coalesce(pg_catalog.max(oid::bigint), 0)::text as newest,
                    exists (select from pg_catalog.pg_prepared_statements where name = '{PREPARED}') as is_known
               from pg_catalog.pg_class"
        );
        let facts = link.inside(DOING, &facts)?;
        let question = format!("execute {PREPARED} ({})", value(&facts, "newest").unwrap_or("0"));
        let prepare = if value(&facts, "is_known") == Some("t") { String::new() } else { prepare() };
        self.ask(link, &format!("{prepare}{question}"))?;
        let mut groups = Groups::new();
        let mut rest = unit.parts.as_slice();
        while let Some(first) = rest.first() {
            let count = run::together(unit, rest).min(TOGETHER);
            if count > 1 {
                self.message(link, unit, &rest[..count], &question, applied)?;
            } else {
                if guard::lets_run(link, unit, first, &mut groups)? {
                    run::part(link, unit, first, applied)?;
                }
                self.ask(link, &question)?;
            }
            rest = &rest[count..];
        }
        Ok(())
    }

    fn ask(&mut self, link: &mut Link, question: &str) -> Result<()> {
        let answers = link.inside(DOING, question)?;
        let rows = super::link::rows(&answers);
        self.all.push(rows.fold(Note::default(), |note, row| noted(note, row, &self.before)));
        Ok(())
    }

    /// Sends statements, with the question behind each.
    fn message(
        &mut self,
        link: &mut Link,
        unit: &Unit,
        parts: &[Part],
        question: &str,
        applied: &mut Applied,
    ) -> std::result::Result<(), Stop> {
        let one = |part: &Part| format!("{};\n{question};\n", part.span.text(unit.text.as_str()));
        let message: String = parts.iter().map(one).collect();
        let sent = parts[0].span;
        let answers = link.send(&message).map_err(|trouble| Stop::of(trouble, unit, sent, Some(sent)))?;
        let (mut own, mut note, mut is_question) = (Vec::new(), Note::default(), false);
        for answer in answers {
            match answer {
                SimpleQueryMessage::Row(row) if is_question => note = noted(note, &row, &self.before),
                SimpleQueryMessage::CommandComplete(_) if is_question => {
                    self.all.push(std::mem::take(&mut note));
                    is_question = false;
                }
                SimpleQueryMessage::CommandComplete(count) => {
                    own.push(SimpleQueryMessage::CommandComplete(count));
                    is_question = true;
                }
                _ => {}
            }
        }
        applied.statements += parts.len();
        applied.rows += run::changed(unit, parts, &own);
        Ok(())
    }
}

fn noted(mut note: Note, row: &SimpleQueryRow, before: &Counters) -> Note {
    note.ended = number(row, "dbbuild_clock");
    if note.began == 0 {
        note.began = note.ended;
    }
    note.locks.extend(held::locked(row, before));
    note
}

/// Prepares the question, since planning it costs more than asking.
fn prepare() -> String {
    format!(
        "prepare {PREPARED} (bigint) as
         select (extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::bigint::text as dbbuild_clock, l.*
           from (select) one
           left join ({LOCKED} and l.relation::bigint <= $1) l on true;
         "
    )
}
