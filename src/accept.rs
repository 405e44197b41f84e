//! Takes new texts of applied scripts as applied, without running them.
//!
//! Promise: unless it is told to believe it, it does so only if a fresh build with the new texts makes what one with
//! the old texts makes. The target gets entries, and nothing else.

use crate::build::{self, Refusal, Site, Wish, proof};
use crate::engine::{Access, EngineError, Wait};
use crate::error::Error;
use crate::event::Observer;
use crate::journal::{Kind, State, Status};
use crate::script::Version;

/// Versions to accept: one, or all from one to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub from: Version,
    /// The last.
    pub to: Version,
}

impl std::str::FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let version = |text: &str| text.parse::<Version>().map_err(|error| error.to_string());
        let (from, to) = (version(from)?, version(to)?);
        if from > to {
            return Err(format!("{from} comes after {to}"));
        }
        Ok(Self { from, to })
    }
}

/// What was accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Accepted {
    /// The scripts.
    pub scripts: Vec<Script>,
    /// True if builds proved that both texts make the same.
    pub proven: bool,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Script {
    /// Its version.
    pub version: Version,
    /// Its file.
    pub file: String,
}

/// Accepts altered scripts; with `unproven` without building anything.
pub fn accept(
    site: &Site<'_>,
    ranges: &[Range],
    unproven: bool,
    observer: &mut dyn Observer,
) -> Result<Accepted, Error> {
    let survey = build::survey(site, &Wish::default())?;
    if !survey.exists {
        return Err(EngineError::NoDatabase { target: site.engine.describe() }.into());
    }
    if let Some(mark) = &survey.inspection.mark {
        build::refuse_other_mark(mark, site.target, &site.engine.describe())?;
    }
    let first = build::first_mark(site.target, site.engine.is_local());
    let site = &Site { protected: build::is_protected(&survey.inspection, first.as_ref()), ..site.with_revision() };
    let altered: Vec<&Status> = survey.reconciled.in_state(State::Altered).collect();
    let chosen = chosen(ranges, &altered, &survey)?;
    if !unproven {
        prove(site, &survey, &chosen, observer)?;
    }
    let mut session = site.engine.connect(Access::Write)?;
    session.exclusive(Wait { limit: site.target.lock_wait }, observer)?;
    if session.inspect(&site.project.name)?.journal != survey.inspection.journal {
        return Err(Refusal::new("accept/changed-meanwhile", "the journal changed while the texts were compared")
            .hint("run the same command again")
            .into());
    }
    let (mut entries, mut scripts) = (Vec::new(), Vec::new());
    for status in chosen {
        let Some(script) = status.script.and_then(|index| survey.checkout.scripts.get(index)) else { continue };
        entries.push(build::entry_without_running(site, &survey.checkout, script, status.attempt)?);
        scripts.push(Script { version: script.version.clone(), file: script.file.clone() });
    }
    session.record(&entries, &[], &site.run)?;
    Ok(Accepted { scripts, proven: !unproven })
}

fn chosen<'a>(ranges: &[Range], altered: &[&'a Status], survey: &build::Survey) -> Result<Vec<&'a Status>, Refusal> {
    let mut chosen: Vec<&Status> = Vec::new();
    for range in ranges {
        let found: Vec<&&Status> =
            altered.iter().filter(|status| range.from <= status.version && status.version <= range.to).collect();
        if found.is_empty() {
            let state = survey.reconciled.statuses.iter().find(|status| status.version == range.from);
            let said = match (range.from == range.to, state) {
                (true, Some(status)) => format!("{} is {}, not altered", range.from, status.state.word()),
                (true, None) => format!("there is no version {}", range.from),
                (false, _) => format!("nothing from {} to {} is altered", range.from, range.to),
            };
            return Err(Refusal::new("accept/not-altered", said).hint("see what is: `dbbuild status`"));
        }
        chosen.extend(
            found
                .into_iter()
                .filter(|status| !chosen.iter().any(|known| known.version == status.version))
                .copied()
                .collect::<Vec<_>>(),
        );
    }
    Ok(chosen)
}

/// Refuses unless the new texts make what the old ones make.
fn prove(
    site: &Site<'_>,
    survey: &build::Survey,
    chosen: &[&Status],
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let refuse = |message: String| {
        Refusal::new("accept/unproven", message)
            .hint("put the applied text back, and make the change in a new script: `dbbuild new-version NAME`")
            .hint("if you know better: `dbbuild accept … --unproven`")
    };
    let mut session = site.engine.connect(Access::Read)?;
    let mut texts = Vec::new();
    for status in chosen {
        let Some(script) = status.script.and_then(|index| survey.checkout.scripts.get(index)) else { continue };
        match session.entry_text(&site.project.name, Kind::Script, &script.version.to_string())? {
            Some(text) => texts.push((script.file.clone(), text)),
            None => return Err(refuse(format!("the journal has no text of {} to compare with", script.file)).into()),
        }
    }
    drop(session);
    let environment = survey.inspection.mark.as_ref().map(|mark| mark.environment.as_str());
    let old_project = proof::with_texts(site.project, texts);
    let old_checkout = build::discover(&old_project, survey.checkout.dialect)?;
    let mut old = proof::make(site, &old_project, &old_checkout, environment, observer)
        .map_err(|error| refuse(format!("a fresh build with the old texts fails: {}", proof::why_it_failed(&error))))?;
    let new = proof::make(site, site.project, &survey.checkout, environment, observer)
        .map_err(|error| refuse(format!("a fresh build with the new texts fails: {}", proof::why_it_failed(&error))))?;
    let ignore = proof::ignored(site.project)?;
    let again = || proof::make(site, &old_project, &old_checkout, environment, &mut crate::event::Silent);
    let differences = proof::unlike(&mut old, &new, &ignore, again)?;
    if differences.is_empty() {
        return Ok(());
    }
    let mut refusal = refuse("the new text makes another database than the one that was applied".to_owned());
    for difference in differences.iter().take(10) {
        refusal = refusal.note(format!("with the new text {difference}"));
    }
    if differences.len() > 10 {
        refusal = refusal.note(format!("and {} more", differences.len() - 10));
    }
    Err(refusal.into())
}
