//! The table that a CSV seed fills: its columns as the file names them, and its key.

use crate::engine::postgres::journal::DIALECT;
use crate::engine::postgres::link::{Link, column, rows};
use crate::engine::postgres::quote::{ident, literal, qualified};
use crate::engine::rows::Record;
use crate::engine::{EngineError, Result, RowSeed};
use crate::error::Place;
use crate::sql::Tokens;

/// A column that the file gives values for.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its type, qualified and without a length: a cast to `varchar(3)` cuts, where an assignment refuses.
    pub(super) kind: String,
    /// True for whole numbers, of which `1` and `01` are one.
    is_integer: bool,
    /// True for `GENERATED ALWAYS AS IDENTITY`, which takes a value once, at the insert.
    pub(super) is_always_identity: bool,
}

/// A table as a file sees it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// The qualified, quoted name.
    pub(super) sql: String,
    /// The file's columns, in the file's order.
    pub(super) columns: Vec<Column>,
    /// Indexes into the columns: those that identify a row.
    pub(super) key: Vec<usize>,
}

struct Known {
    column: Column,
    is_generated: bool,
    key: Option<usize>,
}

/// Returns the place of a file's first line.
pub(super) fn head(seed: &RowSeed) -> Place {
    Place { file: seed.file.clone(), line: 1, column: 1, text: String::new(), width: 1 }
}

/// Makes a refusal.
pub(super) fn refusal(code: &'static str, message: String, place: Place, hint: Option<String>) -> EngineError {
    EngineError::Refused { code, message, place: Some(place), hint }
}

impl Table {
    /// Reads the table that a seed names, and matches the file's header with it.
    pub(super) fn of(link: &mut Link, seed: &RowSeed, header: &Record) -> Result<Self> {
        let (sql, known) = known(link, seed)?;
        let columns = columns(seed, header, &known)?;
        let key = key(seed, header, &known, &columns)?;
        let table = Self { sql, columns, key };
        if table.has_unique_key(link)? {
            return Ok(table);
        }
        let key = table.key_names().join(", ");
        Err(refusal(
            "seed/key-not-unique",
            format!("no unique index of {} has exactly the columns ({key}), so they do not identify a row", seed.table),
            header.place(&seed.file, 0),
            Some(format!("add `create unique index … on {} ({key})`, or name another key", seed.table)),
        ))
    }

    /// Returns the names of the key's columns.
    pub(super) fn key_names(&self) -> Vec<&str> {
        self.key.iter().map(|index| self.columns[*index].name.as_str()).collect()
    }

    /// Returns the key of a record as one text, the same for all spellings of one number; `None` if a part of it
    /// is NULL.
    pub(super) fn key_of(&self, record: &Record, null: Option<&str>) -> Option<String> {
        let parts = self.key.iter().map(|index| {
            let text = record.value(*index, null)?;
            let number = self.columns[*index].is_integer.then(|| text.trim().parse::<i64>().ok()).flatten();
            Some(number.map_or_else(|| text.to_owned(), |number| number.to_string()))
        });
        let parts: Option<Vec<String>> = parts.collect();
        parts.map(|parts| serde_json::Value::from(parts).to_string())
    }

    /// Returns the digest of a record's content, whatever the order of its columns.
    pub(super) fn digest_of(&self, record: &Record, null: Option<&str>) -> String {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by(|a, b| self.columns[*a].name.cmp(&self.columns[*b].name));
        let mut content = Vec::with_capacity(256);
        for index in order {
            for part in [Some(self.columns[index].name.as_str()), record.value(index, null)] {
                let length = part.map_or(u64::MAX, |part| part.len() as u64);
                content.extend_from_slice(&length.to_le_bytes());
                content.extend_from_slice(part.unwrap_or_default().as_bytes());
            }
        }
        // Half of it is far more than it takes to see a change, and there is one for each row.
        blake3::hash(&content).to_hex()[..32].to_owned()
    }

    /// `ON CONFLICT` needs an index that is unique at once, whole, and has exactly these columns.
    fn has_unique_key(&self, link: &mut Link) -> Result<bool> {
        let mut names: Vec<String> = self.key_names().into_iter().map(literal).collect();
        names.sort();
        names.dedup();
        let query = format!(
            "select exists (
                 select from pg_catalog.pg_index i
                  where i.indrelid = {}::pg_catalog.regclass and i.indisunique and i.indimmediate and i.indisvalid
                    and i.indpred is null and i.indexprs is null and i.indnkeyatts = {}
                    and (select pg_catalog.count(distinct a.attname)
                           from pg_catalog.pg_attribute a
                          where a.attrelid = i.indrelid and a.attname in ({})
                            and a.attnum = any ((i.indkey::smallint[])[0:i.indnkeyatts - 1])) = {}) as found",
            literal(&self.sql),
            names.len(),
            names.join(", "),
            names.len()
        );
        let answers = link.inside("reading the table's indexes", &query)?;
        Ok(crate::engine::postgres::link::value(&answers, "found") == Some("t"))
    }
}

