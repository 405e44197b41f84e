//! The report of `verify` for people.

use super::linted::Linted;
use crate::cli::Context;
use crate::cli::render::{coloured_diff, milliseconds};
use crate::engine::catalog::Change as Fate;
use crate::verify::{Change, Finding, Level, Measured, Outcome, Proof, Report, RowChange};

/// How many changes of one finding are shown.
const SHOWN: usize = 10;

/// How many statements are shown that lock others out.
const LOCKING: usize = 20;

/// What somebody who only reads or writes must wait for.
const BLOCKING: [&str; 4] = ["ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"];

/// Shows what came of the proofs.
pub fn show(context: &Context, report: &Report, linted: Option<&Linted>) {
    let verbose = context.global.verbose;
    for (proof, outcome) in &report.proofs {
        context.print(line(*proof, outcome));
        if verbose {
            for skipped in &outcome.skipped {
                context.print(format!("            skipped: {}: {}", skipped.what, skipped.why));
            }
        }
        for finding in &outcome.findings {
            // What old scripts would do today weighs less: it is counted in the line, and told with `--verbose`.
            if *proof != Proof::Again || verbose {
                self::finding(context, finding);
            }
        }
        locks(context, &outcome.measured);
    }
    if let Some(linted) = linted.filter(|linted| linted.scripts > 0) {
        context.print(format!("  {:<13} {} of {} agree", "lint", linted.agree, linted.scripts));
        for one in &linted.disagree {
            let (file, lint, verify) = (&one.file, one.lint, one.verify);
            context.print(match lint {
                "clean" => format!("    {file} lints clean, and here: {verify}; that is a fault of the linter"),
                rule => format!("    {file} is proven, and lint says {rule}; that is a fault of the linter"),
            });
        }
    }
    for volatile in &report.volatile {
        context.print(format!("  volatile  {}.{}   another value in each build", volatile.table, volatile.column));
    }
    if let Some(kept) = &report.kept {
        context.print(format!("  kept      {}   {}", kept.url, kept.state));
    }
    context.print(answer(report));
}

/// `  twice         17 of 18 proven   1 error`.
fn line(proof: Proof, outcome: &Outcome) -> String {
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

fn finding(context: &Context, finding: &Finding) {
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
    let most = if context.global.verbose { usize::MAX } else { SHOWN };
    for change in finding.changes.iter().take(most) {
        show_change(context, change);
    }
    if finding.changes.len() > most {
        context.print(format!("      and {} more", finding.changes.len() - most));
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

/// Shows the statements that keep others from what was there before, those that hold it longest first.
fn locks(context: &Context, measured: &[Measured]) {
    let verbose = context.global.verbose;
    let is_blocking =
        |one: &&Measured| one.locks.iter().any(|lock| lock.rewritten || BLOCKING.contains(&lock.mode.as_str()));
    let mut shown: Vec<&Measured> = measured.iter().filter(|one| verbose || is_blocking(one)).collect();
    shown.sort_by_key(|one| std::cmp::Reverse(one.held_us));
    let most = if verbose { usize::MAX } else { LOCKING };
    for one in shown.iter().take(most) {
        let more = match one.held_for {
            0 => String::new(),
            1 => ", over 1 more statement".to_owned(),
            count => format!(", over {count} more statements"),
        };
        let held = milliseconds(one.held_us.div_ceil(1_000));
        context.print(format!("    {}:{}   held {held}{more}", one.file, one.line));
        for lock in one.locks.iter().filter(|lock| verbose || lock.rewritten || BLOCKING.contains(&lock.mode.as_str()))
        {
            let rewritten = if lock.rewritten { ", written anew" } else { "" };
            let scans = match lock.scans {
                0 => String::new(),
                1 => ", read from end to end".to_owned(),
                count => format!(", read from end to end {count} times"),
            };
            context.print(format!("      {} on {}{rewritten}{scans}", lock.mode, lock.on));
        }
    }
    if shown.len() > most {
        context.print(format!("    and {} statements more, with --verbose", shown.len() - most));
    }
}

fn answer(report: &Report) -> String {
    let proven = report.proofs.iter().filter(|(proof, outcome)| {
        let fails = outcome.findings.iter().any(|finding| finding.level == Level::Error);
        !fails && !report.unfinished.contains(proof)
    });
    let ended = report.proofs.keys().filter(|proof| !report.unfinished.contains(proof)).count();
    let proofs = format!("{} of {ended} proofs hold", proven.count());
    let findings = match report.errors() {
        0 => String::new(),
        1 => " · 1 finding".to_owned(),
        count => format!(" · {count} findings"),
    };
    let names: Vec<&str> = report.unfinished.iter().map(|proof| proof.name()).collect();
    let unfinished = match (report.interrupted, names.as_slice()) {
        (false, []) => String::new(),
        (true, []) => " · interrupted".to_owned(),
        (true, names) => format!(" · interrupted; not finished: {}", names.join(", ")),
        (false, names) => format!(" · not finished: {}", names.join(", ")),
    };
    format!("{proofs}{findings}{unfinished}")
}
