//! `dbbuild mark` and `dbbuild test-data`: what environment a database is, and what may go into it.

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Outcome};
use crate::build::{self, Refusal};
use crate::engine::{Access, Wait};
use crate::journal::Mark;

/// What `mark` understands.
#[derive(Debug, Clone, Args)]
pub struct MarkArgs {
    /// The environment: `development`, `staging`, `production` or a word of your own.
    pub name: String,
    /// Refuse destructive commands on this database.
    #[arg(long)]
    pub protected: bool,
    /// The database's name, spelled out: needed to take its protection off.
    #[arg(long, value_name = "NAME")]
    pub i_mean: Option<String>,
}

/// Writes the mark.
pub fn run(context: &Context, args: &MarkArgs) -> Outcome {
    let opened = context.open()?;
    let described = opened.engine.describe();
    let inspection = opened.engine.connect(Access::Read)?.inspect(&opened.project.name)?;
    let mark = Mark { environment: args.name.clone(), protected: args.protected || args.name == "production" };
    let was_protected = inspection.mark.as_ref().is_none_or(|mark| mark.protected) && inspection.journal.is_some();
    let name = opened.engine.database();
    if was_protected && !mark.protected && args.i_mean.as_deref() != Some(name.as_str()) {
        let why =
            if inspection.mark.is_some() { "is marked protected" } else { "has no mark, which counts as protected" };
        return Err(Refusal::new(
            "mark/protected",
            format!("{described} {why}: taking the protection off needs its name"),
        )
        .hint(format!("if you mean it: `dbbuild mark {} --i-mean {name}`", args.name))
        .into());
    }
    let mut observer = context.listener();
    let mut session = opened.engine.connect(Access::Write)?;
    session.exclusive(Wait { limit: opened.target.lock_wait }, &mut *observer)?;
    if inspection.journal.is_none() {
        session.prepare(Some(&mark), false)?;
    }
    session.mark(&mark)?;
    drop(observer);
    if context.is_json() {
        context.document(&json!({"v": 1, "target": described, "mark": mark}));
    } else {
        let word = if mark.protected { "protected" } else { "not protected" };
        context.print(format!("{described} is marked {} ({word})", mark.environment));
    }
    Ok(Exit::Done)
}

/// Loads the test data.
pub fn test_data(context: &Context) -> Outcome {
    let opened = context.open()?;
    let site = opened.site(context);
    let mut observer = context.listener();
    let report = build::test_data(&site, &mut *observer)?;
    drop(observer);
    if context.is_json() {
        context.document(&json!({"v": 1, "files": report.files, "loaded": report.loaded}));
    }
    context.say(match (report.files, report.loaded) {
        (0, _) => format!("there is no test data in {}/test", opened.project.seed_folder()),
        (1, 0) => "1 file, loaded before; nothing to do".to_owned(),
        (files, 0) => format!("{files} files, all loaded before; nothing to do"),
        (1, _) => "1 file loaded".to_owned(),
        (files, loaded) => format!("{loaded} of {files} files loaded"),
    });
    Ok(Exit::Done)
}
