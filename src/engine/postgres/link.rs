//! The working connection: opened when it is needed, dropped after any error that is not the database's own
//! answer, and opened again with the lock that it held.

use std::time::Instant;

use postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::blockers::Blockers;
use super::cancel::Canceller;
use super::catalog::Reader;
use super::connect::{Connection, Connector};
use super::error::Trouble;
use super::lock;
use super::settings::set;
use crate::engine::{Access, EngineError, Result, Wait};
use crate::event::{Event, Observer, Silent};
use crate::interrupt::Interrupt;
use crate::project::LockMode;

/// `DISCARD ALL` without the advisory unlock, in parts, so that it can stand in a transaction too.
pub(super) const DISCARD: &str = "close all;\nset session authorization default;\nreset role;\nreset all;\n\
                                  deallocate all;\nunlisten *;\ndiscard plans;\ndiscard temp;\n\
                                  discard sequences;\n";

/// The parts that forget what is prepared. In a scratch database the tool has prepared what it asks over and over, so
/// they are left out there unless scripts have prepared something too.
const FORGETS: [&str; 2] = ["deallocate all;", "discard plans;"];
const PREPARED_BY_SCRIPTS: &str = "select exists (
    select from pg_catalog.pg_prepared_statements where from_sql and not starts_with(name, 'dbbuild_')
) as is_prepared;
";

/// The answers to one message, or what came instead.
pub(super) type Answer = std::result::Result<Answers, Trouble>;

/// The answers to one message.
pub(super) type Answers = Vec<SimpleQueryMessage>;

/// One session's connection.
pub(super) struct Link {
    pub(super) connector: Connector,
    pub(super) interrupt: Interrupt,
    /// Who stands in the way of the script that runs.
    pub(super) blockers: Blockers,
    canceller: Canceller,
    connection: Option<Connection>,
    /// The wait with which the lock was taken, if it was.
    held: Option<Wait>,
}

impl Link {
    /// Connects.
    pub(super) fn open(mut connector: Connector, interrupt: &Interrupt, access: Access) -> Result<Self> {
        connector.read_only = access == Access::Read;
        let connection = connector.connect()?;
        let canceller = Canceller::listening_to(interrupt);
        Ok(Self {
            connector,
            interrupt: interrupt.clone(),
            blockers: Blockers::default(),
            canceller,
            connection: Some(connection),
            held: None,
        })
    }

    /// Returns true if the connection holds, or will take again, the build lock.
    pub(super) fn is_locked(&self) -> bool {
        self.held.is_some()
    }

    /// Takes the build lock, polling.
    pub(super) fn lock(&mut self, wait: Wait, observer: &mut dyn Observer) -> Result<()> {
        self.ready()?;
        lock::take(self, wait, observer)?;
        self.held = Some(wait);
        Ok(())
    }

    /// Connects again if the connection was dropped, and takes the lock again if it was held.
    pub(super) fn ready(&mut self) -> Result<()> {
        if self.connection.as_ref().is_some_and(|connection| !connection.client.is_closed()) {
            return Ok(());
        }
        self.connection = Some(self.connector.connect()?);
        if let Some(wait) = self.held {
            lock::take(self, wait, &mut Silent)?;
        }
        Ok(())
    }

    /// Drops the connection: the server rolls back what is under way.
    pub(super) fn drop_connection(&mut self) {
        self.canceller.idle();
        self.connection = None;
    }

    /// Returns true if there is a connection.
    pub(super) fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    /// Sends one message of a script; it can be cancelled.
    pub(super) fn send(&mut self, sql: &str) -> Answer {
        self.simple(true, sql)
    }

    /// Sends one message of the tool's own; it cannot be cancelled.
    pub(super) fn send_own(&mut self, sql: &str) -> Answer {
        self.simple(false, sql)
    }

    /// Sends one message of the tool's own. `doing` is for the error: `reading the journal`.
    pub(super) fn own(&mut self, doing: &str, sql: &str) -> Result<Vec<SimpleQueryMessage>> {
        self.ready()?;
        self.send_own(sql).map_err(|trouble| trouble.own(doing, &self.connector.shown()))
    }

    /// Sends one message of the tool's own inside a transaction: never on a new connection, which would know
    /// nothing of it.
    pub(super) fn inside(&mut self, doing: &str, sql: &str) -> Result<Vec<SimpleQueryMessage>> {
        self.send_own(sql).map_err(|trouble| trouble.own(doing, &self.connector.shown()))
    }

    fn simple(&mut self, cancellable: bool, sql: &str) -> Answer {
        let answers = self.exchange(cancellable, |client| client.simple_query(sql))?;
        if self.connector.pinned && value(&answers, "is_prepared") == Some("t") {
            self.exchange(false, |client| client.simple_query("deallocate all"))?;
        }
        Ok(answers)
    }

    /// Uses the driver's client. Whatever is not the database's own answer drops the connection.
    pub(super) fn exchange<T>(
        &mut self,
        cancellable: bool,
        work: impl FnOnce(&mut postgres::Client) -> std::result::Result<T, postgres::Error>,
    ) -> std::result::Result<T, Trouble> {
        let Some(connection) = self.connection.as_mut() else {
            return Err(Trouble::Broken("the connection is closed".into()));
        };
        if cancellable {
            self.canceller.working(connection);
        }
        let result = work(&mut connection.client);
        if cancellable {
            self.canceller.idle();
        }
        result.map_err(|error| {
            let trouble = Trouble::of(&error, &self.connector.redactor);
            if matches!(trouble, Trouble::Broken(_)) {
                self.connection = None;
            }
            trouble
        })
    }

