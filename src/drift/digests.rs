//! A catalog held to the digests of a baseline: what is different is known, but not what it should be.

use super::Drift;
use crate::build::Held;
use crate::engine::Catalog;
use crate::engine::catalog::{Change, Difference, Patterns};
use crate::journal::Mark;

/// What the digests say of a catalog.
pub(super) struct Known {
    held: Held,
    /// The keys of objects that are different.
    unlike: Vec<String>,
}

impl Known {
    /// Compares.
    pub fn of(held: Held, found: &Catalog, ignore: &Patterns) -> Self {
        let mut unlike = held.digests.unlike(found);
        unlike.retain(|key| {
            let name = key.split_once(' ').map_or(key.as_str(), |(_, name)| name);
            !ignore.matches(key, name)
        });
        Self { held, unlike }
    }

    /// Returns true if nothing is left to be asked: no object differs, and there are no rows.
    pub fn is_enough(&self) -> bool {
        self.unlike.is_empty() && !self.held.has_rows
    }

    /// Returns it as drift.
    pub fn drift(&self, found: &Catalog, version: Option<String>, mark: Option<Mark>) -> Drift {
        let difference = |key: &String| {
            let object = found.get(key);
            let change = match (object, self.held.digests.has(key)) {
                (None, _) => Change::Missing,
                (Some(_), true) => Change::Changed,
                (Some(_), false) => Change::Added,
            };
            Difference {
                change,
                kind: object.map_or("object", |object| object.kind.name()),
                name: object.map_or_else(|| key.clone(), crate::engine::Object::shown),
                expected: None,
                found: object.map(|object| found.whole(object)),
                parts: 0,
            }
        };
        // What hangs on an object that is missing is not told again.
        let is_part = |key: &&String| {
            let own = key.split_once(' ').and_then(|(_, name)| name.rsplit_once('.'));
            own.is_some_and(|(table, _)| {
                self.unlike.contains(&format!("table {table}")) && found.get(&format!("table {table}")).is_none()
            })
        };
        let told = self.unlike.iter().filter(|key| found.get(key).is_some() || !is_part(key));
        Drift {
            differences: told.map(difference).collect(),
            rows: Vec::new(),
            objects: self.held.digests.len(),
            rows_compared: 0,
            version,
            mark,
        }
    }
}
