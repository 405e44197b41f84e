//! `dbbuild baseline`: the full dump of a fresh build, beside the scripts.

use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::context::Opened;
use super::drift::{objects, rows};
use super::render::seconds;
use super::{Context, Exit, Outcome};
use crate::build;
use crate::drift;
use crate::error::Error;
use crate::event::{Event, Observer};

/// How many files and reasons are shown.
const SHOWN: usize = 20;

/// What `baseline` understands.
#[derive(Debug, Clone, Default, Args)]
pub struct BaselineArgs {
    /// Write nothing; exit 1 if the committed baseline is not of this checkout, and show what differs.
    #[arg(long)]
    pub check: bool,
    /// Be git's merge driver for the baseline's files: ancestor, ours, theirs and path, as git gives them
    /// (`%O %A %B %P`). `dbbuild hooks install` registers it.
    #[arg(long, num_args = 4, value_names = ["ANCESTOR", "OURS", "THEIRS", "PATH"], conflicts_with = "check")]
    pub merge: Vec<String>,
}

/// Writes the baseline, or checks it.
pub fn run(context: &Context, args: &BaselineArgs) -> Outcome {
    if let [_, ours, _, path] = args.merge.as_slice() {
        return super::merge::run(context, ours, path);
    }
    let opened = context.open()?;
    if args.check { check(context, &opened) } else { write(context, &opened) }
}

/// Runs something with the observer that the format asks for; with JSON its notes become a part of the document.
fn observed<T>(
    context: &Context,
    work: impl FnOnce(&mut dyn Observer) -> Result<T, Error>,
) -> Result<(T, Vec<String>), Error> {
    let mut notes = Vec::new();
    let result = if context.is_json() {
        work(&mut |event: Event| {
            if let Event::Note { message, .. } = event {
                notes.push(message);
            }
        })?
    } else {
        work(&mut *context.listener())?
    };
    Ok((result, notes))
}

fn folder(opened: &Opened) -> String {
    opened.project.baseline_folder(opened.engine.dialect())
}

fn write(context: &Context, opened: &Opened) -> Outcome {
    let started = Instant::now();
    let site = opened.site(context);
    let (regenerated, notes) = observed(context, |observer| build::baseline(&site, observer))?;
    let changed = regenerated.changed;
    if context.is_json() {
        context.document(&json!({
            "v": 1,
            "project": opened.project.name,
            "baseline": folder(opened),
            "changed": changed,
            "notes": notes,
        }));
        return Ok(Exit::Done);
    }
    lines(context, "written", &changed);
    let answer = match changed.len() {
        0 => "up to date".to_owned(),
        1 => "1 file written".to_owned(),
        count => format!("{count} files written"),
    };
    context.print(format!("{} · {answer} · {}", folder(opened), seconds(started.elapsed())));
    Ok(Exit::Done)
}

fn check(context: &Context, opened: &Opened) -> Outcome {
    let site = opened.site(context);
    let (stale, notes) = observed(context, |observer| drift::check(&site, observer))?;
    let is_stale = stale.is_some();
    let stale = stale.unwrap_or_default();
    if context.is_json() {
        context.document(&json!({
            "v": 1,
            "project": opened.project.name,
            "baseline": folder(opened),
            "stale": is_stale,
            "reasons": stale.reasons,
            "differences": stale.differences,
            "rows": stale.rows,
            "surplus": stale.surplus,
            "notes": notes,
        }));
    } else if is_stale {
        lines(context, "stale", &stale.reasons);
        objects(context, &stale.differences);
        rows(context, &stale.rows, "is not in the baseline");
        rows(context, &stale.surplus, "is in the baseline only");
        let counted = stale.differences.len() + stale.rows.len() + stale.surplus.len();
        let differences = match counted {
            0 => String::new(),
            1 => " · 1 difference".to_owned(),
            counted => format!(" · {counted} differences"),
        };
        context.print(format!(
            "{} is not of this checkout{differences} · write it with `dbbuild baseline`",
            folder(opened)
        ));
    } else {
        context.print(format!("{} is of this checkout", folder(opened)));
    }
    Ok(if is_stale { Exit::Findings } else { Exit::Done })
}

fn lines(context: &Context, word: &str, lines: &[String]) {
    lines.iter().take(SHOWN).for_each(|line| context.print(format!("  {word:<9} {line}")));
    if lines.len() > SHOWN {
        context.print(format!("  {word:<9} and {} more", lines.len() - SHOWN));
    }
}
