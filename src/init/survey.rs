//! Reads the scripts of a recognised layout as a build would, for what the settings must say about them.

use std::collections::BTreeSet;
use std::path::Path;

use super::recognise::{Recognised, RecognisedScript};
use crate::build::discover;
use crate::error::Error;
use crate::numbering::here;
use crate::project::layout::template_action;
use crate::project::{EngineName, Files, Layout, Project, Settings};
use crate::script::{Directive, Fault, Text, cut, normalise};
use crate::sql::Dialect;

/// How many faults of one kind are told one by one.
const SHOWN: usize = 5;

/// Fills in the scripts, what they need, what is to be ignored, and notes on what a build would refuse.
pub fn survey(root: &Path, recognised: &mut Recognised) -> Result<(), Error> {
    let mut faults = discovered(root, recognised)?;
    let (names, others): (Vec<Fault>, Vec<Fault>) = faults.into_iter().partition(|fault| fault.code == "script/name");
    faults = others;
    if !names.is_empty() {
        let files: BTreeSet<String> = names.iter().map(|fault| fault.file.clone()).collect();
        recognised.ignore = files.iter().map(|file| globset::escape(file)).collect();
        recognised.notes.push(format!("no scripts, so ignored: {}", shortened(files.into_iter().collect())));
        faults = discovered(root, recognised)?;
    }
    let project = project(root, recognised)?;
    let mut filled_in = Vec::new();
    for engine in recognised.engines.clone() {
        let scripts = scripts(&project, engine)?;
        for script in &scripts {
            let Some(text) = read(&project, script, &mut faults) else { continue };
            if template_action(&text.raw).is_some() || (recognised.layout == Layout::Flyway && text.raw.contains("${"))
            {
                filled_in.push(script.file.clone());
            }
            match needs(&text, engine.into()) {
                Ok(needed) if needed.is_empty() => {}
                Ok(needed) => {
                    let of_version: &mut Vec<String> = recognised.directives.entry(script.version.clone()).or_default();
                    of_version.extend(needed.into_iter().map(str::to_owned));
                    of_version.dedup();
                }
                Err(found) => faults.extend(found),
            }
        }
        recognised.newest = recognised.newest.take().max(scripts.last().map(|script| script.version.clone()));
        recognised.scripts.insert(engine, scripts);
    }
    filled_in.dedup();
    tell(recognised, faults, filled_in);
    Ok(())
}

fn tell(recognised: &mut Recognised, faults: Vec<Fault>, filled_in: Vec<String>) {
    // The first fault of a file says enough; a build tells them all.
    let mut files = BTreeSet::new();
    let first: Vec<&Fault> = faults.iter().filter(|fault| files.insert(fault.file.as_str())).collect();
    recognised.notes.extend(first.iter().take(SHOWN).map(|fault| format!("a build refuses {fault}")));
    let more = first.iter().skip(SHOWN).map(|fault| fault.file.clone()).collect::<Vec<_>>();
    if !more.is_empty() {
        recognised.notes.push(format!("a build refuses {}", more.join(", ")));
    }
    if !filled_in.is_empty() {
        let message = "placeholders that some program fills in before the text is SQL; write the values in, or declare `-- dbbuild: variables`";
        recognised.notes.push(format!("{message}: {}", shortened(filled_in)));
    }
}

fn shortened(mut files: Vec<String>) -> String {
    let more = files.len().saturating_sub(SHOWN);
    files.truncate(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", files.join(", "))
}

fn project(root: &Path, recognised: &Recognised) -> Result<Project, Error> {
    let mut settings = Settings { layout: recognised.layout_settings(), ..Settings::default() };
    settings.project.engines = Some(recognised.engines.clone());
    Ok(Project::with_settings(Files::Folder(root.to_owned()), settings, &recognised.name)?)
}

/// Returns what discovering the scripts finds wrong.
fn discovered(root: &Path, recognised: &Recognised) -> Result<Vec<Fault>, Error> {
    let project = project(root, recognised)?;
    let mut faults = Vec::new();
    for engine in &recognised.engines {
        match discover(&project, (*engine).into()) {
            Ok(_) => {}
            Err(Error::Scripts(errors)) => faults.extend(errors.0),
            Err(other) => return Err(other),
        }
    }
    Ok(faults)
}

/// Returns an engine's scripts by their paths, in order.
fn scripts(project: &Project, engine: EngineName) -> Result<Vec<RecognisedScript>, Error> {
    let dialect = Dialect::from(engine);
    let serving =
        here(project)?.into_iter().filter(|known| known.parts.is_up() && known.engine.is_none_or(|own| own == dialect));
    let script = serving.map(|known| RecognisedScript {
        version: known.version().clone(),
        name: known.parts.name.name.clone(),
        file: known.path,
    });
    Ok(script.collect())
}

/// A script's text for surveying.
struct Read {
    raw: String,
    up: Text,
    no_transaction: bool,
}

/// Reads a script; what is wrong with it goes to the faults.
fn read(project: &Project, script: &RecognisedScript, faults: &mut Vec<Fault>) -> Option<Read> {
    let layout = project.layout();
    let bytes = project.files.read(&script.file).ok()?;
    // What discovering tells already is not told twice.
    let raw = normalise(&script.file, bytes).ok()?;
    let sections = match layout.divide(&raw) {
        Ok(sections) => sections,
        Err(fault) => {
            let text = Text::of_file(&script.file, raw.clone());
            faults.push(fault.in_file(&text));
            return None;
        }
    };
    let sidecar = layout.sidecar(&script.file).and_then(|sidecar| {
        let bytes = project.files.read(&sidecar.path).ok()?;
        Some(sidecar.asks_no_transaction(&String::from_utf8_lossy(&bytes)))
    });
    let no_transaction = sections.no_transaction || sidecar == Some(true);
    let up = Text::of_section(&script.file, sections.up.1.to_owned(), sections.up.0);
    Some(Read { raw, up, no_transaction })
}

/// Returns the directives without which a script cannot run, or what is wrong with it whatever the settings say.
fn needs(text: &Read, dialect: Dialect) -> Result<Vec<&'static str>, Vec<Fault>> {
    let own: Vec<Directive> = text.no_transaction.then_some(Directive::NoTransaction).into_iter().collect();
    let Err(first) = cut(&text.up, dialect, &own) else { return Ok(Vec::new()) };
    if !first.iter().any(|fault| fault.code == "script/needs-no-transaction") {
        return Err(first);
    }
    if dialect == Dialect::Sqlite && cut(&text.up, dialect, &[Directive::ForeignKeysOff]).is_ok() {
        return Ok(vec!["foreign-keys off"]);
    }
    cut(&text.up, dialect, &[Directive::NoTransaction]).map(|_| vec!["no-transaction"])
}
