//! The baseline's form: `schema.sql` and `data/<table>.sql`, the same bytes for the same content.
//!
//! Promises: what is loaded from it is what was dumped, value by value and type by type; what cannot be read back
//! is refused by name. Left out are dbbuild's own tables, statistics, the shadows of virtual tables, and numbers
//! of rows that no column holds.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::database::Database;
use super::error::{doing, interrupted};
use super::inspect::MAJOR;
use super::names::quote;
use crate::engine::dump::{DumpPart, DumpWish, JOURNALS};
use crate::engine::{DumpInfo, EngineError, Result};
use crate::event::{Event, Observer};
use crate::sql::{Dialect, Lexer, TokenKind};

pub(super) mod catalog;
mod cells;
mod literal;
mod virtual_table;

pub(super) use cells::cells;

use catalog::{Catalog, Table};
use literal::Writer;
use virtual_table::Content;

/// The first line of each file.
const HEAD: &str = "-- Written by dbbuild. Not to be edited.\n";

/// Writes a database into an empty folder.
pub(super) fn dump(
    connection: &Connection,
    database: &Database,
    wish: &DumpWish,
    folder: &Path,
    observer: &mut dyn Observer,
) -> Result<DumpInfo> {
    if let Some(schema) = &wish.schema {
        return Err(EngineError::Refused {
            code: "dump/schema",
            message: format!("SQLite has no schemas, and so none called {schema}"),
            place: None,
            hint: Some("leave `--schema` out".into()),
        });
    }
    connection.execute_batch("begin").map_err(doing("beginning to read"))?;
    let written = write(connection, database, wish, folder, observer);
    connection.execute_batch("commit").map_err(doing("ending to read"))?;
    written.map(|()| DumpInfo { server_major: MAJOR, dump_major: None })
}

fn write(
    connection: &Connection,
    database: &Database,
    wish: &DumpWish,
    folder: &Path,
    observer: &mut dyn Observer,
) -> Result<()> {
    let known = doing("reading the schema");
    let encoding: String = connection.query_row("pragma encoding", [], |row| row.get(0)).map_err(&known)?;
    if encoding != "UTF-8" {
        return Err(refused(
            "baseline/encoding",
            format!("the database's encoding is {encoding}; only UTF-8 can be dumped"),
        ));
    }
    let without = if wish.without_journals { JOURNALS } else { &[] };
    let catalog = catalog::read_without(connection, &database.names, without).map_err(&known)?;
    if wish.part != DumpPart::Rows {
        let mut schema = Output::create(folder.join("schema.sql"))?;
        schema.write(&pragmas(connection)?)?;
        definitions(&catalog, &mut schema)?;
        schema.finish()?;
    }
    if wish.part == DumpPart::Schema {
        return Ok(());
    }
    let data = folder.join("data");
    std::fs::create_dir_all(&data).map_err(|source| EngineError::Io { path: data.clone(), source })?;
    for (at, table) in catalog.tables.iter().enumerate() {
        if database.interrupt.is_raised() {
            return Err(interrupted());
        }
        let done = Some((at as u64, catalog.tables.len() as u64));
        observer.event(Event::Progress { name: "dump".to_owned(), message: table.name.clone(), done });
        rows(connection, table, data.join(table.file_name()))?;
    }
    Ok(())
}

fn pragmas(connection: &Connection) -> Result<String> {
    let mut sql = String::new();
    for name in ["application_id", "user_version"] {
        let value: i64 = connection
            .query_row(&format!("pragma {name}"), [], |row| row.get(0))
            .map_err(doing("reading the schema"))?;
        if value != 0 {
            sql.push_str(&format!("\nPRAGMA {name} = {value};\n"));
        }
    }
    Ok(sql)
}

fn definitions(catalog: &Catalog, schema: &mut Output) -> Result<()> {
    let tables = catalog.tables.iter().map(|table| &table.sql);
    for sql in tables.chain(&catalog.others) {
        // SQLite keeps comments, and one that ends the definition would swallow the semicolon.
        let last = Lexer::new(sql, Dialect::Sqlite).map_while(std::result::Result::ok).last();
        let end = if last.is_some_and(|token| token.kind == TokenKind::LineComment) { "\n;\n" } else { ";\n" };
        schema.write(&format!("\n{sql}{end}"))?;
    }
    Ok(())
}

