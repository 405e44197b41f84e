//! `dbbuild drop` and `dbbuild reset`: what cannot be taken back needs the database's own mark to allow it, or
//! its name spelled out.

use clap::Args;
use serde_json::json;

use super::context::Opened;
use super::{Context, Exit, Outcome};
use crate::build::{Refusal, first_mark, is_protected, refuse_other_mark};
use crate::engine::{Access, EngineError, Inspection, Wait};
use crate::error::Error;

/// How consent is given.
#[derive(Debug, Clone, Default, Args)]
pub struct Consent {
    /// The database's name, spelled out: needed where its mark protects it, or where it has none.
    #[arg(long, value_name = "NAME")]
    pub i_mean: Option<String>,
}

/// Drops the database.
pub fn drop_database(context: &Context, consent: &Consent) -> Outcome {
    let opened = context.open()?;
    let target = opened.engine.describe();
    let inspection = match opened.engine.connect(Access::Read) {
        Ok(mut session) => session.inspect(&opened.project.name)?,
        Err(EngineError::NoDatabase { .. }) => {
            report(
                context,
                &target,
                "dropped",
                false,
                &format!("there is no database at {target}; nothing was changed"),
            );
            return Ok(Exit::Done);
        }
        Err(other) => return Err(other.into()),
    };
    consents(context, &opened, &inspection, consent, "drop")?;
    let dropped = opened.engine.drop_database()?;
    report(context, &target, "dropped", dropped, &format!("{target} dropped"));
    Ok(Exit::Done)
}

/// Empties the database, object by object.
pub fn run(context: &Context, consent: &Consent) -> Outcome {
    let opened = context.open()?;
    let target = opened.engine.describe();
    // Asked on a reading session first, so that a refusal creates nothing.
    let inspection = opened.engine.connect(Access::Read)?.inspect(&opened.project.name)?;
    consents(context, &opened, &inspection, consent, "reset")?;
    let mut observer = context.listener();
    let mut session = opened.engine.connect(Access::Write)?;
    session.exclusive(Wait { limit: opened.target.lock_wait }, &mut *observer)?;
    session.reset(&mut *observer)?;
    drop(observer);
    report(context, &target, "reset", true, &format!("{target} is empty; build it with `{}`", context.command_line()));
    Ok(Exit::Done)
}

fn report(context: &Context, target: &str, word: &str, done: bool, text: &str) {
    if context.is_json() {
        context.document(&json!({"v": 1, "target": target, word: done}));
    } else {
        context.print(text);
    }
}

/// Refuses unless the database's own mark allows it, or its name was spelled out.
fn consents(
    context: &Context,
    opened: &Opened,
    inspection: &Inspection,
    consent: &Consent,
    verb: &str,
) -> Result<(), Error> {
    let (name, described) = (opened.engine.database(), opened.engine.describe());
    if let Some(said) = &consent.i_mean {
        if *said == name {
            return Ok(());
        }
        return Err(Refusal::new(
            "consent/other-name",
            format!("`--i-mean {said}`, but the database's name is `{name}`"),
        )
        .hint("name the database that you mean with --target or --url")
        .into());
    }
    if let Some(mark) = &inspection.mark {
        refuse_other_mark(mark, &opened.target, &described)?;
    }
    let unmarked = inspection.mark.is_none();
    let would_mark = first_mark(&opened.target, opened.engine.is_local());
    let protected =
        if unmarked && !inspection.objects.is_empty() { true } else { is_protected(inspection, would_mark.as_ref()) };
    if protected {
        let why = if unmarked { "has no mark, which counts as protected" } else { "is marked protected" };
        return Err(Refusal::new(
            "consent/protected",
            format!("{described} {why}: `{verb}` would destroy its content"),
        )
        .hint(format!("if you mean it: `--i-mean {name}`"))
        .into());
    }
    let question = format!("{verb} {described}? Its content cannot be had back.");
    if context.agrees(&question) {
        return Ok(());
    }
    Err(Refusal::new("consent/missing", format!("nobody agreed to {verb} {described}"))
        .hint("say --yes where nobody can be asked")
        .into())
}
