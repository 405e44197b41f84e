//! Making a baseline: the checkout built in a scratch database and dumped; built once more, to find what is another
//! value each time; loaded into a third, to find what the dump cannot carry.
//!
//! Affordable because it is rare: none of it happens while the committed baseline belongs to the checkout, and the
//! second build and the load only if the dump differs from what was proven before. The three databases share one
//! scratch server; the second build is dumped without its schema.

use std::time::{Duration, Instant};

use super::manifest::{Listed, committed_server};
use super::objects::{Digests, OBJECTS};
use super::place::{Place, io, list};
use super::rows::{Kept, Rows};
use super::{Checkout, Fresh, Site};
use crate::build::fresh::compare;
use crate::build::{Reading, load, login};
use crate::engine::catalog::{Difference, Patterns};
use crate::engine::{Builder, Catalog, Clock, DumpInfo, DumpPart, DumpWish, EngineError};
use crate::error::Error;
use crate::event::{Event, Observer, Silent};

/// Writes the checkout's baseline into the place's folder. Returns what it was made with and its files.
pub(super) fn make(
    site: &Site<'_>,
    checkout: &Checkout,
    place: &Place,
    observer: &mut dyn Observer,
) -> Result<(DumpInfo, Listed), Error> {
    // No environment: a baseline is what a new install of any environment needs.
    let mut fresh = Fresh::begin(site, checkout, None, Builder::Nobody, observer)?;
    refuse_other_server(site, checkout, &mut fresh)?;
    fresh.build(site, checkout, None)?;
    let mut fresh = fresh.keep_itself()?;
    let ended = Instant::now();
    let info = fresh.session.dump(&place.fresh, observer)?;
    let files = list(&place.fresh)?;
    let built = fresh.session.catalog()?;
    login::tell(&fresh, &built, "baseline", observer);
    let digests = Digests::committed(site.project, checkout.dialect);
    // What a dump cannot carry is not in its text: the objects must be those of that time too.
    if place.is_committed(&files) && digests.is_some_and(|digests| digests.unlike(&built).is_empty()) {
        return proven(place, info);
    }
    // Before the next build: roles outlive databases, and a script that makes one must not meet it.
    drop(fresh);
    let maker = Maker { site, checkout, place, built, ended };
    maker.finish(observer)?;
    Ok((info, list(&place.fresh)?))
}

/// The same dump of the same objects was proven when it was committed.
fn proven(place: &Place, info: DumpInfo) -> Result<(DumpInfo, Listed), Error> {
    let (from, to) = (place.committed().join(OBJECTS), place.fresh.join(OBJECTS));
    std::fs::copy(&from, &to).map_err(|error| io(&from, error))?;
    Ok((info, list(&place.fresh)?))
}

fn refuse_other_server(site: &Site<'_>, checkout: &Checkout, fresh: &mut Fresh) -> Result<(), Error> {
    let server = fresh.session.inspect(&site.project.name)?.major;
    match committed_server(site.project, checkout.dialect).filter(|committed| *committed != server) {
        None => Ok(()),
        Some(committed) => Err(EngineError::Refused {
            code: "baseline/other-server",
            message: format!("the committed one is of server version {committed}, and this one is {server}"),
            place: None,
            hint: Some(format!(
                "use a server of version {committed}; to move on to {server}, delete {}/{} and make it again",
                site.project.baseline_folder(checkout.dialect),
                super::manifest::MANIFEST,
            )),
        }
        .into()),
    }
}

struct Maker<'a> {
    site: &'a Site<'a>,
    checkout: &'a Checkout,
    place: &'a Place,
    /// What the scripts made.
    built: Catalog,
    /// When the first build had ended.
    ended: Instant,
}

