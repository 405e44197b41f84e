//! One file of `db/`: its version, name, text and directives. Nothing here reads a file.

mod checksum;
mod cut;
mod directive;
mod fault;
mod file_name;
mod fill;
mod text;
mod version;

pub use checksum::Checksum;
pub use cut::{Cut, Part, PlacedGuard, cut, directives, has_directives, token_checksum};
pub use directive::{Directive, DirectiveError, FORMS, Guard, Object, RunIf, Test, body, duration};
pub use fault::{Fault, ScriptErrors};
pub use file_name::{FileName, FileNameError, Role, engine_suffix, letter, name_behind, strip_sql};
pub use fill::{FillFault, Filled, fill, template_action};
pub use text::{Text, normalise};
pub use version::{Version, VersionError};

/// A versioned script, as discovered. Its text is read again when it is needed, so that memory does not grow
/// with the number of scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The ordering key.
    pub version: Version,
    /// The name behind the version: `create_customer`.
    pub name: String,
    /// The file, relative to the project, with `/`.
    pub file: String,
    /// The checksum of the normalised text.
    pub checksum: Checksum,
    /// How to take it back, if it says so.
    pub down: Option<String>,
}

/// A script that a base stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Squashed {
    /// The version.
    pub version: Version,
    /// The name behind the version.
    pub name: String,
    /// Where its file was.
    pub file: String,
    /// The checksum of its text.
    pub checksum: Checksum,
    /// The checksum of its tokens.
    pub tokens: Checksum,
    /// A git commit that has the file.
    pub revision: Option<String>,
}

impl Squashed {
    /// Returns true if an applied text is this one, in other words or white space perhaps.
    pub fn is_text(&self, checksum: &Checksum, tokens: &Checksum) -> bool {
        // A checksum of an algorithm that is not known here says nothing about the text.
        *checksum == self.checksum || !checksum.is_known() || *tokens == self.tokens
    }
}

/// A code object's file or a seed, as discovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, relative to the project, with `/`; also the journal's key.
    pub file: String,
    /// The checksum of the normalised text, or of a CSV file and its sidecar.
    pub checksum: Checksum,
}
