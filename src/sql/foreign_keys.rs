//! SQLite's foreign keys, which a pragma turns on and off for a whole connection.

use super::{Tokens, TransactionPairs, transaction_control, transaction_pairs};

/// What `PRAGMA foreign_keys` sets; `None` for another statement, or where it only asks.
#[must_use]
pub fn foreign_keys_pragma(mut tokens: Tokens<'_>) -> Option<bool> {
    if !tokens.eat_words(&["pragma", "foreign_keys"]) {
        return None;
    }
    switched(tokens)
}

/// Returns true if a script asks that references to a renamed table stay as they are written, which SQLite leaves so
/// only where foreign keys are off (<https://sqlite.org/pragma.html#pragma_legacy_alter_table>).
#[must_use]
pub fn keeps_references(statements: &[Tokens<'_>]) -> bool {
    let legacy = |mut tokens: Tokens<'_>| tokens.eat_words(&["pragma", "legacy_alter_table"]).then(|| switched(tokens));
    statements.iter().any(|tokens| legacy(*tokens) == Some(Some(true)))
}

/// Behind a pragma's name: what it sets.
fn switched(tokens: Tokens<'_>) -> Option<bool> {
    let rest = tokens.text().get(tokens.start()..)?;
    let value: String = rest.chars().take_while(|c| *c != ';').filter(|c| c.is_alphanumeric()).collect();
    match value.to_ascii_lowercase().as_str() {
        "off" | "0" | "false" | "no" => Some(false),
        "on" | "1" | "true" | "yes" => Some(true),
        _ => None,
    }
}

/// Returns which statements of a script are `PRAGMA foreign_keys` that can be read as one switch around the whole of it;
/// none if they turn nothing off, or if a statement outside of `off … on` minds.
///
/// At the head of the script the pragma always counts, with a second one or without, which would have outlived the
/// script: every script begins with foreign keys on.
#[must_use]
pub fn foreign_keys_switch(statements: &[Tokens<'_>]) -> Vec<usize> {
    if !statements.iter().any(|tokens| foreign_keys_pragma(*tokens) == Some(false)) {
        return Vec::new();
    }
    let controls: Vec<_> = statements.iter().filter_map(|tokens| transaction_control(*tokens)).collect();
    // In a transaction the pragma does nothing.
    let pairs = transaction_pairs(&controls);
    let mut in_transaction = matches!(pairs, Some(TransactionPairs::Between | TransactionPairs::Out));
    let (mut is_off, mut at_head) = (false, None);
    let mut pragmas = Vec::new();
    for (index, tokens) in statements.iter().enumerate() {
        if transaction_control(*tokens).is_some() {
            in_transaction = !in_transaction;
            continue;
        }
        let pragma = foreign_keys_pragma(*tokens);
        let at_head = *at_head.get_or_insert(pragma == Some(false));
        match pragma {
            Some(false) if in_transaction => return Vec::new(),
            Some(on) if !in_transaction => {
                is_off = !on;
                pragmas.push(index);
            }
            _ if !is_off && !at_head && minds_foreign_keys(*tokens) => return Vec::new(),
            _ => {}
        }
    }
    if statements.len() > 1 { pragmas } else { Vec::new() }
}

/// Whether a statement of SQLite's may do something else, and not just fail, where foreign keys are off.
///
/// Rows that are deleted or changed take others with them; so does `DROP TABLE`, which deletes the rows first
/// (<https://sqlite.org/foreignkeys.html#fk_schemacommands>).
fn minds_foreign_keys(mut tokens: Tokens<'_>) -> bool {
    match tokens.eat_any(&["create", "alter", "select", "drop", "pragma", "insert"]) {
        Some("create" | "alter" | "select") => false,
        Some("drop") => !tokens.at_any(&["index", "view", "trigger"]),
        // Under this one a renamed table takes its references along only where foreign keys are on.
        Some("pragma") => tokens.at_word("legacy_alter_table"),
        Some("insert") => tokens.has_any(&["replace", "update"]),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Dialect;

    #[test]
    fn a_switch_is_around_all_that_minds() {
        let switch = |text: &str| {
            let texts: Vec<&str> = text.split(';').collect();
            let statements: Vec<_> = texts.iter().map(|text| Tokens::of(text, Dialect::Sqlite)).collect();
            foreign_keys_switch(&statements)
        };
        let (off, on) = ("pragma foreign_keys = off", "pragma foreign_keys = on");
        assert_eq!(switch(&format!("create table a (b);{off};drop table t;{on};create index i on a (b)")), [1, 3]);
        assert_eq!(switch(&format!("{off};drop table t;{on};delete from a")), [0, 2]);
        assert_eq!(switch(&format!("commit;{off};begin;drop table t;commit;{on};begin")), [1, 5]);
        for text in [
            format!("delete from a;{off};drop table t;{on}"),
            format!("create table a (b);{off};drop table t;{on};delete from a"),
            format!("begin;{off};drop table t;commit"),
            format!("create table a (b);{on}"),
            off.to_owned(),
        ] {
            assert!(switch(&text).is_empty(), "{text}");
        }
    }

    #[test]
    fn references_are_kept_where_the_pragma_says_so() {
        let keeps = |text| keeps_references(&[Tokens::of(text, Dialect::Sqlite)]);
        assert!(keeps("pragma legacy_alter_table = on") && keeps("PRAGMA legacy_alter_table=1"));
        assert!(!keeps("pragma legacy_alter_table = off") && !keeps("pragma legacy_alter_table"));
    }

    #[test]
    fn what_deletes_or_changes_rows_minds() {
        let minds = |text| minds_foreign_keys(Tokens::of(text, Dialect::Sqlite));
        for text in [
            "drop table t",
            "delete from t",
            "update t set a = 1",
            "insert or replace into t values (1)",
            "insert into t values (1) on conflict (a) do update set b = 1",
            "replace into t values (1)",
            "with c as (select 1) delete from t",
            "pragma legacy_alter_table = on",
        ] {
            assert!(minds(text), "{text}");
        }
        for text in [
            "create table t (a references u on delete cascade)",
            "alter table t add a",
            "drop index if exists i",
            "insert into t select * from u",
            "pragma foreign_key_check",
        ] {
            assert!(!minds(text), "{text}");
        }
    }
}
