//! Scripts against entries: which are pending, altered, late, missing. Pure; the words are those of the glossary.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::{Entry, Kind, Stored};
use crate::script::{Checksum, Script, Squashed, Version};

/// How a script and the journal stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not run.
    Pending,
    /// Done.
    Applied,
    /// Done, and its text changed since.
    Altered,
    /// Changed only in comments or white space.
    Reworded,
    /// The same text under another version or name.
    Moved,
    /// Journaled, the file is gone, and it is not above this checkout's newest.
    Missing,
    /// Journaled by a newer checkout.
    Ahead,
    /// Not run and older than the newest applied one.
    Late,
    /// A non-transactional script, half-way.
    Running,
    /// Taken back by a downgrade.
    Reverted,
    /// Stood in for by a base.
    Squashed,
}

impl State {
    /// Returns true if a build runs the script.
    pub fn is_to_run(self) -> bool {
        match self {
            Self::Pending | Self::Late | Self::Running | Self::Reverted => true,
            Self::Applied
            | Self::Altered
            | Self::Reworded
            | Self::Moved
            | Self::Missing
            | Self::Ahead
            | Self::Squashed => false,
        }
    }

    /// Returns the word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Altered => "altered",
            Self::Reworded => "reworded",
            Self::Moved => "moved",
            Self::Missing => "missing",
            Self::Ahead => "ahead",
            Self::Late => "late",
            Self::Running => "running",
            Self::Reverted => "reverted",
            Self::Squashed => "squashed",
        }
    }
}

/// One version, in the checkout or in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The version.
    pub version: Version,
    /// The name, the checkout's where it has the script.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// The index of the script in the checkout, if it is there.
    pub script: Option<usize>,
    /// The index of the newest entry of this version; for a script that moved from another version, of that one's.
    pub entry: Option<usize>,
    /// The newest attempt of this version itself: 0 if it has none.
    pub attempt: i32,
}

/// Every version with its state, in the order of versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// One per version.
    pub statuses: Vec<Status>,
    /// The newest version that is applied.
    pub version: Option<Version>,
    /// What the database lacks and the checkout has no more, because a base stands for it: indices into the base's
    /// scripts. Nothing for a database in which no script ran yet.
    pub lacking: Vec<usize>,
}

impl Reconciled {
    /// Returns those in a state.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &Status> {
        self.statuses.iter().filter(move |status| status.state == state)
    }
}

