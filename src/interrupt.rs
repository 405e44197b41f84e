//! A wish to stop, raised from another thread (Ctrl-C) and heard by whoever is at work.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

type Cancel = Box<dyn Fn() + Send + Sync>;

/// A handle on one wish to stop; clones share it.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Default)]
struct State {
    raised: AtomicBool,
    cancels: Mutex<Vec<Cancel>>,
}

impl Interrupt {
    /// Asks the work to stop: running statements are cancelled, nothing new begins. Safe to call repeatedly.
    pub fn raise(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
        for cancel in self.0.cancels.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            cancel();
        }
    }

    /// Returns true once somebody asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Registers how to cancel what a session is waiting for; called again at each `raise`.
    pub fn on_raise(&self, cancel: impl Fn() + Send + Sync + 'static) {
        self.0.cancels.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(cancel));
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interrupt").field(&self.is_raised()).finish()
    }
}
