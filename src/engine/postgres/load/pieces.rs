//! What a dump consists of, in the order in which it is loaded: the statements of the schema that rows need, where
//! the sequences stand, a file of rows for each table, the statements that need rows.
//!
//! Pure but for reading the files: how many pieces there are, and in which order, depends on the folder alone, so that
//! a number of finished pieces means the same to the run that goes on.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::rows;
use super::statements::File;
use super::{Counted, Way};
use crate::engine::Result;
use crate::engine::postgres::dump::{DATA, POST_DATA, PRE_DATA, SEQUENCES};

/// A dump's pieces.
pub(super) struct Pieces {
    folder: PathBuf,
    /// The folder's path as messages name it.
    shown: String,
    /// What comes before the rows, and what comes behind them.
    files: [File; 3],
    /// The files of the rows; in the order in which the database wants them once it was asked.
    rows: Vec<String>,
    is_sorted: bool,
}

/// One stretch of pieces of one kind.
enum Stretch {
    Statements(usize, Range<usize>),
    Rows(Range<usize>),
}

/// A file of rows: the table, its TOAST table and index, what a default calls.
const OF_ROWS: usize = 6;

impl Pieces {
    /// Reads the files of the schema and lists those of the rows.
    pub fn read(folder: &Path) -> Result<Self> {
        let shown = folder.display().to_string();
        let file = |name: &str, is_needed: bool| -> Result<File> {
            let path = folder.join(name);
            let is_there = is_needed || path.exists();
            File::read(is_there.then_some(path.as_path()), format!("{shown}/{name}"))
        };
        let files = [file(PRE_DATA, true)?, file(SEQUENCES, false)?, file(POST_DATA, true)?];
        let rows = rows::names(&folder.join(DATA))?;
        Ok(Self { folder: folder.to_owned(), shown, files, rows, is_sorted: false })
    }

    /// Returns how many pieces there are.
    pub fn len(&self) -> usize {
        self.files.iter().map(File::len).sum::<usize>() + self.rows.len()
    }

    /// Returns about how many locks it takes to load everything in one transaction: those on what it makes. What is
    /// locked already is not locked again.
    pub fn locks_of_all(&self) -> usize {
        self.files.iter().map(|file| (0..file.len()).map(|at| file.locks(at).0).sum::<usize>()).sum()
    }

    /// Returns where a transaction ends that begins with a piece and takes so many locks at most; it has one piece
    /// at least.
    pub fn as_many(&self, from: usize, most: usize) -> usize {
        let mut locks = 0;
        for at in from..self.len() {
            locks += match self.stretch(at..at + 1) {
                Stretch::Statements(file, range) => self.files[file].locks(range.start).1,
                Stretch::Rows(_) => OF_ROWS,
            };
            if locks > most && at > from {
                return at;
            }
        }
        self.len()
    }

    /// Returns what the pieces before one set for the rest of the session.
    pub fn set_before(&self, piece: usize) -> String {
        let mut text = String::new();
        let mut from = 0;
        while from < piece {
            let stretch = self.stretch(from..piece);
            from += stretch.len();
            if let Stretch::Statements(file, range) = stretch {
                text.push_str(&self.files[file].settings(range));
            }
        }
        text
    }

    /// Sends pieces, in the transaction that has begun.
    pub fn send(&mut self, way: &mut Way<'_>, range: Range<usize>, tell: &mut dyn FnMut(&str, Counted)) -> Result<()> {
        let mut from = range.start;
        while from < range.end {
            let stretch = self.stretch(from..range.end);
            from += stretch.len();
            match stretch {
                Stretch::Statements(file, range) => self.files[file].send(way, range, tell)?,
                Stretch::Rows(range) => {
                    let folder = self.folder.join(DATA);
                    let shown = format!("{}/{DATA}", self.shown);
                    if !self.is_sorted {
                        let names = std::mem::take(&mut self.rows);
                        self.rows = rows::sorted(way, &folder, &shown, names)?;
                        self.is_sorted = true;
                    }
                    let total = self.rows.len() as u64;
                    for at in range {
                        let Some(name) = self.rows.get(at) else { continue };
                        rows::send(way, &folder.join(name), format!("{shown}/{name}"), &mut |message| {
                            tell(message, Some((at as u64, total)));
                        })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the pieces at the head of a range that are of one file, or all rows.
    fn stretch(&self, range: Range<usize>) -> Stretch {
        let [before, sequences, behind] = &self.files;
        let kinds =
            [(Some(0), before.len()), (Some(1), sequences.len()), (None, self.rows.len()), (Some(2), behind.len())];
        let mut begin = 0;
        for (file, length) in kinds {
            let end = begin + length;
            if range.start < end {
                let inner = range.start - begin..range.end.min(end) - begin;
                return file.map_or(Stretch::Rows(inner.clone()), |file| Stretch::Statements(file, inner));
            }
            begin = end;
        }
        Stretch::Rows(0..0)
    }
}

impl Stretch {
    fn len(&self) -> usize {
        match self {
            Self::Statements(_, range) | Self::Rows(range) => range.len(),
        }
    }
}
