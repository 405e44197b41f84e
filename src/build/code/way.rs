//! Scripts and the code objects in their way: told before something runs, and when something failed.

use std::collections::BTreeSet;

use super::order::needs;
use super::text::{Text, read};
use crate::build::Site;
use crate::build::load::{Reading, load};
use crate::build::plan::{Note, Plan, Step};
use crate::engine::{EngineError, Inspection, Session, Unit};
use crate::error::Error;
use crate::journal::{Entry, Kind, Stored};
use crate::project::Project;
use crate::script::{Directive, Fault, ScriptErrors, directives};
use crate::sql::{self, Dialect, Head, Name, Statements, Tokens, Verb};

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
        let away = away.join(", ");
        let message = format!(
            "away until the code step, with what depends on it: {away}; {between} runs in between, without a transaction"
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
            let (is, it, its) = match names.len() {
                1 => ("is a code object", "it", "its file then says"),
                _ => ("are code objects", "them", "their files then say"),
            };
            failure.hint = Some(format!(
                "{names} {is}: `-- dbbuild: suspend-code {names}` at the head of the script takes {it}, and what depends \
                 on {it}, out of the way, and puts {it} back as {its}",
                names = names.join(", ")
            ));
        }
    }
    error.into()
}

/// Returns the code objects of the checkout that a message names. With `roots`, instead of one that needs others,
/// those that it rests on: the message names one of a chain, and what depends on a suspended object goes with it.
fn named(site: &Site<'_>, said: &str, roots: bool) -> Vec<String> {
    let Ok(checkout) = crate::build::discover(site.project, site.engine.dialect()) else { return Vec::new() };
    let sources = checkout.code.iter();
    let files: Vec<Text> =
        sources.filter_map(|source| read(site.project, checkout.dialect, &source.file).ok()).collect();
    let needs = needs(&files);
    let is_odd = |char: char| !(char.is_alphanumeric() || matches!(char, '_' | '$'));
    let words: BTreeSet<Name> = said
        .split(|char: char| is_odd(char) && char != '.')
        .map(|word| Name::new(word.trim_matches('.').split('.')))
        .collect();
    let folded = said.to_lowercase();
    let is_said = |name: &Name| {
        let is_within = || name.object().contains(is_odd) && folded.contains(&name.object().to_lowercase());
        words.iter().any(|word| word.matches(name)) || is_within()
    };
    let is_named = |file: &Text| file.creates.iter().any(|made| is_said(&made.name));
    let mut found: Vec<usize> = (0..files.len()).filter(|at| is_named(&files[*at])).collect();
    let (mut seen, mut names) = (BTreeSet::new(), BTreeSet::new());
    while let Some(at) = found.pop() {
        if !seen.insert(at) {
            continue;
        }
        let below: &[usize] = if roots { &needs[at] } else { &[] };
        found.extend(below);
        let made = files[at].creates.iter().filter(|_| below.is_empty());
        names.extend(made.map(|made| &made.name).filter(|name| roots || is_said(name)).map(Name::to_string));
    }
    names.into_iter().collect()
}

/// Refuses a script that would not make what it says: `create table if not exists x` does nothing while a code object
/// is called `x`, and nobody would hear of it.
pub fn refuse_hidden(
    site: &Site<'_>,
    inspection: &Inspection,
    scripts: &[&Unit],
    session: &mut dyn Session,
) -> Result<(), Error> {
    let dialect = site.engine.dialect();
    let heads = |unit: &Unit| -> Vec<Head> {
        unit.parts.iter().map(|part| Head::of(Tokens::new(unit.text.as_str(), part.span, dialect))).collect()
    };
    let guarded = |head: &Head| head.verb == Verb::Create && head.if_not_exists && head.kind.is_some_and(holds_rows);
    if !scripts.iter().any(|unit| heads(unit).iter().any(guarded)) {
        return Ok(());
    }
    let is_there = |entry: &&Entry| entry.kind == Kind::Code && entry.state != Stored::Reverted;
    let mut there: Vec<(String, sql::Kind, Name)> = Vec::new();
    for entry in inspection.journal.iter().flatten().filter(is_there) {
        let text = session.entry_text(&site.project.name, Kind::Code, &entry.key)?.unwrap_or_default();
        for statement in Statements::new(&text, dialect).map_while(Result::ok) {
            let made = sql::creates(Tokens::new(&text, statement.span, dialect)).into_iter();
            let views = made.filter(|(kind, _)| matches!(kind, sql::Kind::View | sql::Kind::MaterializedView));
            there.extend(views.map(|(kind, name)| (entry.key.clone(), kind, name)));
        }
    }
    for unit in scripts {
        there.retain(|(_, _, name)| !unit.suspends.iter().any(|wanted| means(wanted, name, dialect)));
        for (head, part) in heads(unit).iter().zip(&unit.parts) {
            let Some(name) = &head.name else { continue };
            if head.verb == Verb::Drop {
                there.retain(|(_, _, known)| !known.matches(name));
            }
            let hides = |(_, _, known): &&(String, sql::Kind, Name)| guarded(head) && known.matches(name);
            if let Some((file, kind, known)) = there.iter().find(hides) {
                let message = format!("{name} would not be made: {kind} {known}, which {file} made, is in its place");
                let fault = Fault::new("code/in-the-place", unit.text.file(), message)
                    .at(unit.text.place(part.span))
                    .hint(format!("`-- dbbuild: suspend-code {known}` at the head of the script takes it away"));
                return Err(ScriptErrors(vec![fault]).into());
            }
        }
    }
    Ok(())
}

/// Returns true for what shares its names with views.
fn holds_rows(kind: sql::Kind) -> bool {
    matches!(kind, sql::Kind::Table | sql::Kind::VirtualTable | sql::Kind::ForeignTable | sql::Kind::Sequence)
}

fn means(wanted: &str, name: &Name, dialect: Dialect) -> bool {
    Tokens::of(wanted, dialect).eat_name().is_some_and(|(wanted, _)| wanted.matches(name))
}
