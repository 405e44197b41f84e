//! The neutral description of everything in a database: one object, one block of text, one digest.
//!
//! Promises: it depends on the database alone, not on who reads it, in which locale or time zone, or in what
//! order things were made; the order of columns and the names that the engine made up are kept apart, so that
//! they can be told as what they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::script::Checksum;
use crate::sql::{Kind, Name};

mod difference;
mod pattern;
mod rows;

pub use difference::{Change, Difference, differences};
pub use pattern::Patterns;
pub use rows::{Row, TableRows};

/// Everything in a database, without what belongs to extensions, to the system and to dbbuild.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    objects: BTreeMap<String, Object>,
    /// The keys of each object's parts.
    parts: BTreeMap<Name, Vec<String>>,
    /// False if the engine keeps no comments on objects.
    pub keeps_comments: bool,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its name with the schema, and, for what hangs on a table, with the table's.
    pub name: Name,
    /// What tells it from others of its name: arguments of a function, `(text AS integer)` of a cast.
    pub signature: String,
    /// The table (view, domain) that it is a part of, or that a sequence belongs to.
    pub table: Option<Name>,
    /// Its definition as the engine has it. A table's has no columns and constraints: they are objects.
    pub definition: String,
    /// What is compared instead of the definition, where engines keep spellings that mean nothing.
    pub essence: Option<String>,
    /// What is said of it by other statements than its definition: `disabled`, `not valid`, `clustered`.
    pub states: Vec<String>,
    /// Who owns it, if it is not who builds.
    pub owner: Option<String>,
    /// What others may do with it, and what its owner or everybody may not do although they might by default.
    pub grants: Vec<String>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its columns in their order.
    pub columns: Vec<String>,
    /// True if it is there because another one on a parent is: a partition's index.
    pub is_inherited: bool,
    /// Keys of the objects that it needs, as far as the engine knows.
    pub needs: Vec<String>,
}

impl Object {
    /// Makes an object with a definition and nothing else to say of it.
    pub fn new(kind: Kind, name: Name, definition: impl Into<String>) -> Self {
        Self {
            kind,
            name,
            signature: String::new(),
            table: None,
            definition: definition.into(),
            essence: None,
            states: Vec::new(),
            owner: None,
            grants: Vec::new(),
            comment: None,
            columns: Vec::new(),
            is_inherited: false,
            needs: Vec::new(),
        }
    }

    /// Returns what identifies it: `table public.customer`, `function public.total(integer)`.
    pub fn key(&self) -> String {
        format!("{} {}", self.kind, self.shown())
    }

    /// Returns its name with the signature.
    pub fn shown(&self) -> String {
        match (self.name.parts().is_empty(), self.signature.is_empty()) {
            (true, _) => self.signature.clone(),
            (false, true) => self.name.to_string(),
            (false, false) if self.signature.starts_with('(') => format!("{}{}", self.name, self.signature),
            (false, false) => format!("{} {}", self.name, self.signature),
        }
    }

    /// Returns what is said of it besides its definition, a line each.
    pub fn remarks(&self) -> String {
        let mut text = String::new();
        let mut line = |word: &str, what: &str| {
            text.push('\n');
            text.push_str(word);
            text.push_str(what);
        };
        self.states.iter().for_each(|state| line("", state));
        self.owner.iter().for_each(|owner| line("owner ", owner));
        self.grants.iter().for_each(|grant| line("", grant));
        self.comment.iter().for_each(|comment| line("comment: ", comment));
        text
    }

    /// Returns its block for people: the definition and what else is said of it.
    pub fn block(&self) -> String {
        format!("{}{}", self.definition, self.remarks())
    }

    /// Returns what is compared instead of the definition.
    pub fn essence(&self) -> &str {
        self.essence.as_deref().unwrap_or(&self.definition)
    }

    /// Returns its digest. The order of its columns is no part of it.
    pub fn digest(&self) -> Checksum {
        let remarks = self.remarks();
        Checksum::of_tokens([self.essence(), &remarks])
    }
}

