//! What is told while proofs are made: the report so far, and how far the whole is.

use std::time::{Duration, Instant};

use super::report::Kept;
use super::stage::Stage;
use super::{Finding, Halt, Level, Outcome, Proof, Report, Work};
use crate::event::{Event, Observer};

/// How often is told how far it is.
const OFTEN: Duration = Duration::from_secs(1);

/// A stretch of a verification: what it is called, how many steps it has, and what one costs, a run of a file being 1.
pub struct Phase {
    /// What is under way.
    pub name: &'static str,
    /// How many steps it has.
    pub steps: usize,
    /// What one costs.
    pub cost: f64,
}

/// The report, and who hears of the progress.
pub struct Account<'a> {
    /// What came of the proofs so far.
    pub report: Report,
    /// Who hears.
    pub observer: &'a mut dyn Observer,
    keeps: bool,
    phases: Vec<Phase>,
    at: usize,
    done: usize,
    began: Instant,
    told: Instant,
}

impl<'a> Account<'a> {
    /// Begins.
    pub fn new(work: &Work<'_>, phases: Vec<Phase>, observer: &'a mut dyn Observer) -> Self {
        let now = Instant::now();
        let keeps = work.wish.keep;
        Self { report: Report::default(), observer, keeps, phases, at: 0, done: 0, began: now, told: now }
    }

    /// Returns the outcome of a proof, to be added to.
    pub fn of(&mut self, proof: Proof) -> &mut Outcome {
        self.report.of(proof)
    }

    /// Does work for a proof, and counts its time if there is anything to tell.
    pub fn timed<T>(&mut self, proof: Proof, work: impl FnOnce(&mut Self) -> T) -> T {
        let began = Instant::now();
        let done = work(self);
        if let Some(outcome) = self.report.proofs.get_mut(&proof) {
            outcome.duration += began.elapsed();
        }
        done
    }

    /// Notes what a proof came to in a database. Where it failed and that is wished, the database is left behind as it
    /// is, and nothing more is proven. `state` says what the database holds.
    pub fn note(&mut self, proof: Proof, findings: Vec<Finding>, stage: &mut Stage, state: &str) -> Result<(), Halt> {
        let failed = findings.iter().any(|finding| finding.level == Level::Error);
        self.of(proof).fails(findings);
        if failed && self.keeps {
            return Err(Halt::Kept(Kept { url: stage.leave(), state: state.to_owned() }));
        }
        Ok(())
    }

    /// Comes to a phase; those before it are over.
    pub fn enter(&mut self, name: &str) {
        if let Some(at) = self.phases.iter().position(|phase| phase.name == name) {
            (self.at, self.done) = (at, 0);
            self.tell();
        }
    }

    /// Takes a step.
    pub fn step(&mut self) {
        self.done += 1;
        self.tell();
    }

    /// Tells how far it is, not too often.
    fn tell(&mut self) {
        let Some(phase) = self.phases.get(self.at) else { return };
        if self.told.elapsed() < OFTEN || self.done > phase.steps {
            return;
        }
        self.told = Instant::now();
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let message = format!("{} of {}, about {} s left", self.done, phase.steps, self.left(phase).ceil());
        let done = Some((number(self.done), number(phase.steps)));
        self.observer.event(Event::Progress { name: phase.name.to_owned(), message, done });
    }

    /// Returns how many seconds are left, if what is to come costs what was done did.
    fn left(&self, phase: &Phase) -> f64 {
        let cost = |phases: &[Phase]| phases.iter().map(|phase| phase.steps as f64 * phase.cost).sum::<f64>();
        let done = cost(&self.phases[..self.at]) + self.done as f64 * phase.cost;
        (cost(&self.phases) - done).max(0.0) * self.began.elapsed().as_secs_f64() / done.max(f64::MIN_POSITIVE)
    }
}

/// Each step of a build is one of the phase.
impl Observer for Account<'_> {
    fn event(&mut self, event: Event) {
        if matches!(event, Event::Finished { .. }) {
            self.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_takes_what_is_to_come_for_as_dear_as_what_was_done() {
        let mut heard = Vec::new();
        let mut hear = |event: Event| {
            if let Event::Progress { message, done, .. } = event {
                heard.push((message, done));
            }
        };
        let now = Instant::now();
        let ago = |milliseconds| now.checked_sub(Duration::from_millis(milliseconds)).unwrap_or(now);
        let phase = |name, steps, cost| Phase { name, steps, cost };
        let phases = vec![phase("files", 10, 3.0), phase("again", 10, 0.5), phase("offline", 1, 10.0)];
        let (report, observer, began, told) =
            (Report::default(), &mut hear as &mut dyn Observer, ago(9_600), ago(5_000));
        let mut account = Account { report, observer, keeps: false, phases, at: 0, done: 4, began, told };
        // 15 of 45 took a little less than ten seconds.
        account.step();
        // Not again so soon.
        account.step();
        account.enter("again");
        account.told = ago(5_000);
        // 30.5 of 45.
        account.step();
        assert_eq!(
            heard,
            [
                ("5 of 10, about 20 s left".to_owned(), Some((5, 10))),
                ("1 of 10, about 5 s left".to_owned(), Some((1, 10))),
            ]
        );
    }
}
