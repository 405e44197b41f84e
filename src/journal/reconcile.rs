//! Scripts against entries: which are pending, altered, late, missing. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Entry, Kind, Reconciled, State, Status, Stored};
use crate::script::{Checksum, Script, Squashed, Version};

/// Compares a checkout's scripts, and those that its base stands for (both in the order of versions), with the
/// newest entry of each version. `tokens` returns the token checksum of the script at an index; it is asked only
/// where texts differ.
pub fn reconcile<E>(
    scripts: &[Script],
    base: &[Squashed],
    entries: &[Entry],
    tokens: impl FnMut(usize) -> Result<Checksum, E>,
) -> Result<Reconciled, E> {
    let sides = Sides::new(scripts, base, entries);
    let version = sides.newest_done();
    let own = sides.own(version.as_ref(), tokens)?;
    let moved = sides.moved(&own);
    let mut statuses = sides.of_scripts(&own, &moved, version.as_ref());
    statuses.extend(sides.of_the_gone());
    if !statuses.is_sorted_by(|a, b| a.version <= b.version) {
        statuses.sort_by(|a, b| a.version.cmp(&b.version));
    }
    Ok(Reconciled { statuses, version, lacking: sides.lacking() })
}

/// The two sides: what the checkout has or had, and what the journal says.
struct Sides<'a> {
    scripts: &'a [Script],
    base: &'a [Squashed],
    entries: &'a [Entry],
    /// The newest entry of each version, an index.
    journaled: BTreeMap<Version, usize>,
    /// Those of versions that the checkout does not have.
    gone: Vec<(Version, usize)>,
}

/// A script's own version in the journal.
struct Own {
    /// The newest entry of the version, an index.
    entry: Option<usize>,
    /// What that entry, or the base where no script has run, says of the script.
    state: Option<State>,
}

impl<'a> Sides<'a> {
    fn new(scripts: &'a [Script], base: &'a [Squashed], entries: &'a [Entry]) -> Self {
        let of_scripts = entries.iter().enumerate().filter(|(_, entry)| entry.kind == Kind::Script);
        let journaled = of_scripts.filter_map(|(index, entry)| Some((entry.key.parse().ok()?, index)));
        let journaled: BTreeMap<Version, usize> = journaled.collect();
        // Both are in order, and mostly the same.
        let mut own = scripts.iter().map(|script| &script.version).peekable();
        let is_gone = |(version, _): &(&Version, &usize)| {
            while own.next_if(|own| own < version).is_some() {}
            own.peek() != Some(version)
        };
        let gone = journaled.iter().filter(is_gone).map(|(version, index)| (version.clone(), *index)).collect();
        Self { scripts, base, entries, journaled, gone }
    }

    /// Returns true if no script has run.
    fn is_unbuilt(&self) -> bool {
        self.journaled.is_empty()
    }

    /// Returns the newest version that has run.
    fn newest_done(&self) -> Option<Version> {
        let newest = self.journaled.iter().rev().find(|(_, index)| is_done(&self.entries[**index]));
        newest.map(|(version, _)| version.clone())
    }

    fn has_file(&self, version: &Version) -> bool {
        self.scripts.binary_search_by(|script| script.version.cmp(version)).is_ok()
    }

