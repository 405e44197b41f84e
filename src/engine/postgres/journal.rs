//! The journal's tables as SQL: what they are, and the few statements that read and write them.
//!
//! Every name is qualified, so no `search_path` of a script can lead elsewhere.

use postgres::SimpleQueryMessage;

use super::link::value;
use super::quote::{ident, literal, optional};
use super::stop::Stop;
use crate::engine::SqlFailure;
use crate::journal::{NewEntry, Run, Stored};
use crate::sql::{Dialect, Span};

/// The names of one journal's tables.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    /// The schema's name as it is.
    pub(super) name: String,
    /// The schema's name, quoted.
    pub(super) schema: String,
}

impl Journal {
    /// Names the journal in a schema.
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), schema: ident(name) }
    }

    /// Returns the statements that make the tables. They change nothing that is there.
    // An index and no constraint: scripts that rename every constraint they find in the catalog leave it alone.
    pub(super) fn create(&self) -> String {
        let schema = &self.schema;
        format!(
            r#"
            create schema if not exists {schema};
            create table if not exists {schema}.journal (
                sequence bigint generated always as identity primary key,
                project text not null,
                kind text not null,
                key text collate "C" not null,
                order_key text collate "C" not null,
                attempt int not null,
                name text not null,
                checksum text not null,
                token_checksum text not null,
                text text,
                state text not null,
                statements_done int not null default 0,
                statements int not null,
                progress text,
                started_at timestamptz not null default pg_catalog.clock_timestamp(),
                finished_at timestamptz,
                duration_ms bigint,
                applied_by text not null default session_user,
                run text not null,
                tool_version text not null,
                source_revision text,
                error text,
                objects text
            );
            create unique index if not exists journal_attempt on {schema}.journal (project, kind, key, attempt);
            create table if not exists {schema}.environment (
                environment text,
                protected boolean,
                set_at timestamptz,
                set_by text,
                format int not null
            );
            create unique index if not exists environment_one_row on {schema}.environment ((true));
            create table if not exists {schema}.seed_row (
                project text not null,
                file text collate "C" not null,
                key text collate "C" not null,
                digest text not null,
                primary key (project, file, key)
            );
            create or replace view {schema}.version as
                select distinct on (j.project) j.project, j.key as version, j.name, j.state, j.finished_at
                  from {schema}.journal j
                 where j.kind = 'script' and j.state in ('applied', 'adopted', 'squashed')
                   and not exists (
                       select from {schema}.journal n
                        where n.project = j.project and n.kind = j.kind and n.key = j.key and n.attempt > j.attempt)
                 order by j.project, j.order_key desc;
            comment on schema {schema} is 'dbbuild: which scripts this database has run';
            comment on table {schema}.journal is 'One row for each run of a script, code object or seed; written by dbbuild, not by hand';
            comment on table {schema}.environment is 'Which environment this database is, and whether dbbuild protects it; see `dbbuild mark`';
            comment on table {schema}.seed_row is 'Digests of the rows that CSV seeds have written';
            comment on view {schema}.version is 'The newest script of each project';
            insert into {schema}.environment (format) values ({format}) on conflict do nothing;
            "#,
            format = crate::journal::FORMAT
        )
    }

    /// Returns the statement that claims entries: it writes those that nobody has written and returns their
    /// `kind`, `key`, `attempt` and `sequence`.
    pub(super) fn claim<'a>(
        &self,
        entries: impl IntoIterator<Item = (&'a NewEntry, Option<String>)>,
        run: &Run,
    ) -> String {
        let rows: Vec<String> = entries
            .into_iter()
            .map(|(entry, progress)| row(entry, Stored::Running, 0, progress.as_deref(), run, "null, null"))
            .collect();
        format!(
            "insert into {}.journal ({COLUMNS})\nvalues {}\non conflict (project, kind, key, attempt) do nothing\n\
             returning kind, key, attempt, sequence",
            self.schema,
            rows.join(",\n")
        )
    }

    /// Returns the statement that writes finished entries; without any, nothing.
    pub(super) fn record(&self, entries: &[NewEntry], run: &Run) -> String {
        if entries.is_empty() {
            return String::new();
        }
        let rows: Vec<String> = entries
            .iter()
            .map(|entry| row(entry, entry.state, entry.statements, None, run, "pg_catalog.clock_timestamp(), 0"))
            .collect();
        format!(
            "insert into {}.journal ({COLUMNS})\nvalues {}\non conflict (project, kind, key, attempt) do nothing\n\
             returning sequence;\n",
            self.schema,
            rows.join(",\n")
        )
    }

    /// Returns the statement that finishes claimed entries, if this is still the transaction that claimed them.
    /// `rows` are sequence, state, statements done and, if known, the duration in milliseconds. Its answer is for
    /// `are_finished`.
    pub(super) fn finish(&self, rows: &[Finished], transaction: Option<&str>) -> String {
        let values: Vec<String> = rows
            .iter()
            .map(|row| {
                let duration = row.duration_ms.map_or_else(|| "null".to_owned(), |time| time.to_string());
                format!(
                    "({}::bigint, {}, {}::int, {duration}::bigint)",
                    row.sequence,
                    literal(row.state.as_str()),
                    row.statements
                )
            })
            .collect();
        let condition = transaction.map_or_else(String::new, |id| {
            format!(" and pg_catalog.pg_current_xact_id() = {}::pg_catalog.xid8", literal(id))
        });
        let update = self.finish_values(&values.join(", "), &condition);
        format!("with done as ({update} returning j.sequence) select pg_catalog.count(*)::text as finished from done")
    }

    /// Returns the statement that finishes entries: `values` are rows of sequence, state, statements done, duration.
    pub(super) fn finish_values(&self, values: &str, condition: &str) -> String {
        format!(
            "update {schema}.journal j
                set state = v.state, statements_done = v.done, finished_at = pg_catalog.clock_timestamp(),
                    duration_ms = coalesce(v.duration,
                        (extract(epoch from pg_catalog.clock_timestamp() - j.started_at) * 1000)::bigint),
                    progress = null, error = null
               from (values {values}) v (sequence, state, done, duration)
              where j.sequence = v.sequence{condition}",
            schema = self.schema,
        )
    }

    /// Returns the statement that notes why an entry did not get on.
    pub(super) fn fail(&self, sequence: i64, error: &str) -> String {
        format!("update {}.journal set error = {} where sequence = {sequence}", self.schema, literal(error))
    }

    /// Returns the statement that counts finished statements.
    pub(super) fn advance(&self, sequence: impl std::fmt::Display, done: usize) -> String {
        format!("update {}.journal set statements_done = {done}, error = null where sequence = {sequence}", self.schema)
    }
}

