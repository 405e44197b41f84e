//! Writes the rows of a file to their table, by the seed's mode, with the fewest changes.

use super::fill::fill;
use super::stage::{analyze, line_of, refuse_same_keys, stage};
use super::table::{Table, head, key_matches, refusal, typed};
use super::trade::trade;
use super::{Stop, as_role, send};
use crate::engine::postgres::journal::Journal;
use crate::engine::postgres::link::{Link, value};
use crate::engine::postgres::quote::{ident, literal};
use crate::engine::{EngineError, Loaded, RowSeed, SeedMode, SqlFailure, UnitFailure};
use crate::event::Observer;

/// Brings the table to the state of the file.
pub(super) fn write(
    link: &mut Link,
    journal: &Journal,
    seed: &RowSeed,
    table: &Table,
    owner: Option<&str>,
    observer: &mut dyn Observer,
) -> Result<Loaded, Stop> {
    let is_tracked = seed.mode == SeedMode::Tracked;
    let mut is_first = seed.entry.attempt <= 1;
    if is_tracked {
        let answers = send(link, &format!("select exists ({}) as known", known(journal, seed)))?;
        is_first = value(&answers, "known") != Some("t");
    }
    if (!is_tracked || is_first)
        && let Some(loaded) = fill(link, journal, seed, table, owner, observer)?
    {
        return Ok(loaded);
    }
    let rows = stage(link, seed, table, owner, observer)?;
    let mut loaded = Loaded { rows, ..Loaded::default() };
    if !is_first || seed.mode == SeedMode::Sync {
        analyze(link)?;
    }
    // Where every row is written the server refuses the second one of a key; else it is passed over without a word.
    if (is_tracked && !is_first) || settable(seed, table).is_empty() {
        refuse_same_keys(link, seed, table)?;
    }
    if is_tracked {
        send(link, &departed(journal, seed, table, owner))?;
    }
    loaded.deleted = match seed.mode {
        SeedMode::Tracked => delete(link, seed, owner, &delete_departed(table))?,
        SeedMode::Sync => delete(link, seed, owner, &delete_others(table))?,
        SeedMode::Upsert | SeedMode::Insert => 0,
    };
    (loaded.inserted, loaded.updated) = upsert(link, seed, table, owner)?;
    if is_first {
        loaded.overwritten = loaded.updated;
    }
    // Were an untracked one tracked again later, old digests would hide what changed in between.
    let digests = if is_tracked { remember_changes(journal, seed) } else { forget(journal, seed) };
    send(link, &format!("set local role none;\n{digests}"))?;
    Ok(loaded)
}

fn known(journal: &Journal, seed: &RowSeed) -> String {
    format!(
        "select from {}.seed_row r where r.project = {} and r.file = {}",
        journal.schema,
        literal(&seed.entry.project),
        literal(&seed.file)
    )
}

/// Returns the statement that forgets a file's digests.
pub(super) fn forget(journal: &Journal, seed: &RowSeed) -> String {
    format!(
        "delete from {}.seed_row where project = {} and file = {};\n",
        journal.schema,
        literal(&seed.entry.project),
        literal(&seed.file)
    )
}

/// Returns the statement that writes the digests of all staged rows.
pub(super) fn remember(journal: &Journal, seed: &RowSeed) -> String {
    format!(
        // In the order of the index, which then grows at its end.
        "insert into {}.seed_row (project, file, key, digest)
         select {}, {}, key, digest from pg_temp.dbbuild_seed order by key;\n",
        journal.schema,
        literal(&seed.entry.project),
        literal(&seed.file)
    )
}

/// Returns the statements that write the digests of those staged rows that changed.
fn remember_changes(journal: &Journal, seed: &RowSeed) -> String {
    let (project, file) = (literal(&seed.entry.project), literal(&seed.file));
    format!(
        // Statistics of the digests' table may be old, and a nested loop over two large tables takes for ever.
        "set local enable_nestloop = off;
         delete from {schema}.seed_row r using pg_temp.dbbuild_known k
          where r.project = {project} and r.file = {file} and r.key = k.key
            and not exists (select from pg_temp.dbbuild_same m where m.key = k.key);
         insert into {schema}.seed_row (project, file, key, digest)
         select {project}, {file}, s.key, s.digest from pg_temp.dbbuild_seed s
          where not exists (select from pg_temp.dbbuild_same m where m.line = s.line)
          order by s.key;\n",
        schema = journal.schema
    )
}

