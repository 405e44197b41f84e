//! Values that are others each time: `now()`, random keys. They are found by comparing the rows of two builds; where
//! a row is otherwise the committed baseline's, its committed values stay, so that the bytes do not churn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::engine::{RowForm, RowText};

/// What differs between two builds' rows of one table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Volatile {
    /// The columns' places.
    pub columns: BTreeSet<usize>,
    /// The volatile cells of the first build's rows, row by row.
    cells: BTreeMap<usize, BTreeSet<usize>>,
}

/// Compares the rows of two builds; `None` if the tables' rows cannot be matched: other columns, another number.
pub(super) fn compare(one: &RowText, other: &RowText) -> Option<Volatile> {
    if one.form.columns != other.form.columns || one.rows.len() != other.rows.len() {
        return None;
    }
    let (left, others) = unequal(&one.rows, &other.rows);
    let width = one.form.columns.len();
    let values = |rows: &[Vec<String>], left: &[usize], column: usize| {
        let mut values: Vec<String> = left.iter().map(|row| cell(rows, *row, column).to_owned()).collect();
        values.sort();
        values
    };
    let is_stable = |column: &usize| values(&one.rows, &left, *column) == values(&other.rows, &others, *column);
    let stable: Vec<usize> = (0..width).filter(is_stable).collect();
    let mut groups: BTreeMap<Vec<&str>, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for row in &left {
        groups.entry(signature(&one.rows, *row, &stable)).or_default().0.push(*row);
    }
    for row in &others {
        groups.entry(signature(&other.rows, *row, &stable)).or_default().1.push(*row);
    }
    let mut volatile = Volatile::default();
    for (ones, others) in groups.into_values() {
        if ones.len() != others.len() {
            return None;
        }
        let differs = |column: &usize| {
            ones.iter().zip(&others).any(|(a, b)| cell(&one.rows, *a, *column) != cell(&other.rows, *b, *column))
        };
        let columns: BTreeSet<usize> = (0..width).filter(differs).collect();
        volatile.columns.extend(&columns);
        volatile.cells.extend(ones.into_iter().map(|row| (row, columns.clone())));
    }
    Some(volatile)
}

/// Puts the committed values into rows that are otherwise the committed ones; returns how many rows got them.
pub(super) fn keep(rows: &mut RowText, volatile: &Volatile, committed: &RowText) -> usize {
    let place = places(&rows.form, &committed.form);
    let mut used = vec![false; committed.rows.len()];
    if rows.form.columns == committed.form.columns {
        let (_, free) = unequal(&rows.rows, &committed.rows);
        used = vec![true; committed.rows.len()];
        free.into_iter().for_each(|row| used[row] = false);
    }
    // Committed rows by what a row with these volatile columns has besides, for each such set of columns.
    let mut tables: BTreeMap<&BTreeSet<usize>, BTreeMap<Vec<String>, VecDeque<usize>>> = BTreeMap::new();
    let mut kept = 0;
    for (row, columns) in &volatile.cells {
        let fixed: Vec<(usize, usize)> = (0..place.len())
            .filter(|column| !columns.contains(column))
            .filter_map(|column| Some((column, place[column]?)))
            .collect();
        let table = tables.entry(columns).or_insert_with(|| {
            let mut table: BTreeMap<Vec<String>, VecDeque<usize>> = BTreeMap::new();
            for at in 0..committed.rows.len() {
                let key = fixed.iter().map(|(_, there)| cell(&committed.rows, at, *there).to_owned()).collect();
                table.entry(key).or_default().push_back(at);
            }
            table
        });
        let key: Vec<String> = fixed.iter().map(|(here, _)| cell(&rows.rows, *row, *here).to_owned()).collect();
        let Some(candidates) = table.get_mut(&key) else { continue };
        let found = std::iter::from_fn(|| candidates.pop_front()).find(|at| !used[*at]);
        let Some(at) = found else { continue };
        used[at] = true;
        kept += 1;
        for column in columns {
            if let Some(there) = place[*column] {
                let value = cell(&committed.rows, at, there).to_owned();
                if let Some(cell) = rows.rows.get_mut(*row).and_then(|row| row.get_mut(*column)) {
                    *cell = value;
                }
            }
        }
    }
    kept
}