/// Fails if the answers of `Journal::finish` are not about so many entries: a text that changes the journal itself
/// is not done as long as the journal does not have it. `last` is its last statement.
pub(super) fn are_finished(answers: &[SimpleQueryMessage], count: usize, last: Option<Span>) -> Result<(), Stop> {
    if value(answers, "finished").and_then(|text| text.parse().ok()) == Some(count) {
        return Ok(());
    }
    Err(entry_gone(last))
}

/// The failure of a text whose own entry is not in the journal any more.
pub(super) fn entry_gone(span: Option<Span>) -> Stop {
    let failure = SqlFailure {
        code: "55000".into(),
        message: "the text itself took its entry out of the journal".into(),
        detail: None,
        hint: Some("leave dbbuild's own tables to dbbuild".into()),
        context: None,
        position: None,
    };
    Stop::Failed { failure: Box::new(failure), span }
}

/// One entry that is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finished {
    pub(super) sequence: i64,
    pub(super) state: Stored,
    pub(super) statements: usize,
    pub(super) duration_ms: Option<u128>,
}

pub(super) const COLUMNS: &str = "project, kind, key, order_key, attempt, name, checksum, token_checksum, text, state, \
                       statements_done, statements, progress, run, tool_version, source_revision, objects, \
                       finished_at, duration_ms";

fn row(entry: &NewEntry, state: Stored, done: i32, progress: Option<&str>, run: &Run, finished: &str) -> String {
    format!("({})", values(entry, &entry.attempt.to_string(), state, done, progress, run, finished))
}

/// Returns the values of `COLUMNS`; `attempt` and `finished`, the last two, are SQL.
pub(super) fn values(
    entry: &NewEntry,
    attempt: &str,
    state: Stored,
    done: i32,
    progress: Option<&str>,
    run: &Run,
    finished: &str,
) -> String {
    let objects = serde_json::Value::from(entry.objects.clone()).to_string();
    let objects = (!entry.objects.is_empty()).then_some(objects);
    let values = [
        literal(&entry.project),
        literal(entry.kind.as_str()),
        literal(&entry.key),
        literal(&entry.order_key),
        attempt.to_owned(),
        literal(&entry.name),
        literal(entry.checksum.as_str()),
        literal(entry.token_checksum.as_str()),
        optional(entry.text.as_deref()),
        literal(state.as_str()),
        done.to_string(),
        entry.statements.to_string(),
        optional(progress),
        literal(&run.id),
        literal(&run.tool_version),
        optional(run.source_revision.as_deref()),
        optional(objects.as_deref()),
        finished.to_owned(),
    ];
    values.join(", ")
}

/// The grammar of everything here.
pub(super) const DIALECT: Dialect = Dialect::Postgres;