    fn squashed(&self, version: &Version) -> Option<&'a Squashed> {
        let found = self.base.binary_search_by(|squashed| squashed.version.cmp(version));
        found.ok().and_then(|index| self.base.get(index))
    }

    /// Returns true if the checkout has a text, under whichever version.
    fn has_text(&self, checksum: &Checksum) -> bool {
        self.scripts.iter().any(|script| script.checksum == *checksum)
            || self.base.iter().any(|squashed| squashed.checksum == *checksum)
    }

    /// Says of each script what the entry of its own version says of it.
    fn own<E>(
        &self,
        newest: Option<&Version>,
        mut tokens: impl FnMut(usize) -> Result<Checksum, E>,
    ) -> Result<Vec<Own>, E> {
        let own = |(index, script): (usize, &Script)| {
            let entry = self.journaled.get(&script.version).copied();
            let squashed = self.squashed(&script.version).filter(|_| self.is_unbuilt());
            let state = match (entry, squashed) {
                (Some(entry), _) => Some(of_journaled(script, &self.entries[entry], newest, || tokens(index))?),
                (None, Some(squashed)) => Some(of_squashed(script, squashed, || tokens(index))?),
                (None, None) => None,
            };
            Ok(Own { entry, state })
        };
        self.scripts.iter().enumerate().map(own).collect()
    }

    /// Says of each script which entry it moved away from. A version's own entry decides, unless the text that it is
    /// about stands under another version now: then the entry moved there, and what has the version today is another
    /// script, which has not run.
    fn moved(&self, own: &[Own]) -> Vec<Option<usize>> {
        let altered = own.iter().filter(|own| own.state == Some(State::Altered)).filter_map(|own| own.entry);
        let left = altered.chain(self.gone.iter().map(|(_, index)| *index));
        let mut left: HashMap<&Checksum, usize> = left
            .filter(|index| is_done(&self.entries[*index]))
            .map(|index| (&self.entries[index].checksum, index))
            .collect();
        let moved = |(script, own): (&Script, &Own)| match own.state {
            None | Some(State::Altered) => left.remove(&script.checksum),
            Some(_) => None,
        };
        self.scripts.iter().zip(own).map(moved).collect()
    }

    fn of_scripts(&self, own: &[Own], moved: &[Option<usize>], newest: Option<&Version>) -> Vec<Status> {
        let moved_away: HashSet<usize> = moved.iter().flatten().copied().collect();
        let moved_to = self.scripts.iter().zip(moved).filter(|(_, from)| from.is_some());
        let newest = moved_to.map(|(script, _)| &script.version).max().max(newest);
        let status = |(index, script): (usize, &Script)| {
            let Own { entry, state } = own[index];
            let is_new = entry.is_none_or(|entry| moved_away.contains(&entry));
            let (state, entry_of) = match (moved[index], state) {
                (Some(other), _) => (State::Moved, Some(other)),
                (None, Some(state @ (State::Squashed | State::Altered))) if entry.is_none() => (state, None),
                (None, Some(state)) if !is_new => (state, entry),
                (None, _) if newest.is_some_and(|newest| script.version < *newest) => (State::Late, None),
                (None, _) => (State::Pending, None),
            };
            Status {
                version: script.version.clone(),
                name: script.name.clone(),
                state,
                script: Some(index),
                entry: entry_of,
                attempt: entry.map_or(0, |entry| self.entries[entry].attempt),
            }
        };
        self.scripts.iter().enumerate().map(status).collect()
    }

    /// Says how the versions stand that the checkout does not have, but for those of which nothing is to be said.
    fn of_the_gone(&self) -> impl Iterator<Item = Status> {
        let newest = self.scripts.last().map(|script| &script.version);
        let newest = newest.max(self.base.last().map(|squashed| &squashed.version));
        self.gone.iter().filter_map(move |(version, index)| {
            let entry = &self.entries[*index];
            Some(Status {
                version: version.clone(),
                name: entry.name.clone(),
                state: self.of_gone(version, entry, newest)?,
                script: None,
                entry: Some(*index),
                attempt: entry.attempt,
            })
        })
    }

    fn of_gone(&self, version: &Version, entry: &Entry, newest: Option<&Version>) -> Option<State> {
        match (entry.state, self.squashed(version)) {
            (Stored::Applied | Stored::Adopted | Stored::Squashed, Some(squashed)) => {
                if squashed.is_text(&entry.checksum, &entry.token_checksum) {
                    Some(State::Squashed)
                } else {
                    // Renumbered before it was squashed, and this database was not told.
                    (!self.has_text(&entry.checksum)).then_some(State::Altered)
                }
            }
            (Stored::Reverted, _) => None,
            (Stored::Squashed, None) => Some(State::Squashed),
            // The text is here under another version.
            (Stored::Applied | Stored::Adopted, None) if self.has_text(&entry.checksum) => None,
            (Stored::Applied | Stored::Adopted | Stored::Running, _) => match newest {
                Some(newest) if *version <= *newest => Some(State::Missing),
                _ => Some(State::Ahead),
            },
        }
    }

    /// Returns which of a base's scripts the database lacks, where their files are gone: indices into the base.
    fn lacking(&self) -> Vec<usize> {
        if self.is_unbuilt() || self.base.is_empty() {
            return Vec::new();
        }
        // Under another version too: it had not been told of the move.
        let elsewhere: HashSet<&Checksum> = self
            .journaled
            .values()
            .map(|index| &self.entries[*index])
            .filter(|entry| is_done(entry))
            .map(|entry| &entry.checksum)
            .collect();
        let squashed: HashSet<&Checksum> = self.base.iter().map(|squashed| &squashed.checksum).collect();
        // An entry of the same version may be about what is another version's text now.
        let is_own = |squashed_here: &Squashed, entry: &Entry| {
            squashed_here.is_text(&entry.checksum, &entry.token_checksum) || !squashed.contains(&entry.checksum)
        };
        let is_lacking = |squashed: &Squashed| {
            let own = self.journaled.get(&squashed.version).map(|index| &self.entries[*index]);
            let own = own.is_some_and(|entry| is_done(entry) && is_own(squashed, entry));
            !own && !self.has_file(&squashed.version) && !elsewhere.contains(&squashed.checksum)
        };
        self.base.iter().enumerate().filter(|(_, squashed)| is_lacking(squashed)).map(|(index, _)| index).collect()
    }
}

