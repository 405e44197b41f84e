//! A table's file of rows as cells: what `inserts` wrote, read again.

use crate::engine::dump::{RowText, split_list};
use crate::sql::{Dialect, Statements};

/// Cuts a file of rows; nothing if its statements are not all of one form, or counters of the table behind them.
pub(in crate::engine::sqlite) fn cells(text: &str) -> Option<RowText> {
    let mut cut: Option<RowText> = None;
    let mut end = 0;
    for statement in Statements::new(text, Dialect::Sqlite) {
        let statement = statement.ok()?;
        let span = statement.span;
        let insert = statement.text(text).trim_end_matches(';');
        let rows = match &mut cut {
            None => cut.insert(begin(text.get(..span.start)?, insert)?),
            Some(rows) => rows,
        };
        let Some(values) = insert.strip_prefix(rows.around[0].as_str()).and_then(|rest| rest.strip_suffix(')')) else {
            // The counter stands behind the rows, and nothing stands behind it.
            break;
        };
        let values: Vec<String> = split_list(values).into_iter().map(str::to_owned).collect();
        if values.len() != rows.columns.len() {
            return None;
        }
        rows.rows.push(values);
        end = span.end;
    }
    let mut rows = cut?;
    let tail = text.get(end..)?;
    let tail = tail.strip_prefix(';').unwrap_or(tail);
    tail.strip_prefix('\n')?.clone_into(&mut rows.tail);
    Some(rows)
}

/// Reads what every row of the file begins with: `INSERT INTO "t" ("a", "b") VALUES (`.
fn begin(head: &str, insert: &str) -> Option<RowText> {
    const VALUES: &str = ") VALUES (";
    // A name may hold it too, but then the columns do not fit and nothing is cut.
    let at = insert.find(VALUES)?;
    let before = insert.get(..at + VALUES.len())?;
    let (table, columns) = insert.get(..at)?.strip_prefix("INSERT INTO ")?.split_once(" (")?;
    Some(RowText {
        table: table.trim_matches('"').to_owned(),
        columns: split_list(columns).into_iter().map(|column| column.trim_matches('"').to_owned()).collect(),
        head: head.to_owned(),
        around: [before.to_owned(), ", ".to_owned(), ");\n".to_owned()],
        rows: Vec::new(),
        tail: String::new(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::cells;

    #[test]
    fn a_file_is_cut_and_put_together_again() {
        let text = "-- head\nINSERT INTO \"a b\" (\"id\", \"x\") VALUES (1, 'it''s, (so\nit)');\n\
                    INSERT INTO \"a b\" (\"id\", \"x\") VALUES (2, CAST(X'0D' AS TEXT));\n\
                    DELETE FROM sqlite_sequence WHERE name = 'a b';\n\
                    INSERT INTO sqlite_sequence (name, seq) VALUES ('a b', 2);\n";
        let rows = cells(text).unwrap();
        assert_eq!(rows.table, "a b");
        assert_eq!(rows.columns, ["id", "x"]);
        assert_eq!(rows.rows[0], ["1", "'it''s, (so\nit)'"]);
        assert_eq!(rows.rows[1], ["2", "CAST(X'0D' AS TEXT)"]);
        assert_eq!(rows.text(), text);
    }

    #[test]
    fn what_a_merge_left_is_not_cut() {
        assert_eq!(cells("<<<<<<< HEAD\nINSERT INTO \"a\" (\"id\") VALUES (1);\n"), None);
        assert_eq!(cells("-- head\n"), None);
    }
}
