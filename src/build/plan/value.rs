//! A plan and what it is made of. Saved plans are these values in JSON (`docs/reference/json.md`).

use serde::{Deserialize, Serialize};

use crate::journal::Mark;
use crate::script::{Checksum, Version};

/// The ordered steps of a build, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The format of a saved plan.
    pub format: u32,
    /// The project's name.
    pub project: String,
    /// The target, without secrets.
    pub target: String,
    /// The newest applied version before.
    pub version: Option<Version>,
    /// A digest of the journal that the plan was made from.
    pub journal: Checksum,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Wish::is_default")]
    pub wish: Wish,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What is worth knowing and stops nothing.
    pub notes: Vec<Note>,
}

/// The format of saved plans that this program writes and reads.
pub const FORMAT: u32 = 1;

/// One element of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Creates the journal and writes the database's mark.
    Journal {
        /// The mark, if the database gets one.
        mark: Option<Mark>,
    },
    /// Loads the baseline, which stands for every script, code object and seed.
    Load {
        /// The baseline's folder.
        folder: String,
    },
    /// Loads the base, which stands for the scripts that were squashed.
    Base {
        /// The base's folder.
        folder: String,
        /// The version that it comes to.
        version: Version,
    },
    /// Journals a script whose text did not change without running it.
    Note {
        /// The script.
        script: PlannedScript,
        /// Why: reworded or moved.
        why: String,
        /// The version that a moved script gave away, if another script has it now: journaled as reverted in the
        /// same transaction, so that the other one counts as not run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        freed: Option<PlannedScript>,
    },
    /// Runs a script.
    Apply {
        /// The script.
        script: PlannedScript,
        /// Why: pending, late, running or reverted.
        why: String,
    },
    /// Runs the file of a code object.
    Code(PlannedFile),
    /// Looks after the code objects whose files did not change: each that is absent or different is applied again.
    Keep {
        /// The folder of the code files.
        folder: String,
    },
    /// Drops what a code file made that is not there any more.
    Drop(PlannedFile),
    /// Brings in a seed.
    Seed(PlannedFile),
    /// Regenerates the baseline.
    Baseline {
        /// The baseline's folder.
        folder: String,
    },
}

/// A script in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedScript {
    /// The version.
    pub version: Version,
    /// The name.
    pub name: String,
    /// The file.
    pub file: String,
    /// The text's checksum.
    pub checksum: Checksum,
    /// The newest attempt that the journal has of it.
    pub attempt: i32,
}

/// A code file or a seed in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// The file.
    pub file: String,
    /// Its checksum.
    pub checksum: Checksum,
    /// The newest attempt that the journal has of it.
    pub attempt: i32,
    /// Why: new or changed.
    pub why: String,
}

/// Something worth knowing that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// A stable name: `late`, `ahead`, `missing`.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// What a build was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Wish {
    /// Stop after this version, and leave code, seeds and baseline alone.
    pub to: Option<Version>,
    /// Leave the seeds alone.
    pub no_seed: bool,
    /// Leave the baseline alone.
    pub no_baseline: bool,
    /// Do not load the baseline into an empty database.
    pub from_scripts: bool,
    /// Late versions that may run although the policy refuses them.
    pub allow_late: Vec<Version>,
    /// Drop what code files made that are not there any more.
    pub drop_code: bool,
}

impl Wish {
    /// Returns true if nothing but a build was asked for.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Plan {
    /// Adds a note.
    pub(super) fn note(&mut self, code: &str, message: String) {
        self.notes.push(Note { code: code.to_owned(), message });
    }

    /// Returns true if there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
