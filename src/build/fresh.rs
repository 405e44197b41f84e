//! A fresh build of the checkout in a scratch database, to dump it or to compare with it.

use std::path::Path;

use super::{Checkout, Site, Wish, build_into};
use crate::engine::catalog::{Difference, Patterns, differences};
use crate::engine::{Access, Catalog, Object, Scratch, Session};
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

    /// Loads a baseline.
    pub fn load(&mut self, site: &Site<'_>, folder: &Path) -> Result<(), Error> {
        self.session.prepare(Some(&Mark { environment: String::new(), protected: false }))?;
        Ok(self.session.load(folder, &[], &[], &site.run, &mut Silent)?)
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
