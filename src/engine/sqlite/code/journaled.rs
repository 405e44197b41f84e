//! What the journal knows of the code objects: read before, written behind.

use super::schema::key;
use super::*;
use crate::engine::code::{journaled, key_name, to_journal};

impl Keeper<'_> {
    /// Reads from the journal what the files made, and notes the digests that are not there yet.
    pub(super) fn recall(&mut self) -> Result<()> {
        let known = doing("reading the journal");
        let journal = &self.database.names.journal;
        let settled = format!(
            "select coalesce(max(sequence) filter (where kind = 'script'), 0)
                    <= coalesce(max(sequence) filter (where kind = 'code'), 0)
               from {journal}
              where project = ?1"
        );
        let project = &self.work.marker.project;
        let settled = self.connection.query_row(&settled, [project], |row| row.get(0)).map_err(&known)?;
        self.is_settled = self.work.scripts.is_empty() && settled;
        let sql = format!(
            "select key, state, objects, max(attempt) from {} where project = ?1 and kind = 'code' and state <> 'running' group by key",
            journal
        );
        let mut statement = self.connection.prepare(&sql).map_err(&known)?;
        let rows = statement.query_map([project], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
        });
        for row in rows.map_err(&known)? {
            let (file, state, objects) = row.map_err(&known)?;
            if state == "reverted" {
                continue;
            }
            let mut objects = objects.as_deref().map(journaled).unwrap_or_default();
            for owned in objects.iter_mut().filter(|owned| owned.digest.is_none()) {
                if let Some((kind, name)) = key_name(&owned.object, DIALECT) {
                    owned.object = key(kind, name.object());
                    self.learnt.insert(file.clone());
                    owned.digest = self.there.get(&owned.object).map(|stored| stored.digest().to_owned());
                }
            }
            self.owned.insert(file, objects);
        }
        Ok(())
    }

    /// Writes what the files made, and the digests that were not known before.
    pub(super) fn write(&self, kept: &Kept) -> Result<()> {
        let ran: BTreeSet<&str> =
            kept.files.iter().map(|(at, ..)| self.work.files[*at].unit.entry.key.as_str()).collect();
        let sql = format!(
            "update {0} set objects = ?1
              where project = ?2 and kind = 'code' and key = ?3 and objects is not ?1
                and attempt = (select max(attempt) from {0} where project = ?2 and kind = 'code' and key = ?3)",
            self.database.names.journal
        );
        let is_new = |file: &&String| ran.contains(file.as_str()) || self.learnt.contains(*file);
        for (file, objects) in self.owned.iter().filter(|(file, _)| is_new(file)) {
            let text = to_journal(objects);
            self.connection
                .execute(&sql, (&text, &self.work.marker.project, file))
                .map_err(doing("writing the journal"))?;
        }
        Ok(())
    }
}
