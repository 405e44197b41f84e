//! What is wrong with a file of the project.

use std::fmt;

use crate::error::Place;

/// One thing that is wrong with one file. Nothing has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A stable name: `script/two-of-one-version`.
    pub code: &'static str,
    /// The file, relative to the project.
    pub file: String,
    /// What is wrong.
    pub message: String,
    /// Where, if it is about a place in the text.
    pub place: Option<Place>,
    /// What to do.
    pub hint: Option<String>,
}

impl Fault {
    /// Makes a fault without place and hint.
    pub fn new(code: &'static str, file: &str, message: impl Into<String>) -> Self {
        Self { code, file: file.to_owned(), message: message.into(), place: None, hint: None }
    }

    /// Adds where it is.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// Everything that is wrong with the files of a project, at least one fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptErrors(pub Vec<Fault>);

impl fmt::Display for ScriptErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ScriptErrors {}

impl From<Fault> for ScriptErrors {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}
