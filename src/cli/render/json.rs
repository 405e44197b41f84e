//! Events for programs: one JSON object a line.

use serde_json::{Value, json};

use super::Diagnostic;
use crate::cli::Exit;
use crate::event::{Event, Observer};

/// Prints each event as a line: `{"v":1,"event":…,"at":…}`.
pub struct JsonEvents;

impl Observer for JsonEvents {
    fn event(&mut self, event: Event) {
        if let Ok(value) = serde_json::to_value(&event) {
            emit(value);
        }
    }
}

impl JsonEvents {
    /// Returns the object that tells of a failure: an event if events are printed, else a document of its own.
    pub fn error(diagnostics: &[Diagnostic], as_event: bool) -> String {
        let errors = json!(diagnostics);
        if as_event {
            stamped(json!({"event": "failed", "errors": errors}))
        } else {
            json!({"v": 1, "errors": errors}).to_string()
        }
    }

    /// Returns the last event.
    pub fn finished(exit: Exit) -> String {
        stamped(json!({"event": "finished", "exit_code": exit.code()}))
    }
}

fn stamped(mut value: Value) -> String {
    if let Some(object) = value.as_object_mut() {
        object.insert("v".into(), json!(1));
        object.insert("at".into(), json!(jiff::Timestamp::now().to_string()));
    }
    value.to_string()
}

fn emit(value: Value) {
    use std::io::Write;
    crate::cli::exit::told(writeln!(std::io::stdout(), "{}", stamped(value)));
}
