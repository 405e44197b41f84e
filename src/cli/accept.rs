//! `dbbuild accept`: new texts of applied scripts, taken as applied.

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Outcome};
use crate::accept::{self, Range};

/// What `accept` understands.
#[derive(Debug, Clone, Args)]
pub struct AcceptArgs {
    /// Altered scripts: versions, or ranges of them (`3..7`).
    #[arg(required = true, value_name = "VERSION")]
    pub versions: Vec<Range>,
    /// Believe it, without comparing fresh builds of the old and the new text.
    #[arg(long)]
    pub unproven: bool,
}

/// Accepts.
pub fn run(context: &Context, args: &AcceptArgs) -> Outcome {
    let opened = context.open()?;
    let mut observer = context.listener();
    let accepted = accept::accept(&opened.site(context), &args.versions, args.unproven, &mut *observer)?;
    drop(observer);
    if context.is_json() {
        context.document(&json!({"v": 1, "scripts": accepted.scripts, "proven": accepted.proven}));
        return Ok(Exit::Done);
    }
    for script in &accepted.scripts {
        context.print(format!("  accepted  {}", script.file));
    }
    context.print(if accepted.proven {
        "the new texts make what the old ones made; the journal has both"
    } else {
        "believed, not proven; the journal has both texts"
    });
    Ok(Exit::Done)
}
