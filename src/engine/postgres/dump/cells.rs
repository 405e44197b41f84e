//! A table's file of rows as cells: tabs part them, and a tab within a value is written `\\t`.

use super::END;
use crate::engine::dump::{RowText, split_list};

/// Cuts a file of rows; nothing if it is not as `rows::write` writes it.
pub(in crate::engine::postgres) fn cells(text: &str) -> Option<RowText> {
    let end = std::str::from_utf8(END).ok()?;
    let (copy, rest) = text.split_once(" FROM stdin;\n")?;
    let (table, columns) = copy.strip_prefix("COPY ")?.split_once(" (")?;
    let columns: Vec<String> = split_list(columns.strip_suffix(')')?).into_iter().map(str::to_owned).collect();
    let lines = rest.strip_suffix(end)?;
    let rows: Vec<Vec<String>> = lines.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    if rows.iter().any(|row| row.len() != columns.len()) {
        return None;
    }
    Some(RowText {
        table: table.to_owned(),
        columns,
        head: format!("{copy} FROM stdin;\n"),
        around: [String::new(), "\t".to_owned(), "\n".to_owned()],
        rows,
        tail: end.to_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::cells;

    #[test]
    fn a_file_is_cut_and_put_together_again() {
        let text = "COPY public.\"a b\" (id, \"x, y\") FROM stdin;\n1\tit\\ts\n2\t\\N\n\\.\n";
        let rows = cells(text).unwrap();
        assert_eq!(rows.text(), text);
        assert_eq!(rows.columns, ["id", "\"x, y\""]);
        assert_eq!(rows.rows, [["1", "it\\ts"], ["2", "\\N"]]);
    }

    #[test]
    fn what_a_merge_left_is_not_cut() {
        assert_eq!(cells("COPY a (id) FROM stdin;\n<<<<<<< HEAD\n1\t2\n\\.\n"), None);
    }
}