/// Returns true if an entry says that its script has run.
fn is_done(entry: &Entry) -> bool {
    match entry.state {
        Stored::Applied | Stored::Adopted | Stored::Squashed => true,
        Stored::Running | Stored::Reverted => false,
    }
}

/// Returns how a script stands to the base, where no script has run: it stands for it, or for another text.
fn of_squashed<E>(
    script: &Script,
    squashed: &Squashed,
    tokens: impl FnOnce() -> Result<Checksum, E>,
) -> Result<State, E> {
    let same = script.checksum == squashed.checksum || !squashed.checksum.is_known() || tokens()? == squashed.tokens;
    Ok(if same { State::Squashed } else { State::Altered })
}

/// Returns how a script stands to the entry of its own version.
fn of_journaled<E>(
    script: &Script,
    entry: &Entry,
    newest: Option<&Version>,
    tokens: impl FnOnce() -> Result<Checksum, E>,
) -> Result<State, E> {
    Ok(match entry.state {
        Stored::Running => State::Running,
        Stored::Reverted if newest.is_some_and(|newest| script.version < *newest) => State::Late,
        Stored::Reverted => State::Reverted,
        Stored::Applied | Stored::Adopted | Stored::Squashed => {
            // A checksum of an algorithm that is not known here says nothing about the text.
            if entry.checksum == script.checksum || !entry.checksum.is_known() {
                if entry.name == script.name { State::Applied } else { State::Moved }
            } else if tokens()? == entry.token_checksum {
                State::Reworded
            } else {
                State::Altered
            }
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn script(version: &str, text: &str) -> Script {
        let checksum = Checksum::of_text(text);
        let version: Version = version.parse().unwrap();
        Script { file: format!("db/{version}_s.sql"), version, name: "s".into(), checksum, down: None }
    }

    fn entry(key: &str, text: &str, state: Stored) -> Entry {
        Entry {
            sequence: 1,
            kind: Kind::Script,
            key: key.into(),
            attempt: 1,
            name: "s".into(),
            checksum: Checksum::of_text(text),
            token_checksum: Checksum::of_tokens([text.trim()]),
            state,
            statements_done: 0,
            statements: 1,
        }
    }

    fn states(scripts: &[(&str, &str)], entries: &[Entry]) -> Vec<String> {
        let list: Vec<Script> = scripts.iter().map(|(version, text)| script(version, text)).collect();
        let tokens = |index: usize| Ok::<_, ()>(Checksum::of_tokens([scripts[index].1.trim()]));
        let reconciled = reconcile(&list, &[], entries, tokens).unwrap();
        reconciled.statuses.iter().map(|status| format!("{} {}", status.version, status.state.word())).collect()
    }

    fn squashed(version: &str, text: &str) -> Squashed {
        let Script { version, name, file, checksum, .. } = script(version, text);
        Squashed { version, name, file, checksum, tokens: Checksum::of_tokens([text.trim()]), revision: None }
    }

    /// The base stands for `a` to `c`, 1 to 3.
    fn with_base(scripts: &[(&str, &str)], entries: &[Entry]) -> (Vec<String>, Vec<usize>) {
        let list: Vec<Script> = scripts.iter().map(|(version, text)| script(version, text)).collect();
        let base = [squashed("1", "a"), squashed("2", "b"), squashed("3", "c")];
        let tokens = |index: usize| Ok::<_, ()>(Checksum::of_tokens([scripts[index].1.trim()]));
        let Reconciled { statuses, lacking, .. } = reconcile(&list, &base, entries, tokens).unwrap();
        (statuses.iter().map(|status| format!("{} {}", status.version, status.state.word())).collect(), lacking)
    }

    #[test]
    fn what_a_base_stands_for_is_squashed_and_what_is_not_there_is_lacking() {
        let old = [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")];
        let done = |numbers: &[(&str, &str)]| -> Vec<Entry> {
            numbers.iter().map(|(version, text)| entry(version, text, Stored::Applied)).collect()
        };
        // Nothing has run: with the files and without.
        let unbuilt = ["1 squashed", "2 squashed", "3 squashed", "4 pending"].map(str::to_owned).to_vec();
        assert_eq!(with_base(&old, &[]), (unbuilt, vec![]));
        assert_eq!(with_base(&old[3..], &[]), (vec!["4 pending".into()], vec![]));
        // Past, exactly at, behind.
        let (states, lacking) = with_base(&old[3..], &done(&old));
        assert_eq!((states.join(", ").as_str(), lacking), ("1 squashed, 2 squashed, 3 squashed, 4 applied", vec![]));
        let (states, lacking) = with_base(&old[3..], &done(&old[..3]));
        assert_eq!((states.join(", ").as_str(), lacking), ("1 squashed, 2 squashed, 3 squashed, 4 pending", vec![]));
        let (states, lacking) = with_base(&old[3..], &done(&old[..1]));
        assert_eq!((states.join(", ").as_str(), lacking), ("1 squashed, 4 pending", vec![1, 2]));
        // With the files, a database behind goes on.
        let (states, lacking) = with_base(&old, &done(&old[..1]));
        assert_eq!((states.join(", ").as_str(), lacking), ("1 applied, 2 pending, 3 pending, 4 pending", vec![]));
        // Half-way, and taken back.
        for state in [Stored::Running, Stored::Reverted] {
            let mut entries = done(&old);
            entries[1].state = state;
            assert_eq!(with_base(&old[3..], &entries).1, [1]);
        }
        // Without one file: a newest version that is gone is not ahead.
        assert_eq!(with_base(&[], &done(&old[..3])).0, ["1 squashed", "2 squashed", "3 squashed"]);
        assert_eq!(with_base(&[], &done(&old)).0[3], "4 ahead");
        // Another text than the base stands for; white space says nothing.
        let other =
            [entry("1", "x", Stored::Applied), entry("2", " b", Stored::Applied), entry("3", "c", Stored::Squashed)];
        assert_eq!(with_base(&[], &other).0, ["1 altered", "2 squashed", "3 squashed"]);
        assert_eq!(with_base(&[("1", "x"), ("2", "b ")], &[]).0, ["1 altered", "2 squashed"]);
        // Renumbered before the squash, and another script has the version: that one is what is lacking.
        let (states, lacking) = with_base(&[], &done(&[("1", "a"), ("2", "c")]));
        assert_eq!((states.join(", ").as_str(), lacking), ("1 squashed", vec![1]));
        let (states, lacking) = with_base(&[], &done(&[("1", "a"), ("2", "c"), ("3", "b")]));
        assert_eq!((states.join(", ").as_str(), lacking), ("1 squashed", vec![]));
        // Renumbered before the squash: the text is there.
        let moved =
            [entry("1", "a", Stored::Applied), entry("20", "b", Stored::Applied), entry("3", "c", Stored::Applied)];
        assert_eq!(with_base(&[], &moved), (vec!["1 squashed".into(), "3 squashed".into()], vec![]));
    }

    #[test]
    fn each_state_is_told_apart() {
        let entries = [
            entry("1", "a", Stored::Applied),
            entry("2", "b", Stored::Applied),
            entry("3", "c", Stored::Applied),
            entry("5", "e", Stored::Running),
            entry("6", "f", Stored::Reverted),
            entry("7", "gone", Stored::Applied),
            entry("30", "new", Stored::Adopted),
        ];
        let scripts = [("1", "a"), ("2", "b "), ("3", "C"), ("4", "d"), ("5", "e"), ("6", "f"), ("20", "t")];
        let expected = [
            "1 applied",
            "2 reworded",
            "3 altered",
            "4 late",
            "5 running",
            "6 late",
            "7 missing",
            "20 late",
            "30 ahead",
        ];
        assert_eq!(states(&scripts, &entries), expected);
    }

    #[test]
    fn a_text_under_another_version_moved() {
        let entries = [entry("1", "a", Stored::Applied), entry("2", "b", Stored::Applied)];
        assert_eq!(states(&[("1", "a"), ("3", "b")], &entries), ["1 applied", "3 moved"]);
        let after = [entries[0].clone(), entries[1].clone(), entry("3", "b", Stored::Applied)];
        assert_eq!(states(&[("1", "a"), ("3", "b")], &after), ["1 applied", "3 applied"]);
    }

    #[test]
    fn a_version_that_another_script_took_over_has_not_run() {
        // Renumbered: `b` was 2 here, came to be 3, and 2 is somebody else's now.
        let entries = [entry("1", "a", Stored::Applied), entry("2", "b", Stored::Applied)];
        assert_eq!(states(&[("1", "a"), ("2", "t"), ("3", "b")], &entries), ["1 applied", "2 late", "3 moved"]);
        // Two in a row.
        let entries = [entry("2", "b", Stored::Applied), entry("3", "c", Stored::Applied)];
        let scripts = [("2", "t"), ("3", "b"), ("4", "c")];
        assert_eq!(states(&scripts, &entries), ["2 late", "3 moved", "4 moved"]);
        // Journaled: the version that was given away is free again.
        let after =
            [entry("2", "b", Stored::Reverted), entry("3", "b", Stored::Applied), entry("4", "c", Stored::Applied)];
        assert_eq!(states(&scripts, &after), ["2 late", "3 applied", "4 applied"]);
    }

    #[test]
    fn an_altered_script_beside_a_twin_of_its_old_text_is_altered() {
        let entries = [entry("2", "x", Stored::Applied), entry("5", "x", Stored::Applied)];
        assert_eq!(states(&[("2", "y"), ("5", "x")], &entries), ["2 altered", "5 applied"]);
    }

    #[test]
    fn nothing_journaled_is_pending() {
        assert_eq!(states(&[("2", "a"), ("10", "b")], &[]), ["2 pending", "10 pending"]);
    }
}
