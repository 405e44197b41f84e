//! Cancels what a session waits for when somebody asks to stop.
//!
//! A cancel request goes over a connection of its own and may come before the statement that it is meant for
//! (<https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS>), so it is
//! sent again for as long as the session is at work.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postgres::{CancelToken, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connect::Connection;
use crate::interrupt::Interrupt;

type Way = (CancelToken, Option<MakeRustlsConnect>);

/// How to reach the backend that is at work for a session; nothing while none is.
#[derive(Clone, Default)]
pub(super) struct Canceller(Arc<Mutex<Option<Way>>>);

/// How often a request is sent, and how long after the one before.
const REQUESTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

impl Canceller {
    /// Makes a canceller that listens to a wish to stop.
    pub(super) fn listening_to(interrupt: &Interrupt) -> Self {
        let canceller = Self::default();
        let heard = Arc::downgrade(&canceller.0);
        interrupt.on_raise(move || {
            if let Some(slot) = heard.upgrade() {
                // A thread of its own: who raises may be a signal handler, or run async code, where the driver panics.
                std::thread::spawn(move || Self(slot).request());
            }
        });
        canceller
    }

    /// The session waits for an answer from now on.
    pub(super) fn working(&self, connection: &Connection) {
        let way = (connection.client.cancel_token(), connection.tls.clone());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(way);
    }

    /// The session has its answer, or puts things in order, which must not be cancelled.
    pub(super) fn idle(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn request(&self) {
        for _ in 0..REQUESTS {
            // Sent under the lock, so that `idle` returns only when no request is on its way any more.
            let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((token, tls)) = slot.as_ref() else { return };
            // Nothing to do about a failure but to try again: the session's own statement tells how it ends.
            let sent = match tls {
                Some(tls) => token.cancel_query(tls.clone()),
                None => token.cancel_query(NoTls),
            };
            drop(slot);
            if sent.is_err() {
                std::thread::sleep(PAUSE);
            }
            std::thread::sleep(PAUSE);
        }
    }
}
