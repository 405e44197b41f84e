//! Rows that trade a unique value: one cannot be written while the other still has it, whichever goes first. They are
//! put aside, all that change, and put back as the file has them; columns that the file does not name keep their values.

use super::table::{Table, head, key_matches, refusal, typed};
use super::{Stop, send};
use crate::engine::postgres::link::{Link, value};
use crate::engine::postgres::quote::{ident, literal};
use crate::engine::{RowSeed, SeedMode};

/// Writes the rows that are there and differ. Returns how many they were.
pub(super) fn trade(link: &mut Link, seed: &RowSeed, table: &Table) -> Result<u64, Stop> {
    refuse_if_taken_along(link, seed, table)?;
    let others = others(link, table)?;
    let names: Vec<String> = table.columns.iter().map(|column| ident(&column.name)).collect();
    let kept: Vec<String> = others.iter().enumerate().map(|(at, name)| format!("t.{name} as o{at}")).collect();
    let new: Vec<String> = (0..names.len()).map(|index| format!("{} as n{index}", typed(table, index))).collect();
    let differs = names.iter().enumerate().map(|(index, name)| {
        format!("t.{name}::text collate \"C\" is distinct from {}::text collate \"C\"", typed(table, index))
    });
    let unchanged = match seed.mode {
        SeedMode::Tracked => " and not exists (select from pg_temp.dbbuild_same u where u.line = s.line)",
        SeedMode::Upsert | SeedMode::Insert | SeedMode::Sync => "",
    };
    let list = |head: char, count: usize| (0..count).map(|at| format!("g.{head}{at}")).collect::<Vec<_>>();
    // The order lets nothing come back before all have gone.
    let text = format!(
        "with gone as (
             delete from {table} t using pg_temp.dbbuild_seed s
              where {matches}{unchanged} and ({differs})
             returning s.line, {returned}),
         back as (
             insert into {table} ({columns}) overriding system value
             select {values} from (select * from gone order by line) g
             returning 1)
         select pg_catalog.count(*)::text as traded from back",
        table = table.sql,
        matches = key_matches(table),
        differs = differs.collect::<Vec<_>>().join(" or "),
        returned = [new, kept].concat().join(", "),
        columns = [names.as_slice(), &others].concat().join(", "),
        values = [list('n', names.len()), list('o', others.len())].concat().join(", "),
    );
    let answers = send(link, &text)?;
    Ok(value(&answers, "traded").and_then(|count| count.parse().ok()).unwrap_or_default())
}

/// Returns the columns that take values and are not in the file, quoted.
fn others(link: &mut Link, table: &Table) -> Result<Vec<String>, Stop> {
    let given: Vec<String> = table.columns.iter().map(|column| literal(&column.name)).collect();
    let text = format!(
        "select coalesce(pg_catalog.json_agg(a.attname order by a.attnum), '[]')::text as others
           from pg_catalog.pg_attribute a
          where a.attrelid = {}::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            and a.attname::text not in ({})",
        literal(&table.sql),
        given.join(", ")
    );
    let answers = send(link, &text)?;
    let names: Vec<String> = serde_json::from_str(value(&answers, "others").unwrap_or("[]")).unwrap_or_default();
    Ok(names.iter().map(|name| ident(name)).collect())
}

/// Refuses where putting rows aside would take along, change or forbid rows that refer to the table.
fn refuse_if_taken_along(link: &mut Link, seed: &RowSeed, table: &Table) -> Result<(), Stop> {
    let text = format!(
        "select coalesce(pg_catalog.json_agg(distinct k.conrelid::regclass::text), '[]')::text as children
           from pg_catalog.pg_constraint k
          where k.contype = 'f' and k.confrelid = {}::regclass and k.confdeltype in ('c', 'n', 'd', 'r')",
        literal(&table.sql)
    );
    let answers = send(link, &text)?;
    let children: Vec<String> = serde_json::from_str(value(&answers, "children").unwrap_or("[]")).unwrap_or_default();
    for child in children {
        let answers = send(link, &format!("select exists (select from {child}) as used"))?;
        if value(&answers, "used") == Some("t") {
            let message = format!(
                "rows of {} trade a unique value, and cannot be put aside for it: {child} refers to them with an ON \
                 DELETE that would act",
                seed.table
            );
            let hint = "write a script that moves the values by way of a third one".to_owned();
            return Err(refusal("seed/traded", message, head(seed), Some(hint)).into());
        }
    }
    Ok(())
}
