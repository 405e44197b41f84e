//! A table's file of rows as cells: tabs part them, and a tab within a value is written `\\t`.

use std::io::BufRead;

use super::END;
use crate::engine::dump::split_list;
use crate::engine::row_file::{RowFile, RowForm, RowPiece, line, rest};

/// What stands between the columns and the rows.
const FROM: &str = " FROM stdin;\n";

/// A head is not longer: a table has at most 1,600 columns, with names of at most 63 bytes.
const LONGEST_HEAD: usize = 1 << 20;

/// Begins to read a file of rows; nothing if it does not begin as `rows::write` writes it.
pub(in crate::engine::postgres) fn cells(mut file: Box<dyn BufRead>) -> Option<RowFile> {
    let mut head = String::new();
    // A name may hold a new line.
    while !head.ends_with(FROM) {
        head += &line(&mut *file).filter(|_| head.len() < LONGEST_HEAD)?;
    }
    let (table, columns) = head.strip_suffix(FROM)?.strip_prefix("COPY ")?.split_once(" (")?;
    let columns: Vec<String> = split_list(columns.strip_suffix(')')?).into_iter().map(str::to_owned).collect();
    let mut lines = Lines { file, width: columns.len() };
    let around = [String::new(), "\t".to_owned(), "\n".to_owned()];
    let form = RowForm { table: table.to_owned(), columns, head, around };
    Some(RowFile { form, pieces: Box::new(std::iter::from_fn(move || Some(lines.piece()))) })
}

/// The lines behind the head.
struct Lines {
    file: Box<dyn BufRead>,
    /// How many cells a row has.
    width: usize,
}

impl Lines {
    fn piece(&mut self) -> Option<RowPiece> {
        let line = line(&mut *self.file)?;
        if line.as_bytes() == END {
            return rest(&mut *self.file).filter(String::is_empty).map(|_| RowPiece::Tail(line));
        }
        let cells: Vec<String> = line.strip_suffix('\n')?.split('\t').map(str::to_owned).collect();
        (cells.len() == self.width).then_some(RowPiece::Row(cells))
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
        let text = "COPY public.\"a\n b\" (id, \"x, y\") FROM stdin;\n1\tit\\ts\n2\t\\N\n\\.\n";
        let rows = read(text).unwrap();
        assert_eq!(rows.text(), text);
        assert_eq!(rows.form.columns, ["id", "\"x, y\""]);
        assert_eq!(rows.rows, [["1", "it\\ts"], ["2", "\\N"]]);
    }

    #[test]
    fn what_a_merge_left_is_not_cut() {
        for text in [
            "COPY a (id) FROM stdin;\n<<<<<<< HEAD\n1\t2\n\\.\n",
            "COPY a (id) FROM stdin;\n1\n",
            "COPY a (id) FROM stdin;\n1\n\\.\n2\n",
            "COPY a (id)\n",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
