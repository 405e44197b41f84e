//! The order of the code files: what is mentioned comes before what mentions it. Names decide, never chance.

use std::collections::{BTreeSet, HashMap};

use super::reach;
use super::text::{Made, Text, read};
use crate::build::load::{Reading, load};
use crate::build::parallel::{collect, in_parallel};
use crate::project::Project;
use crate::script::{Fault, ScriptErrors, Source};
use crate::sql::{self, Dialect, Name};

/// The code files in the order in which they can run. Files that mention each other in a circle keep the order of their
/// paths.
#[derive(Debug)]
pub struct Order {
    /// The files as they were given.
    pub sources: Vec<Source>,
    /// The files in order.
    pub files: Vec<Source>,
    /// The places of the files that each one needs.
    pub needs: Vec<Vec<usize>>,
    /// The files whose reach is known; `None` if it is that of every file.
    pub due: Option<BTreeSet<String>>,
}

impl Order {
    /// Returns which files some others reach: these, and whatever mentions one of them, directly or not.
    pub fn reached(&self, from: impl Fn(&Source) -> bool) -> Vec<bool> {
        let mut reached: Vec<bool> = self.files.iter().map(from).collect();
        loop {
            let mut is_calm = true;
            for (at, needs) in self.needs.iter().enumerate() {
                if !reached[at] && needs.iter().any(|needed| reached[*needed]) {
                    (reached[at], is_calm) = (true, false);
                }
            }
            if is_calm {
                return reached;
            }
        }
    }
}

/// Reads the code files and puts them in order. With `due`, only these files and what they reach are in order; the
/// others are not taken apart.
pub fn order(
    project: &Project,
    dialect: Dialect,
    sources: &[Source],
    due: Option<BTreeSet<String>>,
) -> Result<Order, ScriptErrors> {
    let files = match &due {
        Some(due) => reach::read_reached(project, dialect, sources, due)?,
        None => collect(in_parallel(sources, |source, _| read(project, dialect, &source.file)))?,
    };
    refuse_twice(project, dialect, &files)?;
    let needs = needs(&files);
    let mut order = Vec::with_capacity(files.len());
    let mut state = vec![Mark::New; files.len()];
    for index in 0..files.len() {
        visit(index, &needs, &mut state, &mut order);
    }
    let mut places = vec![0; files.len()];
    for (place, index) in order.iter().enumerate() {
        places[*index] = place;
    }
    let needs = order.iter().map(|index| needs[*index].iter().map(|needed| places[*needed]).collect()).collect();
    let files = order.into_iter().filter_map(|index| sources.get(index).cloned()).collect();
    Ok(Order { sources: sources.to_vec(), files, needs, due })
}

/// Refuses two files that make one object. Routines may share a name; the engine tells them apart.
fn refuse_twice(project: &Project, dialect: Dialect, files: &[Text]) -> Result<(), ScriptErrors> {
    let mut makers: HashMap<(sql::Kind, &str), Vec<(&Made, &str)>> = HashMap::new();
    let mut faults = Vec::new();
    for file in files {
        for made in &file.creates {
            if matches!(made.kind, sql::Kind::Function | sql::Kind::Procedure | sql::Kind::Aggregate) {
                continue;
            }
            let known = makers.entry((made.kind, made.name.object())).or_default();
            if let Some((_, path)) = known.iter().find(|(other, path)| *path != file.path && is_twin(made, other)) {
                let message = format!("{} {} is made by {path} too", made.kind, made.name);
                let place = load(project, &file.path, Reading { dialect, layout: None, variables: None })?;
                faults.push(
                    Fault::new("code/twice", &file.path, message)
                        .at(place.text.place(made.span))
                        .hint("keep it in one of the two files"),
                );
            }
            known.push((made, &file.path));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ScriptErrors(faults)) }
}

/// Returns true if two statements that make something of one kind, called alike, make one object.
fn is_twin(one: &Made, other: &Made) -> bool {
    let is_public = |name: &Name| name.schema().is_none_or(|schema| schema == "public");
    let is_same = |one: &Name, other: &Name| {
        one == other || one.matches(other) && [one, other].iter().all(|name| is_public(name))
    };
    let is_on_same_table = match (&one.table, &other.table) {
        (Some(table), Some(others)) if one.kind.is_on_table() => is_same(table, others),
        _ => true,
    };
    is_same(&one.name, &other.name) && is_on_same_table
}

/// Returns, for each file, the files it needs, in the order of their paths.
pub(super) fn needs(files: &[Text]) -> Vec<Vec<usize>> {
    let mut makers: HashMap<&str, Vec<(usize, sql::Kind, &Name)>> = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        for made in &file.creates {
            makers.entry(made.name.object()).or_default().push((index, made.kind, &made.name));
        }
    }
    let needed = |index: usize, file: &Text| -> Vec<usize> {
        let mentioned = file.mentions.iter().flat_map(|mention| {
            let makers = makers.get(mention.name.object()).into_iter().flatten();
            makers.filter(|(_, kind, made)| mention.may_be(*kind, made)).map(|(maker, ..)| *maker)
        });
        let after = file.after.iter().flat_map(|name| {
            files.iter().enumerate().filter(move |(_, other)| other.is_called(name)).map(|(other, _)| other)
        });
        let all: BTreeSet<usize> = mentioned.chain(after).filter(|other| *other != index).collect();
        all.into_iter().collect()
    };
    files.iter().enumerate().map(|(index, file)| needed(index, file)).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Depth first, without recursion, so that a chain of any length is fine.
fn visit(start: usize, needs: &[Vec<usize>], state: &mut [Mark], order: &mut Vec<usize>) {
    let mut stack = vec![(start, 0)];
    while let Some((index, next)) = stack.pop() {
        if state[index] == Mark::Done || (next == 0 && state[index] == Mark::Open) {
            continue;
        }
        state[index] = Mark::Open;
        match needs[index].get(next) {
            Some(needed) => {
                stack.push((index, next + 1));
                if state[*needed] == Mark::New {
                    stack.push((*needed, 0));
                }
            }
            None => {
                state[index] = Mark::Done;
                order.push(index);
            }
        }
    }
}
