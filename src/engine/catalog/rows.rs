//! Rows as text, for comparing what seeds and scripts put into tables.

use crate::sql::Name;

/// A row's values as text, in the order of the columns; `None` is NULL.
pub type Row = Vec<Option<String>>;

/// Rows of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows {
    /// The table.
    pub table: Name,
    /// The columns' names as the engine has them, those of the key first.
    pub columns: Vec<String>,
    /// The columns' types, as a cast would name them.
    pub types: Vec<String>,
    /// How many of the columns are the key. Without a key it is all of them.
    pub key: usize,
    /// The rows.
    pub rows: Vec<Row>,
}
