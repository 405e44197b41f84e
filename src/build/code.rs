//! The code objects: which files there are, in which order, and what a session is asked to do with them.
//!
//! The order is that of the references: what is mentioned comes before what mentions it. Names decide, never chance.

use std::collections::{BTreeSet, HashMap};

use super::apply::{finished, short_name};
use super::load::{Reading, load};
use super::plan::{Note, Plan, PlannedFile, Step};
use super::unit::{planned_file, unit};
use super::{Checkout, Site};
use crate::engine::{CodeFile as Work, CodeWork, EngineError, GoneFile, Inspection, Session, Unit};
use crate::error::Error;
use crate::event::{Event, Observer, Silent, StepKind, StepResult};
use crate::journal::{Entry, Kind, NewEntry, Stored};
use crate::project::Project;
use crate::script::{Checksum, Directive, Fault, ScriptErrors, Source, directives};
use crate::sql::{self, Dialect, Name, Statements, Tokens};

/// Returns true for the steps that are done together, in one transaction.
pub fn is_of_code(step: &Step) -> bool {
    matches!(step, Step::Keep { .. } | Step::Drop(_) | Step::Code(_))
}

/// Has the code objects looked after: `scripts` run first, in the same transaction. Returns how many steps were done;
/// nothing if another builder was faster.
#[allow(clippy::too_many_arguments)]
pub fn keep(
    site: &Site<'_>,
    checkout: &Checkout,
    inspection: &Inspection,
    scripts: Vec<Unit>,
    steps: &[Step],
    is_whole: bool,
    session: &mut dyn Session,
    observer: &mut dyn Observer,
) -> Result<Option<usize>, Error> {
    for unit in &scripts {
        observer.event(Event::Started { step: StepKind::Apply, name: short_name(site, unit.text.file()) });
    }
    let work = work(site, checkout, inspection, scripts, steps, is_whole)?;
    let kept = session.keep_code(&work, &site.run, observer);
    let kept = kept.map_err(|error| match work.scripts.first() {
        Some(script) => in_the_way(site, script, error),
        None => error.into(),
    })?;
    let Some(kept) = kept else { return Ok(None) };
    for (unit, applied) in work.scripts.iter().zip(&kept.scripts) {
        observer.event(finished(site, unit, applied));
    }
    for (at, applied, again) in &kept.files {
        let file = &work.files[*at];
        let mut event = finished(site, &file.unit, applied);
        if let (Event::Finished { result, .. }, false) = (&mut event, file.is_due) {
            let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
            let (statements, skipped) = (count(applied.statements + applied.skipped), count(applied.skipped));
            *result = StepResult::Made { statements, skipped, why: again.word().to_owned() };
        }
        observer.event(event);
    }
    if is_whole && !kept.dropped.is_empty() {
        let message = format!("dropped, since no code file makes it any more: {}", kept.dropped.join(", "));
        observer.event(Event::Note { code: "code-dropped".into(), message });
    }
    let drops = steps.iter().filter(|step| matches!(step, Step::Drop(_))).count();
    Ok(Some(kept.scripts.len() + kept.files.len() + drops))
}

/// Has every code file run, whether it is due or not: for whoever wants to know what that changes.
pub fn run_all(site: &Site<'_>, checkout: &Checkout, session: &mut dyn Session) -> Result<(), Error> {
    let inspection = session.inspect(&site.project.name)?;
    let step = |source: &Source| {
        let Source { file, checksum } = source.clone();
        Step::Code(PlannedFile { file, checksum, attempt: 0, why: "proof".to_owned() })
    };
    let steps: Vec<Step> = checkout.code.iter().map(step).collect();
    keep(site, checkout, &inspection, Vec::new(), &steps, true, session, &mut Silent).map(|_| ())
}

