//! What lint says of a statement against what a real engine does when the statement runs a second time.
//!
//! Each case is a setup, a statement and the engine's truth, found by running it: the second run fails, changes the
//! catalog or rows, or does nothing. Lint must have a finding of its idempotency rules in the first two cases and
//! none in the third; and what its fix makes must run twice without a change, with the same first run.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;

use dbbuild::lint::{Options, Set, Source, fix_all, lint};
use dbbuild::sql::Dialect;
use lint_truth::history::settled;

mod lint_truth {
    pub mod history;
    pub mod postgres;
    pub mod sqlite;
}

/// What a second run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It raises an error.
    Fails,
    /// It changes the catalog or rows.
    Changes,
    /// It changes nothing.
    Nothing,
}

/// One case of the table.
struct Case {
    name: String,
    setup: String,
    statement: String,
    /// Cases where lint is known to say otherwise, with the reason.
    known: Option<String>,
}

/// Reads `tests/lint_truth/<dialect>.sql`: `-- case: name`, setup, `-- statement`, the statement. What stands in front
/// of the first case is part of the setup of each; a case without `-- statement` has no setup of its own.
fn cases(text: &str) -> Vec<Case> {
    let mut parts = text.split("-- case: ");
    let shared = parts.next().unwrap_or_default().to_owned();
    let read = |part: &str| {
        let (name, rest) = part.split_once('\n').unwrap();
        let (own, statement) = rest.split_once("-- statement").unwrap_or(("", rest));
        let (known, statement) = if own.is_empty() { ("", statement) } else { statement.split_once('\n').unwrap() };
        let (name, marked) = name.split_once(" known: ").unwrap_or((name, known.trim().trim_start_matches("known: ")));
        let known = Some(marked.trim()).filter(|known| !known.is_empty()).map(str::to_owned);
        let setup = format!("{shared}\n{own}");
        Case { name: name.trim().into(), setup, statement: statement.trim_end().into(), known }
    };
    parts.map(read).collect()
}

/// Setup and statement as two scripts; findings and fixes are of the second one.
fn sources(case: &Case, statement: &str) -> Vec<Source> {
    let setup = Source { file: "1.sql".into(), text: case.setup.clone(), exempt: true, ..Source::default() };
    vec![setup, Source { file: "2.sql".into(), text: statement.into(), ..Source::default() }]
}

/// The idempotency rules that speak, and whether any finding at all has a fix.
fn verdict(case: &Case, statement: &str, dialect: Dialect) -> (Vec<&'static str>, bool) {
    let found = lint(&sources(case, statement), dialect, &Options::default());
    let fixable = found.iter().any(|finding| finding.fix.is_some());
    let found = found.into_iter().filter(|finding| finding.rule.set == Set::Idempotency);
    (found.map(|finding| finding.rule.name).collect(), fixable)
}

