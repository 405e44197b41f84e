//! `dbbuild status`: how the database and the checkout stand to each other. Never writes.

use clap::Args;
use serde_json::json;

use super::render::header;
use super::{Context, Exit, Outcome};
use crate::build::{self, Site, Step, Survey, Wish};
use crate::journal::{State, Status, Stored};

/// What `status` understands.
#[derive(Debug, Clone, Default, Args)]
pub struct StatusArgs {
    /// Exit with 1 if a build would do something, or would refuse.
    #[arg(long)]
    pub exit_code: bool,
    /// List applied scripts too.
    #[arg(long)]
    pub all: bool,
}

/// Shows the status.
pub fn run(context: &Context, args: &StatusArgs) -> Outcome {
    let opened = context.open()?;
    let site = opened.site(context);
    let survey = build::survey(&site, &Wish::default())?;
    if context.is_json() {
        context.document(&document(&opened.project.name, &opened.engine.describe(), &survey));
    } else {
        text(context, args, &site, &survey);
    }
    let settled = survey.plan.as_ref().is_ok_and(build::Plan::is_empty);
    Ok(if args.exit_code && !settled { Exit::Findings } else { Exit::Done })
}

fn text(context: &Context, args: &StatusArgs, site: &Site<'_>, survey: &Survey) {
    let (project, target) = (&site.project.name, &site.engine.describe());
    let mark = survey.inspection.mark.as_ref();
    let version = survey.reconciled.version.as_ref().map(ToString::to_string);
    let environment = mark.map(|mark| mark.environment.as_str());
    context.print(header(project, target, environment, mark.is_some_and(|mark| mark.protected), version.as_deref()));
    if !survey.exists {
        context.print("  there is no database yet");
    }
    for status in &survey.reconciled.statuses {
        if args.all || !matches!(status.state, State::Applied | State::Squashed) {
            let file =
                status.script.and_then(|index| survey.checkout.scripts.get(index)).map(|script| script.file.clone());
            let name = file.unwrap_or_else(|| format!("{} {}", status.version, status.name));
            let line = format!("  {:<9} {name:<40} {}", status.state.word(), half_way(survey, status));
            context.print(line.trim_end());
        }
    }
    match &survey.plan {
        Ok(plan) => {
            for step in &plan.steps {
                match step {
                    Step::Code(file) => context.print(format!("  {:<9} {}   {}", "code", file.file, file.why)),
                    Step::Keep { folder } => context.print(format!("  {:<9} {folder}   looked after", "code")),
                    Step::Drop(file) => context.print(format!("  {:<9} {}   {}", "drop", file.file, file.why)),
                    Step::Seed(file) => context.print(format!("  {:<9} {}   {}", "seed", file.file, file.why)),
                    Step::Baseline { folder } => {
                        context.print(format!("  {:<9} {folder}   not of this checkout", "baseline"))
                    }
                    Step::Load { folder } => context.print(format!("  {:<9} {folder}   would be loaded", "baseline")),
                    Step::Base { folder, .. } => context.print(format!("  {:<9} {folder}   would be loaded", "base")),
                    Step::Journal { .. } | Step::Note { .. } | Step::Apply { .. } => {}
                }
            }
            for note in &plan.notes {
                context.print(format!("  note      {}", note.message));
            }
            let steps = plan.steps.iter().filter(|step| !matches!(step, Step::Journal { .. })).count();
            context.print(match steps {
                0 => "up to date".to_owned(),
                1 => "a build has 1 step to do".to_owned(),
                steps => format!("a build has {steps} steps to do"),
            });
        }
        Err(refusal) => {
            let unless = if survey.is_to_be_proven(site) { UNLESS_PROVEN } else { "" };
            context.print(format!("a build would refuse{unless}: {refusal}"));
            for hint in &refusal.hints {
                context.print(format!("  = {hint}"));
            }
        }
    }
}

/// What altered scripts of a target that is not protected may come to.
const UNLESS_PROVEN: &str = ", unless it can prove that running them again makes what a fresh build makes";

/// Returns how far a script is that is half-way; nothing for any other.
fn half_way(survey: &Survey, status: &Status) -> String {
    let entries = survey.inspection.journal.as_deref().unwrap_or_default();
    let entry = status.entry.and_then(|index| entries.get(index)).filter(|entry| entry.state == Stored::Running);
    entry.map_or_else(String::new, |entry| format!("{} of {} statements", entry.statements_done, entry.statements))
}

fn document(project: &str, target: &str, survey: &Survey) -> serde_json::Value {
    let scripts: Vec<_> = survey
        .reconciled
        .statuses
        .iter()
        .map(|status| {
            let file = status.script.and_then(|index| survey.checkout.scripts.get(index)).map(|script| &script.file);
            json!({"version": status.version, "name": status.name, "state": status.state, "file": file})
        })
        .collect();
    let (plan, refusal) = match &survey.plan {
        Ok(plan) => (Some(plan), None),
        Err(refusal) => (None, Some(json!({"code": refusal.code, "message": refusal.message, "hints": refusal.hints}))),
    };
    json!({
        "v": 1,
        "project": project,
        "target": target,
        "exists": survey.exists,
        "mark": survey.inspection.mark,
        "version": survey.reconciled.version,
        "up_to_date": plan.is_some_and(build::Plan::is_empty),
        "scripts": scripts,
        "plan": plan,
        "refusal": refusal,
    })
}
