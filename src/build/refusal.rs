//! States in which a build does not go on. The target is untouched.

/// A state in which the tool does not go on, with what resolves it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// A stable name: `journal/altered`.
    pub code: &'static str,
    /// What the state is.
    pub message: String,
    /// More to know, one line each.
    pub notes: Vec<String>,
    /// What resolves it, best first.
    pub hints: Vec<String>,
}

impl Refusal {
    /// Makes a refusal without notes and hints.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), notes: Vec::new(), hints: Vec::new() }
    }

    /// Adds something to know.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds a way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
