//! A fresh build of the checkout in a scratch database, to dump it or to compare with it.

use super::{Checkout, Site, Wish, build_into};
use crate::engine::{Access, Scratch, Session};
use crate::error::Error;
use crate::event::{Observer, Silent};
use crate::journal::Mark;
use crate::project::Target;

/// A scratch database, and an open session on it. It goes when the value is dropped.
pub struct Fresh {
    /// The session; it ends before its database goes.
    pub session: Box<dyn Session>,
    scratch: Scratch,
}

impl Fresh {
    /// Makes a scratch database; nothing is in it.
    pub fn open(site: &Site<'_>, observer: &mut dyn Observer) -> Result<Self, Error> {
        let scratch = site.engine.scratch(site.protected, observer)?;
        let session = scratch.engine.connect(Access::Write)?;
        Ok(Self { session, scratch })
    }

    /// Builds scripts, code and seeds from the beginning. An environment's own seeds are for databases of that
    /// environment; none has none.
    pub fn build(&mut self, site: &Site<'_>, checkout: &Checkout, environment: Option<&str>) -> Result<(), Error> {
        let target = Target { name: Some("scratch".into()), environment: None, protected: None, ..site.target.clone() };
        let inner = Site { engine: &*self.scratch.engine, target: &target, protected: false, ..site.clone() };
        let wish = Wish { from_scripts: true, no_baseline: true, ..Wish::default() };
        let mark = Mark { environment: environment.unwrap_or_default().to_owned(), protected: false };
        build_into(&inner, checkout, &wish, Some(&mark), &mut *self.session, &mut Silent)?;
        Ok(self.session.settle()?)
    }
}