/// Returns where the committed rows have each of the columns.
pub(super) fn places(rows: &RowForm, committed: &RowForm) -> Vec<Option<usize>> {
    rows.columns.iter().map(|column| committed.columns.iter().position(|other| other == column)).collect()
}

/// Returns the rows of each that the other has not, however often a row is there.
fn unequal(one: &[Vec<String>], other: &[Vec<String>]) -> (Vec<usize>, Vec<usize>) {
    let mut there: BTreeMap<&[String], Vec<usize>> = BTreeMap::new();
    for (at, row) in other.iter().enumerate().rev() {
        there.entry(row).or_default().push(at);
    }
    let mut left = Vec::new();
    for (at, row) in one.iter().enumerate() {
        if there.get_mut(row.as_slice()).and_then(Vec::pop).is_none() {
            left.push(at);
        }
    }
    let mut others: Vec<usize> = there.into_values().flatten().collect();
    others.sort_unstable();
    (left, others)
}

fn signature<'a>(rows: &'a [Vec<String>], row: usize, columns: &[usize]) -> Vec<&'a str> {
    columns.iter().map(|column| cell(rows, row, *column)).collect()
}

fn cell(rows: &[Vec<String>], row: usize, column: usize) -> &str {
    rows.get(row).and_then(|row| row.get(column)).map_or("", String::as_str)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn table(columns: &str, rows: &[&str]) -> RowText {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let around = [String::new(), " ".into(), "\n".into()];
        RowText {
            form: RowForm { table: "t".into(), columns: words(columns), head: String::new(), around },
            rows: rows.iter().map(|row| words(row)).collect(),
            tail: String::new(),
        }
    }

    fn kept(one: &RowText, other: &RowText, committed: &RowText) -> String {
        let mut rows = one.clone();
        keep(&mut rows, &compare(one, other).unwrap(), committed);
        rows.text()
    }

    #[test]
    fn a_volatile_value_stays_where_the_row_is_otherwise_the_same() {
        let one = table("id name at", &["1 ada T1", "2 bob T1", "3 eve fixed"]);
        let other = table("id name at", &["1 ada T2", "2 bob T2", "3 eve fixed"]);
        let committed = table("id name at", &["1 ada T0", "2 robert T0", "3 eve was"]);
        // Bob's row is another one, and what is fixed is what the scripts say now.
        assert_eq!(kept(&one, &other, &committed), "1 ada T0\n2 bob T1\n3 eve fixed\n");
        assert_eq!(compare(&one, &other).unwrap().columns, [2].into());
    }

    #[test]
    fn a_random_key_is_found_in_whatever_order_its_rows_come() {
        let one = table("id name", &["aa x", "bb y", "cc z"]);
        let other = table("id name", &["aa z", "dd y", "ee x"]);
        let committed = table("id name", &["k1 y", "k2 z"]);
        assert_eq!(compare(&one, &other).unwrap().columns, [0].into());
        assert_eq!(kept(&one, &other, &committed), "aa x\nk1 y\nk2 z\n");
    }

    #[test]
    fn a_new_column_does_not_lose_the_values_of_the_others() {
        let one = table("id at new", &["1 T1 0", "2 T1 0"]);
        let other = table("id at new", &["1 T2 0", "2 T2 0"]);
        assert_eq!(kept(&one, &other, &table("id at", &["1 T0", "2 T0"])), "1 T0 0\n2 T0 0\n");
    }

    #[test]
    fn equal_rows_are_each_their_own() {
        let one = table("at", &["T1", "T1", "T1"]);
        let other = table("at", &["T2", "T2", "T2"]);
        assert_eq!(kept(&one, &other, &table("at", &["A", "B"])), "A\nB\nT1\n");
    }

    #[test]
    fn what_is_the_same_twice_is_not_volatile() {
        let one = table("id at", &["1 T", "2 T"]);
        assert_eq!(compare(&one, &one).unwrap(), Volatile::default());
        assert_eq!(kept(&one, &one, &table("id at", &["1 X", "2 X"])), "1 T\n2 T\n");
    }

    #[test]
    fn another_number_of_rows_is_matched_with_nothing() {
        assert_eq!(compare(&table("a", &["1"]), &table("a", &["1", "2"])), None);
    }
}