impl Catalog {
    /// Makes a catalog of objects in any order.
    pub fn new(objects: impl IntoIterator<Item = Object>) -> Self {
        let objects: BTreeMap<String, Object> = objects.into_iter().map(|object| (object.key(), object)).collect();
        let mut parts: BTreeMap<Name, Vec<String>> = BTreeMap::new();
        for (key, object) in &objects {
            if let Some(table) = &object.table {
                parts.entry(table.clone()).or_default().push(key.clone());
            }
        }
        Self { objects, parts, keeps_comments: true }
    }

    /// Returns a catalog of the objects of some kinds.
    pub fn of_kinds(&self, kinds: &BTreeSet<Kind>) -> Self {
        let some = self.objects.values().filter(|object| kinds.contains(&object.kind));
        Self { keeps_comments: self.keeps_comments, ..Self::new(some.cloned()) }
    }

    /// Returns the objects, sorted by their keys.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// Returns how many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Returns true if there is nothing.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Returns the object of a key.
    pub fn get(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)
    }

    /// Returns the digest of each object by its key.
    pub fn digests(&self) -> BTreeMap<&str, Checksum> {
        self.objects.iter().map(|(key, object)| (key.as_str(), object.digest())).collect()
    }

    /// Returns the digest of everything, the order of columns included.
    pub fn fingerprint(&self) -> Checksum {
        let mut parts = Vec::new();
        for (key, object) in &self.objects {
            parts.extend([key.clone(), object.digest().to_string(), object.columns.join("\n")]);
        }
        Checksum::of_tokens(parts.iter().map(String::as_str))
    }

    /// Returns what is a part of an object, or belongs to it: columns, constraints, indexes, triggers.
    pub fn parts<'a>(&'a self, of: &'a Object) -> impl Iterator<Item = &'a Object> {
        let keys = self.parts.get(&of.name).filter(|_| has_parts(of.kind));
        keys.into_iter().flatten().filter_map(|key| self.objects.get(key))
    }

    /// Returns an object with its parts, as somebody would write it.
    pub fn whole(&self, object: &Object) -> String {
        let (head, options) = object.definition.split_once('\n').unwrap_or((&object.definition, ""));
        let mut body: Vec<String> = Vec::new();
        let mut behind = String::new();
        let column = |name: &String| {
            self.parts(object).find(|part| part.kind == Kind::Column && part.name.parts().last() == Some(name))
        };
        let is_table = object.kind == Kind::Table;
        if is_table {
            for part in object.columns.iter().filter_map(column) {
                body.push(part.definition.clone());
                let remarks = part.remarks();
                if !remarks.is_empty() {
                    let _ = write!(behind, "\n-- {}{}", part.name.object(), remarks.replace('\n', "\n--   "));
                }
            }
        }
        for part in self.parts(object) {
            match part.kind {
                Kind::Column if is_table => {}
                Kind::Constraint if is_table => body.push(constraint(part)),
                Kind::Index => {
                    let definition =
                        part.definition.replacen(" INDEX ON ", &format!(" INDEX {} ON ", part.name.object()), 1);
                    let _ = write!(behind, "\n\n{definition}{}", part.remarks());
                }
                _ => {
                    let _ = write!(behind, "\n\n{}", part.block());
                }
            }
        }
        if !is_table {
            return format!("{}{behind}", object.block());
        }
        let body =
            body.iter().map(|line| format!("    {}", line.replace('\n', "\n    "))).collect::<Vec<_>>().join(",\n");
        let options = if options.is_empty() { String::new() } else { format!("\n{options}") };
        format!("{head} (\n{body}\n){options}{}{behind}", object.remarks())
    }
}

fn constraint(part: &Object) -> String {
    let remarks = part.remarks().replace('\n', "  -- ");
    // SQLite's constraints without a name are known by their text.
    let own = part.name.object();
    if part.definition.is_empty() || part.signature.is_empty() {
        format!("constraint {} {}{remarks}", Name::new([own]), part.definition)
    } else {
        format!("{}{remarks}", part.definition)
    }
}

/// Returns true for kinds whose objects others are a part of.
fn has_parts(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Table | Kind::ForeignTable | Kind::VirtualTable | Kind::View | Kind::MaterializedView | Kind::Domain
    )
}

#[cfg(test)]
mod tests;
