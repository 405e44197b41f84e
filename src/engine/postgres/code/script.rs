//! The scripts that run first, while the code objects that they suspend are away.

use std::time::Instant;

use super::*;
use crate::engine::code::{is_meant, is_stem};

impl<'a> Keeper<'a, '_> {
    /// Runs a script, after the code objects that it suspends went away.
    pub(super) fn script(&mut self, unit: &'a Unit, observer: &mut dyn Observer) -> Halting<'a, Applied> {
        let begin = Instant::now();
        let of = |stop| (Some(unit), stop);
        let is_wanted = |file: &str, key: &str| {
            unit.suspends.iter().any(|name| is_meant(name, key, DIALECT) || is_stem(file, name))
        };
        let owned =
            self.owned.iter().flat_map(|(file, objects)| objects.iter().map(move |owned| (file, &owned.object)));
        let wanted: Vec<String> =
            owned.filter(|(file, key)| is_wanted(file, key)).map(|(_, key)| key.clone()).collect();
        let targets = by_keys(self.link, wanted.iter().map(String::as_str)).map_err(of)?;
        self.take(&targets).map_err(of)?;
        self.prepare(unit).map_err(of)?;
        let mut applied = Applied::default();
        let ran = run::parts(self.link, unit, run::Style::Statements, &mut applied);
        self.link.tell_notices(&unit.step_name(), observer);
        ran.map_err(of)?;
        self.restore(unit).map_err(of)?;
        applied.duration = begin.elapsed();
        Ok(applied)
    }

    /// Sets what a unit wants set.
    pub(super) fn prepare(&mut self, unit: &Unit) -> Step {
        let text = settings(self.link, unit);
        self.own_step(&text, "preparing a step")
    }

    /// Takes back what a unit may have set for the session.
    pub(super) fn restore(&mut self, unit: &Unit) -> Step {
        if !unit.parts.iter().any(|part| part.sets_session) && unit.entry.kind == EntryKind::Code {
            return Ok(());
        }
        let text = format!("set constraints all immediate;\n{}{}", self.link.reset_text(), settings(self.link, unit));
        let last = unit.parts.last().map(|part| part.span);
        let shown = self.link.connector.shown();
        self.link.send(&text).map(|_| ()).map_err(|trouble| Stop::at_the_end(trouble, last, &shown))
    }
}
