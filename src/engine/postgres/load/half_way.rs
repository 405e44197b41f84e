//! How far a load in several transactions came: an entry of its own, `running` until the last piece is in.

use crate::engine::postgres::journal::Journal;
use crate::engine::postgres::link::{Link, value};
use crate::engine::postgres::lock;
use crate::engine::postgres::quote::{literal, optional};
use crate::engine::postgres::statements::in_login_role;
use crate::engine::{EngineError, Load, Result};
use crate::journal::{NewEntry, Run};

/// A load that is under way.
pub(super) struct HalfWay {
    /// The number of its entry.
    pub sequence: i64,
    /// How many pieces are in.
    pub done: usize,
    total: usize,
    name: String,
}

impl HalfWay {
    /// Reads how far an earlier run came with this dump; nothing if none has begun.
    pub fn read(link: &mut Link, journal: &Journal, load: &Load<'_>, total: usize) -> Result<Option<Self>> {
        let NewEntry { project, kind, key, .. } = &load.entry;
        let query = format!(
            "select sequence::text as sequence, statements_done::text as done, statements::text as total, checksum
               from {}.journal
              where project = {} and kind = {} and key = {} and state = 'running'",
            journal.schema,
            literal(project),
            literal(kind.as_str()),
            literal(key)
        );
        link.ready()?;
        let answers = match link.send_own(&query) {
            Ok(answers) => answers,
            Err(trouble) if matches!(trouble.code(), "42P01" | "3F000") => return Ok(None),
            Err(trouble) => return Err(trouble.own("reading how far the load came", &link.connector.shown())),
        };
        let number = |name: &str| value(&answers, name).and_then(|text| text.parse::<i64>().ok());
        let (Some(sequence), Some(done), Some(was)) = (number("sequence"), number("done"), number("total")) else {
            return Ok(None);
        };
        if value(&answers, "checksum") != Some(load.entry.checksum.as_str()) || usize::try_from(was) != Ok(total) {
            return Err(EngineError::Refused {
                code: "load/another",
                message: format!("{} is not what the database is half loaded from", load.entry.key),
                place: None,
                hint: Some("check out the revision that it was, or start over with `dbbuild reset`".into()),
            });
        }
        let done = usize::try_from(done).unwrap_or_default();
        Ok(Some(Self { sequence, done, total, name: load.entry.key.clone() }))
    }

    /// Writes the entry of a load that begins; nothing if another builder has.
    pub fn begin(link: &mut Link, journal: &Journal, load: &Load<'_>, total: usize, run: &Run) -> Result<Option<Self>> {
        let entry = NewEntry { statements: i32::try_from(total).unwrap_or(i32::MAX), ..load.entry.clone() };
        let answers = link.own("claiming the journal's entry", &journal.claim([(&entry, None)], run))?;
        let sequence = value(&answers, "sequence").and_then(|text| text.parse().ok());
        Ok(sequence.map(|sequence| Self { sequence, done: 0, total, name: entry.key }))
    }

    /// Makes the entry of an earlier run this one's; nothing if it is not there any more.
    pub fn take_over(self, link: &mut Link, journal: &Journal, run: &Run) -> Result<Option<Self>> {
        let update = format!(
            "update {}.journal set run = {}, tool_version = {}, source_revision = {}, error = null
              where sequence = {} and state = 'running' returning sequence",
            journal.schema,
            literal(&run.id),
            literal(&run.tool_version),
            optional(run.source_revision.as_deref()),
            self.sequence
        );
        let answers = link.own("claiming the journal's entry", &update)?;
        Ok(value(&answers, "sequence").is_some().then_some(self))
    }

    /// Returns what begins a transaction of the load.
    pub fn begin_text(&self, link: &Link) -> String {
        let mut text = link.begin_text().to_owned();
        text.push_str(&format!("set local application_name = {};\n", literal(&lock::at_work_on(&self.name))));
        if link.is_locked() {
            text.push_str(&lock::assertion(&link.connector.target.journal_name));
        }
        text
    }

    /// Says what is kept of it.
    pub fn kept(&self) -> String {
        format!("{} of {} parts of {} are kept; the next build goes on", self.done, self.total, self.name)
    }

    /// Keeps the reason in the entry, for whoever looks before it goes on.
    pub fn fail(&self, link: &mut Link, journal: &Journal, error: &EngineError) {
        if link.is_open() && link.send_own(&in_login_role(&journal.fail(self.sequence, &error.to_string()))).is_err() {
            link.drop_connection();
        }
    }

    /// Says of a failure what is kept.
    pub fn explain(&self, error: EngineError) -> EngineError {
        match error {
            EngineError::Unit(mut unit) => {
                unit.kept = Some(self.done);
                EngineError::Unit(unit)
            }
            other => other,
        }
    }
}