impl Maker<'_> {
    fn finish(self, observer: &mut dyn Observer) -> Result<(), Error> {
        let (again, kept) = self.twice(observer)?;
        let mut again = match again {
            Some(again) => again,
            None => Fresh::open(self.site, observer)?,
        };
        tell(observer, "loading it");
        let loaded = self.loaded(kept, again.clock(), observer)?;
        let lost = compare(&self.built, &loaded, &Patterns::default(), &mut *again.session)?;
        if lost.is_empty() {
            let path = self.place.fresh.join(OBJECTS);
            return std::fs::write(&path, Digests::of(&self.built, &loaded).text()).map_err(|error| io(&path, error));
        }
        let shown =
            |difference: &Difference| format!("{} {} {}", difference.change.word(), difference.kind, difference.name);
        let names: Vec<String> = lost.iter().take(20).map(shown).collect();
        for difference in lost.iter().take(20) {
            let or_nothing = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
            let message = format!(
                "{}: the scripts make\n{}\nand the baseline\n{}",
                shown(difference),
                or_nothing(&difference.expected),
                or_nothing(&difference.found)
            );
            observer.event(Event::Note { code: "baseline/lossy".into(), message });
        }
        Err(EngineError::Refused {
            code: "baseline/lossy",
            message: format!(
                "a database that is loaded from it is not what the scripts make: {}{}",
                names.join(", "),
                if lost.len() > names.len() { ", …" } else { "" }
            ),
            place: None,
            hint: Some("a dump cannot carry these; the committed baseline stays as it was".into()),
        }
        .into())
    }

    /// Builds once more, names what is another one now, and keeps what was committed. Returns the second build,
    /// whose server has the scripts' roles, and the files in which values were kept.
    fn twice(&self, observer: &mut dyn Observer) -> Result<(Option<Fresh>, Kept), Error> {
        tell(observer, "building a second time, to find values that change");
        let mut again = Fresh::open_at(self.site, Clock::Other, Builder::Another, observer)?;
        let mut built = match again.clock() {
            Clock::Other => again.build(self.site, self.checkout, None),
            Clock::Own => Ok(()),
        };
        if again.clock() == Clock::Own || (built.is_err() && !self.site.interrupt.is_raised()) {
            // Scripts that cannot run at another time than theirs are built once more at this one.
            if built.is_err() {
                drop(again);
                again = Fresh::open_at(self.site, Clock::Own, Builder::Another, observer)?;
            }
            self.wait_for_another_second();
            built = again.build(self.site, self.checkout, None);
        }
        if let Err(error) = built {
            if self.site.interrupt.is_raised() {
                return Err(error);
            }
            let message = format!(
                "the scripts cannot be built twice on one server, so that values that change are not looked for: {error}"
            );
            observer.event(Event::Note { code: "baseline/once".into(), message });
            return Ok((Some(again), Kept::default()));
        }
        let folder = self.place.folder("again")?;
        let wish = DumpWish { part: DumpPart::Rows, ..DumpWish::default() };
        again.session.dump_some(&wish, &folder, &mut Silent)?;
        let other = again.session.catalog()?;
        for difference in compare(&self.built, &other, &Patterns::default(), &mut *again.session)? {
            let message = format!(
                "{} {} is {} when it is built a second time: it depends on the clock, on chance, or on who builds",
                difference.kind,
                difference.name,
                if difference.change.counts() { difference.change.word() } else { "another one" }
            );
            observer.event(Event::Note { code: "baseline/volatile".into(), message });
        }
        let rows = Rows { engine: self.site.engine, place: self.place, again: &folder };
        Ok((Some(again), rows.compare(observer)?))
    }

    /// Loads the new baseline and returns what came of it. Rows with kept values are written in the order in which
    /// the engine has them; if they do not fit together (a key that others refer to), nothing is kept.
    fn loaded(&self, kept: Kept, clock: Clock, observer: &mut dyn Observer) -> Result<Catalog, Error> {
        // On the server of the second build, which has the scripts' roles.
        let mut third = Fresh::open_at(self.site, clock, Builder::Nobody, observer)?;
        match third.load(self.site, &self.place.fresh) {
            Ok(()) => {}
            Err(error) if kept.files().is_empty() || self.site.interrupt.is_raised() => return Err(unloadable(error)),
            Err(error) => {
                let message = format!(
                    "the committed values of changing columns do not fit together any more, so new ones are written: {error}"
                );
                observer.event(Event::Note { code: "baseline/volatile".into(), message });
                kept.put_back(&self.place.fresh)?;
                third = Fresh::open_at(self.site, clock, Builder::Nobody, observer)?;
                third.load(self.site, &self.place.fresh).map_err(unloadable)?;
                return Ok(third.session.catalog()?);
            }
        }
        if !kept.files().is_empty() {
            let folder = self.place.folder("kept")?;
            let wish = DumpWish { part: DumpPart::Rows, ..DumpWish::default() };
            third.session.dump_some(&wish, &folder, &mut Silent)?;
            for path in kept.files() {
                let file = self.place.fresh.join(path);
                std::fs::rename(folder.join(path), &file).map_err(|error| io(&file, error))?;
            }
        }
        Ok(third.session.catalog()?)
    }

    /// Clocks that count seconds must not stand still between two builds; only texts that ask such a clock wait.
    fn wait_for_another_second(&self) {
        const CLOCKS: [&str; 8] =
            ["current_time", "current_date", "datetime", "strftime", "unixepoch", "julianday", "'now'", "date("];
        let layout = Some(self.site.project.layout());
        let scripts = self.checkout.scripts.iter().map(|script| (&script.file, layout));
        let others = self.checkout.code.iter().chain(self.checkout.seeds.iter().map(|seed| &seed.source));
        let asks = scripts.chain(others.map(|source| (&source.file, None))).any(|(file, layout)| {
            let reading = Reading { dialect: self.checkout.dialect, layout, variables: None };
            let text = load(self.site.project, file, reading);
            text.is_ok_and(|loaded| {
                let text = loaded.text.as_str().to_ascii_lowercase();
                CLOCKS.iter().any(|clock| text.contains(clock))
            })
        });
        if asks {
            // Counted from the end of the first build: its last statement must be a second ago.
            std::thread::sleep(Duration::from_millis(1_050).saturating_sub(self.ended.elapsed()));
        }
    }
}

/// What a dump holds and no database takes is no failure of a script: it says what cannot be carried.
fn unloadable(error: Error) -> Error {
    let Error::Engine(EngineError::Unit(unit)) = error else { return error };
    let file = |place: &crate::error::Place| {
        place.file.rsplit_once("/fresh/").map_or(place.file.clone(), |(_, file)| file.to_owned())
    };
    let what =
        unit.place.as_ref().map(|place| format!(" (line {} of {}: `{}`)", place.line, file(place), place.text.trim()));
    EngineError::Refused {
        code: "baseline/lossy",
        message: format!("no database can be loaded from it: {}{}", unit.failure.message, what.unwrap_or_default()),
        place: None,
        hint: Some("a dump cannot carry this; the committed baseline stays as it was".into()),
    }
    .into()
}

fn tell(observer: &mut dyn Observer, message: &str) {
    observer.event(Event::Progress { name: "baseline".into(), message: message.to_owned(), done: None });
}
