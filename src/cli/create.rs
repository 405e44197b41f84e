//! `dbbuild create`: the database itself.

use serde_json::json;

use super::{Context, Exit, Outcome};

/// Creates the database.
pub fn run(context: &Context) -> Outcome {
    let opened = context.open()?;
    let created = opened.engine.create()?;
    let target = opened.engine.describe();
    if context.is_json() {
        context.document(&json!({"v": 1, "target": target, "created": created}));
    } else if created {
        context.print(format!("{target} created"));
    } else {
        context.print(format!("{target} was there; nothing was changed"));
    }
    Ok(Exit::Done)
}
