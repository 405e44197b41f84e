//! Any text, linted and fixed in either dialect: no panic, and each fix leaves a text that is one.
#![no_main]

use dbbuild::lint::{Options, Source, fix_all, lint};
use dbbuild::sql::Dialect;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let source = |file: &str| Source { file: file.to_owned(), text: text.to_owned(), ..Source::default() };
        let mut sources = vec![source("db/1.sql"), source("db/2.sql")];
        lint(&sources, dialect, &Options::default());
        fix_all(&mut sources, dialect, &Options::default(), true);
    }
});
