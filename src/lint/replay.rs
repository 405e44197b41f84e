//! The names that a script makes, drops and renames, replayed: what a second run of it meets.
//!
//! That the first run succeeds says what was there before it. The second run is then replayed twice: as the script is
//! written, and as it would be with a guard on each statement. The first says which statements need no guard, the
//! second whether guards on single statements end where the first run did. Where anything is not known, nothing is said.

use std::collections::HashMap;
use std::sync::Arc;

use super::alike;
use super::context::Context;
use super::facts::dropped;
use super::generated;
use super::rule::Rule;
use super::shape::{self, Shape};
use super::statement::Statement;
use crate::sql::{Action, ActionKind, Kind, Name, Tokens, Verb};

/// What a second run of the whole script does to names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeds as it is written, and ends where the first one did.
    Repeats,
    /// It does not, and guards on its statements would let it do half of it again.
    Tears,
    /// It does not, and guards help.
    Stops,
}

/// The rules that judge by names alone.
const ABOUT_NAMES: &[&str] = &[
    "unguarded-create-table",
    "unguarded-create-index",
    "unguarded-create",
    "create-without-replace",
    "create-without-drop",
    "create-without-test",
    "unguarded-drop",
    "unguarded-add-column",
    "unguarded-drop-column",
    "unguarded-rename",
    "unguarded-add-constraint",
    "unguarded-drop-constraint",
    "unnamed-constraint",
];

/// The actions that are followed.
const FOLLOWED: &[ActionKind] = &[
    ActionKind::AddColumn,
    ActionKind::AddConstraint,
    ActionKind::DropColumn,
    ActionKind::DropConstraint,
    ActionKind::RenameColumn,
    ActionKind::RenameConstraint,
    ActionKind::Rename,
];

/// A name in the space that it has to be unique in; parts have their table in front.
type Key = (Space, String, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Space {
    Relation,
    Type,
    Column,
    Constraint,
    Other(Kind),
}

/// What a statement or an action does to a name.
struct Event {
    what: What,
    key: Key,
    /// What comes and goes with it.
    with: Vec<Key>,
    /// The table that it is dropped with.
    on: Option<String>,
    /// The table that it is made like.
    like: Option<String>,
    /// The columns that it is dropped with.
    of: Vec<String>,
    guarded: bool,
}

impl Event {
    const fn new(what: What, key: Key) -> Self {
        Self { what, key, with: Vec::new(), on: None, like: None, of: Vec::new(), guarded: false }
    }
}

enum What {
    Create,
    Drop,
    Rename(Key),
}

/// What a name is of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Thing {
    /// What had this name before the script.
    Found(Key),
    /// What the script makes under this name.
    Made(Key),
}

/// What is known of names at some moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    known: HashMap<Key, bool>,
    /// What stands under a name: what was found there, or what an event of this name makes.
    is: HashMap<Key, Thing>,
    /// The table that an index or a partition is dropped with.
    on: HashMap<Key, String>,
    /// The columns that an index or a constraint is dropped with.
    of: HashMap<Key, Vec<String>>,
}

/// Returns true if a finding is about a name that is followed here, or about a copy that takes its original's name.
pub fn answers(context: &Context<'_>, rule: &Rule, at: usize) -> bool {
    let holds = |statement: &&Statement<'_>| statement.span.start <= at && at < statement.end.max(statement.span.end);
    let statement = context.statements.iter().rfind(holds);
    if rule.name == "unguarded-insert" {
        return statement.is_some_and(|statement| alike::copies_what_it_becomes(context, statement));
    }
    let followed = |statement: &Statement<'_>| {
        let head = &statement.head;
        let mut actions = statement.actions.iter().filter(|action| action.span.start <= at && at < action.span.end);
        let action = actions.next().is_none_or(|action| FOLLOWED.contains(&action.kind));
        action && !head.temporary && head.name.is_some() && head.kind.is_some_and(|kind| !has_arguments(kind))
    };
    ABOUT_NAMES.contains(&rule.name) && statement.is_some_and(followed)
}

/// Replays a script; `None` where something is not known.
pub fn outcome(context: &Context<'_>) -> Option<Outcome> {
    if context.structure.len() > 2000 {
        return None;
    }
    let mut events = Vec::new();
    let about_names =
        |statement: &&&Statement<'_>| matches!(statement.head.verb, Verb::Create | Verb::Alter | Verb::Drop);
    for statement in context.structure.iter().filter(about_names) {
        let before = events.len();
        read(context, statement, &mut events)?;
        if events.len() > before && (statement.is_guarded() || statement.caught().is_some()) {
            return None;
        }
    }
    let mut first = State::default();
    for event in &events {
        first.infer(event);
        first.run(event, false)?;
    }
    let replay = |guards: bool| {
        let mut state = first.clone();
        let (mut renamed, mut kept) = (false, false);
        for event in &events {
            let took = state.run(event, guards)?;
            renamed |= took && matches!(event.what, What::Rename(_));
            kept |= !took && !matches!(event.what, What::Drop);
        }
        // What was to be dropped and is gone already changes nothing about the rest.
        Some((state.ends_as(&first), renamed && kept))
    };
    if replay(false).is_some_and(|(same, _)| same) {
        return Some(Outcome::Repeats);
    }
    let (same, half) = replay(true)?;
    Some(if !same || half { Outcome::Tears } else { Outcome::Stops })
}

