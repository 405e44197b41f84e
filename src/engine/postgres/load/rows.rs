//! Streams the files of the rows: the first line of each is the COPY statement, the last one is `\.`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postgres::Client;

use super::Way;
use super::statements::refused;
use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::dump::END;
use crate::engine::postgres::error::Trouble;
use crate::engine::{EngineError, Result, UnitFailure};
use crate::error::Place;
use crate::sql::{Dialect, Tokens};

/// How much goes out at a time.
const CHUNK: usize = 64 * 1024;

/// How often a long file tells where it is.
const TELL: Duration = Duration::from_secs(1);

/// A file of rows, opened and checked at both ends.
struct Rows {
    path: PathBuf,
    shown: String,
    /// The statement in front of the rows.
    copy: String,
    /// The table, as the statement names it.
    table: String,
    file: BufReader<File>,
    /// How many bytes of rows there are.
    length: u64,
}

/// Loads the rows of one table.
pub(super) fn send(way: &mut Way<'_>, path: &Path, shown: String, tell: &mut dyn FnMut(&str)) -> Result<()> {
    way.stop_if_wished()?;
    Rows::open(path, shown)?.send(way.client, way.connector, tell)
}

/// Puts the files into the order in which the database, as it is now, takes them.
pub(super) fn sorted(way: &mut Way<'_>, folder: &Path, shown: &str, names: Vec<String>) -> Result<Vec<String>> {
    let order = Order::read(way.client, way.connector)?;
    // A file is opened twice where an extension's tables want an order; a thousand open files would be too many.
    let tables = if order.is_empty() { BTreeMap::new() } else { tables(folder, &names, shown)? };
    Ok(order.sort(names, &tables))
}

/// Returns the files of the rows, by name.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let io = |source| EngineError::Io { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in folder.read_dir().map_err(io)? {
        let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".copy") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn tables(folder: &Path, names: &[String], shown: &str) -> Result<BTreeMap<String, String>> {
    let open = |name: &String| Rows::open(&folder.join(name), format!("{shown}/{name}"));
    names.iter().map(|name| Ok((open(name)?.table, name.clone()))).collect()
}

impl Rows {
    fn open(path: &Path, shown: String) -> Result<Self> {
        let io = |source| EngineError::Io { path: path.to_owned(), source };
        let mut file = BufReader::with_capacity(CHUNK, File::open(path).map_err(io)?);
        let mut copy = Vec::new();
        // A quoted name may hold a line break, so a line that closes no quote is not the end.
        while file.read_until(b'\n', &mut copy).map_err(io)? > 0 {
            if copy.iter().filter(|byte| **byte == b'"').count() % 2 == 0 {
                break;
            }
        }
        let place = |text: &str| Place { file: shown.clone(), line: 1, column: 1, text: text.to_owned(), width: 1 };
        let copy = String::from_utf8_lossy(&copy).into_owned();
        let statement = copy.strip_suffix(";\n").unwrap_or_default();
        let mut tokens = Tokens::of(statement, Dialect::Postgres);
        let table = tokens
            .eat_word("copy")
            .then(|| tokens.eat_name())
            .flatten()
            .map(|(_, span)| span.text(statement).to_owned());
        tokens.eat_parens();
        // Options would change what the rows mean.
        let is_whole = tokens.eat_words(&["from", "stdin"]) && tokens.next_text().is_empty();
        let Some(table) = table.filter(|_| is_whole) else {
            let line_ends = if copy.ends_with("\r\n") { CHANGED_LINES } else { "" };
            let message = format!("the first line is no `COPY table (columns) FROM stdin;`{line_ends}");
            return Err(refused("baseline/copy", message, place(copy.trim_end())));
        };
        let begin = copy.len() as u64;
        let end = file.get_ref().metadata().map_err(io)?.len();
        let mut last = Vec::new();
        file.seek(SeekFrom::Start(end.saturating_sub(END.len() as u64).max(begin))).map_err(io)?;
        file.read_to_end(&mut last).map_err(io)?;
        if last != END {
            let message = "the file does not end with a line `\\.`: it is not all there".to_owned();
            let message = if last.ends_with(b"\r\n") { format!("{message}{CHANGED_LINES}") } else { message };
            return Err(refused("baseline/copy", message, place(copy.trim_end())));
        }
        file.seek(SeekFrom::Start(begin)).map_err(io)?;
        let length = end - begin - END.len() as u64;
        Ok(Self { path: path.to_owned(), shown, copy: statement.to_owned(), table, file, length })
    }