/// Writes a table's rows, and nothing at all if there is nothing to say.
fn rows(connection: &Connection, table: &Table, path: PathBuf) -> Result<()> {
    let content = match &table.module {
        None => None,
        Some(module) => Some(virtual_table::content(connection, table, module)?),
    };
    let mut output = Output::later(path);
    let name = quote(&table.name);
    if table.module.as_deref() == Some("fts5") {
        for setting in virtual_table::settings(connection, table)? {
            output.write(&setting)?;
        }
    }
    match content {
        Some(Content::None) => {}
        Some(Content::Rebuild) => output.write(&format!("INSERT INTO {name} ({name}) VALUES ('rebuild');\n"))?,
        Some(Content::Rows) => inserts(connection, table, Some("rowid"), "rowid", &mut output)?,
        Some(Content::RowsWithId) => {
            let id = table.columns.first().map(|name| quote(name)).unwrap_or_default();
            inserts(connection, table, None, &id, &mut output)?;
        }
        None => {
            inserts(connection, table, None, &table.order(), &mut output)?;
            output.write(&sequence(connection, table)?)?;
        }
    }
    output.finish()
}

fn inserts(
    connection: &Connection,
    table: &Table,
    rowid: Option<&str>,
    order: &str,
    output: &mut Output,
) -> Result<()> {
    let known = doing("reading rows");
    let name = quote(&table.name);
    let columns: Vec<String> =
        rowid.map(str::to_owned).into_iter().chain(table.columns.iter().map(|name| quote(name))).collect();
    let columns = columns.join(", ");
    let sql = format!("select {columns} from {name} order by {order}");
    let mut statement = connection.prepare(&sql).map_err(&known)?;
    let count = statement.column_count();
    let mut rows = statement.query([]).map_err(&known)?;
    let writer = Writer::new(connection);
    let head = format!("INSERT INTO {name} ({columns}) VALUES (");
    let mut line = String::new();
    while let Some(row) = rows.next().map_err(&known)? {
        line.clear();
        line.push_str(&head);
        for index in 0..count {
            if index > 0 {
                line.push_str(", ");
            }
            let value = row.get_ref(index).map_err(&known)?;
            if !writer.write(value, &mut line).map_err(&known)? {
                let message =
                    format!("a number in {} has no text that SQLite reads back as the same number", table.name);
                return Err(refused("baseline/number", message));
            }
        }
        line.push_str(");\n");
        output.write(&line)?;
    }
    Ok(())
}

/// Returns what sets the counter of an AUTOINCREMENT table, which remembers rows that are gone.
fn sequence(connection: &Connection, table: &Table) -> Result<String> {
    let known = doing("reading the counters");
    let there = "select exists (select 1 from sqlite_schema where name = 'sqlite_sequence')";
    if !connection.query_row(there, [], |row| row.get::<_, bool>(0)).map_err(&known)? {
        return Ok(String::new());
    }
    let sql = "select quote(seq) from sqlite_sequence where name = ?1";
    let seq: Option<String> = connection.query_row(sql, [&table.name], |row| row.get(0)).optional().map_err(&known)?;
    let name = table.name.replace('\'', "''");
    Ok(seq.map_or_else(String::new, |seq| {
        format!(
            "DELETE FROM sqlite_sequence WHERE name = '{name}';\n\
             INSERT INTO sqlite_sequence (name, seq) VALUES ('{name}', {seq});\n"
        )
    }))
}

/// Makes a refusal of something that cannot be dumped.
fn refused(code: &'static str, message: String) -> EngineError {
    EngineError::Refused { code, message, place: None, hint: None }
}

/// A file that is created when the first byte is written.
struct Output {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Output {
    fn later(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    fn create(path: PathBuf) -> Result<Self> {
        let mut output = Self::later(path);
        output.put(HEAD)?;
        Ok(output)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if self.file.is_none() {
            self.put(HEAD)?;
        }
        self.put(text)
    }

    fn put(&mut self, text: &str) -> Result<()> {
        let io = |source| EngineError::Io { path: self.path.clone(), source };
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(File::create(&self.path).map_err(io)?)),
        };
        file.write_all(text.as_bytes()).map_err(io)
    }

    fn finish(mut self) -> Result<()> {
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        flushed.map_err(|source| EngineError::Io { path: self.path.clone(), source })
    }
}
