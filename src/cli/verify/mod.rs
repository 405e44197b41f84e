//! `dbbuild verify`: the proofs.

mod linted;
mod text;

use clap::Args;
use serde_json::json;

use super::render::header;
use super::{Context, Exit, Outcome};
use crate::verify::{self, Wish};

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
    /// Stop at the first proof that fails, leave its scratch database behind, and say how to connect to it.
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
    // What was not proven to the end cannot be compared.
    let linted = match report.interrupted {
        true => None,
        false => Some(linted::compare(context, &opened.project, opened.engine.dialect(), &report)?),
    };
    if context.is_json() {
        let clean = report.errors() == 0;
        let mut document = json!({ "v": 1, "project": opened.project.name, "clean": clean, "lint": linted });
        if let (Some(fields), Ok(serde_json::Value::Object(own))) =
            (document.as_object_mut(), serde_json::to_value(&report))
        {
            fields.extend(own);
        }
        context.document(&document);
    } else {
        context.print(header(&opened.project.name, opened.engine.dialect().name(), None, false, None));
        text::show(context, &report, linted.as_ref());
    }
    Ok(match (report.interrupted, report.errors()) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Findings,
    })
}