    fn send(self, client: &mut Client, connector: &Connector, tell: &mut dyn FnMut(&str)) -> Result<()> {
        let io = |source| EngineError::Io { path: self.path.clone(), source };
        let failed = |error: &postgres::Error| failed(error, connector, &self.shown, &self.copy);
        let mut out = client.copy_in(&self.copy).map_err(|error| failed(&error))?;
        let mut rows = self.file.take(self.length);
        let (mut lines, mut sent, mut told) = (0, 0, Instant::now());
        loop {
            let chunk = rows.fill_buf().map_err(io)?;
            if chunk.is_empty() {
                break;
            }
            lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
            let length = chunk.len();
            out.write_all(chunk).map_err(|error| match error.downcast::<postgres::Error>() {
                Ok(error) => failed(&error),
                Err(error) => EngineError::Lost { target: connector.shown(), message: error.to_string() },
            })?;
            rows.consume(length);
            sent += length;
            if told.elapsed() > TELL {
                tell(&format!("{}, {} MB", self.shown, sent / 1_000_000));
                told = Instant::now();
            }
        }
        let loaded = out.finish().map_err(|error| failed(&error))?;
        if loaded != lines {
            // The server stops reading at a line `\.` and says nothing.
            let message = format!("the file has {lines} lines of rows, of which the server read {loaded}");
            let place = Place { file: self.shown.clone(), line: 1, column: 1, text: self.copy.clone(), width: 1 };
            return Err(refused("baseline/copy", message, place));
        }
        Ok(())
    }
}

const CHANGED_LINES: &str = "; its line ends were changed: put `baseline/** -text` into .gitattributes";

fn failed(error: &postgres::Error, connector: &Connector, shown: &str, copy: &str) -> EngineError {
    match Trouble::of(error, &connector.redactor) {
        Trouble::Answer(failure, _) => {
            // `COPY country, line 3, column code: "x"` counts from the line behind the statement.
            let context = failure.context.as_deref().unwrap_or_default();
            let row: Option<usize> = context
                .split_once(", line ")
                .and_then(|(_, rest)| rest.split(|other: char| !other.is_ascii_digit()).next()?.parse().ok());
            let line = row.map_or(1, |row| row + 1 + copy.matches('\n').count());
            let place = Place { file: shown.to_owned(), line, column: 1, text: String::new(), width: 1 };
            EngineError::Unit(Box::new(UnitFailure { unit: 0, failure: *failure, place: Some(place), kept: None }))
        }
        broken @ Trouble::Broken(_) => broken.own(shown, &connector.shown()),
    }
}

/// Which tables refer to which already, before the rows are there: those of extensions.
struct Order(Vec<(String, String)>);

impl Order {
    fn read(client: &mut Client, connector: &Connector) -> Result<Self> {
        let rows = client
            .query(
                "select format('%I.%I', n.nspname, c.relname), format('%I.%I', rn.nspname, r.relname)
                 from pg_catalog.pg_constraint k
                 join pg_catalog.pg_class c on c.oid = k.conrelid
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                 join pg_catalog.pg_class r on r.oid = k.confrelid
                 join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
                 where k.contype = 'f' and k.conrelid <> k.confrelid",
                &[],
            )
            .map_err(super::own(connector, "reading foreign keys"))?;
        Ok(Self(rows.iter().map(|row| (row.get(0), row.get(1))).collect()))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts each file behind those that it refers to; `tables` leads from a table to its file.
    fn sort(&self, mut names: Vec<String>, tables: &BTreeMap<String, String>) -> Vec<String> {
        let mut sorted: Vec<String> = Vec::with_capacity(names.len());
        let needs = |name: &String, waiting: &BTreeSet<String>| {
            let of = |table: &String| tables.get(table);
            self.0.iter().any(|(from, to)| of(from) == Some(name) && of(to).is_some_and(|file| waiting.contains(file)))
        };
        while !names.is_empty() && !self.is_empty() {
            let waiting: BTreeSet<String> = names.iter().cloned().collect();
            let (later, now): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| needs(name, &waiting));
            names = later;
            if now.is_empty() {
                break;
            }
            sorted.extend(now);
        }
        sorted.extend(names);
        sorted
    }
}