/// Judges each case; `twice` runs a setup and a statement twice and says what the second run did.
fn judge(text: &str, dialect: Dialect, mut twice: impl FnMut(&str, &str) -> Result<(Truth, String), String>) {
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<(Truth, bool), usize> = BTreeMap::new();
    let (mut fixed, mut unfixed) = (0, Vec::new());
    for case in cases(text) {
        let (truth, end) = match twice(&case.setup, &case.statement) {
            Ok(truth) => truth,
            Err(error) => {
                wrong.push(format!("{}: the first run fails: {error}", case.name));
                continue;
            }
        };
        let (found, fixable) = verdict(&case, &case.statement, dialect);
        *counts.entry((truth, found.is_empty())).or_default() += 1;
        if (truth == Truth::Nothing) != found.is_empty() && case.known.is_none() {
            wrong.push(format!("{}: a second run: {truth:?}; lint: {found:?}", case.name));
            continue;
        }
        let mut sources = sources(&case, &case.statement);
        let changed = fixable && !fix_all(&mut sources, dialect, &Options::default(), false).is_empty();
        if !changed {
            if truth != Truth::Nothing {
                unfixed.push(case.name.clone());
            }
            continue;
        }
        // What is known to be said otherwise says nothing about the fix either.
        if case.known.is_some() && truth != Truth::Nothing {
            continue;
        }
        fixed += 1;
        let text = &sources[1].text;
        match twice(&case.setup, text) {
            Err(error) => wrong.push(format!("{}: fixed, the first run fails: {error}\n{text}", case.name)),
            Ok((Truth::Nothing, same)) if settled(&same) == settled(&end) => {}
            Ok((truth, other)) => {
                let same = if other == end { String::new() } else { difference(&end, &other) };
                wrong.push(format!("{}: fixed, a second run: {truth:?}{same}\n{text}", case.name));
            }
        }
    }
    println!("{dialect}: (truth, lint is silent) {counts:?}; fixed {fixed}; found and not fixed: {unfixed:?}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn difference(end: &str, other: &str) -> String {
    let only = |left: &str, right: &str| {
        let lines = left.lines().filter(|line| !right.lines().any(|other| other == *line));
        lines.take(3).collect::<Vec<_>>().join(" / ")
    };
    format!(", and the first run ends elsewhere: {} instead of {}", only(other, end), only(end, other))
}

#[test]
fn sqlite() {
    judge(include_str!("lint_truth/sqlite.sql"), Dialect::Sqlite, lint_truth::sqlite::twice);
}

#[test]
fn every_kind_on_sqlite() {
    judge(include_str!("lint_truth/sqlite_kinds.sql"), Dialect::Sqlite, lint_truth::sqlite::twice);
}

fn on_postgres(text: &str) {
    let Some(mut server) = lint_truth::postgres::Server::start() else {
        assert!(std::env::var_os("CI").is_none(), "no PostgreSQL");
        println!("skipped: no PostgreSQL");
        return;
    };
    judge(text, Dialect::Postgres, |setup, text| server.twice(setup, text));
}

#[test]
fn postgres() {
    on_postgres(include_str!("lint_truth/postgres.sql"));
}

/// Half of the cases: the two halves run side by side.
fn half(text: &str, odd: bool) -> String {
    let mut parts = text.split("-- case: ");
    let shared = parts.next().unwrap_or_default().to_owned();
    let own = parts.enumerate().filter(|(index, _)| (index % 2 == 1) == odd);
    own.fold(shared, |all, (_, part)| all + "-- case: " + part)
}

#[test]
fn every_kind_on_postgres() {
    on_postgres(&half(include_str!("lint_truth/postgres_kinds.sql"), false));
}

#[test]
fn every_other_kind_on_postgres() {
    on_postgres(&half(include_str!("lint_truth/postgres_kinds.sql"), true));
}

/// Cases of one's own, where the environment names a file of them: `sqlite.sql` in its name is SQLite's.
#[test]
fn own_cases() {
    let Some(named) = std::env::var_os("DBBUILD_CASES") else { return };
    for file in std::env::split_paths(&named) {
        let text = std::fs::read_to_string(&file).unwrap();
        if file.to_string_lossy().ends_with("sqlite.sql") {
            judge(&text, Dialect::Sqlite, lint_truth::sqlite::twice);
        } else {
            on_postgres(&text);
        }
    }
}

/// Real histories, where the environment names some.
#[test]
fn histories() {
    use lint_truth::history::{Runner, judge};

    let Some(named) = std::env::var_os("DBBUILD_HISTORIES") else { return };
    let mut server = None;
    let mut failed = false;
    for folder in std::env::split_paths(&named) {
        let is_sqlite = folder.to_string_lossy().contains("sqlite");
        let report = if is_sqlite {
            judge(&folder, Dialect::Sqlite, &mut lint_truth::sqlite::Files::new())
        } else {
            let server: &mut dyn Runner = server.get_or_insert_with(|| lint_truth::postgres::Server::start().unwrap());
            judge(&folder, Dialect::Postgres, server)
        };
        println!("{report}");
        let bad = ["PARSES NO LONGER", "FIXED FAILS", "FIRST RUN DIFFERS", "WORSE", " SILENT"];
        failed |= bad.iter().any(|word| report.contains(word));
    }
    assert!(!failed, "see the reports");
}
