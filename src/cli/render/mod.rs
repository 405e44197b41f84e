//! Renderers: the same events and failures as text for people and as JSON for programs.

mod diagnostic;
mod diff;
mod finding;
mod json;
mod text;

pub use diagnostic::Diagnostic;
pub use diff::coloured_diff;
pub use finding::FindingText;
pub use json::JsonEvents;
pub use text::{TextEvents, header, milliseconds, seconds};
