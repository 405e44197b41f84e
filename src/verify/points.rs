//! Where a script is cut short: behind each of its statements, and in a long run of row statements where bisection
//! leads.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::outside::runs_bare;
use super::{Finding, Halt};
use crate::engine::{Part, Unit};

/// The longest run of row statements whose boundaries are all tried.
const ALL: usize = 8;

/// The most stretches of a script, and places at which it is cut short, as far as it has a choice.
pub const MOST: usize = 250;

/// Returns the numbers of finished statements at which a script may be cut short: each by itself, those of a long run
/// of row statements together.
pub fn stretches(unit: &Unit) -> Vec<Vec<usize>> {
    let is_row = |part: &Part| {
        let head = part.span.text(unit.text.as_str()).trim_start().to_ascii_lowercase();
        ["insert", "update", "delete", "copy", "select"].iter().any(|word| head.starts_with(word))
    };
    let mut stretches: Vec<Vec<usize>> = Vec::new();
    let mut in_rows = false;
    for (at, part) in unit.parts.iter().enumerate() {
        match stretches.last_mut() {
            Some(run) if in_rows && is_row(part) => run.push(at + 1),
            _ => stretches.push(vec![at + 1]),
        }
        in_rows = is_row(part);
    }
    let stretches = stretches.into_iter().flat_map(|run| if run.len() > ALL { vec![run] } else { singly(run) });
    joined(unit, stretches.collect())
}

/// Joins neighbours if there are too many: each costs a run of the whole script, or a part of it.
fn joined(unit: &Unit, stretches: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let size = stretches.len().div_ceil(MOST);
    let is_bare = |stretch: &[usize]| stretch.iter().any(|done| runs_bare(unit, done - 1));
    let mut joined: Vec<Vec<usize>> = Vec::new();
    for stretch in stretches {
        match joined.last_mut() {
            Some(last) if last.len() < size && !is_bare(last) && !is_bare(&stretch) => last.extend(stretch),
            _ => joined.push(stretch),
        }
    }
    joined
}

/// Takes each by itself.
pub fn singly(run: Vec<usize>) -> Vec<Vec<usize>> {
    run.into_iter().map(|point| vec![point]).collect()
}

/// Returns the ends and the middle of a stretch.
pub fn ends_and_middle(stretch: &[usize]) -> BTreeSet<usize> {
    [0, stretch.len().saturating_sub(1) / 2, stretch.len().saturating_sub(1)]
        .into_iter()
        .filter_map(|at| stretch.get(at).copied())
        .collect()
}

/// Tries the ends and the middle of a stretch, and as long as two neighbours among the points that were tried come to
/// something else, the one between them. Returns what each point that was tried came to: what speaks against it, or
/// that it cannot be tried.
pub fn bisect(
    stretch: &[usize],
    mut attempt: impl FnMut(usize) -> Result<Option<Vec<Finding>>, Halt>,
) -> Result<BTreeMap<usize, Option<Vec<Finding>>>, Halt> {
    let mut tried = BTreeMap::new();
    let Some(last) = stretch.len().checked_sub(1) else { return Ok(tried) };
    let mut next = vec![0, last / 2, last];
    while let Some(at) = next.pop() {
        if let Entry::Vacant(vacant) = tried.entry(at) {
            vacant.insert(attempt(stretch[at])?);
        }
        if next.is_empty() {
            next.extend(turn(&tried));
        }
    }
    Ok(tried.into_iter().map(|(at, came_to)| (stretch[at], came_to)).collect())
}

/// Returns a place between two neighbours that came to something else.
fn turn(tried: &BTreeMap<usize, Option<Vec<Finding>>>) -> Option<usize> {
    let proven = |came_to: &Option<Vec<Finding>>| came_to.as_ref().map(Vec::is_empty);
    let pairs = tried.iter().zip(tried.iter().skip(1));
    let mut turns = pairs.filter(|((at, one), (to, other))| *to - *at > 1 && proven(one) != proven(other));
    turns.next().map(|((at, _), (to, _))| at + (to - at) / 2)
}

#[cfg(test)]
mod tests {
    use super::{Finding, bisect};
    use crate::verify::Level;

    fn tried(points: usize, fails: impl Fn(usize) -> bool) -> Vec<(usize, bool)> {
        let stretch: Vec<usize> = (1..=points).collect();
        let attempt = |point: usize| {
            let findings = vec![Finding::new(Level::Error, "crash-points/fails", "db/1.sql", "")];
            Ok(Some(if fails(point) { findings } else { Vec::new() }))
        };
        let Ok(tried) = bisect(&stretch, attempt) else { return Vec::new() };
        tried.into_iter().map(|(point, came_to)| (point, came_to.is_some_and(|found| found.is_empty()))).collect()
    }

    #[test]
    fn where_all_is_well_three_points_say_so() {
        assert_eq!(tried(1_000, |_| false), [(1, true), (500, true), (1_000, true)]);
        assert_eq!(tried(1, |_| false), [(1, true)]);
        assert_eq!(tried(2, |_| false), [(1, true), (2, true)]);
    }

    #[test]
    fn the_first_point_that_fails_is_found_among_many() {
        for first in [2, 3, 499, 500, 501, 777, 1_000] {
            let tried = tried(1_000, |point| point >= first);
            assert!(tried.contains(&(first, false)) && tried.contains(&(first - 1, true)), "{first}: {tried:?}");
            assert!(tried.len() < 15, "{tried:?}");
        }
    }

    #[test]
    fn a_stretch_of_failures_in_the_middle_has_two_ends() {
        let tried = tried(1_000, |point| (300..700).contains(&point));
        for point in [(299, true), (300, false), (699, false), (700, true)] {
            assert!(tried.contains(&point), "{point:?}: {tried:?}");
        }
    }
}