fn work(
    site: &Site<'_>,
    checkout: &Checkout,
    inspection: &Inspection,
    scripts: Vec<Unit>,
    steps: &[Step],
    is_whole: bool,
) -> Result<CodeWork, Error> {
    let entries = inspection.journal.as_deref().unwrap_or_default();
    let entry = |file: &str| entries.iter().find(|entry| entry.kind == Kind::Code && entry.key == file);
    let attempt = |file: &str| entry(file).map_or(0, |entry| entry.attempt);
    let (order, needs) = ordered(site.project, checkout.dialect, &checkout.code)?;
    let mut files = Vec::with_capacity(order.len());
    for (source, needs) in order.iter().zip(needs) {
        let planned = planned_file(Kind::Code, &source.file, &source.checksum, attempt(&source.file));
        let unit = unit(site.project, site.target, checkout.dialect, &planned)?;
        let is_due = steps.iter().any(|step| matches!(step, Step::Code(file) if file.file == source.file));
        files.push(Work { unit, is_due, needs });
    }
    let is_here = |entry: &&Entry| checkout.code.iter().any(|source| source.file == entry.key);
    let folder = site.project.code_folder();
    let gone = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Code && entry.key != folder && entry.state != Stored::Reverted)
        .filter(|entry| !is_here(entry))
        .map(|entry| GoneFile {
            entry: bare(site, &entry.key, entry.attempt + 1, Stored::Reverted),
            drop: steps.iter().any(|step| matches!(step, Step::Drop(file) if file.file == entry.key)),
        })
        .collect();
    let marker = bare(site, &folder, attempt(&folder) + 1, Stored::Applied);
    Ok(CodeWork { scripts, files, gone, marker, is_whole })
}

/// Makes an entry without a text.
fn bare(site: &Site<'_>, key: &str, attempt: i32, state: Stored) -> NewEntry {
    NewEntry {
        project: site.project.name.clone(),
        kind: Kind::Code,
        key: key.to_owned(),
        order_key: key.to_owned(),
        attempt,
        name: key.to_owned(),
        checksum: Checksum::of_text(""),
        token_checksum: Checksum::of_text(""),
        text: None,
        state,
        statements: 0,
        objects: Vec::new(),
    }
}

/// Warns of code objects that are away for more than one transaction: a script between the one that suspends them and
/// the code step runs without a transaction.
pub fn warn_of_absence(project: &Project, dialect: Dialect, plan: &mut Plan) -> Result<(), ScriptErrors> {
    let mut away: Vec<String> = Vec::new();
    let mut between = None;
    for step in &plan.steps {
        let Step::Apply { script, .. } = step else { continue };
        let loaded = load(project, &script.file, Reading { dialect, layout: Some(project.layout()), variables: None })?;
        let own = project.script_directives(&script.version).iter().cloned();
        let written = directives(loaded.text.as_str(), dialect);
        let written = written.into_iter().filter_map(|(_, body)| Directive::parse(body).ok());
        for directive in own.chain(written) {
            match directive {
                Directive::SuspendCode(names) => away.extend(names),
                Directive::NoTransaction if !away.is_empty() => between = between.or(Some(script.file.clone())),
                _ => {}
            }
        }
    }
    if let Some(between) = between {
        let message = format!(
            "{} are away until the code step: {between} runs in between, without a transaction",
            away.join(", ")
        );
        plan.notes.push(Note { code: "code-away".into(), message });
    }
    Ok(())
}

/// Adds to the failure of a script which code objects stood in its way, and what helps.
pub fn in_the_way(site: &Site<'_>, script: &Unit, mut error: EngineError) -> Error {
    if script.entry.kind != Kind::Script {
        return error.into();
    }
    if let EngineError::Unit(unit) = &mut error {
        let failure = &mut unit.failure;
        let said = format!("{} {}", failure.message, failure.detail.as_deref().unwrap_or_default());
        let is_it = matches!(failure.code.as_str(), "2BP01" | "0A000" | "42P16")
            || ["error in view", "error in trigger"].iter().any(|start| failure.message.contains(start));
        let is_sqlite = failure.message.contains("error in ");
        let names = if is_it { named(site, &said, is_sqlite) } else { Vec::new() };
        if !names.is_empty() {
            let is = if names.len() == 1 { "is a code object" } else { "are code objects" };
            failure.hint = Some(format!(
                "{names} {is}: `-- dbbuild: suspend-code {names}` at the head of the script takes that, and what depends \
                 on it, out of the way, and puts it back as its file then says",
                names = names.join(", ")
            ));
        }
    }
    error.into()
}

