//! The lexer and the splitter, against golden scripts and generated ones.
//!
//! Each `tests/sql/<case>.<dialect>.sql` has a snapshot beside it. The cases
//! are what splitters of other tools got wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking"
)]

#[path = "sql/golden.rs"]
mod golden;
#[path = "sql/known.rs"]
mod known;
#[path = "sql/properties.rs"]
mod properties;
#[cfg(feature = "sqlite")]
#[path = "sql/sqlite_oracle.rs"]
mod sqlite_oracle;

use std::fmt::Write as _;

use dbbuild::sql::{
    Dialect, Head, LineIndex, Span, Statement, Statements, copy_from_stdin, copy_to_stdout, fusion_barrier, may_commit,
    refuses_transaction, session_object, session_setting, transaction_control,
};

#[test]
fn golden_scripts_are_cut_as_recorded() {
    for script in golden::scripts() {
        let shown = shown(&script.text, script.dialect);
        insta::with_settings!({
            snapshot_path => "sql", prepend_module_to_snapshot => false, omit_expression => true
        }, { insta::assert_snapshot!(script.name, shown) });
    }
}

fn shown(text: &str, dialect: Dialect) -> String {
    let lines = LineIndex::new(text);
    let mut out = String::new();
    let mut statements = Statements::new(text, dialect);
    for (number, statement) in statements.by_ref().enumerate() {
        match statement {
            Ok(statement) => show(&mut out, text, dialect, &lines, number + 1, &statement),
            Err(error) => {
                let at = lines.position(text, error.span.start);
                writeln!(out, "error {at} {error} {:?}", error.span.text(text)).unwrap();
            }
        }
    }
    let rest = statements.rest().text(text);
    if !rest.trim().is_empty() {
        writeln!(out, "rest {rest:?}").unwrap();
    }
    out
}

fn show(out: &mut String, text: &str, dialect: Dialect, lines: &LineIndex, number: usize, statement: &Statement) {
    let tokens = statement.tokens(text, dialect);
    let head = Head::of(tokens);
    let at = lines.position(text, statement.span.start);
    write!(out, "{number} {at} {:?}", head.verb).unwrap();
    let words = [
        head.kind.map(|kind| format!(" {kind}")),
        head.name.map(|name| format!(" {name}")),
        head.table.map(|table| format!(" on {table}")),
    ];
    out.extend(words.into_iter().flatten());
    let traits = [
        transaction_control(tokens).map(|control| format!("control: {control:?}")),
        refuses_transaction(tokens).map(|reason| format!("refuses: {reason}")),
        may_commit(tokens).then(|| "may commit".into()),
        session_setting(tokens).map(|setting| format!("setting: {setting:?}")),
        session_object(tokens).map(|object| format!("session: {object}")),
        fusion_barrier(tokens).map(|reason| format!("barrier: {reason}")),
        copy_from_stdin(tokens).then(|| "copies from stdin".into()),
        copy_to_stdout(tokens).then(|| "copies to stdout".into()),
    ];
    for shown in traits.into_iter().flatten() {
        write!(out, " · {shown}").unwrap();
    }
    out.push('\n');
    for (name, span) in [("lead", statement.lead), ("tail", statement.tail)] {
        let shown = span.text(text).trim();
        if !shown.is_empty() && shown != ";" {
            writeln!(out, "  {name} {shown:?}").unwrap();
        }
    }
    if let Some(data) = statement.copy_data {
        writeln!(out, "  data {:?}", data.text(text)).unwrap();
    }
    if !statement.terminated {
        writeln!(out, "  no semicolon").unwrap();
    }
    for line in statement.text(text).lines() {
        writeln!(out, "  | {line}").unwrap();
    }
}

#[test]
fn parts_tile_the_golden_scripts() {
    for script in golden::scripts() {
        let mut statements = Statements::new(&script.text, script.dialect);
        let mut from = 0;
        while let Some(Ok(statement)) = statements.next() {
            assert_eq!(statement.lead, Span::new(from, statement.span.start), "{}", script.name);
            assert_eq!(statement.tail.start, statement.span.end, "{}", script.name);
            from = statement.whole().end;
        }
        assert!(statements.rest().start >= from, "{}", script.name);
    }
}
