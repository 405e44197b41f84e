//! Claims that fail where there is nothing to do.

use super::super::journal::{NOW, objects};
use super::super::names::Names;
use super::shell::{literal, optional};
use crate::journal::{Kind, NewEntry, Run, Stored};
use crate::script::Checksum;

/// One entry and how it is written.
pub(super) struct Claim<'a> {
    pub names: &'a Names,
    pub entry: &'a NewEntry,
    pub run: &'a Run,
}

impl Claim<'_> {
    /// Returns the statement that writes the entry. For a script that is there already it has the attempt that is
    /// there, so that it fails; a code object or a seed of the same text is left as it is, since it may run again.
    pub fn insert(&self, state: Stored) -> String {
        let (entry, journal) = (self.entry, &self.names.journal);
        let is_done = is_done(entry);
        let values = [
            ("project", literal(&entry.project)),
            ("kind", literal(entry.kind.as_str())),
            ("key", literal(&entry.key)),
            ("order_key", literal(&entry.order_key)),
            ("attempt", self.attempt(&is_done)),
            ("name", literal(&entry.name)),
            ("checksum", literal(entry.checksum.as_str())),
            ("token_checksum", literal(entry.token_checksum.as_str())),
            ("text", optional(entry.text.as_deref())),
            ("state", literal(state.as_str())),
            ("statements", entry.statements.to_string()),
            ("started_at", NOW.to_owned()),
            ("run", literal(&self.run.id)),
            ("tool_version", literal(&self.run.tool_version)),
            ("source_revision", optional(self.run.source_revision.as_deref())),
            ("objects", optional(objects(entry).as_deref())),
            ("finished_at", if state == Stored::Running { "null".to_owned() } else { NOW.to_owned() }),
            ("duration_ms", if state == Stored::Running { "null".to_owned() } else { "0".to_owned() }),
            ("statements_done", if state == Stored::Running { "0".to_owned() } else { entry.statements.to_string() }),
        ];
        let columns = values.iter().map(|(column, _)| *column).collect::<Vec<_>>().join(", ");
        let values = values.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ");
        let condition = match entry.kind {
            Kind::Script => String::new(),
            Kind::Code | Kind::Seed | Kind::TestData | Kind::Down | Kind::Access | Kind::Baseline => {
                format!("\n where not exists (select 1 from ({}) where {is_done})", self.newest())
            }
        };
        format!("insert into {journal} ({columns})\nselect {values}{condition};\n")
    }

    /// Returns the statement that brings the claimed entry into its final state.
    pub fn finish(&self) -> String {
        format!(
            "update {}\n   set state = {}, statements_done = statements, error = null, finished_at = {NOW},\n       \
             duration_ms = cast(round((julianday('now') - julianday(started_at)) * 86400000) as integer)\n where {};\n",
            self.names.journal,
            literal(self.entry.state.as_str()),
            self.running()
        )
    }

    /// Returns the statement that says that a statement is done, as a build that resumes reads it; for the first of a
    /// group, with whether that was entered.
    pub fn advance(&self, at: usize, digest: &Checksum, entered: Option<&str>) -> String {
        format!(
            "insert into {} (sequence, statement, digest, entered)\nselect sequence, {at}, {}, {} from {} where {};\n",
            self.names.progress,
            literal(digest.as_str()),
            entered.unwrap_or("null"),
            self.names.journal,
            self.running()
        )
    }

    /// Returns the statement that forgets the progress of an entry that came to its end.
    pub fn forget(&self) -> String {
        format!(
            "delete from {} where sequence not in (select sequence from {} where state = 'running');\n",
            self.names.progress, self.names.journal
        )
    }

    fn running(&self) -> String {
        format!(
            "project = {} and kind = {} and key = {} and state = 'running'",
            literal(&self.entry.project),
            literal(self.entry.kind.as_str()),
            literal(&self.entry.key)
        )
    }

    fn attempt(&self, is_done: &str) -> String {
        format!(
            "(\n    select coalesce(max(attempt), 0) + (count(*) = 0 or not ({is_done}))\n      from ({})\n    )",
            self.newest()
        )
    }

    fn newest(&self) -> String {
        format!(
            "select attempt, state, checksum from {} where project = {} and kind = {} and key = {} order by attempt desc limit 1",
            self.names.journal,
            literal(&self.entry.project),
            literal(self.entry.kind.as_str()),
            literal(&self.entry.key)
        )
    }
}

/// A script runs once, whatever its text; that its text is still the same is checked before.
fn is_done(entry: &NewEntry) -> String {
    match entry.kind {
        Kind::Script if entry.state == Stored::Applied => "state <> 'reverted'".to_owned(),
        Kind::Script | Kind::Code | Kind::Seed | Kind::TestData | Kind::Down | Kind::Access | Kind::Baseline => {
            format!("state not in ('reverted', 'running') and checksum = {}", literal(entry.checksum.as_str()))
        }
    }
}
