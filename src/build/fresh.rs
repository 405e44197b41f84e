//! A fresh build of the checkout in a scratch database, to dump it or to compare with it.

use std::path::Path;

use super::{Checkout, Site, Wish, build_into};
use super::{reach, template};
use crate::engine::catalog::{Difference, Patterns, differences};
use crate::engine::{Access, Builder, Catalog, Clock, Load, Object, Scratch, ScratchWish, Session};
use crate::error::Error;
use crate::event::{Observer, Silent};
use crate::journal::Mark;
use crate::project::Target;
use crate::script::Checksum;

/// A scratch database, and an open session on it. It goes when the value is dropped.
pub struct Fresh {
    /// The session; it ends before its database goes.
    pub session: Box<dyn Session>,
    scratch: Scratch,
    /// True if scripts ran since it was opened.
    is_changed: bool,
}

impl Fresh {
    /// Makes a scratch database; nothing is in it.
    pub fn open(site: &Site<'_>, observer: &mut dyn Observer) -> Result<Self, Error> {
        Self::open_at(site, Clock::Own, Builder::Nobody, observer)
    }

    /// The same with a certain clock and builder, where those can be had.
    pub fn open_at(
        site: &Site<'_>,
        clock: Clock,
        builder: Builder,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        let reaches = || reach::of_project(site.project, site.engine.dialect());
        let roles = || reach::role_names(site.project, site.engine.dialect());
        let names = |role: &str| reach::names(site.project, site.engine.dialect(), role);
        let wish = ScratchWish {
            protected: site.protected,
            template: None,
            reaches: &reaches,
            roles: &roles,
            clock,
            builder,
            names: &names,
        };
        Self::of(site.engine.scratch(&wish, observer)?)
    }

    /// Returns the role that builds, if the texts name it or ask for it: another one would build something else.
    pub fn named_builder(&self) -> Option<&str> {
        self.scratch.named_builder.as_deref()
    }

    /// Returns the role whose schema, if there is one of its name, is where objects without a schema go.
    pub fn path_user(&self) -> Option<&str> {
        self.scratch.path_user.as_deref()
    }

    /// Returns which clock it has.
    pub fn clock(&self) -> Clock {
        self.scratch.clock
    }

    /// Makes a scratch database in which scripts, code and seeds were run from the beginning. An unchanged
    /// checkout is copied from the template that an earlier run kept. An environment's own seeds are for databases
    /// of that environment; none has none.
    pub fn built(
        site: &Site<'_>,
        checkout: &Checkout,
        environment: Option<&str>,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        let mut fresh = Self::begin(site, checkout, environment, Builder::Nobody, observer)?;
        fresh.build(site, checkout, environment)?;
        fresh.keep()
    }

    /// Makes the scratch database for a build: a copy of its template, if there is one. For whoever wants to look
    /// at the server before `build` and `keep`.
    pub fn begin(
        site: &Site<'_>,
        checkout: &Checkout,
        environment: Option<&str>,
        builder: Builder,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        Self::begin_where(site, checkout, environment, builder, &|| reach::out(site.project, checkout), observer)
    }

    /// The same for whoever runs more in it than the checkout. `reaches` says what of that leads out of the database.
    pub fn begin_where(
        site: &Site<'_>,
        checkout: &Checkout,
        environment: Option<&str>,
        builder: Builder,
        reaches: &dyn Fn() -> Option<String>,
        observer: &mut dyn Observer,
    ) -> Result<Self, Error> {
        let template = template::key(site, checkout, environment)?;
        let roles = || reach::role_names(site.project, checkout.dialect);
        let names = |role: &str| reach::names(site.project, checkout.dialect, role);
        let wish = ScratchWish {
            protected: site.protected,
            template: Some(&template),
            reaches,
            roles: &roles,
            clock: Clock::Own,
            builder,
            names: &names,
        };
        Self::of(site.engine.scratch(&wish, observer)?)
    }

    fn of(scratch: Scratch) -> Result<Self, Error> {
        let session = scratch.engine.connect(Access::Write)?;
        Ok(Self { session, scratch, is_changed: false })
    }