fn known(link: &mut Link, seed: &RowSeed) -> Result<(String, Vec<Known>)> {
    let missing = || {
        let hint = "the table is the file's name after its number; the sidecar's `table` names another";
        refusal("seed/no-table", format!("there is no table {}", seed.table), head(seed), Some(hint.to_owned()))
    };
    let mut tokens = Tokens::of(&seed.table, DIALECT);
    let name = tokens.eat_name().map(|(name, _)| name).filter(|_| tokens.peek().is_none()).ok_or_else(missing)?;
    let name = literal(&qualified(name.parts().iter().map(String::as_str)));
    let query = format!(
        "select n.nspname as schema, c.relname as table, a.attname as name,
                pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.typname) as kind,
                t.oid in (20, 21, 23) as integer, a.attidentity = 'a' as always, a.attgenerated <> '' as generated,
                (select pg_catalog.array_position(i.indkey::smallint[], a.attnum)
                   from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisprimary) as key
           from pg_catalog.pg_class c
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace
           join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           join pg_catalog.pg_type t on t.oid = a.atttypid
           join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
          where c.oid = pg_catalog.to_regclass({name}) and c.relkind in ('r', 'p')
          order by a.attnum"
    );
    let answers = link.inside("reading the table's columns", &query)?;
    let mut sql = None;
    let mut known = Vec::new();
    for row in rows(&answers) {
        let text = |name: &str| column(row, name).unwrap_or_default();
        sql = Some(qualified([text("schema"), text("table")]));
        known.push(Known {
            column: Column {
                name: text("name").to_owned(),
                kind: text("kind").to_owned(),
                is_integer: text("integer") == "t",
                is_always_identity: text("always") == "t",
            },
            is_generated: text("generated") == "t",
            key: column(row, "key").and_then(|key| key.parse().ok()),
        });
    }
    sql.map(|sql| (sql, known)).ok_or_else(missing)
}

fn columns(seed: &RowSeed, header: &Record, known: &[Known]) -> Result<Vec<Column>> {
    let mut columns: Vec<Column> = Vec::new();
    for index in 0..header.len() {
        let (written, _) = header.field(index);
        let at = || header.place(&seed.file, index);
        let Some(found) = find(written, known) else {
            return Err(header.no_column(index, seed, known.iter().map(|known| known.column.name.as_str())));
        };
        if found.is_generated {
            let message = format!("{}.{} is generated and takes no values", seed.table, found.column.name);
            return Err(refusal("seed/generated-column", message, at(), Some("take it out of the file".to_owned())));
        }
        if columns.iter().any(|other| other.name == found.column.name) {
            return Err(refusal("seed/column-twice", format!("the column {written:?} is there twice"), at(), None));
        }
        columns.push(found.column.clone());
    }
    Ok(columns)
}

/// A header is a name as it is, or as SQL would read it without quotes.
fn find<'a>(written: &str, known: &'a [Known]) -> Option<&'a Known> {
    let exact = known.iter().find(|known| known.column.name == written);
    exact.or_else(|| known.iter().find(|known| known.column.name == written.to_ascii_lowercase()))
}

fn key(seed: &RowSeed, header: &Record, known: &[Known], columns: &[Column]) -> Result<Vec<usize>> {
    let names: Vec<String> = if seed.key.is_empty() {
        let mut parts: Vec<&Known> = known.iter().filter(|known| known.key.is_some()).collect();
        parts.sort_by_key(|known| known.key);
        parts.into_iter().map(|known| known.column.name.clone()).collect()
    } else {
        seed.key.clone()
    };
    let at = || header.place(&seed.file, header.len());
    if names.is_empty() {
        let hint = "give the table a primary key, or name a key in the sidecar: `key = [\"code\"]`";
        return Err(refusal("seed/no-key", format!("{} has no primary key", seed.table), at(), Some(hint.to_owned())));
    }
    let place_of = |name: &String| {
        let found = columns.iter().position(|column| column.name == *name);
        let found = found.or_else(|| columns.iter().position(|column| column.name == name.to_ascii_lowercase()));
        found.ok_or_else(|| {
            let message = format!("the key column {name:?} of {} is not in the file", seed.table);
            refusal("seed/key-not-in-file", message, at(), Some("add it to the header and to each row".to_owned()))
        })
    };
    names.iter().map(place_of).collect()
}

/// Returns a column of the temporary table as a value of its type: `s.c0::pg_catalog.int4`.
pub(super) fn typed(table: &Table, index: usize) -> String {
    format!("s.c{index}::{}", table.columns[index].kind)
}

/// Returns `t."a" = s.c0::int4 and …` for the key.
pub(super) fn key_matches(table: &Table) -> String {
    let pair = |index: &usize| format!("t.{} = {}", ident(&table.columns[*index].name), typed(table, *index));
    table.key.iter().map(pair).collect::<Vec<_>>().join(" and ")
}
