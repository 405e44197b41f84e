//! SQLite itself as the judge: it must read each of our cuts to its end, as one
//! statement, and cut a whole script where we cut it.

use std::path::{Path, PathBuf};

use dbbuild::sql::{Dialect, split};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection};

use crate::{golden, known};

/// Runs a statement, so that those behind it find what it makes.
fn run(statement: &mut rusqlite::Statement<'_>) {
    // Its own failure is no matter here: only cuts are judged.
    let _ = statement.query([]).and_then(|mut rows| {
        while rows.next()?.is_some() {}
        Ok(())
    });
}

/// Two connections that run the same scripts: in one by our cuts, in the other
/// by SQLite's own.
struct Judge {
    ours: Connection,
    theirs: Connection,
    scripts: usize,
    statements: usize,
    /// SQLite stopped at an error of its own before it could judge.
    unjudged: usize,
    whole_scripts: usize,
}

impl Judge {
    fn new() -> Self {
        let [ours, theirs] = [(); 2].map(|()| Connection::open_in_memory().unwrap());
        Self { ours, theirs, scripts: 0, statements: 0, unjudged: 0, whole_scripts: 0 }
    }

    /// Begins with an empty database and keeps the counts.
    fn renew(&mut self) {
        let Self { ours, theirs, .. } = Self::new();
        (self.ours, self.theirs) = (ours, theirs);
    }

    fn judge(&mut self, name: &str, text: &str) {
        let Ok(cuts) = split(text, Dialect::Sqlite) else { return };
        let cuts: Vec<&str> = cuts.iter().map(|statement| statement.text(text)).collect();
        self.scripts += 1;
        for cut in &cuts {
            self.judge_cut(name, cut);
        }
        self.whole_scripts += usize::from(self.judge_whole(name, text, &cuts));
    }

    fn judge_cut(&mut self, name: &str, cut: &str) {
        // With a semicolon, only a body that was cut open is incomplete.
        let ended = format!("{cut};");
        let mut batch = Batch::new(&self.ours, &ended);
        match batch.next() {
            Ok(Some(mut first)) => {
                run(&mut first);
                drop(first);
                assert!(matches!(batch.next(), Ok(None)), "{name}: SQLite reads on behind\n{cut}");
                self.statements += 1;
            }
            Ok(None) => panic!("{name}: SQLite finds nothing in\n{cut}"),
            Err(error) => {
                assert!(!error.to_string().contains("incomplete input"), "{name}: cut too early:\n{cut}");
                self.unjudged += 1;
            }
        }
    }

    /// Whether SQLite could cut the whole script itself.
    fn judge_whole(&self, name: &str, text: &str, cuts: &[&str]) -> bool {
        let mut batch = Batch::new(&self.theirs, text);
        for cut in cuts {
            let Ok(theirs) = batch.next() else { return false };
            let mut theirs = theirs.unwrap_or_else(|| panic!("{name}: SQLite has no more at\n{cut}"));
            let whole = theirs.expanded_sql().unwrap();
            let within = split(&whole, Dialect::Sqlite).unwrap();
            let within: Vec<&str> = within.iter().map(|statement| statement.text(&whole)).collect();
            // Parameters come back as NULL.
            if !cut.contains(":a") {
                assert_eq!(within, [*cut], "{name}");
            }
            run(&mut theirs);
        }
        assert!(matches!(batch.next(), Ok(None)), "{name}: SQLite has more");
        true
    }

    fn report(&self, what: &str) {
        let Self { scripts, statements, unjudged, whole_scripts, .. } = self;
        eprintln!(
            "SQLite agrees on {statements} statements of {scripts} {what} ({unjudged} failed for other reasons), \
             and cuts {whole_scripts} whole scripts alike"
        );
    }
}

#[test]
fn sqlite_agrees_on_golden_scripts() {
    let mut judge = Judge::new();
    for script in golden::scripts().iter().filter(|script| script.dialect == Dialect::Sqlite) {
        judge.renew();
        judge.judge(&script.name, &script.text);
    }
    judge.report("golden scripts");
    assert!(judge.statements > 30);
}

#[test]
fn sqlite_agrees_on_scripts_of_known_statements() {
    let config = ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() };
    let judge = std::cell::RefCell::new(Judge::new());
    let judged = TestRunner::new(config).run(&known::script_in(Dialect::Sqlite), |(text, _)| {
        let mut judge = judge.borrow_mut();
        judge.renew();
        let script = format!("create table t (a, \"end\"); {text}");
        judge.judge("known", &script);
        Ok(())
    });
    judge.borrow().report("scripts of known statements");
    judged.unwrap();
}

#[test]
fn sqlite_agrees_on_real_scripts() {
    let Some(folder) = std::env::var_os("DBBUILD_TEST_CORPORA") else {
        eprintln!("skipped: DBBUILD_TEST_CORPORA names no folder of <project>-sqlite/up/*.sql");
        return;
    };
    let mut judge = Judge::new();
    let projects = entries(Path::new(&folder)).into_iter().filter(|path| path.to_string_lossy().ends_with("-sqlite"));
    for project in projects {
        judge.renew();
        for file in entries(&project.join("up")).iter().filter(|path| path.extension().is_some_and(|end| end == "sql"))
        {
            judge.judge(&file.display().to_string(), &std::fs::read_to_string(file).unwrap());
        }
    }
    judge.report("real scripts");
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}
