//! What earlier scripts of the project made: the names and shapes that a statement meets.
//!
//! Each source is read for its facts alone; then one pass over all of them, in order, notes each change of each
//! name, so that a rule can ask how things stood at any place without anything being replayed.

use std::collections::HashMap;
use std::sync::Arc;

use super::facts::{Fact, Key, What};
use super::generated;
use super::shape::{Foreign, Shape};
use crate::sql::{Kind, Name};

/// A place in the history: a source and a byte in it.
pub type Moment = (usize, usize);

/// What a name meant from some moment on: nothing, where it was dropped.
type States<T> = Vec<(Moment, Option<Arc<T>>)>;

/// How names came and went.
#[derive(Debug, Default)]
pub struct History {
    tables: HashMap<Name, States<Shape>>,
    others: HashMap<(Kind, Name), States<str>>,
    /// Tables whose rows come from seeds alone.
    seeded: Vec<Name>,
    /// The indexes and triggers that were ever made on a table.
    made_on: HashMap<String, Vec<(Kind, String)>>,
    /// The tables that ever had a foreign key to a table of this name.
    referring: HashMap<String, Vec<Name>>,
    /// The schemas, other than the usual one, in which a table of this name was ever made.
    schemas: HashMap<String, Vec<String>>,
    /// True if some script says what a name without a schema means.
    sets_path: bool,
}

impl History {
    /// Returns true if some script says what a name without a schema means.
    pub const fn sets_path(&self) -> bool {
        self.sets_path
    }

    /// Notes the facts of the sources, in order. They are taken: of many scripts they are as long as the texts.
    pub fn of(sources: Vec<Vec<Fact>>) -> Self {
        let mut history = Self::default();
        for (source, facts) in sources.into_iter().enumerate() {
            for fact in facts {
                history.note((source, fact.at), fact.what);
            }
        }
        history
    }

    /// Takes in the tables whose rows come from seeds alone.
    #[must_use]
    pub fn with_seeds(mut self, seeded: Vec<Name>) -> Self {
        self.seeded = seeded;
        self
    }

    /// Returns true if the rows of a table come from seeds alone.
    pub fn is_seeded(&self, table: &Name) -> bool {
        self.seeded.iter().any(|seeded| seeded.matches(table))
    }

    /// Returns the table of this name just before a moment, if a script made it.
    pub fn table(&self, name: &Name, before: Moment) -> Option<&Arc<Shape>> {
        last(self.tables.get(&self.key(name))?, before)
    }

    /// Returns how another object of this name was defined just before a moment.
    pub fn other(&self, kind: Kind, name: &Name, before: Moment) -> Option<&Arc<str>> {
        last(self.others.get(&other_key(kind, name))?, before)
    }

    /// Returns the indexes and triggers that scripts made on a table and did not drop before a moment.
    pub fn on_table(&self, table: &Name, before: Moment) -> Vec<(Kind, String)> {
        let mut found = Vec::new();
        for (kind, name) in self.made_on.get(&table.object().to_lowercase()).into_iter().flatten() {
            let states = self.others.get(&(*kind, Name::new([name.as_str()])));
            let standing = states.and_then(|states| last(states, before)).is_some_and(|text| stands_on(text, table));
            if standing {
                found.push((*kind, name.clone()));
            }
        }
        found.sort_by(|left, right| left.1.cmp(&right.1));
        found
    }

    /// Returns the tables whose foreign keys refer to columns of a table just before a moment.
    pub fn referring(&self, table: &Name, columns: &[String], before: Moment) -> Vec<&Name> {
        let same = |key: &Vec<String>| key.len() == columns.len() && key.iter().all(|one| columns.contains(one));
        let refers = |foreign: &Foreign| foreign.key.as_ref().is_some_and(same);
        self.referring_where(table, before, refers).collect()
    }

    /// Returns true if another table has a foreign key to a table just before a moment.
    pub fn is_referred_to(&self, table: &Name, before: Moment) -> bool {
        self.referring_where(table, before, |_| true).any(|name| !name.matches(table))
    }