/// Returns the code objects of the checkout that a message names. With `roots`, instead of one that needs others,
/// those that it rests on: the message names one of a chain, and what depends on a suspended object goes with it.
fn named(site: &Site<'_>, said: &str, roots: bool) -> Vec<String> {
    let Ok(checkout) = super::discover(site.project, site.engine.dialect()) else { return Vec::new() };
    let sources = checkout.code.iter();
    let files: Vec<CodeFile> =
        sources.filter_map(|source| read(site.project, checkout.dialect, &source.file).ok()).collect();
    let needs = needs(&files);
    let words: BTreeSet<Name> = said
        .split(|char: char| !(char.is_alphanumeric() || matches!(char, '_' | '$' | '.')))
        .map(|word| Name::new(word.trim_matches('.').split('.')))
        .collect();
    let is_said = |name: &Name| words.iter().any(|word| word.matches(name));
    let is_named = |file: &CodeFile| file.creates.iter().any(|(_, name)| is_said(name));
    let mut found: Vec<usize> = (0..files.len()).filter(|at| is_named(&files[*at])).collect();
    let (mut seen, mut names) = (BTreeSet::new(), BTreeSet::new());
    while let Some(at) = found.pop() {
        if !seen.insert(at) {
            continue;
        }
        let below: &[usize] = if roots { &needs[at] } else { &[] };
        found.extend(below);
        let made = files[at].creates.iter().filter(|_| below.is_empty());
        names.extend(made.filter(|(_, name)| roots || is_said(name)).map(|(_, name)| name.to_string()));
    }
    names.into_iter().collect()
}

/// Returns the files in the order in which they can run. Files that mention each other in a circle keep the
/// order of their paths.
pub fn order(project: &Project, dialect: Dialect, sources: &[Source]) -> Result<Vec<Source>, ScriptErrors> {
    ordered(project, dialect, sources).map(|(order, _)| order)
}

/// The same, with the places of the files that each one needs.
fn ordered(
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
fn refuse_twice(files: &[CodeFile]) -> Result<(), ScriptErrors> {
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

struct CodeFile {
    path: String,
    creates: Vec<(sql::Kind, Name)>,
    /// The table of each.
    tables: Vec<Option<Name>>,
    mentions: BTreeSet<sql::Mention>,
    after: Vec<String>,
}

fn read(project: &Project, dialect: Dialect, file: &str) -> Result<CodeFile, ScriptErrors> {
    let loaded = load(project, file, Reading { dialect, layout: None, variables: None })?;
    let text = loaded.text.as_str();
    let mut code = CodeFile {
        path: file.to_owned(),
        creates: Vec::new(),
        tables: Vec::new(),
        mentions: BTreeSet::new(),
        after: Vec::new(),
    };
    // What cannot be lexed is told when the file is cut, with its place.
    for statement in Statements::new(text, dialect).map_while(Result::ok) {
        let tokens = Tokens::new(text, statement.span, dialect);
        let mut mentions = sql::mentions(tokens);
        for made in sql::creates(tokens) {
            // That it makes something says nothing about another file that makes one of this name: an overload, or a
            // trigger on another table.
            mentions.retain(|mention| !mention.may_be(made.0, &made.1));
            code.creates.push(made);
            code.tables.push(sql::Head::of(tokens).table);
        }
        code.mentions.extend(mentions);
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
    let mut makers: HashMap<&str, Vec<(usize, sql::Kind, &Name)>> = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        for (kind, name) in &file.creates {
            makers.entry(name.object()).or_default().push((index, *kind, name));
        }
    }
    let needed = |index: usize, file: &CodeFile| -> Vec<usize> {
        let mentioned = file.mentions.iter().flat_map(|mention| {
            let makers = makers.get(mention.name.object()).into_iter().flatten();
            makers.filter(|(_, kind, made)| mention.may_be(*kind, made)).map(|(maker, ..)| *maker)
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
    stem == Some(name) || file.creates.iter().any(|(_, made)| made.to_string() == name || made.object() == name)
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
