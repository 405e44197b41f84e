//! A table's file of rows as cells: what `inserts` wrote, read again.

use std::io::BufRead;

use crate::engine::dump::split_list;
use crate::engine::row_file::{RowFile, RowForm, RowPiece, line, rest};

/// What stands between a row's columns and its values.
const VALUES: &str = ") VALUES (";

/// Begins to read a file of rows; nothing if it does not begin with comments and an `INSERT`.
pub(in crate::engine::sqlite) fn cells(mut file: Box<dyn BufRead>) -> Option<RowFile> {
    let mut head = String::new();
    let first = loop {
        let line = line(&mut *file)?;
        if !line.starts_with("--") {
            break statement(line, &mut *file)?;
        }
        head += &line;
    };
    let form = form(head, &first)?;
    let mut rows = Rows { file, form: form.clone(), next: Some(first) };
    Some(RowFile { form, pieces: Box::new(std::iter::from_fn(move || Some(rows.piece()))) })
}

/// Reads on to the end of a statement: a `;` at the end of a line, outside of quotes.
fn statement(mut text: String, file: &mut dyn BufRead) -> Option<String> {
    let mut quote = None;
    let mut from = 0;
    loop {
        for byte in text.bytes().skip(from) {
            match quote {
                Some(open) if byte == open => quote = None,
                None if matches!(byte, b'\'' | b'"') => quote = Some(byte),
                _ => {}
            }
        }
        if quote.is_none() && text.ends_with(";\n") {
            return Some(text);
        }
        from = text.len();
        text += &line(file)?;
    }
}

/// Reads what every row of the file begins with: `INSERT INTO "t" ("a", "b") VALUES (`.
fn form(head: String, insert: &str) -> Option<RowForm> {
    // A name may hold it too, but then the columns do not fit and nothing is cut.
    let at = insert.find(VALUES)?;
    let before = insert.get(..at + VALUES.len())?;
    let (table, columns) = insert.get(..at)?.strip_prefix("INSERT INTO ")?.split_once(" (")?;
    Some(RowForm {
        table: table.trim_matches('"').to_owned(),
        columns: split_list(columns).into_iter().map(|column| column.trim_matches('"').to_owned()).collect(),
        head,
        around: [before.to_owned(), ", ".to_owned(), ");\n".to_owned()],
    })
}

/// The statements behind the head.
struct Rows {
    file: Box<dyn BufRead>,
    form: RowForm,
    /// The first statement, which was read to learn the form.
    next: Option<String>,
}

impl Rows {
    fn piece(&mut self) -> Option<RowPiece> {
        let text = match self.next.take() {
            Some(first) => first,
            None => match line(&mut *self.file) {
                Some(line) => statement(line, &mut *self.file)?,
                None => return Some(RowPiece::Tail(String::new())),
            },
        };
        let [before, _, behind] = &self.form.around;
        let Some(values) = text.strip_prefix(before.as_str()) else {
            // The counter stands behind the rows, and nothing stands behind it.
            return rest(&mut *self.file).map(|rest| RowPiece::Tail(text + &rest));
        };
        let values = split_list(values.strip_suffix(behind.as_str())?);
        let cells: Vec<String> = values.into_iter().map(str::to_owned).collect();
        (cells.len() == self.form.columns.len() && self.form.row(&cells) == text).then_some(RowPiece::Row(cells))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::RowText;

    fn read(text: &str) -> Option<RowText> {
        RowText::read(cells(Box::new(std::io::Cursor::new(text.to_owned())))?)
    }

    #[test]
    fn a_file_is_cut_and_put_together_again() {
        let text = "-- head\nINSERT INTO \"a b\" (\"id\", \"x\") VALUES (1, 'it''s, (so);\nit)');\n\
                    INSERT INTO \"a b\" (\"id\", \"x\") VALUES (2, CAST(X'0D' AS TEXT));\n\
                    DELETE FROM sqlite_sequence WHERE name = 'a b';\n\
                    INSERT INTO sqlite_sequence (name, seq) VALUES ('a b', 2);\n";
        let rows = read(text).unwrap();
        assert_eq!(rows.form.table, "a b");
        assert_eq!(rows.form.columns, ["id", "x"]);
        assert_eq!(rows.rows[0], ["1", "'it''s, (so);\nit)'"]);
        assert_eq!(rows.rows[1], ["2", "CAST(X'0D' AS TEXT)"]);
        assert_eq!(rows.text(), text);
    }

    #[test]
    fn what_a_merge_left_is_not_cut() {
        for text in [
            "<<<<<<< HEAD\nINSERT INTO \"a\" (\"id\") VALUES (1);\n",
            "-- head\n",
            "INSERT INTO \"a\" (\"id\") VALUES (1);\nINSERT INTO \"a\" (\"id\") VALUES ('1);\n",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
