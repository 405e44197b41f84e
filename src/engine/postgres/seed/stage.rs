//! Streams a file into a temporary table of texts, with each row's line, key and digest.

use std::io::Write;

use super::table::{Table, head, refusal};
use super::{Stop, send};
use crate::engine::postgres::error::Trouble;
use crate::engine::postgres::link::{Link, column, rows};
use crate::engine::postgres::quote::ident;
use crate::engine::rows::{Reader, Record};
use crate::engine::{EngineError, RowSeed};
use crate::event::{Event, Observer};

/// So many bytes go out at a time.
const CHUNK: usize = 64 << 10;

/// Reads the file into `pg_temp.dbbuild_seed`; what is wrong with it is refused with its line. Returns how many rows
/// it has.
pub(super) fn stage(
    link: &mut Link,
    seed: &RowSeed,
    table: &Table,
    owner: Option<&str>,
    observer: &mut dyn Observer,
) -> Result<u64, Stop> {
    let columns: String = (0..table.columns.len()).map(|index| format!(", c{index} text")).collect();
    let grant =
        owner.map_or_else(String::new, |role| format!("grant select on pg_temp.dbbuild_seed to {};\n", ident(role)));
    send(
        link,
        &format!(
            "set local role none;\n\
             drop table if exists pg_temp.dbbuild_seed;\n\
             create temporary table dbbuild_seed (line bigint, key text collate \"C\", digest text{columns}) on commit drop;\n\
             {grant}"
        ),
    )?;
    let null = seed.null.as_deref();
    let mut reader = rows_of(seed)?;
    let count = copy(link, "pg_temp.dbbuild_seed", seed, observer, |buffer| {
        let Some((record, key)) = next_row(&mut reader, seed, table)? else { return Ok(false) };
        let digest = table.digest_of(record, null);
        let own = [record.line.to_string(), key, digest];
        line(buffer, own.iter().map(|field| Some(field.as_str())).chain(record.values(null)));
        Ok(true)
    })?;
    count.map_err(|trouble| Stop::own(trouble, "reading the rows into a temporary table", ""))
}

/// Reads the table that a file names, with the columns of its header.
pub(super) fn table_of(link: &mut Link, seed: &RowSeed) -> Result<Table, Stop> {
    let mut reader = Reader::of(seed)?;
    let Some(header) = reader.next().map_err(|error| error.refusal(seed))? else {
        let hint = "the first line names the columns".to_owned();
        return Err(refusal("seed/no-header", "the file is empty".to_owned(), head(seed), Some(hint)).into());
    };
    Ok(Table::of(link, seed, header)?)
}

/// Opens a file behind its header.
pub(super) fn rows_of(seed: &RowSeed) -> Result<Reader<'_>, Stop> {
    let mut reader = Reader::of(seed)?;
    reader.next().map_err(|error| error.refusal(seed))?;
    Ok(reader)
}

/// Reads the next record and its key.
pub(super) fn next_row<'r>(
    reader: &'r mut Reader<'_>,
    seed: &RowSeed,
    table: &Table,
) -> Result<Option<(&'r Record, String)>, EngineError> {
    let Some(record) = reader.next().map_err(|error| error.refusal(seed))? else { return Ok(None) };
    let at = || record.place(&seed.file, record.len());
    if record.len() != table.columns.len() {
        let message = format!("the header has {} fields, this row has {}", table.columns.len(), record.len());
        return Err(refusal("seed/ragged-row", message, at(), None));
    }
    let Some(key) = table.key_of(record, seed.null.as_deref()) else {
        let message = format!("the key ({}) of this row is NULL", table.key_names().join(", "));
        return Err(refusal("seed/null-key", message, at(), None));
    };
    Ok(Some((record, key)))
}

/// Streams lines into a table (`name`, or `name (columns)`) until `next` adds none. Returns how many the server took,
/// or its answer; an error is one of `next`.
pub(super) fn copy(
    link: &mut Link,
    table: &str,
    seed: &RowSeed,
    observer: &mut dyn Observer,
    mut next: impl FnMut(&mut Vec<u8>) -> Result<bool, EngineError>,
) -> Result<Result<u64, Trouble>, EngineError> {
    let mut trouble = None;
    let result = link.exchange(true, |client| {
        let mut writer = client.copy_in(&format!("copy {table} from stdin"))?;
        let mut buffer = Vec::with_capacity(CHUNK * 2);
        let mut count = 0;
        loop {
            match next(&mut buffer) {
                Ok(true) => count += 1,
                Ok(false) => break,
                // The COPY ends in order, so that the connection stays in step; the transaction does not commit.
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
            if buffer.len() >= CHUNK {
                // What made the server stop listening comes with `finish`.
                if writer.write_all(&buffer).is_err() {
                    break;
                }
                buffer.clear();
                if count % 100_000 < 1_000 && count > 100_000 {
                    let message = format!("{count} rows read");
                    observer.event(Event::Progress { name: seed.entry.name.clone(), message, done: None });
                }
            }
        }
        writer.write_all(&buffer).ok();
        writer.finish()
    });
    trouble.map_or(Ok(result), Err)
}

/// Adds a line in COPY's text format.
/// <https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2>
pub(super) fn line<'v>(buffer: &mut Vec<u8>, values: impl Iterator<Item = Option<&'v str>>) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            buffer.push(b'\t');
        }
        let Some(text) = value else {
            buffer.extend_from_slice(b"\\N");
            continue;
        };
        for byte in text.bytes() {
            match byte {
                b'\\' => buffer.extend_from_slice(b"\\\\"),
                b'\t' => buffer.extend_from_slice(b"\\t"),
                b'\n' => buffer.extend_from_slice(b"\\n"),
                b'\r' => buffer.extend_from_slice(b"\\r"),
                other => buffer.push(other),
            }
        }
    }
    buffer.push(b'\n');
}

/// Tells the server what the columns are like that statements join and filter by; the others are only passed on.
pub(super) fn analyze(link: &mut Link) -> Result<(), Stop> {
    send(link, "analyze pg_temp.dbbuild_seed (line, key)").map(|_| ())
}

/// Refuses a file in which two rows have one key.
pub(super) fn refuse_same_keys(link: &mut Link, seed: &RowSeed, table: &Table) -> Result<(), Stop> {
    let query = "select pg_catalog.min(line)::text as first, pg_catalog.max(line)::text as second \
                 from pg_temp.dbbuild_seed group by key having pg_catalog.count(*) > 1 order by pg_catalog.max(line) limit 1";
    let answers = send(link, query)?;
    let Some(row) = rows(&answers).next() else { return Ok(()) };
    let text = |name: &str| column(row, name).unwrap_or_default();
    let line: usize = text("second").parse().unwrap_or(1);
    let message =
        format!("two rows have one key ({}): line {} and line {line}", table.key_names().join(", "), text("first"));
    Err(refusal("seed/key-twice", message, line_of(seed, line), None).into())
}

/// Returns the place of the record that begins on a line.
pub(super) fn line_of(seed: &RowSeed, line: usize) -> crate::error::Place {
    let Ok(mut reader) = Reader::of(seed) else { return head(seed) };
    while let Ok(Some(record)) = reader.next() {
        if record.line == line {
            return record.place(&seed.file, record.len());
        }
    }
    crate::error::Place { line, ..head(seed) }
}