/// Notes which rows left the file and which need not be written; the table's owner may not read the journal.
fn departed(journal: &Journal, seed: &RowSeed, table: &Table, owner: Option<&str>) -> String {
    let columns: Vec<String> =
        (0..table.key.len()).map(|place| format!("r.key::json ->> {place} as k{place}")).collect();
    let grant = owner.map_or_else(String::new, |role| {
        format!("grant select on pg_temp.dbbuild_departed, pg_temp.dbbuild_same to {};\n", ident(role))
    });
    // A copy with statistics of its own: by those of the whole table, which may be old, joins can take for ever.
    format!(
        "create temporary table dbbuild_known on commit drop as
             select r.key, r.digest from {}.seed_row r where r.project = {} and r.file = {};
         analyze pg_temp.dbbuild_known;
         create temporary table dbbuild_departed on commit drop as
             select {} from pg_temp.dbbuild_known r
              where pg_catalog.json_array_length(r.key::json) = {}
                and not exists (select from pg_temp.dbbuild_seed s where s.key = r.key);
         create temporary table dbbuild_same on commit drop as
             select s.line, s.key from pg_temp.dbbuild_seed s
               join pg_temp.dbbuild_known r on r.key = s.key and r.digest = s.digest;
         analyze pg_temp.dbbuild_departed;
         analyze pg_temp.dbbuild_same;\n{grant}",
        journal.schema,
        literal(&seed.entry.project),
        literal(&seed.file),
        columns.join(", "),
        table.key.len()
    )
}

fn delete_departed(table: &Table) -> String {
    let pair = |(place, index): (usize, &usize)| {
        let column = &table.columns[*index];
        format!("t.{} = d.k{place}::{}", ident(&column.name), column.kind)
    };
    let pairs: Vec<String> = table.key.iter().enumerate().map(pair).collect();
    format!("delete from {} t using pg_temp.dbbuild_departed d where {}", table.sql, pairs.join(" and "))
}

fn delete_others(table: &Table) -> String {
    format!(
        "delete from {} t where not exists (select from pg_temp.dbbuild_seed s where {})",
        table.sql,
        key_matches(table)
    )
}

fn delete(link: &mut Link, seed: &RowSeed, owner: Option<&str>, statement: &str) -> Result<u64, Stop> {
    // Checked here, so that what refers to a row is told as that.
    let text = format!(
        "{}with gone as ({statement} returning 1) select pg_catalog.count(*)::text as gone from gone;\n\
         set constraints all immediate;\nset constraints all deferred",
        as_role(owner)
    );
    match send(link, &text) {
        Ok(answers) => Ok(value(&answers, "gone").and_then(|count| count.parse().ok()).unwrap_or_default()),
        Err(Stop::Failed { failure, .. }) if failure.code == "23503" || failure.code == "23001" => {
            Err(in_the_way(seed, &failure).into())
        }
        Err(stop) => Err(stop),
    }
}

/// The server names key, row and referring table in its detail.
fn in_the_way(seed: &RowSeed, failure: &SqlFailure) -> EngineError {
    let why = failure.detail.as_deref().unwrap_or(&failure.message);
    refusal(
        "seed/foreign-key",
        format!("a row that is no longer in the file cannot be deleted from {}: {why}", seed.table),
        head(seed),
        Some("put the row back into the file, or write a script that moves what refers to it".to_owned()),
    )
}

/// Takes back what was tried of writing the rows.
pub(super) const UNDO: &str = "rollback to savepoint dbbuild_rows;\n";

/// Writes rows, and finds the line of one that cannot be written.
fn upsert(link: &mut Link, seed: &RowSeed, table: &Table, owner: Option<&str>) -> Result<(u64, u64), Stop> {
    let all = (0, i64::MAX);
    let text = format!("{}savepoint dbbuild_rows;\n{}", as_role(owner), upsert_lines(seed, table, all));
    match send(link, &text) {
        Ok(answers) => Ok(written(&answers)),
        Err(Stop::Failed { failure, .. }) if failure.code == "23505" && seed.mode != SeedMode::Insert => {
            send(link, UNDO)?;
            let again =
                trade(link, seed, table).and_then(|traded| Ok((traded, send(link, &upsert_lines(seed, table, all))?)));
            match again {
                Ok((traded, answers)) => {
                    let (inserted, updated) = written(&answers);
                    Ok((inserted, updated + traded))
                }
                // They did not trade: the first error says which row it is.
                Err(Stop::Failed { .. }) => Err(of_line(link, seed, table, *failure)?),
                Err(stop) => Err(stop),
            }
        }
        Err(Stop::Failed { failure, .. })
            if !matches!(failure.code.as_str(), "55P03" | "40P01" | "40001" | "57014") =>
        {
            Err(of_line(link, seed, table, *failure)?)
        }
        Err(stop) => Err(stop),
    }
}

