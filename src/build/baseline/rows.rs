//! The rows of two builds, file by file: what is another value each time is named, and where a row is otherwise the
//! committed one, its committed values are kept.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::place::{Place, io, list};
use super::{streamed, volatile};
use crate::engine::{Engine, RowFile, RowText};
use crate::error::Error;
use crate::event::{Event, Observer};

/// The largest file of rows that is held in memory, as the cells of its rows.
const HELD: u64 = 4 << 20;

/// Where the rows are that are compared.
pub(super) struct Rows<'a> {
    pub engine: &'a dyn Engine,
    /// The first build's are in its `fresh`.
    pub place: &'a Place,
    /// The second build's folder.
    pub again: &'a Path,
}

/// The files in which committed values were kept; the first build's own are beside them, for when those do not fit
/// together.
#[derive(Debug, Default)]
pub(super) struct Kept {
    files: Vec<String>,
    aside: PathBuf,
}

/// A table in which something is another value each time.
struct Found {
    table: String,
    columns: Vec<String>,
    /// How many rows have their committed values.
    kept: usize,
}

impl Rows<'_> {
    /// Compares them, and keeps committed values in the files of the first build.
    pub fn compare(&self, observer: &mut dyn Observer) -> Result<Kept, Error> {
        let (ones, others) = (list(&self.place.fresh)?, list(self.again)?);
        let is_row = |path: &&String| path.starts_with("data/");
        let mut kept = Kept { files: Vec::new(), aside: self.place.folder("aside")? };
        let mut note = |message: String| {
            observer.event(Event::Note { code: "baseline/volatile".into(), message });
        };
        for path in others.keys().filter(is_row).filter(|path| !ones.contains_key(*path)) {
            note(format!("{path} is there only when it is built a second time"));
        }
        for (path, checksum) in ones.iter().filter(|(path, _)| is_row(path)) {
            let Some(other) = others.get(path) else {
                note(format!("{path} is not there when it is built a second time"));
                continue;
            };
            if other == checksum {
                continue;
            }
            let new = self.place.fresh.join(format!("{path}.kept"));
            let found = self.table(path, &new)?;
            let Some(Found { table, columns, kept: count }) = found else {
                note(format!("{path} has other rows each time"));
                continue;
            };
            let committed = match count {
                0 => String::new(),
                1 => "; 1 row keeps what is committed".to_owned(),
                count => format!("; {count} rows keep what is committed"),
            };
            note(format!("{table}: {} is another value each time{committed}", columns.join(", ")));
            if count > 0 {
                kept.put(&self.place.fresh, path, &new)?;
            }
        }
        Ok(kept)
    }

    /// Compares one table's file, and writes a new one where rows keep what is committed. Nothing if nothing says
    /// which rows are the same.
    fn table(&self, path: &str, new: &Path) -> Result<Option<Found>, Error> {
        let folders = [self.place.fresh.as_path(), self.again, self.place.committed()];
        let size = |folder: &Path| folder.join(path).metadata().map_or(0, |metadata| metadata.len());
        if folders.into_iter().all(|folder| size(folder) <= HELD) {
            self.held(path, new)
        } else {
            self.streamed(path, new)
        }
    }

    fn held(&self, path: &str, new: &Path) -> Result<Option<Found>, Error> {
        let (one, other) = (self.open(&self.place.fresh, path), self.open(self.again, path));
        let (Some(mut one), Some(other)) = (one.and_then(RowText::read), other.and_then(RowText::read)) else {
            return Ok(None);
        };
        let Some(volatile) = volatile::compare(&one, &other) else { return Ok(None) };
        let committed = self.open(self.place.committed(), path).and_then(RowText::read);
        let kept = committed.map_or(0, |committed| volatile::keep(&mut one, &volatile, &committed));
        if kept > 0 {
            std::fs::write(new, one.text()).map_err(|error| io(new, error))?;
        }
        Ok(Some(Found { columns: named(&one.form.columns, &volatile.columns), table: one.form.table, kept }))
    }

    fn streamed(&self, path: &str, new: &Path) -> Result<Option<Found>, Error> {
        let builds = || Some((self.open(&self.place.fresh, path)?, self.open(self.again, path)?));
        let Some((one, other)) = builds() else { return Ok(None) };
        let (table, columns) = (one.form.table.clone(), one.form.columns.clone());
        let Some(volatile) = streamed::compare(one, other) else { return Ok(None) };
        let mut kept = 0;
        if let (Some(builds), Some(committed)) = (builds(), self.open(self.place.committed(), path)) {
            kept = streamed::keep(builds, &volatile, committed, new).map_err(|error| io(new, error))?.unwrap_or(0);
            if kept == 0 && new.exists() {
                std::fs::remove_file(new).map_err(|error| io(new, error))?;
            }
        }
        Ok(Some(Found { table, columns: named(&columns, &volatile), kept }))
    }

    fn open(&self, folder: &Path, path: &str) -> Option<RowFile> {
        self.engine.row_file(Box::new(BufReader::new(File::open(folder.join(path)).ok()?)))
    }
}

fn named(columns: &[String], places: &BTreeSet<usize>) -> Vec<String> {
    places.iter().filter_map(|place| columns.get(*place).cloned()).collect()
}

impl Kept {
    /// Returns the files.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Puts a new file in the place of the first build's.
    fn put(&mut self, fresh: &Path, path: &str, new: &Path) -> Result<(), Error> {
        let (file, aside) = (fresh.join(path), self.aside.join(self.files.len().to_string()));
        std::fs::rename(&file, aside).map_err(|error| io(&file, error))?;
        std::fs::rename(new, &file).map_err(|error| io(&file, error))?;
        self.files.push(path.to_owned());
        Ok(())
    }

    /// Puts the first build's files back.
    pub fn put_back(self, fresh: &Path) -> Result<(), Error> {
        for (number, path) in self.files.iter().enumerate() {
            let file = fresh.join(path);
            std::fs::rename(self.aside.join(number.to_string()), &file).map_err(|error| io(&file, error))?;
        }
        Ok(())
    }
}