impl State {
    /// What the success of an event says about the moment before it.
    fn infer(&mut self, event: &Event) {
        let (absent, present) = match &event.what {
            What::Create => (Some(&event.key), None),
            What::Drop => (None, Some(&event.key)),
            What::Rename(to) => (Some(to), Some(&event.key)),
        };
        for (key, is_there) in absent.map(|key| (key, false)).into_iter().chain(present.map(|key| (key, true))) {
            if is_there && !self.known.contains_key(key) {
                self.is.insert(key.clone(), Thing::Found(key.clone()));
            }
            self.known.entry(key.clone()).or_insert(is_there);
        }
    }

    /// Whether the same names are there; what is not known is not there.
    fn ends_as(&self, other: &Self) -> bool {
        let there = |state: &Self| state.known.iter().filter(|(_, is_there)| **is_there).count();
        // `a` and `b` that change their names stay two names.
        let same = |key: &Key| !self.has(key) || self.is.get(key) == other.is.get(key);
        let all_same = self.is.keys().all(same);
        all_same && there(self) == there(other) && other.known.iter().all(|(key, is_there)| self.has(key) == *is_there)
    }

    fn has(&self, key: &Key) -> bool {
        self.known.get(key).copied().unwrap_or_default()
    }

    /// Runs an event; returns whether it did anything, `None` if it fails.
    fn run(&mut self, event: &Event, guards: bool) -> Option<bool> {
        let works = match &event.what {
            What::Create => !self.has(&event.key),
            What::Drop => self.has(&event.key),
            What::Rename(to) => self.has(&event.key) && !self.has(to),
        };
        if !works {
            // IF EXISTS asks for the old name alone.
            let taken = matches!(event.what, What::Rename(_)) && self.has(&event.key);
            return (guards || event.guarded && !taken).then_some(false);
        }
        match &event.what {
            What::Create => {
                for key in std::iter::once(&event.key).chain(&event.with) {
                    self.known.insert(key.clone(), true);
                    self.is.insert(key.clone(), Thing::Made(key.clone()));
                }
                if let Some(model) = &event.like {
                    self.copy_columns(model, &event.key.2);
                }
                if let Some(on) = &event.on {
                    self.on.insert(event.key.clone(), on.clone());
                }
                for key in std::iter::once(&event.key).chain(&event.with).filter(|_| !event.of.is_empty()) {
                    self.of.insert(key.clone(), event.of.clone());
                    let is_relation = event.key.0 == Space::Relation;
                    let owner = if is_relation { &event.key.2 } else { &event.key.1 };
                    self.on.entry(key.clone()).or_insert_with(|| owner.clone());
                }
            }
            What::Drop => self.drop(event),
            What::Rename(to) => {
                self.rename(&event.key, to);
                self.known.extend(event.with.iter().map(|key| (key.clone(), true)));
            }
        }
        Some(true)
    }

    /// A table that is made like another one has its columns.
    fn copy_columns(&mut self, model: &str, table: &str) {
        let of_model = |(key, is_there): &(&Key, &bool)| **is_there && key.0 == Space::Column && key.1 == model;
        let columns: Vec<Key> = self.known.iter().filter(of_model).map(|(key, _)| key.clone()).collect();
        for key in columns {
            let copied = (key.0, table.to_owned(), key.2.clone());
            if let Some(thing) = self.is.get(&key).cloned() {
                self.is.insert(copied.clone(), thing);
            }
            self.known.insert(copied, true);
        }
    }

    fn drop(&mut self, event: &Event) {
        self.known.insert(event.key.clone(), false);
        for key in &event.with {
            self.known.entry(key.clone()).and_modify(|is_there| *is_there = false);
        }
        if event.key.0 == Space::Relation {
            let (table, on) = (&event.key.2, &self.on);
            let goes = |key: &Key| key.1 == *table || on.get(key) == Some(table);
            self.known.iter_mut().filter(|(key, _)| goes(key)).for_each(|(_, is_there)| *is_there = false);
        }
        if event.key.0 == Space::Column {
            let (table, column) = (&event.key.1, &event.key.2);
            let of = self.of.iter().filter(|(key, of)| self.on.get(*key) == Some(table) && of.contains(column));
            for (key, _) in of {
                self.known.insert(key.clone(), false);
            }
        }
    }