/// Returns how many rows were inserted, and how many updated.
fn written(answers: &[postgres::SimpleQueryMessage]) -> (u64, u64) {
    let count = |name: &str| value(answers, name).and_then(|count| count.parse().ok()).unwrap_or_default();
    (count("inserted"), count("updated"))
}

/// Returns a failure with the line that it is about.
fn of_line(link: &mut Link, seed: &RowSeed, table: &Table, failure: SqlFailure) -> Result<Stop, Stop> {
    send(link, UNDO)?;
    refuse_same_keys(link, seed, table)?;
    let line = bad_line(link, seed, table)?;
    let place = Some(line.map_or_else(|| head(seed), |line| line_of(seed, line)));
    Ok(EngineError::Unit(Box::new(UnitFailure { unit: 0, failure, place, kept: None })).into())
}

/// Finds the first line that cannot be written, by halving. Each half is written and undone.
fn bad_line(link: &mut Link, seed: &RowSeed, table: &Table) -> Result<Option<usize>, Stop> {
    let range =
        "select pg_catalog.min(line)::text as low, pg_catalog.max(line)::text as high from pg_temp.dbbuild_seed";
    let answers = send(link, range)?;
    let number = |name: &str| value(&answers, name).and_then(|number| number.parse::<i64>().ok());
    let (Some(mut low), Some(mut high)) = (number("low"), number("high")) else { return Ok(None) };
    while low < high {
        let middle = low + (high - low) / 2;
        match send(link, &format!("{UNDO}{}", upsert_lines(seed, table, (low, middle)))) {
            Ok(_) => low = middle + 1,
            Err(Stop::Failed { .. }) => high = middle,
            Err(stop) => return Err(stop),
        }
    }
    // Two good halves may make a bad whole; then no line is to blame.
    match send(link, &format!("{UNDO}{}", upsert_lines(seed, table, (low, low)))) {
        Ok(_) => Ok(None),
        Err(Stop::Failed { .. }) => Ok(usize::try_from(low).ok()),
        Err(stop) => Err(stop),
    }
}

/// Returns the columns that are brought to the file's value in rows that are there; none if those stay as they are.
fn settable(seed: &RowSeed, table: &Table) -> Vec<usize> {
    let is_settable = |index: &usize| !table.key.contains(index) && !table.columns[*index].is_always_identity;
    match seed.mode {
        SeedMode::Insert => Vec::new(),
        SeedMode::Tracked | SeedMode::Upsert | SeedMode::Sync => (0..table.columns.len()).filter(is_settable).collect(),
    }
}

/// Returns the statement that inserts rows, or updates those that differ. Values are compared as texts: there is
/// no `=` for some types, and for others it takes different values for equal.
fn upsert_lines(seed: &RowSeed, table: &Table, (first, last): (i64, i64)) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| ident(&column.name)).collect();
    let values: Vec<String> = (0..names.len()).map(|index| typed(table, index)).collect();
    let key: Vec<String> = table.key_names().into_iter().map(ident).collect();
    let others: Vec<&String> = settable(seed, table).into_iter().map(|index| &names[index]).collect();
    let action = if others.is_empty() {
        "do nothing".to_owned()
    } else {
        let sets: Vec<String> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let differs: Vec<String> = others
            .iter()
            .map(|name| format!("t.{name}::text collate \"C\" is distinct from excluded.{name}::text collate \"C\""))
            .collect();
        format!("do update set {} where {}", sets.join(", "), differs.join(" or "))
    };
    let unchanged = match seed.mode {
        SeedMode::Tracked => " and not exists (select from pg_temp.dbbuild_same u where u.line = s.line)",
        SeedMode::Upsert | SeedMode::Insert | SeedMode::Sync => "",
    };
    format!(
        "with written as (
             insert into {} as t ({}) overriding system value
             select {} from pg_temp.dbbuild_seed s where s.line between {first} and {last}{unchanged} order by s.line
             on conflict ({}) {action}
             returning (xmax = 0) as is_new)
         select pg_catalog.count(*) filter (where is_new)::text as inserted,
                pg_catalog.count(*) filter (where not is_new)::text as updated from written",
        table.sql,
        names.join(", "),
        values.join(", "),
        key.join(", ")
    )
}
