//! What the journal knows of the code objects: read before, written behind.

use super::*;

impl Keeper<'_, '_> {
    /// Reads from the journal, which is the login role's, what the files made, and notes the digests that are not
    /// there yet. Entries from `claimed` on are this transaction's.
    pub(super) fn recall(&mut self, claimed: Option<i64>) -> std::result::Result<(), Stop> {
        let query = format!(
            "select pg_catalog.current_schema() as schema;
             savepoint dbbuild_recall;
             set local session authorization default;
             set local role none;
             select distinct on (key) key, state, objects, progress
               from {0}.journal
              where kind = 'code' and project = {1} and not (state = 'running' and objects is null and progress is null)
                and (state <> 'running' or progress is not null)
              order by key, attempt desc;
             select coalesce(pg_catalog.max(sequence) filter (where kind = 'script'), 0)
                    <= coalesce(pg_catalog.max(sequence) filter (where kind = 'code' and sequence < {claimed}), 0) as settled
               from {0}.journal
              where project = {1};
             rollback to savepoint dbbuild_recall;
             release savepoint dbbuild_recall",
            self.journal.schema,
            literal(&self.work.marker.project),
            claimed = claimed.unwrap_or(i64::MAX)
        );
        let shown = self.link.connector.shown();
        let answers =
            self.link.send_own(&query).map_err(|trouble| Stop::own(trouble, "reading the journal", &shown))?;
        self.is_settled = self.work.scripts.is_empty() && value(&answers, "settled") == Some("t");
        for row in rows(&answers) {
            if let Some(schema) = column(row, "schema") {
                self.schema = schema.to_owned();
            }
            let Some(key) = column(row, "key") else { continue };
            if let Some(progress) = column(row, "progress") {
                self.remarks.extend(serde_json::from_str::<Vec<Remark>>(progress).unwrap_or_default());
            }
            if column(row, "state") != Some("reverted") {
                self.owned.insert(key.to_owned(), column(row, "objects").map(journaled).unwrap_or_default());
            }
        }
        let unknown: Vec<(String, String)> = self
            .owned
            .iter()
            .flat_map(|(file, objects)| objects.iter().map(move |object| (file, object)))
            .filter(|(_, (_, digest))| digest.is_none())
            .map(|(file, (name, _))| (file.clone(), name.clone()))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        // An older journal, or a baseline, names what the text makes: the server says which object that is.
        let mut found: HashMap<String, Vec<Known>> = HashMap::new();
        for (_, name) in &unknown {
            if let Some((kind, written)) = key_name(name, DIALECT) {
                let all = self.named(kind, &written, None)?;
                found.insert(name.clone(), if all.len() == 1 { all } else { Vec::new() });
            }
        }
        for (file, name) in unknown {
            self.learnt.insert(file.clone());
            let Some(objects) = self.owned.get_mut(&file) else { continue };
            objects.retain(|(object, digest)| *object != name || digest.is_some());
            let known = found.get(&name).into_iter().flatten();
            objects.extend(known.map(|known| (known.key.clone(), Some(known.digest.clone()))));
        }
        Ok(())
    }

    /// Returns the statements that write what the files made.
    pub(super) fn write(
        &mut self,
        kept: &mut Kept,
        sequences: &HashMap<usize, i64>,
        finished: &mut Vec<Finished>,
        statements: &mut Vec<String>,
    ) -> std::result::Result<(), Stop> {
        // As it is at the end: what came later may have spelt it differently.
        let keys: Vec<String> = self.made.values().flatten().map(|known| known.key.clone()).collect();
        let now: HashMap<String, String> = by_keys(self.link, keys.iter().map(String::as_str))?
            .into_iter()
            .map(|known| (known.key, known.digest))
            .collect();
        for (at, applied, _) in &kept.files {
            let unit = &self.work.files[*at].unit;
            let made = self.made.get(at).into_iter().flatten();
            let objects: Vec<(String, Option<String>)> =
                made.filter_map(|known| Some((known.key.clone(), Some(now.get(&known.key)?.clone())))).collect();
            match sequences.get(at) {
                Some(sequence) => finished.push(Finished {
                    sequence: *sequence,
                    state: unit.entry.state,
                    statements: unit.parts.len(),
                    duration_ms: Some(applied.duration.as_millis()),
                }),
                None => statements.push(self.journal.record(std::slice::from_ref(&unit.entry), self.run)),
            }
            statements.push(format!(
                "update {}.journal set objects = {} where {}",
                self.journal.schema,
                literal(&to_journal(&objects)),
                of_entry(&unit.entry)
            ));
        }
        let ran: BTreeSet<&str> =
            kept.files.iter().map(|(at, ..)| self.work.files[*at].unit.entry.key.as_str()).collect();
        for file in self.learnt.iter().filter(|file| !ran.contains(file.as_str())) {
            let Some(objects) = self.owned.get(file) else { continue };
            statements.push(format!(
                "update {schema}.journal set objects = {objects}
                  where kind = 'code' and project = {project} and key = {key} and objects is distinct from {objects}
                    and attempt = (select pg_catalog.max(attempt) from {schema}.journal
                                    where kind = 'code' and project = {project} and key = {key})",
                schema = self.journal.schema,
                objects = literal(&to_journal(objects)),
                project = literal(&self.work.marker.project),
                key = literal(file)
            ));
        }
        statements.push(format!(
            "update {}.journal set progress = null, state = 'applied'
              where kind = 'code' and project = {} and key = {} and progress is not null",
            self.journal.schema,
            literal(&self.work.marker.project),
            literal(&self.work.marker.key)
        ));
        Ok(())
    }
}

/// Returns the condition for an entry of the journal.
pub(super) fn of_entry(entry: &NewEntry) -> String {
    format!(
        "project = {} and kind = {} and key = {} and attempt = {}",
        literal(&entry.project),
        literal(entry.kind.as_str()),
        literal(&entry.key),
        entry.attempt
    )
}
