//! Throwaway databases as the layers above see them: asked for, copied, kept as templates for later runs.

use std::collections::BTreeSet;

use super::{Engine, Result};
use crate::script::Checksum;

/// Which clock a throwaway database has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clock {
    /// The server's or the machine's.
    #[default]
    Own,
    /// One that is far ahead, where that can be had: what asks it comes out differently.
    Other,
}

/// How far ahead the other clock is: another year, month, day, weekday, hour, minute and second.
#[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code))]
pub(super) const LATER: std::time::Duration = std::time::Duration::from_secs(400 * 86_400 + 3_661);

/// What a throwaway database is wanted for.
pub struct ScratchWish<'a> {
    /// The target's protection: a protected server never hosts scratch work.
    pub protected: bool,
    /// What a build of it would be made from. If a template of exactly that is kept, the database is its copy.
    pub template: Option<&'a str>,
    /// Says what of the build would reach out of its database. It is asked only where that could do harm.
    pub reaches: &'a dyn Fn() -> Option<String>,
    /// Names what of the texts may be a role that they make. A role is the server's; on a configured server one that
    /// came with the build and has such a name goes with the database.
    pub roles: &'a dyn Fn() -> BTreeSet<String>,
    /// Which clock it should have. Another one than its own is not to be had everywhere.
    pub clock: Clock,
}

impl ScratchWish<'_> {
    /// Wishes for an empty database, for work that stays inside it.
    pub fn empty(protected: bool) -> Self {
        Self { protected, template: None, reaches: &|| None, roles: &BTreeSet::new, clock: Clock::Own }
    }
}

/// A throwaway database. Whatever keeps it alive is released when it is dropped.
pub struct Scratch {
    /// The engine of the throwaway database.
    pub engine: Box<dyn Engine>,
    /// Which clock it has.
    pub clock: Clock,
    place: Box<dyn Throwaway>,
}

impl Scratch {
    /// Joins an engine with what removes its database when dropped.
    pub fn new(engine: Box<dyn Engine>, place: Box<dyn Throwaway>) -> Self {
        Self { engine, clock: Clock::Own, place }
    }

    /// Says which clock it has.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Makes another throwaway database with the same content; nothing where a copy would not be whole.
    /// No session may be open on this one.
    pub fn copy(&mut self) -> Result<Option<Self>> {
        self.place.copy()
    }

    /// Keeps the content as the template that was wished for, where there is room for one and it would be whole.
    /// No session may be open. A template saves time and nothing else, so what goes wrong is no failure.
    pub fn keep(&mut self) {
        self.place.keep();
    }

    /// Leaves the database behind when the value is dropped, for somebody to look at. The next run that needs one
    /// takes it away.
    pub fn leave(&mut self) {
        self.place.leave();
    }
}

/// Returns the name of a template: digits that stand for everything that went into it.
#[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code))]
pub(super) fn template_name<'a>(facts: impl IntoIterator<Item = &'a str>) -> String {
    let checksum = Checksum::of_tokens(facts).to_string();
    let digits = checksum.rsplit(':').next().unwrap_or_default();
    digits.chars().take(32).collect()
}

/// Where a throwaway database is; it goes when the value is dropped.
pub trait Throwaway: Send {
    /// Makes a copy, or says that it would not be whole.
    fn copy(&mut self) -> Result<Option<Scratch>>;

    /// Keeps a template.
    fn keep(&mut self);

    /// Does not remove the database.
    fn leave(&mut self);
}
