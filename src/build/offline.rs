//! A build as one script for the database's own shell, to be reviewed, and run by somebody else.
//!
//! With a version to begin at, no database is asked: the journal is taken to hold exactly the scripts up to there,
//! and the plan is made from that by the same planner. The script checks it when it runs.

use super::note::note_entries;
use super::plan::{Plan, PlannedScript, Step, refuse_from};
use super::units::Units;
use super::{
    Checkout, Reading, Refusal, SeedForm, Site, Survey, Wish, discover, first_mark, load, plan_for, refuse_no_project,
    survey,
};
use crate::engine::offline::{Known, Offline, Premise, comment, one_line};
use crate::engine::{Inspection, Unit};
use crate::error::Error;
use crate::journal::{Entry, Kind, Mark, Reconciled, Run, State, Stored};
use crate::script::{Checksum, Squashed, Version, token_checksum};

/// Writes the script: from a version, without a database, or from the state that the target is in.
pub fn script(site: &Site<'_>, wish: &Wish, from: Option<&Version>) -> Result<String, Error> {
    // A baseline is loaded and written by the tool only.
    let wish = Wish { from_scripts: true, ..wish.clone() };
    let Survey { checkout, inspection, reconciled, plan, .. } = match from {
        None => survey(site, &wish)?,
        Some(from) => assumed(site, &wish, from)?,
    };
    let sheet = Sheet { site, checkout: &checkout, inspection: &inspection, reconciled: &reconciled, plan: plan? };
    sheet.write(from)
}

/// Plans for a database that has exactly the scripts up to a version.
fn assumed(site: &Site<'_>, wish: &Wish, from: &Version) -> Result<Survey, Error> {
    let checkout = discover(site.project, site.engine.dialect())?;
    refuse_no_project(site.project, &checkout)?;
    refuse_from(from, wish, &checkout)?;
    // 0 is an empty database, also where a history begins with a script of that number.
    let has = |version: &Version| *from != Version::from(0) && version <= from;
    let mut journal: Vec<Entry> = checkout
        .scripts
        .iter()
        .filter(|script| has(&script.version))
        .zip(1..)
        .map(|(script, sequence)| Entry {
            sequence,
            kind: Kind::Script,
            key: script.version.to_string(),
            attempt: 1,
            name: script.name.clone(),
            checksum: script.checksum.clone(),
            token_checksum: script.checksum.clone(),
            state: Stored::Applied,
            statements_done: 0,
            statements: 0,
        })
        .collect();
    let is_gone = |squashed: &&Squashed| !checkout.scripts.iter().any(|script| script.version == squashed.version);
    let squashed = checkout.squashed().iter().filter(|squashed| has(&squashed.version)).filter(is_gone);
    journal.extend(squashed.map(|squashed| Entry {
        sequence: 0,
        kind: Kind::Script,
        key: squashed.version.to_string(),
        attempt: 1,
        name: squashed.name.clone(),
        checksum: squashed.checksum.clone(),
        token_checksum: squashed.tokens.clone(),
        state: Stored::Squashed,
        statements_done: 0,
        statements: 0,
    }));
    let fresh = journal.is_empty();
    let inspection = Inspection {
        journal: (!fresh).then_some(journal),
        mark: if fresh { None } else { first_mark(site.target, site.engine.is_local()) },
        ..Inspection::empty()
    };
    let (reconciled, plan) = plan_for(site, &checkout, &inspection, wish)?;
    Ok(Survey { checkout, inspection, reconciled, plan, exists: !fresh })
}

struct Sheet<'a> {
    site: &'a Site<'a>,
    checkout: &'a Checkout,
    inspection: &'a Inspection,
    reconciled: &'a Reconciled,
    plan: Plan,
}

/// One step, written.
struct Written {
    title: String,
    text: String,
}

