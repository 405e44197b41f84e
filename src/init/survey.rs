//! Reads the scripts of a recognised layout as a build would, for what the settings must say about them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::quoted::Names;
use super::recognise::{Recognised, RecognisedScript};
use crate::build::discover;
use crate::error::Error;
use crate::numbering::{Known, here};
use crate::project::{EngineName, Files, Layout, Project, Settings};
use crate::script::{Directive, Fault, Filled, Text, Version, cut, fill, normalise, template_action};
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
        recognised.ignore.extend(files.iter().map(|file| globset::escape(file)));
        recognised.notes.push(format!("no scripts, so ignored: {}", shortened(files.into_iter().collect())));
        faults = discovered(root, recognised)?;
    }
    if settle_versions(root, recognised)? {
        faults = discovered(root, recognised)?;
    }
    let project = project(root, recognised)?;
    let (mut filled_in, mut values) = (Vec::new(), BTreeSet::new());
    for engine in recognised.engines.clone() {
        let scripts = scripts(&project, engine)?;
        let mut names = Names::default();
        let mut quoted = Vec::new();
        for script in &scripts {
            let Some(mut text) = read(&project, script, engine.into(), &mut faults) else { continue };
            if recognised.layout == Layout::Flyway && text.raw.contains("${") {
                filled_in.push(script.file.clone());
            }
            if template_action(&text.raw).is_some() {
                recognised.templates |= recognised.layout != Layout::Tern;
                text.up = asked_for(&text.up, &mut values);
            }
            match needs(&text, engine.into()) {
                Ok(needed) => needed.into_iter().for_each(|needed| recognised.direct(&script.version, needed)),
                Err(found) => faults.extend(found),
            }
            if engine == EngineName::Sqlite {
                names.add(text.up.as_str());
                quoted.extend(text.up.as_str().contains('"').then_some((script.version.clone(), text.up)));
            }
        }
        for (version, _) in quoted.iter().filter(|(_, text)| names.lack_something(text.as_str())) {
            recognised.direct(version, "double-quoted-text");
        }
        recognised.newest = recognised.newest.take().max(scripts.last().map(|script| script.version.clone()));
        recognised.scripts.insert(engine, scripts);
    }
    filled_in.dedup();
    if recognised.templates {
        // What they would refuse without their values is another thing than what they refuse as they stand.
        faults.extend(discovered(root, recognised)?);
    }
    if !values.is_empty() {
        faults.retain(|fault| fault.code != "script/template" || !fault.message.ends_with("has no pinned value"));
        let names = values.into_iter().collect::<Vec<_>>().join(", ");
        recognised
            .notes
            .push(format!("scripts are templates: give their values under [variables] in dbbuild.toml: {names}"));
    }
    tell(recognised, faults, filled_in);
    Ok(())
}

/// Sees to it that versions say the order in which the scripts ran. Returns true if the settings have to.
fn settle_versions(root: &Path, recognised: &mut Recognised) -> Result<bool, Error> {
    let found = |recognised: &Recognised| {
        let project = project(root, recognised)?;
        recognised.engines.iter().map(|engine| scripts(&project, *engine)).collect::<Result<Vec<_>, Error>>()
    };
    let before = found(recognised)?;
    recognised.dates = before.iter().any(|scripts| {
        let dates: Vec<Version> = scripts.iter().map(|script| script.version.by_date()).collect();
        let is_date = |version: &&Version| matches!(version.numbers(), [19_700_101..=22_001_231, ..]);
        // Diesel's own first script is `00000000000000`.
        let counted = dates.iter().filter(|version| version.numbers() != [0]);
        !dates.is_sorted() && dates.iter().filter(is_date).count() * 10 >= counted.count() * 9
    });
    let of_engines = if recognised.dates { found(recognised)? } else { before };
    let said = recognised.versions.len();
    for scripts in &of_engines {
        let taken: BTreeSet<&Version> = scripts.iter().map(|script| &script.version).collect();
        let mut counts: BTreeMap<&Version, u64> = BTreeMap::new();
        for script in scripts {
            match counts.get_mut(&script.version) {
                None => {
                    counts.insert(&script.version, 0);
                }
                Some(count) => {
                    let next = (*count + 1..).find(|next| !taken.contains(&script.version.join(&(*next).into())));
                    *count = next.unwrap_or(*count + 1);
                    let version = script.version.join(&(*count).into());
                    recognised.versions.insert(script.file.clone(), version.to_string());
                }
            }
        }
    }
    let added = recognised.versions.len() - said;
    if added > 0 {
        let count = match added {
            1 => "1 script has".to_owned(),
            several => format!("{several} scripts have"),
        };
        recognised.notes.push(format!(
            "{count} the number of another: [layout.versions] gives versions in the order of the names; see that it is \
             the order in which they run"
        ));
    }
    Ok(recognised.dates || added > 0)
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

/// Adds the names of the values that a template asks for. Returns its text with something in their places.
fn asked_for(text: &Text, names: &mut BTreeSet<String>) -> Text {
    let asked = std::cell::RefCell::new(names);
    let value = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        Some("x".to_owned())
    };
    // What is wrong with it a build tells; a branch that is not taken asks for nothing.
    let filled = fill(text.as_str(), &value).unwrap_or_default();
    filled.into_iter().rev().fold(text.clone(), |text, (span, by)| match by {
        Filled::Text(value) => text.replace(span, &Text::of_section(text.file(), value, 1)),
        Filled::File(_) => text.replace(span, &Text::of_section(text.file(), String::new(), 1)),
    })
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
    let serving: Vec<Known> = serving.collect();
    let has_own: BTreeSet<Version> = serving
        .iter()
        .filter(|known| project.layout().prefers_own() && known.parts.name.engine.is_some())
        .map(|known| known.version().clone())
        .collect();
    let runs = |known: &Known| known.parts.name.engine.is_some() || !has_own.contains(known.version());
    let script = serving.into_iter().filter(runs).map(|known| RecognisedScript {
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
    own: Option<Directive>,
}

/// Reads a script; what is wrong with it goes to the faults.
fn read(project: &Project, script: &RecognisedScript, dialect: Dialect, faults: &mut Vec<Fault>) -> Option<Read> {
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
    let no_transaction =
        sections.no_transaction || sidecar == Some(true) || layout.name_asks_no_transaction(&script.file);
    let up = Text::of_section(&script.file, sections.up.1.to_owned(), sections.up.0);
    let own = match no_transaction {
        true => Some(Directive::NoTransaction),
        false => layout.turns_foreign_keys_off(dialect).then_some(Directive::ForeignKeysOff),
    };
    Some(Read { raw, up, own })
}

/// Returns the directives without which a script cannot run, or what is wrong with it whatever the settings say.
fn needs(text: &Read, dialect: Dialect) -> Result<Vec<&'static str>, Vec<Fault>> {
    let own: Vec<Directive> = text.own.iter().cloned().collect();
    let Err(first) = cut(&text.up, dialect, &own) else { return Ok(Vec::new()) };
    if !first.iter().any(|fault| matches!(fault.code, "script/needs-no-transaction" | "script/own-transaction")) {
        return Err(first);
    }
    if dialect == Dialect::Sqlite && cut(&text.up, dialect, &[Directive::ForeignKeysOff]).is_ok() {
        return Ok(vec!["foreign-keys off"]);
    }
    cut(&text.up, dialect, &[Directive::NoTransaction]).map(|_| vec!["no-transaction"])
}
