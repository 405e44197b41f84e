//! `dbbuild new-version`: the next script.

use clap::Args;
use serde_json::json;

use super::init::EngineWord;
use super::{Context, Exit, Outcome};
use crate::new_version::{NewVersion, new_version};

/// What `new-version` understands.
#[derive(Debug, Clone, Args)]
pub struct NewVersionArgs {
    /// What the script does: `"create customer"`.
    pub name: String,
    /// Make the way down too.
    #[arg(long)]
    pub down: bool,
    /// The one engine it is for.
    #[arg(long, value_enum)]
    pub engine: Option<EngineWord>,
    /// Run it statement by statement, outside a transaction.
    #[arg(long)]
    pub no_transaction: bool,
}

/// Makes the next script.
pub fn run(context: &Context, args: &NewVersionArgs) -> Outcome {
    let project = context.project()?;
    let wanted = NewVersion {
        name: &args.name,
        down: args.down,
        engine: args.engine.map(Into::into),
        no_transaction: args.no_transaction,
        now: jiff::Timestamp::now(),
    };
    let made = new_version(&project, &wanted)?;
    if context.is_json() {
        context.document(&json!({"v": 1, "version": made.version, "files": made.files, "above": made.above}));
        return Ok(Exit::Done);
    }
    for file in &made.files {
        context.print(file);
    }
    if let Some(branch) = &made.above {
        context.note(&format!("version {}: the branch {branch} has the one before it", made.version));
    }
    Ok(Exit::Done)
}
