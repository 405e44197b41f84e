//! The same as `volatile`, for tables that are not held in memory: the rows of both builds stand in the order of
//! their keys, and so do the committed ones.
//!
//! Promise: however many rows there are, the memory is that of the committed rows in sight.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufWriter, Write};
use std::path::Path;

use super::volatile::places;
use crate::engine::{RowFile, RowPiece};

type Cells = Vec<String>;

/// How many committed rows are in sight. Of more that went in one place, those behind them are not found again, and
/// get new values.
const IN_SIGHT: usize = if cfg!(test) { 300 } else { 20_000 };

/// Returns the columns in which the two builds differ, row by row; `None` if nothing says which rows are the same:
/// another number, or rows that have nothing in common.
pub(super) fn compare(one: RowFile, other: RowFile) -> Option<BTreeSet<usize>> {
    if one.form.columns != other.form.columns {
        return None;
    }
    let width = one.form.columns.len();
    let mut columns = BTreeSet::new();
    for pair in one.pieces.zip(other.pieces) {
        match pair {
            (Some(RowPiece::Row(one)), Some(RowPiece::Row(other))) => columns.extend(differing(&one, &other)),
            (Some(RowPiece::Tail(_)), Some(RowPiece::Tail(_))) => return (columns.len() < width).then_some(columns),
            _ => return None,
        }
    }
    None
}

