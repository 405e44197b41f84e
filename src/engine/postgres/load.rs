//! Loads what `dump` wrote into an empty database, over the protocol and never through psql.
//!
//! Promises: it is one transaction with the entries of what it contains; only what would take more locks than the
//! server has room for is loaded in several, each together with how far it came, so that a load that was stopped
//! goes on. No setting is left behind; commands of psql are refused, whatever the files hold; an error names file
//! and line.

use std::ops::Range;

use postgres::Client;

use super::connect::Connector;
use super::dump::{STEP, own};
use super::journal::{Finished, Journal};
use super::link::{Link, value};
use super::quote::ident;
use super::stop::Stop;
use super::{seed, transaction};
use crate::engine::{EngineError, Load, Result};
use crate::event::{Event, Observer};
use crate::interrupt::Interrupt;
use crate::journal::{Run, Stored};
use crate::project::LockMode;

mod half_way;
mod pieces;
mod rows;
mod settings;
mod statements;

use half_way::HalfWay;
use pieces::Pieces;

/// How much is done and of how much, where both are known.
type Counted = Option<(u64, u64)>;

/// How many locks all transactions of the server together have room for.
/// (<https://www.postgresql.org/docs/current/runtime-config-locks.html>)
const ROOM: &str = "
    select (
        current_setting('max_locks_per_transaction')::int8
        * (current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8)
    )::text as room";

/// Loads a dump and writes its entries; false if another builder was faster.
pub(super) fn load(
    link: &mut Link,
    journal: &Journal,
    load: &Load<'_>,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<bool> {
    let answers = link.own("asking how many locks there are", ROOM)?;
    let room = value(&answers, "room").and_then(|text| text.parse().ok()).unwrap_or(6_400);
    load_within(link, journal, load, room, run, observer)
}

