//! What is different between two catalogs, object by object.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalog, Object, Patterns, has_parts};
use crate::sql::{Kind, Name};

/// How an object is different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is expected and not there.
    Missing,
    /// It is there and not expected.
    Added,
    /// It is there and is another one.
    Changed,
    /// Its columns stand in another order.
    Order,
    /// It is there under another name, which the engine made up.
    Name,
}

impl Change {
    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Order => "order",
            Self::Name => "name",
        }
    }

    /// Returns true if it makes a database another one: order and generated names do not.
    pub const fn counts(self) -> bool {
        match self {
            Self::Missing | Self::Added | Self::Changed => true,
            Self::Order | Self::Name => false,
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// How.
    pub change: Change,
    /// The object's kind.
    pub kind: &'static str,
    /// The object's name.
    pub name: String,
    /// What was expected: a definition, an order of columns, a name.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// How many objects that are a part of it share its fate.
    pub parts: usize,
}

/// Compares what is expected with what was found. `same` gets pairs whose definitions differ in their texts, and
/// says which of them mean the same nevertheless.
pub fn differences<E>(
    expected: &Catalog,
    found: &Catalog,
    ignore: &Patterns,
    same: impl FnOnce(&[(&Object, &Object)]) -> Result<Vec<bool>, E>,
) -> Result<Vec<Difference>, E> {
    let mut missing: BTreeMap<&str, &Object> = BTreeMap::new();
    let mut added: BTreeMap<&str, &Object> = BTreeMap::new();
    let mut unlike = Vec::new();
    let mut all = Vec::new();
    for (key, object) in &expected.objects {
        match found.objects.get(key) {
            _ if ignored(ignore, key, object) => {}
            None => {
                missing.insert(key, object);
            }
            Some(other) => {
                all.extend(order(object, other));
                if object.essence() != other.essence() || object.remarks() != other.remarks() {
                    unlike.push((object, other));
                }
            }
        }
    }
    for (key, object) in &found.objects {
        if !expected.objects.contains_key(key) && !ignored(ignore, key, object) {
            added.insert(key, object);
        }
    }
    all.extend(renamed(&mut missing, &mut added));

    let respelt: Vec<(&Object, &Object)> =
        unlike.iter().copied().filter(|(one, other)| one.remarks() == other.remarks()).collect();
    let respelt: BTreeSet<String> = if respelt.is_empty() {
        BTreeSet::new()
    } else {
        let verdicts = same(&respelt)?;
        respelt.iter().zip(verdicts).filter(|(_, same)| *same).map(|((one, _), _)| one.key()).collect()
    };
    for (one, other) in unlike.into_iter().filter(|(one, _)| !respelt.contains(&one.key())) {
        all.push(difference(Change::Changed, one, Some(one.block()), Some(other.block()), 0));
    }
    all.extend(gone(&missing, |object, parts| {
        difference(Change::Missing, object, Some(expected.whole(object)), None, parts)
    }));
    all.extend(gone(&added, |object, parts| difference(Change::Added, object, None, Some(found.whole(object)), parts)));
    all.sort_by(|one, other| (one.change, one.kind, &one.name).cmp(&(other.change, other.kind, &other.name)));
    Ok(all)
}

fn difference(
    change: Change,
    object: &Object,
    expected: Option<String>,
    found: Option<String>,
    parts: usize,
) -> Difference {
    Difference { change, kind: object.kind.name(), name: object.shown(), expected, found, parts }
}

/// What hangs on an object that is left out is left out too.
fn ignored(ignore: &Patterns, key: &str, object: &Object) -> bool {
    let of_table = |table: &Name| {
        let kinds = [Kind::Table, Kind::VirtualTable, Kind::View, Kind::MaterializedView, Kind::Domain];
        kinds.iter().any(|kind| ignore.matches(&format!("{kind} {table}"), &table.to_string()))
    };
    ignore.matches(key, &object.shown()) || object.table.as_ref().is_some_and(of_table)
}

/// Compares the order of those columns that both have.
fn order(expected: &Object, found: &Object) -> Option<Difference> {
    let common = |one: &Object, other: &Object| -> Vec<String> {
        one.columns.iter().filter(|column| other.columns.contains(column)).cloned().collect()
    };
    let (one, other) = (common(expected, found), common(found, expected));
    (one != other).then(|| {
        let lines = |columns: &[String]| columns.join("\n");
        difference(Change::Order, expected, Some(lines(&one)), Some(lines(&other)), 0)
    })
}

/// Takes out the pairs that are one object under two names which the engine made up.
fn renamed(missing: &mut BTreeMap<&str, &Object>, added: &mut BTreeMap<&str, &Object>) -> Vec<Difference> {
    let mut by_content: BTreeMap<Content<'_>, Vec<(&str, &Object)>> = BTreeMap::new();
    for (key, object) in added.iter() {
        if let Some(content) = content(object) {
            by_content.entry(content).or_default().push((*key, *object));
        }
    }
    let mut pairs = Vec::new();
    for (key, object) in missing.iter() {
        let Some(content) = content(object) else { continue };
        let Some(others) = by_content.get_mut(&content) else { continue };
        let fits = |other: &Object| {
            (object.is_inherited && other.is_inherited) || (is_generated(object) && is_generated(other))
        };
        if let Some(at) = others.iter().position(|(_, other)| fits(other)) {
            let (other_key, other) = others.swap_remove(at);
            pairs.push((
                *key,
                other_key,
                difference(Change::Name, object, Some(object.shown()), Some(other.shown()), 0),
            ));
        }
    }
    for (one, other, _) in &pairs {
        missing.remove(one);
        added.remove(other);
    }
    pairs.into_iter().map(|(_, _, difference)| difference).collect()
}

/// Kind, table, definition, remarks.
type Content<'a> = (Kind, &'a Name, &'a str, String);

/// Returns everything of an object but its name, for kinds whose names engines make up.
fn content(object: &Object) -> Option<Content<'_>> {
    let kinds = [Kind::Constraint, Kind::Index, Kind::Sequence];
    let table = object.table.as_ref().filter(|_| kinds.contains(&object.kind))?;
    Some((object.kind, table, object.essence(), object.remarks()))
}

/// Returns true if the name looks like one that PostgreSQL makes up (`ChooseIndexName` and `ChooseConstraintName` in
/// its sources): the ending says what it is, a number tells it from others.
fn is_generated(object: &Object) -> bool {
    let name = object.name.object().trim_end_matches(|char: char| char.is_ascii_digit());
    ["_pkey", "_key", "_fkey", "_check", "_excl", "_idx", "_seq", "_not_null"].iter().any(|end| name.ends_with(end))
}

/// Makes a difference of each object that is on one side only; parts of one that is, count with it.
fn gone<'a>(
    objects: &BTreeMap<&str, &'a Object>,
    mut difference: impl FnMut(&'a Object, usize) -> Difference,
) -> Vec<Difference> {
    let wholes: BTreeSet<&Name> =
        objects.values().filter(|object| has_parts(object.kind)).map(|object| &object.name).collect();
    let mut parts: BTreeMap<&Name, usize> = BTreeMap::new();
    for table in objects.values().filter_map(|object| object.table.as_ref()) {
        *parts.entry(table).or_default() += 1;
    }
    let is_part = |object: &Object| object.table.as_ref().is_some_and(|table| wholes.contains(table));
    let own = objects.values().copied().filter(|object| !is_part(object));
    own.map(|object| {
        let count = if has_parts(object.kind) { parts.get(&object.name).copied().unwrap_or(0) } else { 0 };
        difference(object, count)
    })
    .collect()
}
