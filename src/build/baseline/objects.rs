//! `objects.toml`: a digest of each object, so that a database can be held to a baseline by reading its catalog alone.
//!
//! Engines keep a definition in other words after a dump and a load (`IN (…)` becomes `= ANY (…)`), so an object
//! may have two digests: as the scripts make it and as the baseline makes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::Catalog;
use crate::project::Project;
use crate::sql::Dialect;

/// The file's name.
pub(super) const OBJECTS: &str = "objects.toml";

/// How many digits of a digest are written: 128 bits.
const DIGITS: usize = 32;

/// The digests of a baseline's objects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Digests(BTreeMap<String, BTreeSet<String>>);

impl Digests {
    /// Reads the committed ones.
    pub fn committed(project: &Project, dialect: Dialect) -> Option<Self> {
        let bytes = project.files.read(&format!("{}/{OBJECTS}", project.baseline_folder(dialect))).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let table: BTreeMap<String, String> = toml::from_str(&text).ok()?;
        let words = |text: &String| text.split(' ').map(str::to_owned).collect();
        Some(Self(table.iter().map(|(key, text)| (key.clone(), words(text))).collect()))
    }

    /// Takes them of what the scripts made and of what the baseline made of that.
    pub(super) fn of(built: &Catalog, loaded: &Catalog) -> Self {
        let mut digests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (key, digest) in built.digests().into_iter().chain(loaded.digests()) {
            digests.entry(key.to_owned()).or_default().insert(digits(digest.as_str()).to_owned());
        }
        Self(digests)
    }

    /// Returns the text to be written: one sorted line an object.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("# The digest of each object. Written by dbbuild.\n");
        for (key, digests) in &self.0 {
            let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
            text += &format!("{} = \"{}\"\n", quoted(key), digests.join(" "));
        }
        text
    }

    /// Returns the keys of objects that are missing, added or changed in a catalog.
    pub fn unlike(&self, found: &Catalog) -> Vec<String> {
        let there = found.digests();
        let changed = |(key, digest): (&&str, &crate::script::Checksum)| {
            let known = self.0.get(*key);
            (!known.is_some_and(|known| known.contains(digits(digest.as_str())))).then(|| (*key).to_owned())
        };
        let mut keys: Vec<String> = there.iter().filter_map(changed).collect();
        keys.extend(self.0.keys().filter(|key| !there.contains_key(key.as_str())).cloned());
        keys.sort();
        keys
    }

    /// Returns true if an object is among them.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Returns how many objects there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn digits(digest: &str) -> &str {
    let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits);
    digits.get(..DIGITS).unwrap_or(digits)
}

/// A key as TOML has it (<https://toml.io/en/v1.0.0#string>).
fn quoted(key: &str) -> String {
    let mut text = String::from('"');
    for char in key.chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            char if char.is_control() => text += &format!("\\u{:04X}", u32::from(char)),
            char => text.push(char),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::Object;
    use crate::sql::{Kind, Name};

    fn catalog(objects: &[(&str, &str)]) -> Catalog {
        Catalog::new(objects.iter().map(|(name, text)| Object::new(Kind::View, Name::new([*name]), *text)))
    }

    #[test]
    fn a_database_is_held_to_them() {
        let built = catalog(&[("a", "x in (1)"), ("b\"\n", "y"), ("c", "z")]);
        let loaded = catalog(&[("a", "x = any (1)"), ("b\"\n", "y"), ("c", "z")]);
        let digests = Digests::of(&built, &loaded);
        let read: BTreeMap<String, String> = toml::from_str(&digests.text()).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(digests.unlike(&built), Vec::<String>::new());
        assert_eq!(digests.unlike(&loaded), Vec::<String>::new());
        let other = catalog(&[("a", "x = 2"), ("c", "z"), ("d", "new")]);
        assert_eq!(digests.unlike(&other).len(), 3, "{:?}", digests.unlike(&other));
    }
}
