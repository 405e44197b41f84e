//! `dbbuild drift`: the target against a fresh build.

use clap::Args;
use serde_json::json;

use super::render::{coloured_diff, header};
use super::{Context, Exit, Outcome};
use crate::drift::{self, Drift, RowDifference};
use crate::engine::catalog::{Change, Difference};
use crate::event::Event;

/// How many rows of one table are shown.
const SHOWN: usize = 20;

/// What `drift` understands.
#[derive(Debug, Clone, Default, Args)]
pub struct DriftArgs {
    /// Leave out objects whose name, or kind and name, match this glob: `public.tmp_*`, `index public.*`.
    #[arg(long, value_name = "PATTERN")]
    pub ignore: Vec<String>,
    /// Let the order of columns and generated names count too.
    #[arg(long)]
    pub strict: bool,
}

/// Compares and shows what differs.
pub fn run(context: &Context, args: &DriftArgs) -> Outcome {
    let opened = context.open()?;
    let ignore = drift::patterns(&opened.project.settings.drift.ignore, &args.ignore)?;
    let mut notes = Vec::new();
    let site = opened.site(context);
    let drift = if context.is_json() {
        let mut collect = |event: Event| {
            if let Event::Note { message, .. } = event {
                notes.push(message);
            }
        };
        drift::drift(&site, &ignore, &mut collect)?
    } else {
        drift::drift(&site, &ignore, &mut *context.observer())?
    };
    let is_clean = drift.is_clean(args.strict);
    let target = opened.engine.describe();
    if context.is_json() {
        context.document(&json!({
            "v": 1,
            "project": opened.project.name,
            "target": target,
            "mark": drift.mark,
            "version": drift.version,
            "clean": is_clean,
            "objects": drift.objects,
            "differences": drift.differences,
            "rows": drift.rows,
            "notes": notes,
        }));
    } else {
        let environment = drift.mark.as_ref().map(|mark| mark.environment.as_str());
        let protected = drift.mark.as_ref().is_some_and(|mark| mark.protected);
        context.print(header(&opened.project.name, &target, environment, protected, drift.version.as_deref()));
        text(context, &drift);
    }
    Ok(if is_clean { Exit::Done } else { Exit::Findings })
}

fn text(context: &Context, drift: &Drift) {
    objects(context, &drift.differences);
    rows(context, &drift.rows, "missing");
    let beside = drift.differences.iter().filter(|difference| !difference.change.counts()).count();
    let counted = drift.differences.len() - beside + drift.rows.len();
    let compared = format!("{} objects and {} rows compared", drift.objects, drift.rows_compared);
    let answer = match counted {
        0 => "no drift".to_owned(),
        1 => "1 difference".to_owned(),
        counted => format!("{counted} differences"),
    };
    let beside = match beside {
        0 => String::new(),
        beside => format!(" · {beside} in order or names only"),
    };
    context.print(format!("{answer}{beside} · {compared}"));
}

/// Prints objects that differ, with both definitions as a diff.
pub(super) fn objects(context: &Context, differences: &[Difference]) {
    for difference in differences {
        context.print(line(difference));
        let (expected, found) = (difference.expected.as_deref(), difference.found.as_deref());
        if difference.change != Change::Name && (expected.is_some() || found.is_some()) {
            context.print(coloured_diff(expected.unwrap_or_default(), found.unwrap_or_default(), "            "));
        }
    }
}

/// Prints rows that differ; `alone` is said of those that are on one side only.
pub(super) fn rows(context: &Context, rows: &[RowDifference], alone: &str) {
    for rows in rows.chunk_by(|one, other| one.table == other.table) {
        rows.iter().take(SHOWN).for_each(|row| context.print(row_line(row, alone)));
        if rows.len() > SHOWN {
            let table = rows.first().map_or("", |row| row.table.as_str());
            context.print(format!("  row       {table}   and {} more", rows.len() - SHOWN));
        }
    }
}

fn line(difference: &Difference) -> String {
    let Difference { change, kind, name, expected, found, parts } = difference;
    let detail = match (change, parts) {
        (Change::Name, _) => {
            format!("is {} here", found.as_deref().or(expected.as_deref()).unwrap_or_default())
        }
        (Change::Order, _) => "the columns stand in another order".to_owned(),
        (_, 0) => String::new(),
        (_, 1) => "with 1 part".to_owned(),
        (_, parts) => format!("with {parts} parts"),
    };
    format!("  {:<9} {kind} {name}   {detail}", change.word()).trim_end().to_owned()
}

/// `  row       public.country (code DE)   name: Germany, here Deutschland`.
fn row_line(row: &RowDifference, alone: &str) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
    let key: Vec<String> = row.key.iter().map(|part| format!("{} {}", part.column, shown(&part.value))).collect();
    let detail: Vec<String> = row
        .columns
        .iter()
        .map(|values| format!("{}: {}, here {}", values.column, shown(&values.expected), shown(&values.found)))
        .collect();
    let detail = if row.is_there { detail.join("; ") } else { alone.to_owned() };
    format!("  row       {} ({})   {detail}", row.table, key.join(", "))
}