    fn rename(&mut self, from: &Key, to: &Key) {
        self.known.insert(from.clone(), false);
        self.known.insert(to.clone(), true);
        if let Some(thing) = self.is.remove(from) {
            self.is.insert(to.clone(), thing);
        }
        if let Some(on) = self.on.remove(from) {
            self.on.insert(to.clone(), on);
        }
        if let Some(of) = self.of.remove(from) {
            self.of.insert(to.clone(), of);
        }
        // What belongs to a table goes along.
        if from.0 == Space::Relation {
            let parts = self.known.iter().filter(|(key, _)| key.1 == from.2);
            for (key, is_there) in parts.map(|(key, is_there)| (key.clone(), *is_there)).collect::<Vec<_>>() {
                let moved = (key.0, to.2.clone(), key.2.clone());
                if let Some(thing) = self.is.remove(&key) {
                    self.is.insert(moved.clone(), thing);
                }
                if let Some((on, of)) = self.on.remove(&key).zip(self.of.remove(&key)) {
                    self.on.insert(moved.clone(), on);
                    self.of.insert(moved.clone(), of);
                }
                self.known.insert(moved, is_there);
                self.known.insert(key, false);
            }
            self.on.values_mut().filter(|on| **on == from.2).for_each(|on| on.clone_from(&to.2));
        }
    }
}

/// The events of a statement; `None` if it does something to names that is not followed here.
fn read(context: &Context<'_>, statement: &Statement<'_>, events: &mut Vec<Event>) -> Option<()> {
    let head = &statement.head;
    let Some(kind) = head.kind.filter(|kind| !has_arguments(*kind)) else { return Some(()) };
    let of_temporary = head.table.as_ref().is_some_and(|table| context.is_temporary(table));
    let Some(name) = head.name.as_ref().filter(|_| !of_temporary) else {
        // An index without a name is another one on each run.
        return (of_temporary || head.verb != Verb::Create).then_some(());
    };
    if head.temporary || context.is_temporary(name) {
        return Some(());
    }
    let table = head.table.as_ref().map(|table| table.object().to_owned());
    match head.verb {
        Verb::Create => {
            let mut with = if kind == Kind::Table { parts(context, statement, name) } else { Vec::new() };
            let on = if kind == Kind::Table { alike::parent(statement) } else { table.clone() };
            let on = on.filter(|_| matches!(kind, Kind::Index | Kind::Table));
            let guarded = head.if_not_exists || head.or_replace;
            let like = if kind == Kind::Table { parts_alike(context, statement, name) } else { Vec::new() };
            let keeps_words = kind == Kind::Index || !like.is_empty();
            let of = if keeps_words { words(statement.tokens_behind_name()) } else { Vec::new() };
            with.extend(like);
            let model = alike::model(statement).map(|model| model.object().to_owned());
            events.push(Event { what: What::Create, key: key(kind, name, table), with, on, like: model, of, guarded });
        }
        Verb::Drop => {
            for name in dropped(statement) {
                let made =
                    |other: &&&Statement<'_>| other.head.creates(kind) && other.head.name.as_ref() == Some(&name);
                if context.structure.iter().filter(made).any(|made| context.is_elsewhere(made, &name)) {
                    return None;
                }
                // A name that is of something else by then is found, and is not what is to be dropped.
                let is_other = |other: &&&Statement<'_>| {
                    let made = other.head.kind.filter(|_| other.head.verb == Verb::Create);
                    made.is_some_and(|made| made != kind && shape::is_relation(made) && shape::is_relation(kind))
                };
                let same = |other: &&Statement<'_>| other.head.name.as_ref().is_some_and(|other| other.matches(&name));
                if context.structure.iter().filter(is_other).any(same) {
                    return None;
                }
                let key = key(kind, &name, table.clone());
                events.push(Event { guarded: head.if_exists, ..Event::new(What::Drop, key) });
            }
        }
        _ => {
            for action in &statement.actions {
                act(context, statement, (kind, name), action, events)?;
            }
        }
    }
    Some(())
}

