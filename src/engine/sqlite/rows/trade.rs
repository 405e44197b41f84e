//! Rows that trade a unique value: one cannot be written while the other still has it, whichever goes first. They are
//! put aside, all that change, and put back as the file has them; columns that the file does not name keep their values.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::references;
use super::table::Table;
use crate::engine::rows::Record;
use crate::engine::sqlite::error::doing;
use crate::engine::sqlite::names::quote;
use crate::engine::{EngineError, Result, RowSeed};

/// Rows that were put aside.
pub(super) struct Aside<'a> {
    connection: &'a Connection,
    seed: &'a RowSeed,
    table: &'a Table,
    /// The columns that take values, the file's and others.
    names: Vec<String>,
    /// For each column of the file its place among those.
    places: Vec<usize>,
    rows: Vec<Vec<Value>>,
}

impl<'a> Aside<'a> {
    pub fn new(connection: &'a Connection, seed: &'a RowSeed, table: &'a Table) -> Result<Self> {
        let reading = doing("reading the table's columns");
        let sql = "select name from pragma_table_xinfo(?1) where hidden = 0";
        let mut statement = connection.prepare(sql).map_err(&reading)?;
        let names = statement.query_map([&table.name], |row| row.get(0)).map_err(&reading)?;
        let names: Vec<String> = names.collect::<rusqlite::Result<_>>().map_err(&reading)?;
        let place = |name: &String| names.iter().position(|known| known == name);
        let places = table.columns.iter().filter_map(|column| place(&column.name)).collect();
        Ok(Self { connection, seed, table, names, places, rows: Vec::new() })
    }

    /// Puts a row aside if the file has other values for it.
    pub fn put(&mut self, record: &Record) -> Result<()> {
        let moving = doing("putting a row aside");
        let width = self.table.key.len();
        let names: Vec<String> = self.names.iter().map(|name| quote(name)).collect();
        let differs = self.table.columns.iter().enumerate();
        let differs = differs.map(|(index, column)| format!("{} is not ?{}", quote(&column.name), width + index + 1));
        let sql = format!(
            "select {} from {} where {} and ({})",
            names.join(", "),
            self.table.sql,
            self.table.key_matches(),
            differs.collect::<Vec<_>>().join(" or ")
        );
        let key = || self.table.key.iter().map(|index| self.table.value(record, *index));
        let values = || (0..self.table.columns.len()).map(|index| self.table.value(record, index));
        let mut statement = self.connection.prepare(&sql).map_err(&moving)?;
        let row = statement.query_row(rusqlite::params_from_iter(key().chain(values())), |row| {
            (0..self.names.len()).map(|index| row.get(index)).collect::<rusqlite::Result<Vec<Value>>>()
        });
        let mut row = match row {
            Ok(row) => row,
            Err(rusqlite::Error::QueryReturnedNoRows) => return Ok(()),
            Err(error) => return Err(moving(error)),
        };
        let whose: Vec<Value> =
            key().map(|part| part.map_or(Value::Null, |part| Value::Text(part.to_owned()))).collect();
        references::refuse_if_taken_along(self.connection, self.seed, self.table, &whose)?;
        let sql = format!("delete from {} where {}", self.table.sql, self.table.key_matches());
        let mut statement = self.connection.prepare(&sql).map_err(&moving)?;
        statement.execute(rusqlite::params_from_iter(key())).map_err(&moving)?;
        for (place, value) in self.places.iter().zip(values()) {
            if let Some(cell) = row.get_mut(*place) {
                *cell = value.map_or(Value::Null, |value| Value::Text(value.to_owned()));
            }
        }
        self.rows.push(row);
        Ok(())
    }

    /// Puts the rows back, with the file's values. Returns how many they are.
    pub fn put_back(self) -> std::result::Result<u64, rusqlite::Error> {
        let names: Vec<String> = self.names.iter().map(|name| quote(name)).collect();
        let values: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
        let sql = format!("insert into {} ({}) values ({})", self.table.sql, names.join(", "), values.join(", "));
        let mut statement = self.connection.prepare(&sql)?;
        for row in &self.rows {
            statement.execute(rusqlite::params_from_iter(row))?;
        }
        Ok(self.rows.len() as u64)
    }
}

/// Returns true if a row was not written because another one has a value of it.
pub(super) fn is_taken(error: &EngineError) -> bool {
    matches!(error, EngineError::Unit(failure) if failure.failure.code == "SQLITE_CONSTRAINT_UNIQUE")
}
