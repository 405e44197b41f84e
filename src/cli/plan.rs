//! `dbbuild plan`: what a build would do, and why.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::build::step_line;
use super::render::header;
use super::{Context, Exit, Outcome};
use crate::build::{self, Plan, Site, Survey, Wish};
use crate::error::Error;
use crate::script::Version;

/// What `plan` understands.
#[derive(Debug, Clone, Default, Args)]
pub struct PlanArgs {
    /// Plan up to this version only.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<Version>,
    /// Leave the seeds out.
    #[arg(long)]
    pub no_seed: bool,
    /// Leave the baseline out.
    #[arg(long)]
    pub no_baseline: bool,
    /// Plan an empty database from the scripts, not from the baseline.
    #[arg(long)]
    pub from_scripts: bool,
    /// Late versions that may run although the policy refuses late ones.
    #[arg(long, value_name = "VERSION")]
    pub allow_late: Vec<Version>,
    /// Drop what code files made that are not there any more.
    #[arg(long)]
    pub drop_code: bool,
    /// Write the plan to a file, for `dbbuild build --plan FILE`.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Print one SQL script that does it, journal rows included, for psql or the sqlite3 shell.
    #[arg(long, conflicts_with = "save")]
    pub sql: bool,
    /// Take the database to be at this version, and ask none (0 for an empty one).
    #[arg(long, value_name = "VERSION", requires = "sql")]
    pub from: Option<Version>,
}

/// Plans.
pub fn run(context: &Context, args: &PlanArgs) -> Outcome {
    let wish = Wish {
        to: args.to.clone(),
        no_seed: args.no_seed,
        no_baseline: args.no_baseline,
        from_scripts: args.from_scripts,
        allow_late: args.allow_late.clone(),
        drop_code: args.drop_code,
    };
    if args.sql {
        return sql(context, &wish, args.from.as_ref());
    }
    let Some(path) = &args.save else { return show(context, &wish) };
    let opened = context.open()?;
    let plan = judged(&opened.site(context), &wish)?.1;
    let text =
        serde_json::to_string_pretty(&plan).map_err(|error| Error::Io { path: path.clone(), source: error.into() })?;
    std::fs::write(path, text + "\n").map_err(|source| Error::Io { path: path.clone(), source })?;
    let steps = if plan.steps.len() == 1 { "1 step".to_owned() } else { format!("{} steps", plan.steps.len()) };
    context.say(format!("{steps} written to {}; run with `dbbuild build --plan {}`", path.display(), path.display()));
    Ok(Exit::Done)
}

/// Prints what a build would do as a script.
fn sql(context: &Context, wish: &Wish, from: Option<&Version>) -> Outcome {
    let opened = context.open()?;
    let script = build::offline_script(&opened.site(context), wish, from)?;
    if context.is_json() {
        context.document(&json!({"v": 1, "sql": script}));
    } else {
        context.print(script.trim_end());
    }
    Ok(Exit::Done)
}

/// Returns a plan on which a build would start, with what it was made from.
fn judged(site: &Site<'_>, wish: &Wish) -> Result<(Survey, Plan), Error> {
    let survey = build::survey(site, wish)?;
    let plan = survey.plan.clone().map_err(|refusal| match survey.is_to_be_proven(site) {
        true => refusal
            .note("`dbbuild` first tries whether running them again can be proven to make what a fresh build makes"),
        false => refusal,
    })?;
    survey.judge(site, &plan)?;
    Ok((survey, plan))
}

/// Shows what a build would do.
pub fn show(context: &Context, wish: &Wish) -> Outcome {
    let opened = context.open()?;
    let (survey, plan) = judged(&opened.site(context), wish)?;
    if context.is_json() {
        context.document(&json!({"v": 1, "plan": plan}));
        return Ok(Exit::Done);
    }
    let mark = survey.inspection.mark.as_ref();
    context.print(header(
        &opened.project.name,
        &opened.engine.describe(),
        mark.map(|mark| mark.environment.as_str()),
        mark.is_some_and(|mark| mark.protected),
        survey.reconciled.version.map(|version| version.to_string()).as_deref(),
    ));
    for note in &plan.notes {
        context.note(&format!("  note      {}", note.message));
    }
    for step in &plan.steps {
        context.print(step_line(step));
    }
    context.print(match plan.steps.len() {
        0 => "nothing to do".to_owned(),
        1 => "1 step; nothing was run".to_owned(),
        steps => format!("{steps} steps; nothing was run"),
    });
    Ok(Exit::Done)
}
