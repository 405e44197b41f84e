//! PostgreSQL's own scanner and parser as the judges of our cuts.

#![cfg(feature = "oracle")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking"
)]

#[path = "sql/golden.rs"]
mod golden;

use std::path::{Path, PathBuf};

use dbbuild::sql::{Dialect, Statement, Statements, split};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[derive(Default)]
struct Agreement {
    scripts: usize,
    statements: usize,
    parsed: usize,
    /// PostgreSQL's scanner refuses the text itself.
    unjudged: usize,
}

/// A script without what is not SQL: data of `COPY`.
fn without_data(text: &str) -> Option<String> {
    let mut sql = String::new();
    for statement in Statements::new(text, Dialect::Postgres) {
        let statement: Statement = statement.ok()?;
        sql.push_str(statement.lead.text(text));
        sql.push_str(statement.text(text));
        let tail = if statement.copy_data.is_some() { ";\n" } else { statement.tail.text(text) };
        sql.push_str(tail);
    }
    Some(sql)
}

/// The same cuts without what we count as leading or trailing.
fn bare(parts: &[&str]) -> Vec<String> {
    let one = |part: &&str| {
        let found = split(part, Dialect::Postgres).unwrap_or_default();
        found.iter().map(|statement| statement.text(part).to_owned()).collect::<Vec<_>>().join(" <cut> ")
    };
    parts.iter().map(one).filter(|part| !part.is_empty()).collect()
}

impl Agreement {
    fn judge(&mut self, name: &str, text: &str) {
        let Some(sql) = without_data(text) else { return };
        let Ok(theirs) = pg_query::split_with_scanner(&sql) else {
            self.unjudged += 1;
            return;
        };
        let ours = split(&sql, Dialect::Postgres).unwrap();
        let ours: Vec<String> = ours.iter().map(|statement| statement.text(&sql).to_owned()).collect();
        assert_eq!(ours, bare(&theirs), "{name}");
        self.scripts += 1;
        self.statements += ours.len();
        if let Ok(theirs) = pg_query::split_with_parser(&sql) {
            assert_eq!(ours, bare(&theirs), "{name}, parser");
            self.parsed += 1;
        }
    }

    fn report(&self, what: &str) {
        let Self { scripts, statements, parsed, unjudged } = self;
        eprintln!(
            "PostgreSQL's scanner agrees on {statements} statements of {scripts} {what}, \
             its parser on {parsed} of them ({unjudged} not judged)"
        );
    }
}

#[test]
fn postgres_agrees_on_golden_scripts() {
    let mut agreement = Agreement::default();
    for script in golden::scripts().iter().filter(|script| script.dialect == Dialect::Postgres) {
        agreement.judge(&script.name, &script.text);
    }
    agreement.report("golden scripts");
}

#[test]
fn postgres_agrees_on_real_scripts() {
    let Some(folder) = std::env::var_os("DBBUILD_TEST_CORPORA") else {
        eprintln!("skipped: DBBUILD_TEST_CORPORA names no folder of <project>-pg/up/*.sql");
        return;
    };
    let mut agreement = Agreement::default();
    for file in real_scripts(Path::new(&folder)) {
        agreement.judge(&file.display().to_string(), &std::fs::read_to_string(&file).unwrap());
    }
    agreement.report("real scripts");
}

fn real_scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    let projects = entries(folder).into_iter().filter(|path| path.to_string_lossy().ends_with("-pg"));
    let scripts = projects.flat_map(|project| ["up", "down"].map(|part| entries(&project.join(part))).concat());
    scripts.filter(|path| path.extension().is_some_and(|extension| extension == "sql")).collect()
}

const PIECES: &[&str] = &[
    "'a;'",
    "E'\\';'",
    "\"b;\"",
    "$$;'$$",
    "$a$ $$;$$ $a$",
    "/* ; /* */ */",
    "-- ;\n",
    "\n",
    " ",
    ";",
    "(",
    ")",
    "begin ",
    "atomic ",
    "end ",
    "case ",
    "create ",
    "or replace ",
    "function ",
    "procedure ",
    "f",
    "returns int ",
    "U&'\\0061;'",
    "U&\"c\"",
    "N'd;'",
    "x'1F'",
    "1",
    "1.5",
    "..",
    ".",
    ":",
    "::",
    ":=",
    "+",
    "-",
    "*",
    "/",
    "@",
    "=>",
    ",",
    "as ",
    "é",
    "select ",
    "'a'\n'b;'",
    "'a'--x\n'b;'",
    "e'a'\n'\\';'",
    "?",
    "[",
    "]",
    "$1",
    "a$b$",
];

#[test]
fn postgres_agrees_on_generated_scripts() {
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() });
    let texts = prop::collection::vec(prop::sample::select(PIECES), 0..30).prop_map(|pieces| pieces.concat());
    let agreement = std::cell::RefCell::new(Agreement::default());
    let judged = runner.run(&texts, |text| {
        agreement.borrow_mut().judge("generated", &text);
        Ok(())
    });
    agreement.borrow().report("generated scripts");
    judged.unwrap();
}
