//! Streams a file into a temporary table of texts, with each row's line, key and digest.

use std::io::Write;

use super::table::{Table, head, refusal};
use super::{Stop, send};
use crate::engine::postgres::link::{Link, column, rows};
use crate::engine::postgres::quote::ident;
use crate::engine::rows::{Reader, Record};
use crate::engine::{EngineError, RowSeed};
use crate::event::{Event, Observer};

/// A file that is in the temporary table `pg_temp.dbbuild_seed`.
pub(super) struct Staged {
    pub(super) table: Table,
    pub(super) rows: u64,
}

/// So many bytes go out at a time.
const CHUNK: usize = 64 << 10;

/// Reads the file; what is wrong with it is refused with its line.
pub(super) fn stage(
    link: &mut Link,
    seed: &RowSeed,
    owner: Option<&str>,
    observer: &mut dyn Observer,
) -> Result<Staged, Stop> {
    let mut reader = Reader::of(seed)?;
    let Some(header) = reader.next().map_err(|error| error.refusal(seed))? else {
        let hint = "the first line names the columns".to_owned();
        return Err(refusal("seed/no-header", "the file is empty".to_owned(), head(seed), Some(hint)).into());
    };
    let table = Table::of(link, seed, header)?;
    let columns: String = (0..table.columns.len()).map(|index| format!(", c{index} text")).collect();
    let grant =
        owner.map_or_else(String::new, |role| format!("grant select on pg_temp.dbbuild_seed to {};\n", ident(role)));
    send(
        link,
        &format!(
            "drop table if exists pg_temp.dbbuild_seed;\n\
             create temporary table dbbuild_seed (line bigint, key text collate \"C\", digest text{columns}) on commit drop;\n\
             {grant}"
        ),
    )?;
    let mut trouble = None;
    let mut count = 0;
    let result = link.exchange(true, |client| {
        let mut writer = client.copy_in("copy pg_temp.dbbuild_seed from stdin")?;
        let mut buffer = Vec::with_capacity(CHUNK * 2);
        loop {
            match next_line(&mut reader, seed, &table, &mut buffer) {
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
    if let Some(error) = trouble {
        return Err(error.into());
    }
    result.map_err(|trouble| Stop::own(trouble, "reading the rows into a temporary table", ""))?;
    Ok(Staged { table, rows: count })
}

/// Adds the next record to the buffer, in COPY's text format; false at the end of the file.
fn next_line(
    reader: &mut Reader<'_>,
    seed: &RowSeed,
    table: &Table,
    buffer: &mut Vec<u8>,
) -> Result<bool, EngineError> {
    let Some(record) = reader.next().map_err(|error| error.refusal(seed))? else { return Ok(false) };
    let at = || record.place(&seed.file, record.len());
    if record.len() != table.columns.len() {
        let message = format!("the header has {} fields, this row has {}", table.columns.len(), record.len());
        return Err(refusal("seed/ragged-row", message, at(), None));
    }
    let null = seed.null.as_deref();
    let Some(key) = table.key_of(record, null) else {
        let message = format!("the key ({}) of this row is NULL", table.key_names().join(", "));
        return Err(refusal("seed/null-key", message, at(), None));
    };
    buffer.extend_from_slice(record.line.to_string().as_bytes());
    field(buffer, Some(&key));
    field(buffer, Some(&table.digest_of(record, null)));
    fields(buffer, record, null);
    buffer.push(b'\n');
    Ok(true)
}

fn fields(buffer: &mut Vec<u8>, record: &Record, null: Option<&str>) {
    for index in 0..record.len() {
        field(buffer, record.value(index, null));
    }
}

/// <https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2>
fn field(buffer: &mut Vec<u8>, value: Option<&str>) {
    buffer.push(b'\t');
    let Some(text) = value else {
        buffer.extend_from_slice(b"\\N");
        return;
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

/// Tells the server what the columns are like that statements join and filter by; the others are only passed on.
pub(super) fn analyze(link: &mut Link) -> Result<(), Stop> {
    send(link, "analyze pg_temp.dbbuild_seed (line, key)").map(|_| ())
}

/// Refuses a file in which two rows have one key.
pub(super) fn refuse_same_keys(link: &mut Link, seed: &RowSeed) -> Result<(), Stop> {
    let query = "select key, pg_catalog.min(line)::text as first, pg_catalog.max(line)::text as second \
                 from pg_temp.dbbuild_seed group by key having pg_catalog.count(*) > 1 order by pg_catalog.max(line) limit 1";
    let answers = send(link, query)?;
    let Some(row) = rows(&answers).next() else { return Ok(()) };
    let text = |name: &str| column(row, name).unwrap_or_default();
    let line: usize = text("second").parse().unwrap_or(1);
    let message = format!("two rows have one key {}: line {} and line {line}", text("key"), text("first"));
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
