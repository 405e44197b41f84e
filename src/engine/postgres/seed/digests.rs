//! The lines of `seed_row` while the rows themselves are on their way.
//!
//! In runs that are in the order of the table's key: its index then grows at its end, in half the time.

use std::io::{Cursor, Read, Seek, Write};

use tempfile::SpooledTempFile;

use super::stage::line;
use crate::engine::{EngineError, Result};

/// So many bytes are held in memory; then they go to a file without a name.
const RUN: usize = 8 << 20;

/// Lines that are put aside.
pub(super) struct Digests {
    run: Vec<Vec<u8>>,
    size: usize,
    earlier: SpooledTempFile,
}

impl Digests {
    pub(super) fn new() -> Self {
        Self { run: Vec::new(), size: 0, earlier: SpooledTempFile::new(0) }
    }

    /// Adds project, file, key and digest of a row.
    pub(super) fn add(&mut self, fields: [&str; 4]) -> Result<()> {
        let mut text = Vec::with_capacity(fields.iter().map(|field| field.len() + 2).sum());
        line(&mut text, fields.into_iter().map(Some));
        self.size += text.len();
        self.run.push(text);
        if self.size > RUN {
            let run = self.take_run();
            self.earlier.write_all(&run).map_err(put_aside)?;
        }
        Ok(())
    }

    /// Returns all lines.
    pub(super) fn read(mut self) -> Result<impl Read> {
        let last = self.take_run();
        self.earlier.rewind().map_err(put_aside)?;
        Ok(self.earlier.chain(Cursor::new(last)))
    }

    fn take_run(&mut self) -> Vec<u8> {
        self.run.sort_unstable();
        self.size = 0;
        std::mem::take(&mut self.run).concat()
    }
}

/// Makes an error of one with a temporary file.
pub(super) fn put_aside(source: std::io::Error) -> EngineError {
    EngineError::Io { path: std::env::temp_dir(), source }
}