/// The same on a server that has room for so many locks.
pub(super) fn load_within(
    link: &mut Link,
    journal: &Journal,
    load: &Load<'_>,
    room: usize,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<bool> {
    let mut pieces = Pieces::read(load.folder)?;
    let is_alone = link.connector.target.lock == LockMode::Session;
    let half_way = if is_alone { HalfWay::read(link, journal, load, pieces.len())? } else { None };
    // Somebody else needs locks too; and what does not fit after all goes in parts as well.
    let fits = pieces.locks_of_all() <= room / 3 * 2;
    if half_way.is_none() && (fits || !is_alone) {
        match at_once(link, journal, load, &mut pieces, run, observer) {
            Err(error) if error.is_out_of_locks() && is_alone => {
                link.rollback();
                link.reset();
            }
            Err(error) if error.is_out_of_locks() => return Err(needs_session_lock(load, &error)),
            other => return other,
        }
    }
    let half_way = match half_way {
        Some(half_way) => half_way.take_over(link, journal, run)?,
        None => HalfWay::begin(link, journal, load, pieces.len(), run)?,
    };
    match half_way {
        Some(half_way) => in_parts(link, journal, load, &mut pieces, half_way, room / 4, run, observer).map(|()| true),
        None => Ok(false),
    }
}

/// One transaction: the schema and its rows as the owner role, the journal as the login role.
fn at_once(
    link: &mut Link,
    journal: &Journal,
    load: &Load<'_>,
    pieces: &mut Pieces,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<bool> {
    let claims: Vec<_> = load.entries.iter().take(1).collect();
    let sequences = match claims.is_empty() {
        true => {
            link.own("loading the baseline", link.begin_text())?;
            Vec::new()
        }
        false => match transaction::claim(link, journal, (&claims, None), run, "", observer) {
            Ok(Some(claimed)) => claimed.sequences,
            Ok(None) => return Ok(false),
            Err(Stop::Engine(error)) => return Err(error),
            Err(Stop::Broken(message)) => return Err(link.lost(message)),
            Err(Stop::Failed { failure, .. }) => {
                return Err(EngineError::Sql { doing: "claiming the journal's entry".into(), failure });
            }
        },
    };
    let all = 0..pieces.len();
    send(link, pieces, all, observer)?;
    let finished = sequences.iter().zip(&claims).map(|(sequence, entry)| Finished {
        sequence: *sequence,
        state: entry.state,
        statements: usize::try_from(entry.statements).unwrap_or_default(),
        duration_ms: None,
    });
    let finished: Vec<Finished> = finished.collect();
    let finish = if finished.is_empty() { String::new() } else { format!("{};\n", journal.finish(&finished, None)) };
    let rest = journal.record(load.entries.get(1..).unwrap_or_default(), run);
    link.inside("writing the journal", &format!("reset role;\n{finish}{rest}"))?;
    seed::track_all(link, journal, load.tracked)?;
    link.inside("writing the journal", "commit")?;
    Ok(true)
}

/// Several transactions, each together with how far the load came; the last one with the entries.
#[allow(clippy::too_many_arguments)]
fn in_parts(
    link: &mut Link,
    journal: &Journal,
    load: &Load<'_>,
    pieces: &mut Pieces,
    mut half_way: HalfWay,
    mut most: usize,
    run: &Run,
    observer: &mut dyn Observer,
) -> Result<()> {
    let total = pieces.len();
    while half_way.done < total {
        let end = pieces.as_many(half_way.done, most);
        link.check_interrupt(|| half_way.kept())?;
        match part(link, journal, pieces, half_way.done..end, &half_way, observer) {
            Ok(()) => half_way.done = end,
            // The server is busy, or the estimate is wrong: with less at a time it may do.
            Err(error) if error.is_out_of_locks() && end > half_way.done + 1 => {
                link.rollback();
                most /= 4;
            }
            Err(EngineError::Interrupted { .. }) => {
                link.rollback();
                return Err(EngineError::Interrupted { kept: half_way.kept() });
            }
            Err(error) => {
                link.rollback();
                half_way.fail(link, journal, &error);
                return Err(half_way.explain(error));
            }
        }
    }
    link.own("writing the journal", &half_way.begin_text(link))?;
    let row = Finished { sequence: half_way.sequence, state: Stored::Applied, statements: total, duration_ms: None };
    let finish = format!("{};\n{}", journal.finish(&[row], None), journal.record(load.entries, run));
    link.inside("writing the journal", &finish)?;
    seed::track_all(link, journal, load.tracked)?;
    link.inside("writing the journal", "commit").map(drop)
}

fn part(
    link: &mut Link,
    journal: &Journal,
    pieces: &mut Pieces,
    range: Range<usize>,
    half_way: &HalfWay,
    observer: &mut dyn Observer,
) -> Result<()> {
    let begin = half_way.begin_text(link);
    let answers = link.own("loading the baseline", &begin)?;
    if value(&answers, "locked") == Some("f") {
        return Err(super::lock::gone());
    }
    let end = range.end;
    send(link, pieces, range, observer)?;
    let advance = format!("reset role;\n{} returning sequence", journal.advance(half_way.sequence, end));
    let answers = link.inside("writing the journal", &advance)?;
    if value(&answers, "sequence").is_none() {
        return Err(EngineError::Journal("the entry of the load that is under way is gone".into()));
    }
    link.inside("loading the baseline", "commit").map(drop)
}

/// Sends pieces within the transaction that has begun, as the owner role.
fn send(link: &mut Link, pieces: &mut Pieces, range: Range<usize>, observer: &mut dyn Observer) -> Result<()> {
    if let Some(owner) = &link.connector.target.owner_role {
        let role = format!("set local role {}", ident(owner));
        link.inside("loading the baseline", &role)?;
    }
    let is_pooled = link.connector.target.lock == LockMode::Claim;
    let mut tell = |message: &str, done: Counted| {
        observer.event(Event::Progress { name: STEP.into(), message: message.to_owned(), done });
    };
    link.lend(|client, connector, interrupt| {
        let mut way = Way { client, connector, interrupt };
        let saved = settings::begin(&mut way, is_pooled)?;
        way.run(&pieces.set_before(range.start))?;
        pieces.send(&mut way, range, &mut tell)?;
        saved.put_back(&mut way)
    })
}

/// How pieces get to the server.
struct Way<'a> {
    client: &'a mut Client,
    connector: &'a Connector,
    interrupt: &'a Interrupt,
}

impl Way<'_> {
    fn run(&mut self, statements: &str) -> Result<()> {
        self.client.batch_execute(statements).map_err(own(self.connector, "loading"))
    }

    fn stop_if_wished(&self) -> Result<()> {
        if self.interrupt.is_raised() {
            return Err(EngineError::Interrupted { kept: "nothing of the baseline was kept".into() });
        }
        Ok(())
    }
}

fn needs_session_lock(load: &Load<'_>, error: &EngineError) -> EngineError {
    EngineError::Refused {
        code: "engine/needs-session-lock",
        message: format!(
            "{} needs more locks than one transaction gets ({error}), and in several it needs the build lock of a session",
            load.entry.key
        ),
        place: None,
        hint: Some("load it over a connection to the server itself, with `lock = \"session\"` for its target".into()),
    }
}
