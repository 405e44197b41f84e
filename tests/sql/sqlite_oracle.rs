//! SQLite itself as the judge: it must read each of our cuts to its end, as one
//! statement, and cut a whole script where we cut it.

use std::path::{Path, PathBuf};

use dbbuild::sql::{Dialect, split};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection};

use crate::golden;

/// Runs a statement, so that those behind it find what it makes.
fn run(statement: &mut rusqlite::Statement<'_>) {
    // Its own failure is no matter here: only cuts are judged.
    let _ = statement.query([]).and_then(|mut rows| {
        while rows.next()?.is_some() {}
        Ok(())
    });
}

#[derive(Default)]
struct Agreement {
    scripts: usize,
    statements: usize,
    /// SQLite stopped at an error of its own before it could judge.
    unjudged: usize,
}

impl Agreement {
    fn judge(&mut self, name: &str, text: &str) {
        let Ok(ours) = split(text, Dialect::Sqlite) else { return };
        self.scripts += 1;
        let connection = Connection::open_in_memory().unwrap();
        for statement in &ours {
            let text = statement.text(text);
            let mut batch = Batch::new(&connection, text);
            match batch.next() {
                Ok(Some(mut first)) => {
                    run(&mut first);
                    drop(first);
                    assert!(matches!(batch.next(), Ok(None)), "{name}: SQLite reads on behind\n{text}");
                    self.statements += 1;
                }
                Ok(None) => panic!("{name}: SQLite finds nothing in\n{text}"),
                Err(error) => {
                    assert!(!error.to_string().contains("incomplete input"), "{name}: cut too early:\n{text}");
                    self.unjudged += 1;
                }
            }
        }
        self.judge_whole(name, text, ours.iter().map(|statement| statement.text(text)));
    }

    /// SQLite's own cuts of the whole script, up to its first error.
    fn judge_whole<'a>(&self, name: &str, text: &str, ours: impl Iterator<Item = &'a str>) {
        let connection = Connection::open_in_memory().unwrap();
        let mut batch = Batch::new(&connection, text);
        for own in ours {
            let Ok(theirs) = batch.next() else { return };
            let mut theirs = theirs.unwrap_or_else(|| panic!("{name}: SQLite has no more at\n{own}"));
            let whole = theirs.expanded_sql().unwrap_or_default();
            let within = split(&whole, Dialect::Sqlite).unwrap();
            let within: Vec<&str> = within.iter().map(|statement| statement.text(&whole)).collect();
            assert_eq!(within, [own], "{name}");
            run(&mut theirs);
        }
        assert!(matches!(batch.next(), Ok(None)), "{name}: SQLite has more");
    }

    fn report(&self, what: &str) {
        let Self { scripts, statements, unjudged } = self;
        eprintln!("sqlite agrees on {statements} statements of {scripts} {what} ({unjudged} failed for other reasons)");
    }
}

#[test]
fn sqlite_agrees_on_golden_scripts() {
    let mut agreement = Agreement::default();
    for script in golden::scripts().iter().filter(|script| script.dialect == Dialect::Sqlite) {
        agreement.judge(&script.name, &script.text);
    }
    agreement.report("golden scripts");
    assert!(agreement.statements > 30);
}

#[test]
fn sqlite_agrees_on_real_scripts() {
    let Some(folder) = std::env::var_os("DBBUILD_TEST_CORPORA") else {
        eprintln!("skipped: DBBUILD_TEST_CORPORA names no folder of <project>-sqlite/up/*.sql");
        return;
    };
    let mut agreement = Agreement::default();
    for file in real_scripts(Path::new(&folder), "-sqlite") {
        agreement.judge(&file.display().to_string(), &std::fs::read_to_string(&file).unwrap());
    }
    agreement.report("real scripts");
}

fn real_scripts(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    let projects = entries(folder).into_iter().filter(|path| path.to_string_lossy().ends_with(suffix));
    let scripts = projects.flat_map(|project| entries(&project.join("up")));
    scripts.filter(|path| path.extension().is_some_and(|extension| extension == "sql")).collect()
}