/// Writes the first build's rows with the committed values where a row is otherwise the committed one. `volatile` are
/// the columns in which the builds differ. Returns how many rows got them; `None` if a file cannot be read to its end.
pub(super) fn keep(
    (one, other): (RowFile, RowFile),
    volatile: &BTreeSet<usize>,
    committed: RowFile,
    to: &Path,
) -> std::io::Result<Option<usize>> {
    let place = places(&one.form, &committed.form);
    let known: Vec<usize> = (0..place.len()).filter(|column| !volatile.contains(column)).collect();
    let known: Vec<(usize, usize)> = known.into_iter().filter_map(|here| Some((here, place[here]?))).collect();
    if known.is_empty() {
        return Ok(Some(0));
    }
    let (here, there): (Vec<usize>, Vec<usize>) = known.into_iter().unzip();
    let mut ahead = Ahead::new(committed, there);
    let mut out = BufWriter::new(File::create(to)?);
    out.write_all(one.form.head.as_bytes())?;
    let mut kept = 0;
    for pair in one.pieces.zip(other.pieces) {
        match pair {
            (Some(RowPiece::Row(mut row)), Some(RowPiece::Row(other))) => {
                let volatile: BTreeSet<usize> = differing(&row, &other).collect();
                let is_it = |committed: &Cells| {
                    let fixed = place.iter().enumerate().filter(|(here, _)| !volatile.contains(here));
                    fixed
                        .filter_map(|(here, there)| Some((here, (*there)?)))
                        .all(|(a, b)| row.get(a) == committed.get(b))
                };
                if let Some(mut committed) = ahead.take(signature(&row, &here), is_it)
                    && !volatile.is_empty()
                {
                    kept += 1;
                    for column in volatile {
                        if let (Some(cell), Some(value)) =
                            (row.get_mut(column), place[column].and_then(|there| committed.get_mut(there)))
                        {
                            *cell = std::mem::take(value);
                        }
                    }
                }
                out.write_all(one.form.row(&row).as_bytes())?;
            }
            (Some(RowPiece::Tail(tail)), Some(RowPiece::Tail(_))) => {
                out.write_all(tail.as_bytes())?;
                out.flush()?;
                return Ok(Some(kept));
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

fn differing(one: &[String], other: &[String]) -> impl Iterator<Item = usize> {
    one.iter().zip(other).enumerate().filter(|(_, (one, other))| one != other).map(|(column, _)| column)
}

fn signature(row: &[String], columns: &[usize]) -> u64 {
    let mut hasher = DefaultHasher::new();
    columns.iter().for_each(|column| row.get(*column).hash(&mut hasher));
    hasher.finish()
}

/// The committed rows in sight, to be found by what they have in certain columns.
struct Ahead {
    file: RowFile,
    columns: Vec<usize>,
    /// Rows that were taken leave a gap.
    rows: VecDeque<Option<Cells>>,
    /// The number of the first of them in the file.
    first: usize,
    by: HashMap<u64, VecDeque<usize>>,
}

impl Ahead {
    fn new(file: RowFile, columns: Vec<usize>) -> Self {
        Self { file, columns, rows: VecDeque::new(), first: 0, by: HashMap::new() }
    }

    /// Takes the first row of a signature that is the one.
    fn take(&mut self, signature: u64, is_it: impl Fn(&Cells) -> bool) -> Option<Cells> {
        self.fill();
        let numbers = self.by.get_mut(&signature)?;
        let is_row = |number: &usize| self.rows.get(number - self.first).and_then(Option::as_ref).is_some_and(&is_it);
        let number = numbers.remove(numbers.iter().position(is_row)?)?;
        if numbers.is_empty() {
            self.by.remove(&signature);
        }
        let row = self.rows.get_mut(number - self.first)?.take();
        // What is far behind went from the table.
        while number.saturating_sub(self.first) > IN_SIGHT / 2 || matches!(self.rows.front(), Some(None)) {
            self.leave_behind();
        }
        row
    }

    fn fill(&mut self) {
        while self.rows.len() < IN_SIGHT {
            let Some(Some(RowPiece::Row(row))) = self.file.pieces.next() else { return };
            let number = self.first + self.rows.len();
            self.by.entry(signature(&row, &self.columns)).or_default().push_back(number);
            self.rows.push_back(Some(row));
        }
    }

    fn leave_behind(&mut self) {
        if let Some(Some(row)) = self.rows.pop_front() {
            let signature = signature(&row, &self.columns);
            if let Some(numbers) = self.by.get_mut(&signature) {
                numbers.pop_front();
                if numbers.is_empty() {
                    self.by.remove(&signature);
                }
            }
        }
        self.first += 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::RowForm;

    fn file(columns: &str, rows: Vec<String>) -> RowFile {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let around = [String::new(), " ".into(), "\n".into()];
        let form = RowForm { table: "t".into(), columns: words(columns), head: "head\n".into(), around };
        let pieces: Vec<_> = rows.iter().map(|row| Some(RowPiece::Row(words(row)))).collect();
        RowFile { form, pieces: Box::new(pieces.into_iter().chain([Some(RowPiece::Tail("end\n".into()))])) }
    }

    fn rows(from: usize, to: usize, at: &str) -> Vec<String> {
        (from..to).map(|id| format!("{id} name{} {at}", id % 7)).collect()
    }

    /// Compares two builds of the same rows and keeps what is committed of them.
    fn kept(columns: &str, build: impl Fn(&str) -> Vec<String>, committed: RowFile) -> (usize, String) {
        let volatile = compare(file(columns, build("T1")), file(columns, build("T2"))).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("t");
        let builds = (file(columns, build("T1")), file(columns, build("T2")));
        let count = keep(builds, &volatile, committed, &to).unwrap().unwrap();
        (count, std::fs::read_to_string(to).unwrap())
    }

    #[test]
    fn a_volatile_value_stays_where_the_row_is_otherwise_the_same() {
        let build = |at: &str| vec![format!("1 ada {at}"), format!("2 bob {at}"), "3 eve fixed".into()];
        let committed = ["1 ada T0", "2 robert T0", "3 eve was"].map(str::to_owned).to_vec();
        let (count, text) = kept("id name at", build, file("id name at", committed));
        assert_eq!((count, text.as_str()), (1, "head\n1 ada T0\n2 bob T1\n3 eve fixed\nend\n"));
    }

    #[test]
    fn rows_that_came_or_went_do_not_lose_the_others() {
        let most = 3 * IN_SIGHT;
        // A third of what is in sight went from the middle, and more than is in sight came.
        let committed = file("id name at", rows(0, most, "T0"));
        let build = |at: &str| {
            let came = (0..most).map(|id| format!("{IN_SIGHT}.{id} new {at}")).collect();
            [rows(0, IN_SIGHT, at), came, rows(IN_SIGHT + IN_SIGHT / 3, most, at)].concat()
        };
        let (count, text) = kept("id name at", build, committed);
        assert_eq!(count, most - IN_SIGHT / 3);
        assert_eq!(text.matches("T1").count(), most);
    }

    #[test]
    fn a_new_column_does_not_lose_the_values_of_the_others() {
        let build = |at: &str| vec![format!("1 {at} 0"), format!("2 {at} 0")];
        let committed = ["1 T0", "2 T0"].map(str::to_owned).to_vec();
        let (count, text) = kept("id at new", build, file("id at", committed));
        assert_eq!((count, text.as_str()), (2, "head\n1 T0 0\n2 T0 0\nend\n"));
    }

    #[test]
    fn rows_that_nothing_joins_are_not_compared() {
        let one = || file("id name at", rows(0, 5, "T1"));
        assert_eq!(compare(one(), file("id name at", rows(5, 10, "T2"))), None);
        assert_eq!(compare(one(), file("id name at", rows(0, 4, "T1"))), None);
        assert_eq!(compare(one(), file("id name", rows(0, 5, "T1"))), None);
        assert_eq!(compare(one(), file("id name at", rows(0, 5, "T2"))), Some([2].into()));
    }
}
