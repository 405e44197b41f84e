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
#[path = "sql/heads_oracle.rs"]
mod heads_oracle;
#[allow(dead_code, reason = "only scripts of one dialect are needed")]
#[path = "sql/known.rs"]
mod known;

use std::path::{Path, PathBuf};

use dbbuild::sql::{Dialect, LexErrorKind, Lexer, Statement, Statements, Token, TokenKind, split};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[derive(Default)]
struct Agreement {
    scripts: usize,
    statements: usize,
    parsed: usize,
    parsed_statements: usize,
    tokens: usize,
    /// PostgreSQL's scanner refuses the text itself.
    unjudged: usize,
}

/// A script without what is not SQL, the data of `COPY`. So that nobody looks
/// for it, such a `COPY` then reads from `STDOUT`, which the grammar allows.
fn without_data(text: &str) -> Option<String> {
    let mut sql = String::new();
    for statement in Statements::new(text, Dialect::Postgres) {
        let statement: Statement = statement.ok()?;
        sql.push_str(statement.lead.text(text));
        if statement.copy_data.is_some() {
            let mut tokens = statement.tokens(text, Dialect::Postgres);
            tokens.skip_to_any(&["stdin"]);
            let (start, end) = (tokens.start(), tokens.start() + "stdin".len());
            let pieces = [&text[statement.span.start..start], "STDOUT", &text[end..statement.span.end], ";\n"];
            sql.extend(pieces);
        } else {
            sql.push_str(statement.text(text));
            sql.push_str(statement.tail.text(text));
        }
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

/// Where PostgreSQL's scanner finds tokens, comments included; `None` if it
/// refuses the text.
fn their_tokens(sql: &str) -> Option<Vec<(usize, usize)>> {
    let theirs = pg_query::scan(sql).ok()?;
    Some(theirs.tokens.iter().map(|token| (token.start as usize, token.end as usize)).collect())
}

/// Where ours finds them. What theirs accepts, ours must.
fn our_tokens(sql: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for token in Lexer::new(sql, Dialect::Postgres) {
        let token = token.unwrap_or_else(|error| panic!("{error} in\n{sql}"));
        let mut start = token.span.start;
        // There `N'a'` is a keyword and a string.
        if token.kind == TokenKind::String && token.text(sql).starts_with(['n', 'N']) {
            found.push((start, start + 1));
            start += 1;
        }
        if token.kind != TokenKind::Whitespace {
            found.push((start, token.span.end));
        }
    }
    found
}

/// Errors that PostgreSQL's scanner does not know.
fn is_ours(kind: &LexErrorKind) -> bool {
    use LexErrorKind::{MetaCommand, Nul, TextAfterCopy, UnterminatedCopyData};
    matches!(kind, MetaCommand { .. } | Nul | TextAfterCopy | UnterminatedCopyData)
}

fn has_token(sql: &str, wanted: impl Fn(Token) -> bool) -> bool {
    Lexer::new(sql, Dialect::Postgres).flatten().any(wanted)
}

/// Whether their scanner's way can follow: it counts parentheses without looking
/// at statements, and passes over statements without a keyword.
fn is_plain(sql: &str, statement: &Statement) -> bool {
    let mut depth = 0_usize;
    if statement.tokens(sql, Dialect::Postgres).peek().is_none_or(|first| first.kind != TokenKind::Word) {
        return false;
    }
    for token in statement.tokens(sql, Dialect::Postgres) {
        match token.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen if depth == 0 => return false,
            TokenKind::CloseParen => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

impl Agreement {
    fn judge(&mut self, name: &str, text: &str) {
        // An error of the text is ours alone to judge where it is about COPY or psql.
        let sql = without_data(text).unwrap_or_else(|| text.to_owned());
        let Some(theirs) = their_tokens(&sql) else {
            self.unjudged += 1;
            return;
        };
        if Statements::new(&sql, Dialect::Postgres).any(|statement| statement.is_err_and(|error| is_ours(&error.kind)))
        {
            self.unjudged += 1;
            return;
        }
        let ours = our_tokens(&sql);
        assert_eq!(ours, theirs, "{name}: tokens of\n{sql}");
        self.tokens += ours.len();
        let parts = split(&sql, Dialect::Postgres).unwrap();
        let ours: Vec<String> = parts.iter().map(|statement| statement.text(&sql).to_owned()).collect();
        // Their scanner cuts inside `BEGIN ATOMIC` bodies; their parser does not.
        let plain = !has_token(&sql, |token| token.is_word(&sql, "atomic"));
        if plain && parts.iter().all(|statement| is_plain(&sql, statement)) {
            assert_eq!(ours, bare(&pg_query::split_with_scanner(&sql).unwrap()), "{name}");
            self.scripts += 1;
            self.statements += ours.len();
        }
        if let Ok(theirs) = pg_query::split_with_parser(&sql) {
            assert_eq!(ours, bare(&theirs), "{name}, parser");
            self.parsed += 1;
            self.parsed_statements += ours.len();
        }
    }

    fn report(&self, what: &str) {
        let Self { scripts, statements, parsed, parsed_statements, tokens, unjudged } = self;
        eprintln!(
            "PostgreSQL's scanner agrees on {tokens} tokens and on {statements} statements of {scripts} {what}, \
             its parser on {parsed_statements} statements of {parsed} ({unjudged} not judged)"
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
    "; select ",
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
    let texts = prop::collection::vec(prop::sample::select(PIECES), 0..30)
        .prop_map(|pieces| format!("select {}", pieces.concat()));
    let agreement = std::cell::RefCell::new(Agreement::default());
    let judged = runner.run(&texts, |text| {
        agreement.borrow_mut().judge("generated", &text);
        Ok(())
    });
    agreement.borrow().report("generated scripts");
    judged.unwrap();
}

/// Valid scripts, so that the parser has a say about bodies as well.
#[test]
fn postgres_agrees_on_scripts_of_known_statements() {
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() });
    let agreement = std::cell::RefCell::new(Agreement::default());
    let judged = runner.run(&known::script_in(Dialect::Postgres), |(text, _)| {
        agreement.borrow_mut().judge("known", &text);
        Ok(())
    });
    agreement.borrow().report("scripts of known statements");
    judged.unwrap();
    assert_eq!(agreement.borrow().parsed, 2000);
}

#[test]
fn heads_agree_with_the_parse_tree() {
    let mut compared = heads_oracle::Compared::default();
    for script in golden::scripts().iter().filter(|script| script.dialect == Dialect::Postgres) {
        compared.compare(&script.text);
    }
    let folder = std::env::var_os("DBBUILD_TEST_CORPORA");
    for file in folder.iter().flat_map(|folder| real_scripts(Path::new(folder))) {
        compared.compare(&std::fs::read_to_string(&file).unwrap());
    }
    let heads_oracle::Compared { statements, actions, slots, others } = compared;
    eprintln!(
        "heads of {statements} statements and {actions} actions are the parser's ({others} of other kinds), so are {slots} guards"
    );
}
