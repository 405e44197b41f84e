//! Statements that begin, end or depend on a transaction.

use super::{Dialect, Tokens};

/// What a statement does to the transaction around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionControl {
    /// Begins one.
    Begin,
    /// Ends one and keeps its work.
    Commit,
    /// Ends one and undoes its work.
    Rollback,
    /// Ends one in another way: `PREPARE TRANSACTION`, `COMMIT PREPARED`.
    Other,
}

/// Whether a statement begins or ends a transaction. Savepoints do neither.
#[must_use]
pub fn transaction_control(mut tokens: Tokens<'_>) -> Option<TransactionControl> {
    let postgres = tokens.dialect() == Dialect::Postgres;
    let control = match tokens.eat_any(&["begin", "start", "commit", "end", "rollback", "abort", "prepare"])? {
        "begin" => TransactionControl::Begin,
        "start" if postgres && tokens.at_word("transaction") => TransactionControl::Begin,
        "commit" | "rollback" if postgres && tokens.at_word("prepared") => TransactionControl::Other,
        "commit" | "end" => TransactionControl::Commit,
        "rollback" | "abort" => {
            tokens.eat_any(&["work", "transaction"]);
            if tokens.eat_word("to") {
                return None;
            }
            TransactionControl::Rollback
        }
        "prepare" if postgres && tokens.at_word("transaction") => {
            // `PREPARE transaction AS …` is a prepared statement of that name.
            tokens.next();
            if tokens.at_word("as") || tokens.eat_parens().is_some() {
                return None;
            }
            TransactionControl::Other
        }
        _ => return None,
    };
    // SQLite has no ABORT; there it would be a syntax error like any other.
    Some(control)
}

/// Whether a statement may commit by itself when no transaction is around it:
/// `CALL` and `DO` of PostgreSQL.
#[must_use]
pub fn may_commit(tokens: Tokens<'_>) -> bool {
    tokens.dialect() == Dialect::Postgres && tokens.at_any(&["call", "do"])
}

/// Why further scripts must not share a transaction with this statement.
///
/// A statement like this is fine in a script's own transaction; in one that
/// several scripts share its effect would reach beyond its script.
#[must_use]
pub fn fusion_barrier(mut tokens: Tokens<'_>) -> Option<&'static str> {
    let all = tokens;
    if tokens.dialect() == Dialect::Sqlite {
        let deferred = all.has_word("deferred") || tokens.eat_words(&["pragma", "defer_foreign_keys"]);
        return deferred.then_some("constraints are checked when the transaction ends");
    }
    if tokens.eat_words(&["alter", "type"]) && all.has_words(&["add", "value"]) {
        return Some("the new value cannot be used before the transaction ends");
    }
    if tokens.eat_words(&["set", "constraints"])
        || all.has_word("deferrable")
        || all.has_words(&["initially", "deferred"])
    {
        return Some("constraints are checked when the transaction ends");
    }
    if tokens.eat_words(&["set", "local"]) || tokens.eat_words(&["set", "transaction"]) {
        return Some("the setting holds until the transaction ends");
    }
    if tokens.eat_word("lock") {
        return Some("the lock is held until the transaction ends");
    }
    if all.has_words(&["on", "commit"]) {
        return Some("temporary rows or tables go when the transaction ends");
    }
    let head = all;
    if head.at_any(&["savepoint", "notify", "declare", "fetch"]) {
        return Some("its effect is tied to the transaction");
    }
    all.has_word("pg_advisory_xact_lock").then_some("the lock is held until the transaction ends")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(text: &str) -> Option<TransactionControl> {
        transaction_control(Tokens::of(text, Dialect::Postgres))
    }

    #[test]
    fn control_is_told_from_savepoints() {
        use TransactionControl::{Begin, Commit, Other, Rollback};
        for (text, expected) in [
            ("BEGIN", Some(Begin)),
            ("begin isolation level serializable", Some(Begin)),
            ("start transaction", Some(Begin)),
            ("/* x */ commit and chain", Some(Commit)),
            ("end", Some(Commit)),
            ("rollback", Some(Rollback)),
            ("abort work", Some(Rollback)),
            ("rollback to savepoint a", None),
            ("rollback work to a", None),
            ("rollback prepared 'x'", Some(Other)),
            ("commit prepared 'x'", Some(Other)),
            ("prepare transaction 'x'", Some(Other)),
            ("prepare q as select 1", None),
            ("prepare transaction as select 1", None),
            ("savepoint a", None),
            ("release a", None),
            ("\"begin\"", None),
            ("select 'begin'", None),
        ] {
            assert_eq!(control(text), expected, "{text}");
        }
        assert_eq!(transaction_control(Tokens::of("begin immediate", Dialect::Sqlite)), Some(Begin));
    }

    #[test]
    fn barriers() {
        let barrier = |text| fusion_barrier(Tokens::of(text, Dialect::Postgres)).is_some();
        for text in [
            "alter type s.t add value 'x'",
            "set constraints all deferred",
            "create table t (a int references u deferrable initially deferred)",
            "set local role x",
            "lock table t",
            "create temp table t (a int) on commit drop",
        ] {
            assert!(barrier(text), "{text}");
        }
        for text in ["alter type t rename to u", "set role x", "create table t (a int)", "select 'on commit'"] {
            assert!(!barrier(text), "{text}");
        }
        assert!(may_commit(Tokens::of("call p()", Dialect::Postgres)));
        assert!(!may_commit(Tokens::of("select 1", Dialect::Postgres)));
    }
}