fn act(
    context: &Context<'_>,
    statement: &Statement<'_>,
    (kind, owner): (Kind, &Name),
    action: &Action,
    events: &mut Vec<Event>,
) -> Option<()> {
    let table = owner.object().to_owned();
    let part = |space: Space, name: &str| (space, table.clone(), name.to_owned());
    let name = action.name.as_ref().map(|name| name.object().to_owned());
    let mut push = |what: What, key: Key, with: Vec<Key>, guarded: bool| {
        let is_constraint = key.0 == Space::Constraint && matches!(what, What::Create);
        let of = if is_constraint { words(statement.part(action.span)) } else { Vec::new() };
        events.push(Event { with, of, guarded, ..Event::new(what, key) });
    };
    let relation = |name: &str| (Space::Relation, String::new(), name.to_owned());
    let primary = format!("{table}_pkey");
    match (action.kind, name) {
        (ActionKind::AddColumn, Some(name)) => {
            let mut with = Vec::new();
            if statement.part(action.span).has_words(&["primary", "key"]) {
                with = vec![part(Space::Constraint, &primary), relation(&primary)];
            }
            push(What::Create, part(Space::Column, &name), with, action.if_not_exists);
        }
        (ActionKind::DropColumn, Some(name)) => {
            push(What::Drop, part(Space::Column, &name), Vec::new(), action.if_exists)
        }
        (ActionKind::DropConstraint, Some(name)) => {
            let with = vec![relation(&name)];
            push(What::Drop, part(Space::Constraint, &name), with, action.if_exists);
        }
        (ActionKind::AddConstraint, name) => {
            let mut tokens = statement.part(action.span);
            let named = name.filter(|_| tokens.has_word("constraint"));
            let index = if tokens.skip_past("index") { tokens.eat_name() } else { None };
            let is_primary = statement.part(action.span).has_words(&["primary", "key"]);
            let name = named
                .or_else(|| is_primary.then_some(primary))
                .or_else(|| generated::of_action(context, statement, action))?;
            // The index takes the constraint's name.
            match index.filter(|(index, _)| index.object() != name) {
                Some((index, _)) => {
                    let with = vec![part(Space::Constraint, &name)];
                    push(What::Rename(relation(&name)), relation(index.object()), with, false);
                }
                None => push(What::Create, part(Space::Constraint, &name), vec![relation(&name)], false),
            }
        }
        (ActionKind::RenameColumn, Some(name)) => {
            let to = generated::new_name(statement, action)?;
            push(What::Rename(part(Space::Column, &to)), part(Space::Column, &name), Vec::new(), false);
        }
        (ActionKind::RenameConstraint, Some(name)) => {
            let to = generated::new_name(statement, action)?;
            push(What::Rename(part(Space::Constraint, &to)), part(Space::Constraint, &name), Vec::new(), false);
        }
        (ActionKind::Rename, Some(to)) => {
            let on = statement.head.table.as_ref().map(|table| table.object().to_owned());
            let (from, to) = (key(kind, owner, on.clone()), key(kind, &Name::new([to]), on));
            push(What::Rename(to), from, Vec::new(), statement.head.if_exists);
        }
        (ActionKind::SetSchema, _) => return None,
        _ => {}
    }
    Some(())
}

/// The names in a definition, among them its columns.
fn words(tokens: Tokens<'_>) -> Vec<String> {
    let (text, dialect) = (tokens.text(), tokens.dialect());
    let names = tokens.filter(|token| token.kind.is_identifier());
    names.map(|token| Name::part(token.text(text), token.kind, dialect).object().to_owned()).collect()
}

/// Whether a kind's names are told apart by more than the name.
const fn has_arguments(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Function
            | Kind::Procedure
            | Kind::Routine
            | Kind::Aggregate
            | Kind::Operator
            | Kind::OperatorClass
            | Kind::OperatorFamily
            | Kind::Cast
            | Kind::Transform
    )
}

fn key(kind: Kind, name: &Name, table: Option<String>) -> Key {
    let space = match kind {
        kind if shape::is_relation(kind) || kind == Kind::ForeignTable => Space::Relation,
        Kind::Type | Kind::Domain => Space::Type,
        kind => Space::Other(kind),
    };
    let table = table.filter(|_| kind.is_on_table()).unwrap_or_default();
    (space, table, name.object().to_owned())
}

/// The columns and constraints that come with a table.
fn parts(context: &Context<'_>, statement: &Statement<'_>, table: &Name) -> Vec<Key> {
    // With a guard the history may know the table that was there instead.
    let made = context.history.table(table, (context.source, statement.span.start + 1));
    let read = || Arc::new(Shape::read(statement.tokens_behind_name()));
    let shape = made.filter(|_| !statement.head.if_not_exists).map_or_else(read, Arc::clone);
    let of_table = |space: Space, name: &str| (space, table.object().to_owned(), name.to_owned());
    let columns = shape.columns.iter().map(|column| of_table(Space::Column, &column.name));
    columns.chain(shape.constraints.iter().map(|name| of_table(Space::Constraint, name))).collect()
}

/// The indexes and constraints of a table that is made like another one, as far as the script speaks of them.
fn parts_alike(context: &Context<'_>, create: &Statement<'_>, table: &Name) -> Vec<Key> {
    let relation = |name: &str| (Space::Relation, String::new(), name.to_owned());
    let constraint = |name: &str| (Space::Constraint, table.object().to_owned(), name.to_owned());
    alike::names(context, create, table).into_iter().flat_map(|name| [relation(name), constraint(name)]).collect()
}
