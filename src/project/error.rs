//! What is wrong with the settings.

use crate::error::Place;

/// Why the settings, or what was said on the command line, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    /// A stable name: `settings/unknown-target`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where in `dbbuild.toml`, if it is there.
    pub place: Option<Place>,
    /// What to do.
    pub hint: Option<String>,
}

impl SettingsError {
    /// Makes an error without place and hint.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, hint: None }
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
