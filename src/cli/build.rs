//! `dbbuild build`, which is `dbbuild`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::render::{header, seconds};
use super::{Context, Exit, Outcome};
use crate::build::{self, Plan, Site, Step, Wish};
use crate::error::Error;
use crate::project::SettingsError;
use crate::script::Version;

/// What `build` understands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct BuildArgs {
    /// Stop after this version; code, seeds and baseline are left alone.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<Version>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Leave the seeds alone.
    #[arg(long)]
    pub no_seed: bool,
    /// Leave the baseline alone.
    #[arg(long)]
    pub no_baseline: bool,
    /// Build an empty database from the scripts, not from the baseline.
    #[arg(long)]
    pub from_scripts: bool,
    /// Do what a saved plan says, if it still fits (`dbbuild plan --save FILE`); it knows its own `--to` and the like.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "dry_run", "no_seed", "no_baseline", "from_scripts", "allow_late", "drop_code"])]
    pub plan: Option<PathBuf>,
    /// Run this late script although the policy refuses late ones.
    #[arg(long, value_name = "VERSION")]
    pub allow_late: Vec<Version>,
    /// Drop what code files made that are not there any more.
    #[arg(long)]
    pub drop_code: bool,
}

impl BuildArgs {
    /// Returns true if nothing was asked for.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what was asked for.
    pub fn wish(&self) -> Wish {
        Wish {
            to: self.to.clone(),
            no_seed: self.no_seed,
            no_baseline: self.no_baseline,
            from_scripts: self.from_scripts,
            allow_late: self.allow_late.clone(),
            drop_code: self.drop_code,
        }
    }
}

/// Builds.
pub fn run(context: &Context, args: &BuildArgs) -> Outcome {
    if args.dry_run {
        return super::plan::show(context, &args.wish());
    }
    let saved = args.plan.as_deref().map(read_plan).transpose()?;
    let opened = context.open()?;
    let site = Site { ends: true, ..opened.site(context) };
    let mut observer = context.observer();
    let report = build::build(&site, &args.wish(), saved.as_ref(), &mut *observer)?;
    drop(observer);
    if report.steps > 0 {
        let version = report.version.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"));
        let steps = if report.steps == 1 { "1 step".to_owned() } else { format!("{} steps", report.steps) };
        context.say(format!("{version} · {steps} · {}", seconds(report.duration)));
    } else if report.notes > 0 && !context.is_quiet() {
        // The notes have said which database it is.
        context.say("nothing to do");
    } else {
        let mark = report.mark.as_ref();
        let line = header(
            &opened.project.name,
            &opened.engine.describe(),
            mark.map(|mark| mark.environment.as_str()),
            mark.is_some_and(|mark| mark.protected),
            report.version.as_deref(),
        );
        context.say(format!("{line} · nothing to do"));
    }
    Ok(Exit::Done)
}

fn read_plan(path: &Path) -> Result<Plan, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|error| {
        SettingsError::new("plan/unreadable", format!("{}: {error}", path.display()))
            .hint("save it again: `dbbuild plan --save FILE`")
            .into()
    })
}

/// Returns a step as a line: `apply     0010_price_index   pending`.
pub fn step_line(step: &Step) -> String {
    let (word, name, why) = match step {
        Step::Journal { mark } => {
            let mark = mark.as_ref().map_or("no mark".to_owned(), |mark| {
                format!("mark {}{}", mark.environment, if mark.protected { ", protected" } else { "" })
            });
            ("journal", "create".to_owned(), mark)
        }
        Step::Load { folder } => ("load", folder.clone(), "the baseline of exactly this checkout".to_owned()),
        Step::Base { folder, version } => ("load", folder.clone(), format!("the base: the scripts up to {version}")),
        Step::Note { script, why, .. } => ("note", script.file.clone(), format!("{why}: journaled, not run")),
        Step::Apply { script, why } => ("apply", script.file.clone(), why.clone()),
        Step::Code(file) => ("code", file.file.clone(), file.why.clone()),
        Step::Keep { folder } => {
            ("code", folder.clone(), "looked after: what is absent or different is put back".into())
        }
        Step::Drop(file) => ("drop", file.file.clone(), "what it made; the file is gone".to_owned()),
        Step::Seed(file) => ("seed", file.file.clone(), file.why.clone()),
        Step::Baseline { folder } => ("baseline", folder.clone(), "not of this checkout".to_owned()),
    };
    format!("  {word:<9} {name:<40} {why}").trim_end().to_owned()
}
