//! `dbbuild wait`: until the database answers.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Outcome};
use crate::engine::{Access, EngineError};
use crate::script::duration;

/// What `wait` understands.
#[derive(Debug, Clone, Args)]
pub struct WaitArgs {
    /// How long to wait: `30s`, `5min`; `0` tries once.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = limit)]
    pub timeout: Duration,
}

fn limit(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "write `500ms`, `30s`, `5min` or `0`".to_owned())
}

/// Waits. A server that answers without the database counts as answering: `create` can make it.
pub fn run(context: &Context, args: &WaitArgs) -> Outcome {
    let opened = context.open()?;
    let started = Instant::now();
    loop {
        match opened.engine.connect(Access::Read) {
            Ok(_) => return Ok(answers(context, &opened.engine.describe(), true)),
            Err(EngineError::NoDatabase { target }) => return Ok(answers(context, &target, false)),
            Err(error) if started.elapsed() >= args.timeout => return Err(error.into()),
            Err(EngineError::Unreachable { .. } | EngineError::Lost { .. }) => {}
            Err(other) => return Err(other.into()),
        }
        if context.interrupt.is_raised() {
            return Err(EngineError::Interrupted { kept: "nothing was done".into() }.into());
        }
        std::thread::sleep(Duration::from_millis(250).min(args.timeout));
    }
}

fn answers(context: &Context, target: &str, exists: bool) -> Exit {
    if context.is_json() {
        context.document(&json!({"v": 1, "target": target, "answers": true, "exists": exists}));
    } else if exists {
        context.print(format!("{target} answers"));
    } else {
        context.print(format!("the server answers; there is no database at {target} yet (`dbbuild create`)"));
    }
    Exit::Done
}