impl Sheet<'_> {
    fn write(&self, from: Option<&Version>) -> Result<String, Error> {
        if let Some(Step::Base { folder, version }) =
            self.plan.steps.iter().find(|step| matches!(step, Step::Base { .. }))
        {
            let message = format!("an empty database begins with {folder}, which only the tool loads");
            return Err(Refusal::new("offline/base", message)
                .hint(format!(
                    "load it with `dbbuild --to {version}`, and write the rest: `dbbuild plan --sql --from {version}`"
                ))
                .into());
        }
        let offline = self.site.engine.offline();
        let units = self.units()?;
        if let Some(unit) = units.iter().flatten().find(|unit| unit.running.is_some()) {
            let message = format!("{} is half-way: an earlier build was cut short", unit.text.file());
            return Err(Refusal::new("offline/half-way", message)
                .hint("let `dbbuild` finish it: only the tool knows where it was")
                .into());
        }
        let run = self.run(&units);
        let head = offline.head(&self.premise(from, &units)?)?;
        let mut script = self.header(from, &*offline, &run);
        script.push_str(&head);
        for Written { title, text } in self.steps(&*offline, &units, &run)? {
            script.push_str(&format!("\n{}{text}", comment(&title)));
        }
        script.push('\n');
        script.push_str(&offline.tail());
        Ok(script)
    }

    /// Returns what runs, step by step; every text is judged before anything is written.
    fn units(&self) -> Result<Vec<Option<Unit>>, Error> {
        let mut units = Units::judge(self.site, self.checkout, self.inspection, &self.plan)?;
        (0..self.plan.steps.len()).map(|step| units.take(step)).collect()
    }

    /// The same script has the same run's name each time it is written.
    fn run(&self, units: &[Option<Unit>]) -> Run {
        let entries = units.iter().flatten().map(|unit| &unit.entry);
        let parts: Vec<String> =
            entries.map(|entry| format!("{} {} {}", entry.kind.as_str(), entry.key, entry.checksum)).collect();
        let digest = Checksum::of_tokens(parts.iter().map(String::as_str));
        let run = self.site.with_revision().run;
        Run { id: format!("offline-{}", digest.short()), ..run }
    }

    fn premise<'b>(&'b self, from: Option<&Version>, units: &'b [Option<Unit>]) -> Result<Premise<'b>, Error> {
        let target = self.site.target;
        let named = target.name.is_some();
        let first = self.plan.steps.iter().find_map(|step| match step {
            Step::Journal { mark } => Some(mark.as_ref()),
            _ => None,
        });
        let planned: Vec<Known> = units
            .iter()
            .flatten()
            .filter(|unit| unit.entry.kind == Kind::Script)
            .map(|unit| Known {
                key: unit.entry.key.clone(),
                token_checksum: unit.entry.token_checksum.as_str().to_owned(),
                required: false,
            })
            .collect();
        let mut scripts = Vec::new();
        for status in &self.reconciled.statuses {
            if let Some(squashed) = self.checkout.base.as_ref().and_then(|base| base.of(&status.version))
                && status.script.is_none()
            {
                scripts.push(Known {
                    key: status.version.to_string(),
                    token_checksum: squashed.tokens.as_str().to_owned(),
                    required: true,
                });
            }
            let Some(script) = status.script.and_then(|index| self.checkout.scripts.get(index)) else { continue };
            if !matches!(status.state, State::Applied | State::Reworded) {
                continue;
            }
            let dialect = self.checkout.dialect;
            let reading = Reading { dialect, layout: Some(self.site.project.layout()), variables: None };
            let text = load(self.site.project, &script.file, reading)?.text;
            let tokens = token_checksum(text.as_str(), dialect);
            scripts.push(Known {
                key: status.version.to_string(),
                token_checksum: tokens.as_str().to_owned(),
                required: true,
            });
        }
        scripts.extend(planned);
        Ok(Premise {
            project: &self.site.project.name,
            first,
            environment: target.environment.as_deref().filter(|_| named),
            protected: target.protected.filter(|_| named),
            version: from.or(self.plan.version.as_ref()).map(ToString::to_string),
            scripts,
            claims: units
                .iter()
                .flatten()
                .map(|unit| (unit.entry.kind, unit.entry.key.clone(), unit.entry.checksum.as_str().to_owned()))
                .collect(),
        })
    }

    fn header(&self, from: Option<&Version>, offline: &dyn Offline, run: &Run) -> String {
        let site = self.site;
        let to = self.plan.steps.iter().rev().find_map(|step| match step {
            Step::Apply { script, .. } => Some(script.version.to_string()),
            _ => None,
        });
        let begins = match from.or(self.plan.version.as_ref()) {
            Some(version) if self.inspection.journal.is_some() => format!("from version {version}"),
            _ => "an empty database".to_owned(),
        };
        let ends = to.map_or_else(|| "no new version".to_owned(), |to| format!("to version {to}"));
        let mut lines = vec![
            format!("{}: {begins} {ends}, for {}", site.project.name, offline.shell()),
            format!("written by dbbuild {}", run.tool_version),
        ];
        if let Some(revision) = &run.source_revision {
            lines.push(format!("of revision {revision}"));
        }
        lines.push(String::new());
        lines.push("It does what `dbbuild` would do, and writes the same rows into the journal.".to_owned());
        lines.extend(offline.usage());
        lines.push("Where dbbuild can reach the database, let it build: it waits, retries and says what fails.".into());
        if let Some(mark) = self.mark() {
            let protected = if mark.protected { ", protected" } else { "" };
            lines.push(String::new());
            lines.push(format!("It marks the database as {}{protected}.", mark.environment));
        }
        let left = self.left_out();
        if !left.is_empty() {
            lines.push(String::new());
            lines.push("Left for `dbbuild`, which does it when it is run afterwards:".to_owned());
            lines.extend(left.iter().map(|file| format!("  {file}")));
        }
        for note in &self.plan.notes {
            lines.push(format!("Note: {}", note.message));
        }
        format!("{}\n", lines.iter().map(|line| comment(line)).collect::<String>())
    }

    fn mark(&self) -> Option<&Mark> {
        self.plan.steps.iter().find_map(|step| match step {
            Step::Journal { mark } => mark.as_ref(),
            _ => None,
        })
    }

    /// Names what only the tool does: CSV seeds and the baseline.
    fn left_out(&self) -> Vec<String> {
        let is_rows = |file: &str| {
            let seed = self.checkout.seeds.iter().find(|seed| seed.source.file == file);
            seed.is_some_and(|seed| seed.form != SeedForm::Sql)
        };
        let named = self.plan.steps.iter().filter_map(|step| match step {
            Step::Seed(file) if is_rows(&file.file) => Some(file.file.clone()),
            Step::Baseline { folder } | Step::Load { folder } => Some(format!("{folder} (the baseline)")),
            Step::Keep { folder } => Some(format!("{folder} (code objects that a script changes are put back)")),
            Step::Drop(file) => Some(format!("{} (what it made is dropped)", file.file)),
            _ => None,
        });
        named.map(|name| one_line(&name)).collect()
    }

    fn steps(&self, offline: &dyn Offline, units: &[Option<Unit>], run: &Run) -> Result<Vec<Written>, Error> {
        let mut written = Vec::new();
        for (step, unit) in self.plan.steps.iter().zip(units) {
            match (step, unit) {
                (Step::Note { script, why, freed }, _) => {
                    written.push(self.note(offline, script, freed.as_ref(), why, run)?);
                }
                (_, Some(unit)) => {
                    let statements = unit.parts.len();
                    let count = if statements == 1 { "1 statement".into() } else { format!("{statements} statements") };
                    written.push(Written {
                        title: format!(
                            "---- {} {} · {count} · {}",
                            unit.entry.kind.as_str(),
                            one_line(unit.text.file()),
                            unit.entry.checksum.short()
                        ),
                        text: offline.unit(unit, run)?,
                    });
                }
                (
                    Step::Journal { .. }
                    | Step::Load { .. }
                    | Step::Base { .. }
                    | Step::Apply { .. }
                    | Step::Code(_)
                    | Step::Keep { .. }
                    | Step::Drop(_)
                    | Step::Seed(_)
                    | Step::Baseline { .. },
                    None,
                ) => {}
            }
        }
        Ok(written)
    }

    fn note(
        &self,
        offline: &dyn Offline,
        script: &PlannedScript,
        freed: Option<&PlannedScript>,
        why: &str,
        run: &Run,
    ) -> Result<Written, Error> {
        let entries = note_entries(self.site, self.checkout, script, freed)?;
        Ok(Written {
            title: format!("---- {} {}: journaled, not run", why, one_line(&script.file)),
            text: entries.iter().map(|entry| offline.record(entry, run)).collect(),
        })
    }
}
