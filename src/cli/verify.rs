//! `dbbuild verify`: the proofs.

use clap::Args;
use serde_json::json;

use super::render::{coloured_diff, header};
use super::{Context, Exit, Outcome};
use crate::engine::catalog::Change as Fate;
use crate::verify::{self, Change, Finding, Level, Outcome as ProofOutcome, Proof, Report, RowChange, Wish};

/// How many changes of one finding are shown.
const SHOWN: usize = 10;

/// What `verify` understands.
#[derive(Debug, Clone, Default, Args)]
pub struct VerifyArgs {
    /// Let the order of columns, generated names and sequences that moved on count too.
    #[arg(long)]
    pub strict: bool,
    /// Try the crash points of transactional scripts too.
    #[arg(long)]
    pub thorough: bool,
    /// Build this earlier revision too, upgrade it, and compare; several may be named.
    #[arg(long, value_name = "REF")]
    pub release: Vec<String>,
    /// Run what only this branch has and what only that revision has in both orders.
    #[arg(long, value_name = "REF")]
    pub against: Option<String>,
    /// Prove only files that changed since this branch left the main one: twice, roads, seeds.
    #[arg(long, conflicts_with_all = ["thorough", "release", "against"])]
    pub quick: bool,
    /// Stop at the first file that fails, leave its scratch database behind, and say how to connect to it.
    #[arg(long)]
    pub keep: bool,
}

/// Proves, and shows what came of it.
pub fn run(context: &Context, args: &VerifyArgs) -> Outcome {
    let opened = context.open()?;
    let wish = Wish {
        strict: args.strict,
        thorough: args.thorough,
        quick: args.quick,
        keep: args.keep,
        releases: args.release.clone(),
        against: args.against.clone(),
    };
    let site = opened.site(context);
    let report = verify::verify(&site, &wish, &mut *context.listener())?;
    if context.is_json() {
        let mut document = json!({ "v": 1, "project": opened.project.name, "clean": report.errors() == 0 });
        if let (Some(fields), Ok(serde_json::Value::Object(own))) =
            (document.as_object_mut(), serde_json::to_value(&report))
        {
            fields.extend(own);
        }
        context.document(&document);
    } else {
        context.print(header(&opened.project.name, opened.engine.dialect().name(), None, false, None));
        text(context, &report);
    }
    Ok(match (report.interrupted, report.errors()) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Findings,
    })
}

fn text(context: &Context, report: &Report) {
    for (proof, outcome) in &report.proofs {
        context.print(line(*proof, outcome));
        if context.global.verbose {
            for skipped in &outcome.skipped {
                context.print(format!("            skipped: {}: {}", skipped.what, skipped.why));
            }
        }
        for finding in &outcome.findings {
            // What weighs less is counted in the line, and told with `--verbose`.
            if finding.level == Level::Error || context.global.verbose {
                show(context, finding);
            }
        }
    }
    for volatile in &report.volatile {
        context.print(format!("  volatile  {}.{}   another value in each build", volatile.table, volatile.column));
    }
    if let Some(kept) = &report.kept {
        context.print(format!("  kept      {kept}"));
    }
    context.print(answer(report));
}

/// `  twice         17 of 18 proven   1 error`.
fn line(proof: Proof, outcome: &ProofOutcome) -> String {
    let mut line = format!("  {:<13} {} of {} proven", proof.name(), outcome.proven, outcome.scripts);
    for (level, one, many) in
        [(Level::Error, "error", "errors"), (Level::Warning, "warning", "warnings"), (Level::Note, "note", "notes")]
    {
        match outcome.findings.iter().filter(|finding| finding.level == level).count() {
            0 => {}
            1 => line += &format!(" · 1 {one}"),
            count => line += &format!(" · {count} {many}"),
        }
    }
    match outcome.skipped.len() {
        0 => {}
        count => line += &format!(" · {count} skipped"),
    }
    line
}

fn show(context: &Context, finding: &Finding) {
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    context.print(format!("    {level}[{}]: {}", finding.code, finding.message));
    match &finding.place {
        Some(place) => {
            context.print(format!("      --> {place}"));
            context.print(format!("       | {}", place.text.trim_end()));
        }
        None => context.print(format!("      --> {}", finding.file)),
    }
    if let Some(detail) = finding.error.as_ref().and_then(|error| error.detail.as_ref()) {
        context.print(format!("      = {detail}"));
    }
    for change in finding.changes.iter().take(SHOWN) {
        show_change(context, change);
    }
    if finding.changes.len() > SHOWN {
        context.print(format!("      and {} more", finding.changes.len() - SHOWN));
    }
    if let Some(hint) = &finding.hint {
        context.print(format!("      = {hint}"));
    }
}

fn show_change(context: &Context, change: &Change) {
    match change {
        Change::Object(difference) => {
            let word = match difference.change {
                Fate::Missing => "gone",
                Fate::Added => "new",
                Fate::Changed => "changed",
                Fate::Order => "in another order:",
                Fate::Name => "renamed",
            };
            context.print(format!("      {word} {} {}", difference.kind, difference.name));
            if difference.change == Fate::Changed {
                let (before, after) = (difference.expected.as_deref(), difference.found.as_deref());
                context.print(coloured_diff(before.unwrap_or_default(), after.unwrap_or_default(), "        "));
            }
        }
        Change::Row(row) => context.print(format!("      {} row {}", row.change.word(), shown(row))),
        Change::Rows { table, before, after } => {
            context.print(format!("      rows of {table}: {before} before, {after} after"));
        }
        Change::Counter { name, before, after } => {
            context.print(format!("      sequence {name} went from {before} back to {after}"));
        }
    }
}

/// `public.country (code DE)   name: Germany, then Deutschland`.
fn shown(row: &RowChange) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
    let key: Vec<String> = row.key.iter().map(|part| format!("{} {}", part.column, text(&part.value))).collect();
    let columns: Vec<String> = row
        .columns
        .iter()
        .map(|values| format!("{}: {}, then {}", values.column, text(&values.expected), text(&values.found)))
        .collect();
    format!("{} ({})   {}", row.table, key.join(", "), columns.join("; ")).trim_end().to_owned()
}

fn answer(report: &Report) -> String {
    let proven =
        report.proofs.values().filter(|outcome| !outcome.findings.iter().any(|finding| finding.level == Level::Error));
    let proofs = format!("{} of {} proofs hold", proven.count(), report.proofs.len());
    let findings = match report.errors() {
        0 => String::new(),
        1 => " · 1 finding".to_owned(),
        count => format!(" · {count} findings"),
    };
    let interrupted = if report.interrupted { " · interrupted: what is said above was proven before" } else { "" };
    format!("{proofs}{findings}{interrupted}")
}
