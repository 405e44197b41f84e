//! How far a script is that is not transactional, as its entry has it.

use serde::{Deserialize, Serialize};

use super::guard::Groups;
use super::journal::Journal;
use super::link::{Link, value};
use crate::engine::{EngineError, Result, Unit};
use crate::journal::Entry;

/// What the entry of a running script knows beside the number of finished statements.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The digests of all statements, as they were when this builder began.
    digests: Vec<String>,
    /// Which groups of guarded statements were entered.
    #[serde(default)]
    pub(super) groups: Groups,
}

impl Progress {
    /// Returns what is to be known of a script as it is now.
    pub(super) fn of(unit: &Unit, groups: Groups) -> Self {
        Self { digests: digests(unit), groups }
    }

    /// Reads an entry, and how many statements are finished; `None` if it is not of a running script any more.
    pub(super) fn read(link: &mut Link, journal: &Journal, entry: &Entry) -> Result<Option<(usize, Self)>> {
        let query = format!(
            "select statements_done::text as done, progress from {}.journal where sequence = {} and state = 'running'",
            journal.schema, entry.sequence
        );
        let answers = link.own("reading how far the script is", &query)?;
        let Some(done) = value(&answers, "done").and_then(|text| text.parse().ok()) else { return Ok(None) };
        let progress = value(&answers, "progress").map(serde_json::from_str).transpose();
        let progress = progress
            .map_err(|error| EngineError::Journal(format!("the journal's progress cannot be read: {error}")))?;
        Ok(Some((done, progress.unwrap_or_default())))
    }

    /// Returns what the entry is to hold.
    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| EngineError::Journal(error.to_string()))
    }

    /// Returns how many statements need not run again. A script may be mended behind them, not in them.
    pub(super) fn finished_part(&self, unit: &Unit, done: usize) -> Result<usize> {
        let now = digests(unit);
        let same = self.digests.iter().take(done).zip(&now).take_while(|(then, now)| then == now).count();
        if same == done {
            return Ok(same);
        }
        let changed = unit.parts.get(same).or(unit.parts.last());
        Err(EngineError::Refused {
            code: "script/finished-part-changed",
            message: format!(
                "{} of {} ran already ({done} statements are finished), and is not what it was",
                match unit.parts.get(same) {
                    Some(_) => format!("statement {}", same + 1),
                    None => format!("statement {}, which is gone now,", same + 1),
                },
                unit.step_name()
            ),
            place: changed.map(|part| unit.text.place(part.span)),
            hint: Some(
                "put the finished statements back as they were; mend those that follow, or write a new script".into(),
            ),
        })
    }
}

fn digests(unit: &Unit) -> Vec<String> {
    unit.parts.iter().map(|part| part.digest.as_str().to_owned()).collect()
}
