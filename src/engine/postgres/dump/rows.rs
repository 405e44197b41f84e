//! A table's rows as a file: a line with the COPY statement, the rows as the server writes them, a line `\.`.
//! It can be read as a stream, compared line by line, and the server takes its rows as they are.

use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use postgres::Client;

use super::tables::Table;
use crate::engine::postgres::connect::Connector;
use crate::engine::{EngineError, Result};

/// What follows the rows.
pub(in crate::engine::postgres) const END: &[u8] = b"\\.\n";

/// How often a long table tells where it is.
const TELL: Duration = Duration::from_secs(1);

/// Writes a table's rows into the folder; an empty table gets no file.
pub(super) fn write(
    client: &mut Client,
    connector: &Connector,
    table: &Table,
    folder: &Path,
    tell: &mut dyn FnMut(String),
) -> Result<()> {
    let doing = format!("reading {}", table.name);
    let copy = format!("copy ({}) to stdout", table.query);
    let mut rows = client.copy_out(&copy).map_err(super::own(connector, &doing))?;
    let path = folder.join(&table.file);
    let io = |source| EngineError::Io { path: path.clone(), source };
    let mut file: Option<BufWriter<File>> = None;
    let (mut written, mut told) = (0, Instant::now());
    loop {
        let bytes = rows.fill_buf().map_err(|error| match error.downcast::<postgres::Error>() {
            Ok(error) => super::own(connector, &doing)(error),
            Err(error) => EngineError::Lost { target: connector.shown(), message: error.to_string() },
        })?;
        if bytes.is_empty() {
            break;
        }
        let out = match &mut file {
            Some(out) => out,
            none => {
                std::fs::create_dir_all(folder).map_err(io)?;
                let mut out = BufWriter::new(File::create(&path).map_err(io)?);
                writeln!(out, "COPY {}{} FROM stdin;", table.name, table.columns).map_err(io)?;
                none.insert(out)
            }
        };
        out.write_all(bytes).map_err(io)?;
        let length = bytes.len();
        rows.consume(length);
        written += length;
        if told.elapsed() > TELL {
            tell(format!("{}, {} MB", table.name, written / 1_000_000));
            told = Instant::now();
        }
    }
    let Some(mut out) = file else { return Ok(()) };
    out.write_all(END).and_then(|()| out.flush()).map_err(io)
}
