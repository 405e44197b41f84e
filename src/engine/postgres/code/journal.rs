//! What the journal knows of the code objects: read before, written behind.

use super::known::{by_ids, stamps};
use super::*;

impl Keeper<'_, '_> {
    /// Reads from the journal, which is the login role's, what the files made, and notes the digests that are not
    /// there yet. Entries from `claimed` on are this transaction's.
    pub(super) fn recall(&mut self, claimed: Option<i64>) -> Step {
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
        self.learn()?;
        self.recognise()
    }

    /// An older journal, or a baseline, names what a text makes: the server says which objects those are.
    fn learn(&mut self) -> Step {
        let mut names: BTreeMap<&str, (Kind, BTreeSet<String>)> = BTreeMap::new();
        for owned in self.owned.values().flatten().filter(|owned| owned.digest.is_none()) {
            if let Some((kind, name)) = key_name(&owned.object, DIALECT) {
                names.entry(kind.name()).or_insert_with(|| (kind, BTreeSet::new())).1.insert(literal(name.object()));
            }
        }
        let mut found = Vec::new();
        for (kind, names) in names.values() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            found.extend(of_kind(self.link, *kind, &format!("o.own in ({})", names.join(", ")))?);
        }
        let schema = Some(self.schema.as_str());
        for (file, objects) in &mut self.owned {
            let (known, unknown): (Vec<Owned>, Vec<Owned>) =
                std::mem::take(objects).into_iter().partition(|owned| owned.digest.is_some());
            if !unknown.is_empty() {
                self.learnt.insert(file.clone());
            }
            objects.extend(known);
            for owned in unknown {
                let is_it = |known: &&Known| match (key_name(&owned.object, DIALECT), key_name(&known.key, DIALECT)) {
                    (Some((kind, written)), Some((there_kind, there))) => {
                        let place = kind.is_on_table() || written.is_qualified() || there.schema() == schema;
                        kind == there_kind && written.matches(&there) && place
                    }
                    _ => false,
                };
                let all: Vec<&Known> = found.iter().filter(is_it).collect();
                if let [known] = all.as_slice() {
                    objects.push(known.to_owned().into());
                }
            }
        }
        Ok(())
    }

    /// Finds the objects that have another name now: the table that a trigger is on was renamed, or somebody renamed
    /// a view.
    fn recognise(&mut self) -> Step {
        let keys: Vec<&str> = self.owned.values().flatten().map(|owned| owned.object.as_str()).collect();
        self.there = stamps(self.link, keys)?;
        let gone = self.owned.values().flatten().filter(|owned| !self.there.contains_key(&owned.object));
        let ids: BTreeSet<String> = gone.filter_map(|owned| owned.id.clone()).collect();
        for known in by_ids(self.link, ids.iter().map(String::as_str))? {
            for (file, objects) in &mut self.owned {
                for owned in objects.iter_mut().filter(|owned| is_renamed(owned, &known)) {
                    owned.object.clone_from(&known.key);
                    self.renamed.insert(known.key.clone());
                    self.there.insert(known.key.clone(), known.stamp.clone());
                    self.learnt.insert(file.clone());
                }
            }
        }
        Ok(())
    }

    /// Returns the statements that write what the files made.
    pub(super) fn write(
        &mut self,
        kept: &Kept,
        sequences: &HashMap<usize, i64>,
        finished: &mut Vec<Finished>,
        statements: &mut Vec<String>,
    ) -> Step {
        // As it is at the end: what came later may have spelt it differently.
        let keys: Vec<String> = self.made.values().flatten().map(|known| known.key.clone()).collect();
        let now: HashMap<String, Known> = by_keys(self.link, keys.iter().map(String::as_str))?
            .into_iter()
            .map(|known| (known.key.clone(), known))
            .collect();
        for (at, applied, _) in &kept.files {
            let unit = &self.work.files[*at].unit;
            let made = self.made.get(at).into_iter().flatten();
            let objects: Vec<Owned> = made.filter_map(|known| now.get(&known.key)).map(Owned::from).collect();
            match sequences.get(at) {
                Some(sequence) => finished.push(finish(*sequence, &unit.entry, unit.parts.len(), applied)),
                None => statements.push(self.journal.record(std::slice::from_ref(&unit.entry), self.run)),
            }
            statements.push(format!(
                "update {}.journal set objects = {} where {}",
                self.journal.schema,
                literal(&to_journal(&objects)),
                of_entry(&unit.entry)
            ));
        }
        let ran: BTreeSet<&str> = kept.files.iter().map(|(at, ..)| self.key(*at)).collect();
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

    /// Writes what is to be said of objects that come back in a later transaction into the marker's own entry.
    pub(super) fn write_remarks(&self, statements: &mut Vec<String>) {
        statements.push(self.journal.record(std::slice::from_ref(&self.work.marker), self.run));
        statements.push(format!(
            "update {}.journal set progress = {}, state = 'running' where {}",
            self.journal.schema,
            literal(&serde_json::to_string(&self.remarks).unwrap_or_default()),
            of_entry(&self.work.marker)
        ));
    }
}

/// Returns true if an object is the one that a file made under another name. Numbers mean nothing in a database that was
/// restored, so what else is known must agree.
fn is_renamed(owned: &Owned, known: &Known) -> bool {
    if owned.id.as_ref() != Some(&known.id()) || owned.object == known.key {
        return false;
    }
    match (key_name(&owned.object, DIALECT), key_name(&known.key, DIALECT)) {
        (Some((kind, was)), Some((there, is))) if kind == there => {
            if kind.is_on_table() {
                was.object() == is.object()
            } else {
                owned.digest.as_ref() == Some(&known.digest)
            }
        }
        _ => false,
    }
}

/// Returns the condition for an entry of the journal.
fn of_entry(entry: &NewEntry) -> String {
    format!(
        "project = {} and kind = {} and key = {} and attempt = {}",
        literal(&entry.project),
        literal(entry.kind.as_str()),
        literal(&entry.key),
        entry.attempt
    )
}
