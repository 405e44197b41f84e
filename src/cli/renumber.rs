//! `dbbuild renumber`: the next versions for scripts that collide or were overtaken.

use serde_json::json;

use super::{Context, Exit, Outcome};
use crate::renumber::renumber;

/// Renumbers this branch's unmerged scripts.
pub fn run(context: &Context) -> Outcome {
    let done = renumber(&context.project()?, jiff::Timestamp::now())?;
    if context.is_json() {
        let files: Vec<_> = done.files.iter().map(|(old, new)| json!({"old": old, "new": new})).collect();
        let versions: Vec<_> = done.versions.iter().map(|(old, new)| json!({"old": old, "new": new})).collect();
        let settings = done.settings_changed;
        context.document(&json!({"v": 1, "files": files, "versions": versions, "settings_changed": settings}));
        return Ok(Exit::Done);
    }
    let width = done.files.iter().map(|(old, _)| old.chars().count()).max().unwrap_or(0);
    for (old, new) in &done.files {
        context.print(format!("  {old:<width$}  {new}"));
    }
    if done.settings_changed {
        context.print("  dbbuild.toml follows");
    }
    context.print(match done.versions.len() {
        0 => "no script of this branch collides or was overtaken; nothing to do".to_owned(),
        1 => "1 script renumbered".to_owned(),
        count => format!("{count} scripts renumbered"),
    });
    Ok(Exit::Done)
}
