//! Lint beside the proofs: a script that lints clean and fails a second run, or that lint calls not idempotent and that
//! is, shows a fault of the linter.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cli::Context;
use crate::cli::lint::gather::{Wanted, gather};
use crate::error::Error;
use crate::lint::{self, Level, Options, Set};
use crate::project::Project;
use crate::sql::Dialect;
use crate::verify::{Level as Weight, Proof, Report};

/// What these rules find shows on rows only; a script that met none in a scratch database says nothing of them.
const ABOUT_ROWS: [&str; 10] = [
    "column-rebuild",
    "copied-rows",
    "guard-without-backfill",
    "repeating-delete",
    "repeating-update",
    "table-rebuild",
    "type-change-using",
    "unguarded-drop-column",
    "unguarded-insert",
    "used-then-dropped",
];

/// This rule says that nobody can tell what a second run does: whatever it does is no surprise.
const CANNOT_TELL: &str = "opaque-call";

/// What this rule finds shows only where somebody has taken numbers since.
const ABOUT_USE: &str = "rewound-sequence";

/// How lint and the second runs agree.
#[derive(Debug, Default, Serialize)]
pub struct Linted {
    /// How many files both have judged.
    pub scripts: usize,
    /// How many of them both judge alike.
    pub agree: usize,
    /// The others.
    pub disagree: Vec<Disagreement>,
}

/// A file that lint and its second run judge differently.
#[derive(Debug, Serialize)]
pub struct Disagreement {
    /// The file.
    pub file: String,
    /// What lint says: `clean`, or the rule that finds something.
    pub lint: &'static str,
    /// What the second run came to: `proven`, or the finding.
    pub verify: &'static str,
}

/// Lints what ran twice. What is exempt or allowed in writing is not judged.
pub fn compare(context: &Context, project: &Project, dialect: Dialect, report: &Report) -> Result<Linted, Error> {
    let wanted = Wanted { paths: Vec::new(), all: false, since: None };
    let mut linted = Linted::default();
    for one in gather(context, project, &wanted)?.into_iter().filter(|one| one.dialect == dialect) {
        let findings = lint::lint(&one.sources, dialect, &options(project)?);
        let allowed = allowing(&one.sources);
        for (at, source) in one.sources.iter().enumerate() {
            if source.exempt || !report.tried.contains(&source.file) || allowed.contains(&at) {
                continue;
            }
            let counts = |rule: &lint::Rule| rule.set == Set::Idempotency || rule.name == CANNOT_TELL;
            let found = || findings.iter().filter(|finding| finding.source == at && counts(finding.rule));
            let has_rows = !report.without_rows.contains(&source.file);
            let is_tried = |finding: &&lint::Finding| {
                finding.rule.name != ABOUT_USE && (has_rows || !ABOUT_ROWS.contains(&finding.rule.name))
            };
            let error = found().filter(is_tried).find(|finding| finding.level == Level::Error);
            let failed = failure(report, &source.file);
            linted.scripts += 1;
            let (lint, verify) = match (error, found().next(), failed) {
                (Some(error), _, None) => (error.rule.name, "proven"),
                (_, None, Some(code)) => ("clean", code),
                _ => {
                    linted.agree += 1;
                    continue;
                }
            };
            linted.disagree.push(Disagreement { file: source.file.clone(), lint, verify });
        }
    }
    Ok(linted)
}

/// The versions that are served count; which rules somebody has switched off does not.
fn options(project: &Project) -> Result<Options, Error> {
    let mut options = Options::default();
    options.postgres_from = Options::of(&project.settings.lint)?.postgres_from;
    options.only_sets = Some(vec![Set::Idempotency, Set::Style]);
    Ok(options)
}

fn allowing(sources: &[lint::Source]) -> BTreeSet<usize> {
    let allows = |source: &lint::Source| source.text.contains("dbbuild: allow(");
    sources.iter().enumerate().filter(|(_, source)| allows(source)).map(|(at, _)| at).collect()
}

/// Returns what speaks against a second run of a file.
fn failure(report: &Report, file: &str) -> Option<&'static str> {
    let findings = [Proof::Twice, Proof::Seeds].iter().filter_map(|proof| report.proofs.get(proof));
    let mut findings = findings.flat_map(|outcome| &outcome.findings);
    let own = findings.find(|finding| finding.file == file && finding.level == Weight::Error);
    own.map(|finding| finding.code).filter(|code| *code != "build/fails")
}
