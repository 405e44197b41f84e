//! Throwaway databases as the layers above see them: asked for, copied, kept as templates for later runs.

use std::collections::BTreeSet;

use super::{Engine, EngineError, Result};
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

/// Who builds in a throwaway database, and owns what is made there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Builder {
    /// A role of the same name on every machine, which no text names: what texts give to a role is never the owner's
    /// own. For what is committed.
    #[default]
    Nobody,
    /// A second such role: whatever asks who builds comes out differently.
    Another,
    /// The target's login if the texts name it or ask for it, since they give it then what is its own; else nobody.
    /// For what is held to the target.
    Login,
}

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
    /// Who should build in it. On a server that is not private it is whoever logs in there.
    pub builder: Builder,
    /// Says whether a word is in the texts, as a role's name is in those that name it.
    pub names: &'a dyn Fn(&str) -> bool,
}

impl ScratchWish<'_> {
    /// Wishes for an empty database, for work of the target's login that stays inside it.
    pub fn empty(protected: bool) -> Self {
        Self {
            protected,
            template: None,
            reaches: &|| None,
            roles: &BTreeSet::new,
            clock: Clock::Own,
            builder: Builder::Login,
            names: &|_| true,
        }
    }
}

/// A throwaway database. Whatever keeps it alive is released when it is dropped.
pub struct Scratch {
    /// The engine of the throwaway database.
    pub engine: Box<dyn Engine>,
    /// Which clock it has.
    pub clock: Clock,
    /// The role that builds, if the texts name it or ask for it: another one would build something else.
    pub named_builder: Option<String>,
    /// The role whose schema, if there is one of its name, is where objects without a schema go.
    pub path_user: Option<String>,
    place: Box<dyn Throwaway>,
}

impl Scratch {
    /// Joins an engine with what removes its database when dropped.
    pub fn new(engine: Box<dyn Engine>, place: Box<dyn Throwaway>) -> Self {
        Self { engine, clock: Clock::Own, named_builder: None, path_user: None, place }
    }

    /// Says which clock it has.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Says which role builds, if it is one that the texts name or ask for, and whose schema comes first.
    pub fn with_roles(self, named_builder: Option<String>, path_user: Option<String>) -> Self {
        Self { named_builder, path_user, ..self }
    }

    /// Makes an empty one in which a build may go better that failed here because it names the target's login, where
    /// nobody builds: as a role like any other. Nothing if it failed for something else.
    pub fn with_login(&mut self, failed: &EngineError) -> Result<Option<Self>> {
        self.place.with_login(failed)
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

    /// The same without a copy, where that goes: the database itself becomes the template when the value is dropped.
    /// From now on nothing may change in it.
    pub fn keep_itself(&mut self) {
        self.place.keep_itself();
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

    /// Makes an empty one that has the role for want of which a build failed, if that is the target's login.
    fn with_login(&mut self, _failed: &EngineError) -> Result<Option<Scratch>> {
        Ok(None)
    }

    /// Keeps a template.
    fn keep(&mut self);

    /// Is the template when the value is dropped, or keeps one.
    fn keep_itself(&mut self) {
        self.keep();
    }

    /// Does not remove the database.
    fn leave(&mut self);
}