    /// Builds scripts, code and seeds from the beginning, or what a template lacks of them.
    pub fn build(&mut self, site: &Site<'_>, checkout: &Checkout, environment: Option<&str>) -> Result<(), Error> {
        let wish = Wish { from_scripts: true, no_baseline: true, ..Wish::default() };
        self.build_to(site, checkout, environment, &wish)
    }

    /// Builds what is wished.
    pub fn build_to(
        &mut self,
        site: &Site<'_>,
        checkout: &Checkout,
        environment: Option<&str>,
        wish: &Wish,
    ) -> Result<(), Error> {
        let failed = match self.attempt(site, checkout, environment, wish) {
            Err(Error::Engine(failed)) => failed,
            other => return other,
        };
        let Some(scratch) = self.scratch.with_login(&failed)? else { return Err(failed.into()) };
        *self = Self::of(scratch)?;
        self.attempt(site, checkout, environment, wish)
    }

    fn attempt(
        &mut self,
        site: &Site<'_>,
        checkout: &Checkout,
        environment: Option<&str>,
        wish: &Wish,
    ) -> Result<(), Error> {
        let target = Target { name: Some("scratch".into()), environment: None, protected: None, ..site.target.clone() };
        let inner = Site { engine: &*self.scratch.engine, target: &target, protected: false, ..site.clone() };
        let mark = Mark { environment: environment.unwrap_or_default().to_owned(), protected: false };
        let steps = build_into(&inner, checkout, wish, Some(&mark), &mut *self.session, &mut Silent)?;
        if steps > 0 {
            self.is_changed = true;
            self.session.settle()?;
        }
        Ok(())
    }

    /// Keeps what was built as the template for later runs, if it was not a copy of that.
    pub fn keep(self) -> Result<Self, Error> {
        self.kept(Scratch::keep)
    }

    /// The same for whoever only reads from now on: the database itself is kept, which saves a copy.
    pub fn keep_itself(self) -> Result<Self, Error> {
        self.kept(Scratch::keep_itself)
    }

    fn kept(self, keep: impl FnOnce(&mut Scratch)) -> Result<Self, Error> {
        if !self.is_changed {
            return Ok(self);
        }
        let Self { session, mut scratch, .. } = self;
        drop(session);
        keep(&mut scratch);
        Self::of(scratch)
    }

    /// Hands over the session and its database; the session ends first.
    pub fn into_parts(self) -> (Box<dyn Session>, Scratch) {
        (self.session, self.scratch)
    }

    /// Loads a baseline.
    pub fn load(&mut self, site: &Site<'_>, folder: &Path) -> Result<(), Error> {
        self.session.prepare(Some(&Mark { environment: String::new(), protected: false }), false)?;
        let load = Load::new(folder, &site.project.name, "baseline", Checksum::default());
        self.session.load(&load, &site.run, &mut Silent)?;
        Ok(())
    }

    /// Ends the session, so that copies of this state can be made.
    pub fn freeze(self) -> Frozen {
        Frozen(self.scratch)
    }
}

/// A state of a scratch database, to be copied as often as one likes. It goes when the value is dropped.
pub struct Frozen(Scratch);

impl Frozen {
    /// Makes another scratch database in this state. Nothing if a copy would not be whole, because scripts set
    /// something for the database itself: build it again then.
    pub fn copy(&mut self) -> Result<Option<Fresh>, Error> {
        self.0.copy()?.map(Fresh::of).transpose()
    }

    /// Opens the database itself.
    pub fn thaw(self) -> Result<Fresh, Error> {
        Fresh::of(self.0)
    }
}

/// Compares two catalogs; where texts differ, the throwaway database says whether they mean the same.
pub fn compare(
    expected: &Catalog,
    found: &Catalog,
    ignore: &Patterns,
    scratch: &mut dyn Session,
) -> Result<Vec<Difference>, Error> {
    differences(expected, found, ignore, |pairs| {
        let (ones, others): (Vec<&Object>, Vec<&Object>) = pairs.iter().copied().unzip();
        let (read, read_others) = (scratch.reread(&ones)?, scratch.reread(&others)?);
        let or_own = |text: Option<String>, object: &Object| text.unwrap_or_else(|| object.essence().to_owned());
        let same = |((one, other), (text, other_text))| or_own(text, one) == or_own(other_text, other);
        Ok(pairs.iter().copied().zip(read.into_iter().zip(read_others)).map(same).collect())
    })
}
