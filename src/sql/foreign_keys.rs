//! SQLite's foreign keys, which a pragma turns on and off for a whole connection.

use super::Tokens;

/// What `PRAGMA foreign_keys` sets; `None` for another statement, or where it only asks.
#[must_use]
pub fn foreign_keys_pragma(mut tokens: Tokens<'_>) -> Option<bool> {
    if !tokens.eat_words(&["pragma", "foreign_keys"]) {
        return None;
    }
    let rest = tokens.text().get(tokens.start()..)?;
    let value: String = rest.chars().take_while(|c| *c != ';').filter(|c| c.is_alphanumeric()).collect();
    match value.to_ascii_lowercase().as_str() {
        "off" | "0" | "false" | "no" => Some(false),
        "on" | "1" | "true" | "yes" => Some(true),
        _ => None,
    }
}

/// Whether a statement of SQLite's may do something else, and not just fail, where foreign keys are off.
///
/// Rows that are deleted or changed take others with them; so does `DROP TABLE`, which deletes the rows first
/// (<https://sqlite.org/foreignkeys.html#fk_schemacommands>).
#[must_use]
pub fn minds_foreign_keys(mut tokens: Tokens<'_>) -> bool {
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
