//! Statements behind guards. The shell knows no conditions, but a query without rows writes an empty file, and the shell
//! reads what a query wrote (`.once`, `.read`).

use std::collections::BTreeSet;

use super::super::guard::lets_run;
use super::shell::{argument, literal};
use crate::engine::{Part, Unit};

/// The file that statements pass through, in the shell's folder.
pub(super) const FILE: &str = "dbbuild-guarded.sql";

/// Where the guards' answers are until the unit ends.
const ANSWERS: &str = "temp.dbbuild_guard";

/// The guards of a unit.
pub(super) struct Guards<'a> {
    unit: &'a Unit,
    /// The guards of groups that were asked.
    asked: BTreeSet<usize>,
}

impl<'a> Guards<'a> {
    pub fn new(unit: &'a Unit) -> Self {
        Self { unit, asked: BTreeSet::new() }
    }

    /// Returns what comes before a unit that has guards: the shell writes rows as they are, whatever its settings say.
    pub fn begin(&self) -> String {
        if self.unit.guards.is_empty() {
            return String::new();
        }
        ".mode list\n.headers off\ncreate temp table dbbuild_guard (number integer primary key, runs);\n".to_owned()
    }

    /// Returns what comes behind it.
    pub fn end(&self) -> String {
        if self.unit.guards.is_empty() { String::new() } else { format!("drop table {ANSWERS};\n") }
    }

    /// Returns a statement that runs only if the guards in front of it say so, each asked if those before it did; a
    /// group's is asked once.
    pub fn guarded(&mut self, part: &Part, statement: String) -> String {
        let mut text = String::new();
        for (at, number) in part.guards.iter().enumerate() {
            let Some(placed) = self.unit.guards.get(*number) else { continue };
            if placed.guard.group && !self.asked.insert(*number) {
                continue;
            }
            let ask = format!("insert into {ANSWERS} values ({number}, {});\n", lets_run(&placed.guard));
            text.push_str(&behind(&part.guards[..at], ask));
        }
        text + &behind(&part.guards, statement)
    }

    /// Returns the expression that is true where a statement's innermost group was entered; nothing if it begins none.
    pub fn entered(&self, part: &Part) -> Option<String> {
        let is_group = |number: &&usize| self.unit.guards.get(**number).is_some_and(|placed| placed.guard.group);
        let is_new = |number: &&usize| !self.asked.contains(*number);
        let number = part.guards.iter().filter(is_group).rfind(is_new)?;
        Some(format!("(select count(*) from {ANSWERS} where number = {number} and runs)"))
    }
}

/// Returns a statement that runs only where all of these guards let it.
fn behind(guards: &[usize], statement: String) -> String {
    if guards.is_empty() {
        return statement;
    }
    let numbers = guards.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let (file, count) = (argument(FILE), guards.len());
    format!(
        ".once {file}\nselect {}\n where {count} = (select count(*) from {ANSWERS} where number in ({numbers}) and runs);\n.read {file}\n",
        literal(&statement)
    )
}