    /// Lends the driver's client to work of many messages. A lost connection is dropped.
    pub(super) fn lend<T>(
        &mut self,
        work: impl FnOnce(&mut postgres::Client, &Connector, &Interrupt) -> Result<T>,
    ) -> Result<T> {
        self.lend_whole(|connection, connector, interrupt| work(&mut connection.client, connector, interrupt))
    }

    /// Lends what asks a catalog's questions.
    pub(super) fn lend_reader<T>(&mut self, work: impl FnOnce(&mut Reader<'_>, &Connector) -> Result<T>) -> Result<T> {
        self.lend_whole(|connection, connector, _| work(&mut Reader::new(connection, connector.pinned), connector))
    }

    fn lend_whole<T>(&mut self, work: impl FnOnce(&mut Connection, &Connector, &Interrupt) -> Result<T>) -> Result<T> {
        self.ready()?;
        let Some(connection) = self.connection.as_mut() else {
            return Err(self.lost("the connection is closed".into()));
        };
        self.canceller.working(connection);
        let result = work(connection, &self.connector, &self.interrupt);
        self.canceller.idle();
        if matches!(result, Err(EngineError::Lost { .. })) {
            self.connection = None;
        }
        match result {
            // What was cancelled at our wish did not fail.
            Err(_) if self.interrupt.is_raised() => {
                Err(EngineError::Interrupted { kept: "nothing of this step was kept".into() })
            }
            result => result,
        }
    }

    /// Returns the statement that begins a transaction; what a session that may only look then writes, fails.
    pub(super) fn begin_text(&self) -> &'static str {
        if self.connector.read_only {
            "begin isolation level read committed read only;\n"
        } else {
            "begin isolation level read committed read write;\n"
        }
    }

    /// Rolls back, if there is a connection to roll back on.
    pub(super) fn rollback(&mut self) {
        if self.is_open() && self.send_own("rollback").is_err() {
            // Without a sure rollback the connection is of no use; the server rolls back when it is gone.
            self.drop_connection();
        }
    }

    /// Puts the session into the state in which it began. What cannot be reset is dropped.
    pub(super) fn reset(&mut self) {
        let text = self.reset_text();
        if self.is_open() && self.send_own(&text).is_err() {
            self.drop_connection();
        }
    }

    /// Undoes what is under way, and puts the session into the state in which it began.
    pub(super) fn undo(&mut self) {
        self.rollback();
        if self.connector.target.lock == LockMode::Session {
            self.reset();
        }
        self.take_notices();
    }

    /// Returns the statements that put a session into the state in which it began.
    pub(super) fn reset_text(&self) -> String {
        if !self.connector.pinned {
            return format!("{DISCARD}{}", self.settings_text());
        }
        let kept = DISCARD.split_inclusive('\n').filter(|line| !FORGETS.contains(&line.trim()));
        format!("{}{}{PREPARED_BY_SCRIPTS}", kept.collect::<String>(), self.settings_text())
    }

    /// Returns the statements that set what could not be said when the session began.
    fn settings_text(&self) -> String {
        let at_startup = self.connection.as_ref().is_none_or(|connection| connection.settings_at_startup);
        if at_startup || self.connector.target.lock != LockMode::Session {
            return String::new();
        }
        self.connector.settings().iter().map(|(name, value)| set(name, value)).collect()
    }

    /// Tells what the server has said since the last time.
    pub(super) fn tell_notices(&self, name: &str, observer: &mut dyn Observer) {
        for (severity, message) in self.take_notices() {
            observer.event(Event::Notice { name: name.to_owned(), severity, message });
        }
    }

    /// Takes what the server has said since the last time; for statements whose notices say nothing.
    pub(super) fn take_notices(&self) -> Vec<(String, String)> {
        self.connection.as_ref().map(Connection::take_notices).unwrap_or_default()
    }

    /// Fails if somebody asked to stop.
    pub(super) fn check_interrupt(&self, kept: impl FnOnce() -> String) -> Result<()> {
        if self.interrupt.is_raised() { Err(EngineError::Interrupted { kept: kept() }) } else { Ok(()) }
    }

    /// Makes an error of a lost connection.
    pub(super) fn lost(&self, message: String) -> EngineError {
        EngineError::Lost { target: self.connector.shown(), message }
    }

    /// Waits, but not longer than it takes to notice a wish to stop.
    pub(super) fn pause(&self, time: std::time::Duration) {
        let end = Instant::now() + time;
        while !self.interrupt.is_raised() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(std::time::Duration::from_millis(50)));
        }
    }
}

/// Returns the rows among the answers.
pub(super) fn rows(answers: &[SimpleQueryMessage]) -> impl Iterator<Item = &SimpleQueryRow> {
    answers.iter().filter_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

/// Returns the value of a column of a row; `None` for NULL and for a column that is not there.
pub(super) fn column<'a>(row: &'a SimpleQueryRow, name: &str) -> Option<&'a str> {
    row.try_get(name).ok().flatten()
}

/// Returns the last row's value of a column that only that row has.
pub(super) fn value<'a>(answers: &'a [SimpleQueryMessage], name: &str) -> Option<&'a str> {
    rows(answers).filter_map(|row| column(row, name)).last()
}
