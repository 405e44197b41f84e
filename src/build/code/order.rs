//! The order of the code files: what is mentioned comes before what mentions it. Names decide, never chance.

use std::collections::{BTreeSet, HashMap};

use super::text::{Text, read};
use crate::project::Project;
use crate::script::{Fault, ScriptErrors, Source};
use crate::sql::{self, Dialect, Name};

/// Returns the files in the order in which they can run. Files that mention each other in a circle keep the
/// order of their paths.
pub fn order(project: &Project, dialect: Dialect, sources: &[Source]) -> Result<Vec<Source>, ScriptErrors> {
    ordered(project, dialect, sources).map(|(order, _)| order)
}

/// The same, with the places of the files that each one needs.
pub fn ordered(
    project: &Project,
    dialect: Dialect,
    sources: &[Source],
) -> Result<(Vec<Source>, Vec<Vec<usize>>), ScriptErrors> {
    let mut files = Vec::with_capacity(sources.len());
    for source in sources {
        files.push(read(project, dialect, &source.file)?);
    }
    refuse_twice(&files)?;
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
    let needed = order.iter().map(|index| needs[*index].iter().map(|needed| places[*needed]).collect()).collect();
    Ok((order.into_iter().filter_map(|index| sources.get(index).cloned()).collect(), needed))
}

/// Refuses two files that make one object. Routines may share a name; the engine tells them apart.
fn refuse_twice(files: &[Text]) -> Result<(), ScriptErrors> {
    let mut makers: HashMap<(sql::Kind, &str), Vec<Maker<'_>>> = HashMap::new();
    let mut faults = Vec::new();
    for file in files {
        for ((kind, name), table) in file.creates.iter().zip(&file.tables) {
            if matches!(kind, sql::Kind::Function | sql::Kind::Procedure | sql::Kind::Aggregate) {
                continue;
            }
            let known = makers.entry((*kind, name.object())).or_default();
            let is_twin = |(other, on, path): &&Maker<'_>| {
                let same = |one: &Name, two: &Name| {
                    one == two
                        || one.matches(two)
                            && [one, two].iter().all(|name| name.schema().is_none_or(|schema| schema == "public"))
                };
                let same_table = match (table, on) {
                    (Some(one), Some(two)) if kind.is_on_table() => same(one, two),
                    _ => true,
                };
                *path != file.path && same(name, other) && same_table
            };
            if let Some((_, _, path)) = known.iter().find(is_twin) {
                faults.push(
                    Fault::new("code/twice", &file.path, format!("{kind} {name} is made by {path} too"))
                        .hint("keep it in one of the two files"),
                );
            }
            known.push((name, table.as_ref(), &file.path));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ScriptErrors(faults)) }
}

/// An object's name, the table that it is on, and the file that makes it.
type Maker<'a> = (&'a Name, Option<&'a Name>, &'a str);

/// Returns, for each file, the files it needs, in the order of their paths.
pub(super) fn needs(files: &[Text]) -> Vec<Vec<usize>> {
    let mut makers: HashMap<&str, Vec<(usize, sql::Kind, &Name)>> = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        for (kind, name) in &file.creates {
            makers.entry(name.object()).or_default().push((index, *kind, name));
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
