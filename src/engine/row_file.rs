//! A table's rows as a dump writes them to a file, cut into cells, in a stream or all at once. Put together again
//! they are the file, byte by byte.

use std::io::BufRead;

/// What is the same for every row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowForm {
    /// The table as the dump names it.
    pub table: String,
    /// The columns as the dump names them.
    pub columns: Vec<String>,
    /// What stands before the rows.
    pub head: String,
    /// What stands before each row, between its cells and behind it.
    pub around: [String; 3],
}

/// What follows the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowPiece {
    /// A row's cells.
    Row(Vec<String>),
    /// What stands behind the rows: the last piece, also where it is empty.
    Tail(String),
}

/// A file of rows that is being read. `None` is a piece that no dump writes, or that cannot be read.
pub struct RowFile {
    /// What is the same for every row.
    pub form: RowForm,
    /// The rest of the file.
    pub pieces: Box<dyn Iterator<Item = Option<RowPiece>>>,
}

/// A whole file of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowText {
    /// What is the same for every row.
    pub form: RowForm,
    /// The rows' cells.
    pub rows: Vec<Vec<String>>,
    /// What stands behind the rows.
    pub tail: String,
}

impl RowForm {
    /// Returns a row's text.
    pub fn row(&self, cells: &[String]) -> String {
        let [before, between, behind] = &self.around;
        format!("{before}{}{behind}", cells.join(between))
    }
}

impl RowText {
    /// Reads a file to its end; nothing if no dump wrote it.
    pub fn read(file: RowFile) -> Option<Self> {
        let (form, mut rows) = (file.form, Vec::new());
        for piece in file.pieces {
            match piece? {
                RowPiece::Row(cells) => rows.push(cells),
                RowPiece::Tail(tail) => return Some(Self { form, rows, tail }),
            }
        }
        None
    }

    /// Returns the file's text.
    pub fn text(&self) -> String {
        let rows = self.rows.iter().map(|row| self.form.row(row));
        std::iter::once(self.form.head.clone()).chain(rows).chain([self.tail.clone()]).collect()
    }
}

/// Reads on to the end of a line; nothing at the end of the file, and nothing if the line is not UTF-8.
#[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code))]
pub(in crate::engine) fn line(file: &mut dyn BufRead) -> Option<String> {
    let mut line = String::new();
    file.read_line(&mut line).ok().filter(|length| *length > 0)?;
    Some(line)
}

/// Reads what is left of a file.
#[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code))]
pub(in crate::engine) fn rest(file: &mut dyn BufRead) -> Option<String> {
    let mut rest = String::new();
    file.read_to_string(&mut rest).ok()?;
    Some(rest)
}
