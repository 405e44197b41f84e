//! What files made that are not there any more.

use super::*;

impl Keeper<'_, '_> {
    /// Drops what files made that are not there any more, if that was asked for.
    pub(super) fn drop_gone(&mut self, statements: &mut Vec<String>) -> Step {
        for gone in &self.work.gone {
            let owned = self.owned.get(&gone.entry.key).into_iter().flatten().map(|owned| &owned.object);
            let left: Vec<String> = owned.filter(|key| !self.is_made_elsewhere(key)).cloned().collect();
            let there = by_keys(self.link, left.iter().map(String::as_str))?;
            if gone.drop && !there.is_empty() {
                self.take(&there)?;
            }
            if gone.drop || there.is_empty() {
                statements.push(self.journal.record(std::slice::from_ref(&gone.entry), self.run));
            }
        }
        Ok(())
    }

    /// Returns true if a file of the checkout makes an object of this kind and name.
    fn is_made_elsewhere(&self, key: &str) -> bool {
        let owns = |file: &String| self.owned.get(file).into_iter().flatten().any(|owned| owned.object == key);
        if self.work.others.iter().any(owns) {
            return true;
        }
        let Some((kind, name)) = key_name(key, DIALECT) else { return false };
        self.creations.iter().flatten().filter(|creation| creation.kind == kind).any(|creation| {
            let table = creation.table.iter().filter(|_| kind.is_on_table()).flat_map(|table| table.parts());
            Name::new(table.chain(creation.name.parts()).map(String::as_str)).matches(&name)
        })
    }
}
