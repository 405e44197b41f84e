//! What is told of a step: its name for people, and how it ended.

use std::time::Duration;

use super::Site;
use crate::engine::{Applied, Mode, Unit};
use crate::event::{Event, StepKind, StepResult};
use crate::script::{engine_suffix, strip_sql};

/// Returns what kind of step a unit is.
pub fn step_kind(unit: &Unit) -> StepKind {
    if unit.running.is_some() { StepKind::Resume } else { StepKind::from(unit.entry.kind) }
}

/// Returns a file's name for people: its path in the folder of its kind, without `.sql` and engine.
pub fn short_name(site: &Site<'_>, file: &str) -> String {
    let dialect = site.engine.dialect();
    let (code, folders) =
        (site.project.code_folder(), [site.project.scripts_folder(dialect), site.project.seed_folder()]);
    let inside = |folder: &str| file.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    // A code object's folder sorts it, and says nothing to people.
    let path = match inside(&code) {
        Some(rest) => rest.rsplit('/').next().unwrap_or(rest),
        None => folders.into_iter().find_map(inside).unwrap_or(file),
    };
    let stem = strip_sql(path);
    let stem = stem.strip_suffix(".up").unwrap_or(stem);
    let stem = engine_suffix(stem).map_or(stem, |(stem, _)| stem);
    // In a folder per change, the folder has the name.
    stem.strip_suffix("/up").unwrap_or(stem).to_owned()
}

/// Returns the event of a unit that has run.
pub fn finished(site: &Site<'_>, unit: &Unit, applied: &Applied) -> Event {
    let result = StepResult::Ran {
        statements: count(applied.statements + applied.skipped),
        skipped: count(applied.skipped),
        passes: applied.passes,
        rows_changed: if unit.mode == Mode::Statements { applied.rows } else { 0 },
    };
    Event::Finished {
        step: step_kind(unit),
        name: short_name(site, unit.text.file()),
        duration_ms: milliseconds(applied.duration),
        result,
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Returns a duration in whole milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