/// Compares a checkout's scripts, and those that its base stands for (both in the order of versions), with the
/// newest entry of each version. `tokens` returns the token checksum of the script at an index; it is asked only
/// where texts differ.
pub fn reconcile<E>(
    scripts: &[Script],
    base: &[Squashed],
    entries: &[Entry],
    mut tokens: impl FnMut(usize) -> Result<Checksum, E>,
) -> Result<Reconciled, E> {
    let mut journaled: BTreeMap<Version, usize> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.kind == Kind::Script) {
        if let Ok(version) = entry.key.parse() {
            journaled.insert(version, index);
        }
    }
    let is_done = |entry: &Entry| matches!(entry.state, Stored::Applied | Stored::Adopted | Stored::Squashed);
    let newest_done = journaled.iter().rev().find(|(_, index)| is_done(&entries[**index]));
    let version = newest_done.map(|(version, _)| version.clone());
    let gone = gone(scripts, &journaled);

    // A version's own entry decides, unless the text that it is about stands under another version now: then the
    // entry moved there, and what has the version today is another script, which has not run.
    let is_unbuilt = journaled.is_empty();
    let mut own_states = Vec::with_capacity(scripts.len());
    for (index, script) in scripts.iter().enumerate() {
        let own = journaled.get(&script.version).copied();
        let state = match (own, squashed(base, &script.version).filter(|_| is_unbuilt)) {
            (Some(own), _) => Some(of_journaled(script, &entries[own], version.as_ref(), || tokens(index))?),
            (None, Some(squashed)) => Some(of_squashed(script, squashed, || tokens(index))?),
            (None, None) => None,
        };
        own_states.push((own, state));
    }
    let left: Vec<usize> = own_states
        .iter()
        .filter_map(|(own, state)| own.filter(|_| *state == Some(State::Altered)))
        .chain(gone.iter().map(|(_, index)| *index))
        .filter(|index| is_done(&entries[*index]))
        .collect();
    let mut moved_from: HashMap<&Checksum, usize> =
        left.into_iter().map(|index| (&entries[index].checksum, index)).collect();
    let moved: Vec<Option<usize>> = scripts
        .iter()
        .zip(&own_states)
        .map(|(script, (_, state))| match state {
            None | Some(State::Altered) => moved_from.remove(&script.checksum),
            Some(_) => None,
        })
        .collect();
    let moved_away: HashSet<usize> = moved.iter().flatten().copied().collect();
    let moved_to = scripts.iter().zip(&moved).filter(|(_, from)| from.is_some()).map(|(script, _)| &script.version);
    let newest_applied = moved_to.max().max(version.as_ref());

    let mut statuses = Vec::with_capacity(scripts.len() + gone.len());
    for ((script, (own, own_state)), (index, from)) in
        scripts.iter().zip(own_states).zip(moved.iter().copied().enumerate())
    {
        let is_new = own.is_none_or(|own| moved_away.contains(&own));
        let (state, entry) = match (from, own_state) {
            (Some(other), _) => (State::Moved, Some(other)),
            (None, Some(state @ (State::Squashed | State::Altered))) if own.is_none() => (state, None),
            (None, Some(state)) if !is_new => (state, own),
            (None, _) if newest_applied.is_some_and(|newest| script.version < *newest) => (State::Late, None),
            (None, _) => (State::Pending, None),
        };
        statuses.push(Status {
            version: script.version.clone(),
            name: script.name.clone(),
            state,
            script: Some(index),
            entry,
            attempt: own.map_or(0, |own| entries[own].attempt),
        });
    }
    let newest = scripts.last().map(|script| &script.version);
    let newest = newest.max(base.last().map(|squashed| &squashed.version));
    let is_here = |checksum: &Checksum| {
        scripts.iter().any(|script| script.checksum == *checksum)
            || base.iter().any(|squashed| squashed.checksum == *checksum)
    };
    let lacking = if is_unbuilt { Vec::new() } else { lacking(scripts, base, &journaled, entries) };
    for (version, index) in gone {
        let entry = &entries[index];
        let state = match (entry.state, squashed(base, version)) {
            (Stored::Applied | Stored::Adopted | Stored::Squashed, Some(squashed)) => {
                match squashed.is_text(&entry.checksum, &entry.token_checksum) {
                    true => State::Squashed,
                    // Renumbered before it was squashed, and this database was not told.
                    false if is_here(&entry.checksum) => continue,
                    false => State::Altered,
                }
            }
            (state, _) => match state {
                Stored::Reverted => continue,
                Stored::Squashed => State::Squashed,
                // The text is here under another version.
                Stored::Applied | Stored::Adopted if is_here(&entry.checksum) => continue,
                Stored::Applied | Stored::Adopted | Stored::Running => match newest {
                    Some(newest) if *version <= *newest => State::Missing,
                    _ => State::Ahead,
                },
            },
        };
        let (version, name) = (version.clone(), entry.name.clone());
        statuses.push(Status { version, name, state, script: None, attempt: entry.attempt, entry: Some(index) });
    }
    if !statuses.is_sorted_by(|a, b| a.version <= b.version) {
        statuses.sort_by(|a, b| a.version.cmp(&b.version));
    }
    Ok(Reconciled { statuses, version, lacking })
}

fn squashed<'a>(base: &'a [Squashed], version: &Version) -> Option<&'a Squashed> {
    let found = base.binary_search_by(|squashed| squashed.version.cmp(version));
    found.ok().and_then(|index| base.get(index))
}

/// Returns which of a base's scripts the database lacks, where their files are gone.
fn lacking(
    scripts: &[Script],
    base: &[Squashed],
    journaled: &BTreeMap<Version, usize>,
    entries: &[Entry],
) -> Vec<usize> {
    let is_done = |entry: &Entry| matches!(entry.state, Stored::Applied | Stored::Adopted | Stored::Squashed);
    let has_file = |version: &Version| scripts.binary_search_by(|script| script.version.cmp(version)).is_ok();
    // Under another version too: it had not been told of the move.
    let elsewhere: HashSet<&Checksum> = journaled
        .values()
        .map(|index| &entries[*index])
        .filter(|entry| is_done(entry))
        .map(|entry| &entry.checksum)
        .collect();
    let squashed: HashSet<&Checksum> = base.iter().map(|squashed| &squashed.checksum).collect();
    // An entry of the same version may be about what is another version's text now.
    let is_own = |squashed_here: &Squashed, entry: &Entry| {
        squashed_here.is_text(&entry.checksum, &entry.token_checksum) || !squashed.contains(&entry.checksum)
    };
    let is_lacking = |squashed: &Squashed| {
        let own = journaled.get(&squashed.version).map(|index| &entries[*index]);
        let own = own.is_some_and(|entry| is_done(entry) && is_own(squashed, entry));
        !own && !has_file(&squashed.version) && !elsewhere.contains(&squashed.checksum)
    };
    base.iter().enumerate().filter(|(_, squashed)| is_lacking(squashed)).map(|(index, _)| index).collect()
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

/// Returns the journaled versions that the checkout does not have.
fn gone<'a>(scripts: &[Script], journaled: &'a BTreeMap<Version, usize>) -> Vec<(&'a Version, usize)> {
    let is_gone = |version: &Version| scripts.binary_search_by(|script| script.version.cmp(version)).is_err();
    journaled.iter().filter(|(version, _)| is_gone(version)).map(|(version, index)| (version, *index)).collect()
}

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
