//! A limit for one statement. SQLite has none of its own: it is looked at whenever SQLite asks whether to go on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When the statement under way must have ended; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Deadline(Arc<Mutex<Option<Instant>>>);

impl Deadline {
    /// Sets the limit of the statement that begins now; zero is none.
    pub fn begin(&self, limit: Duration) {
        let end = if limit.is_zero() { None } else { Instant::now().checked_add(limit) };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    /// Takes the limit away.
    pub fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns true if the statement under way has had its time.
    pub fn has_passed(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|end| Instant::now() >= end)
    }
}
