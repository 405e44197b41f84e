//! Where a verification is, and how long it will take.

use std::time::{Duration, Instant};

use crate::event::{Event, Observer};

/// Tells how far a proof is, not too often.
pub struct Progress<'a> {
    proof: &'static str,
    total: usize,
    done: usize,
    began: Instant,
    told: Instant,
    observer: &'a mut dyn Observer,
}

/// How often is told.
const OFTEN: Duration = Duration::from_secs(1);

impl<'a> Progress<'a> {
    /// Begins.
    pub fn new(proof: &'static str, total: usize, observer: &'a mut dyn Observer) -> Self {
        let now = Instant::now();
        Self { proof, total, done: 0, began: now, told: now, observer }
    }

    /// Tells that one more is done.
    pub fn step(&mut self) {
        self.done += 1;
        if self.told.elapsed() < OFTEN || self.done >= self.total {
            return;
        }
        self.told = Instant::now();
        let each = self.began.elapsed().as_secs_f64() / self.done as f64;
        let left = each * self.total.saturating_sub(self.done) as f64;
        let message = format!("{} of {}, about {} s left", self.done, self.total, left.ceil());
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let done = Some((number(self.done), number(self.total)));
        self.observer.event(Event::Progress { name: self.proof.to_owned(), message, done });
    }
}