    fn referring_where<'h>(
        &'h self,
        table: &Name,
        before: Moment,
        refers: impl Fn(&Foreign) -> bool,
    ) -> impl Iterator<Item = &'h Name> {
        self.referring.get(table.object()).into_iter().flatten().filter(move |name| {
            let shape = self.tables.get(*name).and_then(|states| last(states, before));
            shape.is_some_and(|shape| {
                shape.foreign.iter().any(|foreign| foreign.table.matches(table) && refers(foreign))
            })
        })
    }

    fn note(&mut self, at: Moment, what: What) {
        match what {
            What::Table(name, shape, guarded) => {
                // A guarded one over an existing table changes nothing.
                let key = key(&name);
                let known = self.tables.get(&key).and_then(|states| last(states, at));
                if !(guarded && known.is_some()) {
                    self.set(at, key, Some(shape));
                }
            }
            What::Item(table, item, dialect) => self.change(at, &table, |shape| {
                shape.item(crate::sql::Tokens::of(&item, dialect));
            }),
            What::Key(table, key) => self.change(at, &table, |shape| match key {
                Key::Columns(key, has_nulls) => shape.key(key, has_nulls),
                Key::Partial(key) => shape.partial_keys.push(key),
                Key::Other => shape.other_keys = true,
            }),
            What::DropColumn(table, column) => self.change(at, &table, |shape| shape.drop_column(&column)),
            What::RenameColumn(table, from, to) => self.change(at, &table, |shape| shape.rename_column(&from, &to)),
            What::DropConstraint(table, name) => {
                self.change(at, &table, |shape| shape.drop_constraint(&table, &name));
            }
            What::RenameTable(from, to) => {
                let shape = self.table(&from, at).map(|shape| (**shape).clone());
                if let Some(shape) = shape {
                    let (from, to) = (self.key(&from), self.key(&beside(&from, &to)));
                    self.set(at, from, None);
                    self.set(at, to, Some(shape));
                }
            }
            What::Drop(Kind::Table | Kind::ForeignTable, name) => {
                for (kind, own) in self.on_table(&name, at) {
                    self.others.entry((kind, Name::new([own]))).or_default().push((at, None));
                }
                self.set(at, self.key(&name), None);
            }
            What::Drop(kind, name) => {
                self.others.entry(other_key(kind, &name)).or_default().push((at, None));
            }
            What::RenameOther(kind, from, to) => {
                let (from_key, to_key) = (other_key(kind, &from), other_key(kind, &beside(&from, &to)));
                let Some(definition) = self.other(kind, &from, at).cloned() else { return };
                self.others.entry(from_key).or_default().push((at, None));
                if let Some(table) = table_of(&definition).filter(|_| kind == Kind::Index) {
                    self.made_on.entry(table.to_lowercase()).or_default().push((kind, to.object().to_owned()));
                }
                self.others.entry(to_key).or_default().push((at, Some(definition)));
            }
            What::Label(name, label) => {
                if let Some(known) = self.other(Kind::Type, &name, at) {
                    let definition = format!("{known} {label}");
                    let states = self.others.entry(other_key(Kind::Type, &name)).or_default();
                    states.push((at, Some(definition.into())));
                }
            }
            What::Unnamed(name, definition) => {
                let is_free = |name: &Name| self.other(Kind::Index, name, (usize::MAX, 0)).is_none();
                let free = generated::numbered(&name).map(|name| Name::new([name])).find(is_free);
                if let Some(name) = free {
                    self.note(at, What::Other(Kind::Index, name, definition));
                }
            }
            What::Other(kind, name, definition) => {
                if matches!(kind, Kind::Index | Kind::Trigger)
                    && let Some(table) = table_of(&definition)
                {
                    let made = self.made_on.entry(table.to_lowercase()).or_default();
                    let key = (kind, name.object().to_owned());
                    if !made.contains(&key) {
                        made.push(key);
                    }
                }
                let states = self.others.entry(other_key(kind, &name)).or_default();
                states.push((at, Some(definition.into())));
            }
            What::SearchPath => self.sets_path = true,
        }
    }

    /// Under what a table is kept that a statement names: where only one schema has such a table, that one is meant
    /// without its schema too; where scripts set a search path, a table that was made without one may be in any.
    fn key(&self, name: &Name) -> Name {
        let key = key(name);
        if self.tables.contains_key(&key) {
            return key;
        }
        match self.schemas.get(name.object()).map(Vec::as_slice) {
            Some([only]) if !key.is_qualified() => Name::new([only.as_str(), name.object()]),
            None if self.sets_path => key.unqualified(),
            _ => key,
        }
    }

    fn set(&mut self, at: Moment, key: Name, shape: Option<Shape>) {
        for foreign in shape.iter().flat_map(|shape| &shape.foreign) {
            note_referring(&mut self.referring, &key, foreign);
        }
        if let Some(schema) = key.schema() {
            let schemas = self.schemas.entry(key.object().to_owned()).or_default();
            if !schemas.iter().any(|known| known == schema) {
                schemas.push(schema.to_owned());
            }
        }
        self.tables.entry(key).or_default().push((at, shape.map(Arc::new)));
    }

    fn change(&mut self, at: Moment, table: &Name, change: impl FnOnce(&mut Shape)) {
        let key = self.key(table);
        let states = self.tables.entry(key.clone()).or_default();
        let Some((moment, Some(shape))) = states.last_mut() else { return };
        let known = shape.foreign.len();
        // Several actions of one statement change one state.
        if *moment != at {
            let shape = shape.clone();
            states.push((at, Some(shape)));
        }
        let Some((_, Some(shape))) = states.last_mut() else { return };
        let shape = Arc::make_mut(shape);
        change(shape);
        for foreign in shape.foreign.iter().skip(known) {
            note_referring(&mut self.referring, &key, foreign);
        }
    }
}

