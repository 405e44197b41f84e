//! What happened, as the library tells it. Text, progress bars and JSON are renderers of the same events.

use serde::Serialize;

use crate::journal::Kind;

/// Something that happened, or is happening.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The target was read.
    Opened {
        /// The project's name.
        project: String,
        /// The target, without secrets.
        target: String,
        /// The mark's environment.
        environment: Option<String>,
        /// True if the mark protects the database.
        protected: bool,
        /// The newest applied version.
        version: Option<String>,
    },
    /// Somebody else holds the build lock.
    Waiting {
        /// Who holds it and what they run, as far as the database tells.
        holder: String,
        /// For how long, in seconds.
        seconds: u64,
    },
    /// A step waits for a lock on something that somebody else uses.
    Blocked {
        /// The step's name.
        name: String,
        /// Who is in its way: `pid 4711, report@10.0.0.7, idle in transaction for 12 s`.
        holder: String,
        /// For how long it has waited, in seconds.
        seconds: u64,
    },
    /// Something worth knowing that stops nothing.
    Note {
        /// A stable name: `late`, `ahead`, `missing`, `reworded`, `moved`, `baseline-skipped`, …
        code: String,
        /// One sentence.
        message: String,
    },
    /// A step begins.
    #[serde(rename = "step-started")]
    Started {
        /// What kind of step.
        step: StepKind,
        /// Its name.
        name: String,
    },
    /// A long step is under way.
    Progress {
        /// The step's name.
        name: String,
        /// Where it is: `pass 37, 3,700,000 rows`.
        message: String,
        /// Done and total, where both are known.
        done: Option<(u64, u64)>,
    },
    /// A step is tried again, after a lock timeout, a deadlock or a serialization failure.
    Retrying {
        /// The step's name.
        name: String,
        /// Why.
        reason: String,
        /// Which attempt comes next, from 2.
        attempt: u32,
    },
    /// The server said something while a step ran.
    Notice {
        /// The step's name.
        name: String,
        /// `NOTICE`, `WARNING`, `INFO`.
        severity: String,
        /// What it said.
        message: String,
    },
    /// A step is done and committed.
    #[serde(rename = "step-finished")]
    Finished {
        /// What kind of step.
        step: StepKind,
        /// Its name.
        name: String,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// What it came to.
        #[serde(flatten)]
        result: StepResult,
    },
}

/// What a step came to, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum StepResult {
    /// A text ran.
    Ran {
        /// How many statements it has.
        statements: u64,
        /// How many of them a guard left out.
        skipped: u64,
        /// Passes of `repeat` batches.
        passes: u64,
        /// Rows that the statements of a non-transactional script changed, where the database tells.
        rows_changed: u64,
    },
    /// A code file ran although its text did not change.
    Made {
        /// How many statements it has.
        statements: u64,
        /// How many of them were left out.
        skipped: u64,
        /// Why it ran: `put back`, `was another one`, `follows what it needs`.
        why: String,
    },
    /// Rows of a CSV file were brought in.
    Rows {
        /// Rows in the file.
        rows: u64,
        /// Rows that were not in the table.
        inserted: u64,
        /// Rows that were there with other values.
        updated: u64,
        /// Rows that were deleted.
        deleted: u64,
        /// On the first run: rows that were there already with other values.
        overwritten: u64,
    },
    /// A script was journaled without running.
    Journaled {
        /// Why: reworded or moved.
        why: String,
    },
    /// A baseline was loaded.
    Loaded {
        /// The version it holds.
        version: Option<String>,
    },
    /// A baseline was regenerated.
    Regenerated {
        /// The files that were written or removed.
        files: Vec<String>,
    },
}

/// The kinds of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum StepKind {
    Journal,
    Load,
    Apply,
    Resume,
    Note,
    Code,
    Seed,
    TestData,
    Baseline,
}

impl From<Kind> for StepKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Script | Kind::Down | Kind::Access => Self::Apply,
            Kind::Code => Self::Code,
            Kind::Seed => Self::Seed,
            Kind::TestData => Self::TestData,
            Kind::Baseline => Self::Load,
        }
    }
}

/// Hears what the library has to say.
pub trait Observer {
    /// Is told of each event, in order.
    fn event(&mut self, event: Event);
}

/// An observer that does not listen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: Event) {}
}

impl<F: FnMut(Event)> Observer for F {
    fn event(&mut self, event: Event) {
        self(event);
    }
}

/// Returns a number with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
