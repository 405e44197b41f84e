//! What came of the proofs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::change::Change;
use crate::engine::trial::Held;
use crate::engine::{EngineError, UnitFailure};
use crate::error::Place;

/// The proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Each file a second time, right after its first.
    Twice,
    /// The first statements of a script, then the whole script.
    CrashPoints,
    /// Every way to a database ends in the same one.
    Roads,
    /// A second run of a seed writes no row.
    Seeds,
    /// A script, its way back, and the script again.
    Back,
    /// What two branches add, in both orders.
    Order,
    /// What each statement locks, rewrites and scans.
    Locks,
    /// The script for the database's own shell.
    Offline,
    /// Each script once more at the end of the history.
    Again,
}

impl Proof {
    /// Every proof with what it says.
    pub const ALL: [(Self, &'static str, &'static str); 9] = [
        (Self::Twice, "twice", "a second run, right after the first, changes nothing"),
        (Self::CrashPoints, "crash-points", "a script that was cut short and runs again ends like a clean run"),
        (Self::Roads, "roads", "every way to the database ends in the same one"),
        (Self::Seeds, "seeds", "a second run of a seed writes no row"),
        (Self::Back, "back", "a script, its way back and the script again give the same database"),
        (Self::Order, "order", "the scripts of two branches give the same database in both orders"),
        (Self::Locks, "locks", "what each statement locks, rewrites and reads from end to end"),
        (Self::Offline, "offline", "the script of `plan --sql` makes the same database and journal, and can run twice"),
        (Self::Again, "again", "each script once more at the end of the history changes nothing"),
    ];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(proof, ..)| *proof == self).map_or("", |(_, name, _)| name)
    }
}

/// What was found, proof by proof.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The proofs that were done, by name.
    pub proofs: BTreeMap<Proof, Outcome>,
    /// Values that are others in each build, which is no finding.
    pub volatile: Vec<Volatile>,
    /// True if somebody asked to stop before the end.
    pub interrupted: bool,
    /// The proofs that were asked for and did not come to their end.
    pub unfinished: Vec<Proof>,
    /// The scratch database that was left behind.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// The files that ran a second time.
    #[serde(skip)]
    pub tried: BTreeSet<String>,
    /// Those of them whose first run met no row to write.
    #[serde(skip)]
    pub without_rows: BTreeSet<String>,
    #[serde(skip)]
    finished: BTreeSet<Proof>,
}

/// A scratch database that was left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// How it is reached.
    #[serde(rename = "kept")]
    pub url: String,
    /// What it holds.
    #[serde(rename = "kept_state")]
    pub state: String,
}

/// What came of one proof.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    /// How many files (roads, crash points, statements) it is about.
    pub scripts: usize,
    /// How many of them are proven.
    pub proven: usize,
    /// What speaks against it.
    pub findings: Vec<Finding>,
    /// What was left out, and why.
    pub skipped: Vec<Skipped>,
    /// What was measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<Measured>,
    /// How long it took.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
}

fn milliseconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What a statement did to what was there before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The locks that it took.
    pub locks: Vec<Held>,
    /// For how many statements after it they are held, to the end of the transaction.
    pub held_for: usize,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// How long the locks were held, from the statement's beginning to the end of the transaction, in microseconds.
    pub held_us: u64,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Not what anybody would want.
    Warning,
    /// The proof failed.
    Error,
}

/// Something that speaks against a proof.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// How much it weighs.
    pub level: Level,
    /// A stable name: `twice/fails`.
    pub code: &'static str,
    /// The file.
    pub file: String,
    /// What is wrong.
    pub message: String,
    /// The statement.
    #[serde(serialize_with = "placed", skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What the database said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Said>,
    /// What is different.
    pub changes: Vec<Change>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

fn placed<S: serde::Serializer>(place: &Option<Place>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Shown<'a> {
        file: &'a str,
        line: usize,
        column: usize,
        text: &'a str,
    }
    let shown = place.as_ref().map(|place| Shown {
        file: &place.file,
        line: place.line,
        column: place.column,
        text: &place.text,
    });
    shown.serialize(serializer)
}

/// What the database said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Its code.
    pub code: String,
    /// Its message.
    pub message: String,
    /// Its detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl From<&UnitFailure> for Said {
    fn from(unit: &UnitFailure) -> Self {
        let failure = &unit.failure;
        Self { code: failure.code.clone(), message: failure.message.clone(), detail: failure.detail.clone() }
    }
}

/// A value that is another one in each build.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Volatile {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

impl Report {
    /// Returns the outcome of a proof, to be added to.
    pub fn of(&mut self, proof: Proof) -> &mut Outcome {
        self.proofs.entry(proof).or_default()
    }

    /// Says that a proof came to its end.
    pub fn finish(&mut self, proof: Proof) {
        self.finished.insert(proof);
    }

    /// Returns true if a proof came to its end.
    pub fn is_finished(&self, proof: Proof) -> bool {
        self.finished.contains(&proof)
    }

    /// Returns how many findings are errors.
    pub fn errors(&self) -> usize {
        self.count(Level::Error)
    }

    /// Returns how many findings have a level.
    pub fn count(&self, level: Level) -> usize {
        let findings = self.proofs.values().flat_map(|outcome| &outcome.findings);
        findings.filter(|finding| finding.level == level).count()
    }
}

impl Outcome {
    /// Counts a subject that is proven.
    pub fn proven(&mut self) {
        self.scripts += 1;
        self.proven += 1;
    }

    /// Counts a subject that something speaks against.
    pub fn fails(&mut self, findings: Vec<Finding>) {
        self.scripts += 1;
        // What is worth knowing only does not speak against it.
        self.proven += usize::from(findings.iter().all(|finding| finding.level == Level::Note));
        self.findings.extend(findings);
    }

    /// Says that something was left out.
    pub fn skip(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.skipped.push(Skipped { what: what.into(), why: why.into() });
    }
}

/// Parts what a database says of a text, which is about the text, from what went wrong otherwise.
pub fn answered<T>(result: Result<T, EngineError>) -> Result<Result<T, EngineError>, EngineError> {
    match result {
        Err(error) if !matches!(error, EngineError::Unit(_) | EngineError::Refused { .. }) => Err(error),
        answered => Ok(answered),
    }
}

impl Finding {
    /// Makes a finding about a file.
    pub fn new(level: Level, code: &'static str, file: impl Into<String>, message: impl Into<String>) -> Self {
        let (file, message) = (file.into(), message.into());
        Self { level, code, file, message, place: None, error: None, changes: Vec::new(), hint: None }
    }

    /// The same, about a statement.
    #[must_use]
    pub fn at(self, place: Option<Place>) -> Self {
        Self { place, ..self }
    }

    /// The same, with what is different.
    #[must_use]
    pub fn with(self, changes: Vec<Change>) -> Self {
        Self { changes, ..self }
    }

    /// The same, with what to do.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Makes a finding of an error of the database; any other error is handed back.
    pub fn of_error(
        level: Level,
        code: &'static str,
        file: &str,
        what: &str,
        error: EngineError,
    ) -> Result<Self, EngineError> {
        let (place, said) = match &error {
            EngineError::Unit(unit) => (unit.place.clone(), Said::from(&**unit)),
            EngineError::Refused { place, message, code, .. } => {
                (place.clone(), Said { code: (*code).to_owned(), message: message.clone(), detail: None })
            }
            _ => return Err(error),
        };
        let finding = Self::new(level, code, file, format!("{what}: {}", said.message)).at(place);
        Ok(Self { error: Some(said), ..finding })
    }
}
