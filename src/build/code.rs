//! The order of code objects: what is mentioned comes before what mentions it. Names decide, never chance.

use std::collections::{BTreeSet, HashMap};

use super::load::{Reading, load};
use crate::project::Project;
use crate::script::{Directive, ScriptErrors, Source, directives};
use crate::sql::{self, Dialect, Statements, Tokens};

/// Returns the files in the order in which they can run. Files that mention each other in a circle keep the
/// order of their paths.
pub fn order(project: &Project, dialect: Dialect, sources: &[Source]) -> Result<Vec<Source>, ScriptErrors> {
    let mut files = Vec::with_capacity(sources.len());
    for source in sources {
        files.push(read(project, dialect, &source.file)?);
    }
    let needs = needs(&files);
    let mut order = Vec::with_capacity(files.len());
    let mut state = vec![Mark::New; files.len()];
    for index in 0..files.len() {
        visit(index, &needs, &mut state, &mut order);
    }
    Ok(order.into_iter().filter_map(|index| sources.get(index).cloned()).collect())
}

struct CodeFile {
    path: String,
    creates: Vec<sql::Name>,
    mentions: BTreeSet<sql::Name>,
    after: Vec<String>,
}

fn read(project: &Project, dialect: Dialect, file: &str) -> Result<CodeFile, ScriptErrors> {
    let loaded = load(project, file, Reading { dialect, layout: None, variables: None })?;
    let text = loaded.text.as_str();
    let mut code =
        CodeFile { path: file.to_owned(), creates: Vec::new(), mentions: BTreeSet::new(), after: Vec::new() };
    // What cannot be lexed is told when the file is cut, with its place.
    for statement in Statements::new(text, dialect).map_while(Result::ok) {
        let tokens = Tokens::new(text, statement.span, dialect);
        code.creates.extend(sql::creates(tokens).into_iter().map(|(_, name)| name));
        code.mentions.extend(sql::mentions(tokens));
    }
    for (_, body) in directives(text, dialect) {
        if let Ok(Directive::After(names)) = Directive::parse(body) {
            code.after.extend(names);
        }
    }
    Ok(code)
}

/// Returns, for each file, the files it needs, in the order of their paths.
fn needs(files: &[CodeFile]) -> Vec<Vec<usize>> {
    let mut makers: HashMap<&str, Vec<(usize, &sql::Name)>> = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        for name in &file.creates {
            makers.entry(name.object()).or_default().push((index, name));
        }
    }
    let needed = |index: usize, file: &CodeFile| -> Vec<usize> {
        let mentioned = file.mentions.iter().flat_map(|name| {
            let makers = makers.get(name.object()).into_iter().flatten();
            makers.filter(move |(_, made)| made.matches(name)).map(|(maker, _)| *maker)
        });
        let after = file.after.iter().flat_map(|name| {
            files.iter().enumerate().filter(move |(_, other)| is_named(other, name)).map(|(other, _)| other)
        });
        let all: BTreeSet<usize> = mentioned.chain(after).filter(|other| *other != index).collect();
        all.into_iter().collect()
    };
    files.iter().enumerate().map(|(index, file)| needed(index, file)).collect()
}

fn is_named(file: &CodeFile, name: &str) -> bool {
    let stem = file.path.rsplit('/').next().and_then(|last| last.split('.').next());
    stem == Some(name) || file.creates.iter().any(|made| made.to_string() == name || made.object() == name)
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
