//! `dbbuild adopt`: a database that has objects and no journal, taken over.

use clap::Args;
use serde_json::json;

use super::drift;
use super::{Context, Exit, Outcome};
use crate::adopt::{self, Tool};
use crate::build::Refusal;
use crate::project::SETTINGS;
use crate::script::Version;

/// What `adopt` understands.
#[derive(Debug, Clone, Default, Args)]
pub struct AdoptArgs {
    /// The newest script that the database has.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<Version>,
    /// Read from this tool's journal which script that is.
    #[arg(long, value_name = "TOOL", conflicts_with = "to")]
    pub tool: Option<Tool>,
    /// Compare, and write nothing; exits with 1 if something differs.
    #[arg(long)]
    pub dry_run: bool,
}

/// Compares, asks, adopts.
pub fn run(context: &Context, args: &AdoptArgs) -> Outcome {
    let opened = context.open()?;
    let site = opened.site(context);
    let mut observer = context.listener();
    let found = adopt::look(&site, args.to.as_ref(), args.tool, &mut *observer)?;
    drop(observer);
    let target = opened.engine.describe();
    let is_clean = found.is_clean();
    let counted = found.differences.iter().filter(|one| one.change.counts()).count() + found.rows.len();
    if !context.is_json() {
        drift::objects(context, &found.differences);
        drift::rows(context, &found.rows, "missing");
        let objects = found.objects;
        context.print(match counted {
            0 => format!("{target} is what the scripts up to {} make: {objects} objects", found.version),
            1 => format!("1 difference between {target} and what the scripts up to {} make", found.version),
            counted => {
                format!("{counted} differences between {target} and what the scripts up to {} make", found.version)
            }
        });
    }
    let mut settings = false;
    if !args.dry_run {
        let beside = if is_clean { String::new() } else { format!(", {counted} differences and all") };
        let question = format!("adopt {target} at version {}{beside}?", found.version);
        if !context.agrees(&question) {
            return Err(Refusal::new("consent/missing", format!("nobody agreed to adopt {target}"))
                .hint("say --yes where nobody can be asked")
                .into());
        }
        settings = adopt::adopt(&site, &found, &mut *context.listener())?;
    }
    if context.is_json() {
        context.document(&json!({
            "v": 1,
            "target": target,
            "version": found.version,
            "scripts": found.scripts,
            "clean": is_clean,
            "objects": found.objects,
            "differences": found.differences,
            "rows": found.rows,
            "mark": found.mark,
            "adopted": !args.dry_run,
            "settings_written": settings,
        }));
    } else if args.dry_run {
        context.print("nothing was written");
    } else {
        let mark =
            found.mark.as_ref().map_or_else(|| "no mark".to_owned(), |mark| format!("marked {}", mark.environment));
        let count = if found.scripts == 1 { "1 script".to_owned() } else { format!("{} scripts", found.scripts) };
        context.print(format!("adopted at version {}: {count} journaled, {mark}", found.version));
        if settings {
            context.say(format!("{SETTINGS} says that scripts up to {} are history", found.version));
        }
    }
    Ok(if args.dry_run && !is_clean { Exit::Findings } else { Exit::Done })
}