fn note_referring(referring: &mut HashMap<String, Vec<Name>>, from: &Name, foreign: &Foreign) {
    let known = referring.entry(foreign.table.object().to_owned()).or_default();
    if !known.contains(from) {
        known.push(from.clone());
    }
}

/// A name with its schema, if that is not the usual one, where names without a schema lead.
fn key(name: &Name) -> Name {
    match name.schema() {
        None | Some("public" | "main") => name.unqualified(),
        Some(schema) => Name::new([schema, name.object()]),
    }
}

/// Indexes and triggers are made without a schema: they are in their table's.
fn other_key(kind: Kind, name: &Name) -> (Kind, Name) {
    (kind, if matches!(kind, Kind::Index | Kind::Trigger) { name.unqualified() } else { key(name) })
}

/// A renamed object stays in its schema.
fn beside(from: &Name, to: &Name) -> Name {
    match from.schema() {
        Some(schema) if !to.is_qualified() => Name::new([schema, to.object()]),
        _ => to.clone(),
    }
}

/// Whether an index or trigger, as one line of tokens behind its name, is on a table.
fn stands_on(definition: &str, table: &Name) -> bool {
    table_of(definition).is_some_and(|on| on.eq_ignore_ascii_case(table.object()))
}

/// The table of such a line.
fn table_of(definition: &str) -> Option<&str> {
    let mut words = definition.split(' ').skip_while(|word| *word != "on").skip(1);
    let mut table = words.next()?;
    if table == "only" {
        table = words.next()?;
    }
    // A schema in front.
    while words.next() == Some(".") {
        table = words.next()?;
    }
    Some(table.trim_matches(['"', '`', '[', ']']))
}

fn last<T>(states: &[(Moment, Option<T>)], before: Moment) -> Option<&T> {
    let count = states.partition_point(|(at, _)| *at < before);
    states.get(count.checked_sub(1)?).and_then(|(_, state)| state.as_ref())
}
