//! Statements that begin, end or depend on a transaction.

use super::{Dialect, SessionSetting, Tokens, Verb, session_setting};

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

/// How the statements of a script that control a transaction pair up, where they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionPairs {
    /// `BEGIN … COMMIT`, once or several times: a transaction of the script's own.
    Around,
    /// `COMMIT … BEGIN`: a step out of the transaction that its author's runner opened, and into a new one.
    Between,
    /// `COMMIT` alone, once or several times: a step out of that transaction for good. PostgreSQL takes a second one
    /// with a warning.
    Out,
}

/// The pairs that these make, taken in the order of the script; `None` if one is alone or has another partner.
#[must_use]
pub fn transaction_pairs(controls: &[TransactionControl]) -> Option<TransactionPairs> {
    let all = |first, second| controls.chunks(2).all(|pair| pair == [first, second]);
    match controls {
        [] => None,
        _ if all(TransactionControl::Begin, TransactionControl::Commit) => Some(TransactionPairs::Around),
        _ if all(TransactionControl::Commit, TransactionControl::Begin) => Some(TransactionPairs::Between),
        _ if controls.iter().all(|control| *control == TransactionControl::Commit) => Some(TransactionPairs::Out),
        _ => None,
    }
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

/// How a transaction sees what others do meanwhile, where a script asks for more than the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// One snapshot for all of its statements.
    RepeatableRead,
    /// As if there were no others.
    Serializable,
}

impl Isolation {
    /// Returns its name in SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RepeatableRead => "repeatable read",
            Self::Serializable => "serializable",
        }
    }
}

/// What `BEGIN ISOLATION LEVEL …` or `SET TRANSACTION ISOLATION LEVEL …` asks for.
#[must_use]
pub fn isolation(mut tokens: Tokens<'_>) -> Option<Isolation> {
    if tokens.dialect() != Dialect::Postgres {
        return None;
    }
    match tokens.eat_any(&["begin", "start", "set"])? {
        "begin" => {}
        _ if tokens.at_word("transaction") => {}
        _ => return None,
    }
    while tokens.peek().is_some() {
        if tokens.eat_words(&["isolation", "level"]) {
            return match tokens.eat_any(&["repeatable", "serializable"])? {
                "repeatable" => Some(Isolation::RepeatableRead),
                _ => Some(Isolation::Serializable),
            };
        }
        tokens.next();
    }
    None
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
/// several scripts share its effect would reach beyond its script. This is an
/// estimate: a deferred constraint of an earlier script cannot be seen here.
#[must_use]
pub fn fusion_barrier(tokens: Tokens<'_>) -> Option<&'static str> {
    const DEFERRED: &str = "constraints are checked when the transaction ends";
    let mut rest = tokens;
    match Verb::read(&mut rest) {
        // Only the verbs that can have such words are read to their end.
        Verb::Create | Verb::Alter => {
            if rest.at_word("type") && rest.has_words(&["add", "value"]) {
                return Some("the new value cannot be used before the transaction ends");
            }
            if rest.has_any(&["deferrable", "deferred"]) {
                return Some(DEFERRED);
            }
            rest.has_words(&["on", "commit"]).then_some("temporary rows or tables go when the transaction ends")
        }
        Verb::Set if rest.at_word("constraints") => Some(DEFERRED),
        Verb::Set if rest.at_any(&["local", "transaction"]) => Some("the setting holds until the transaction ends"),
        Verb::Select if session_setting(tokens) == Some(SessionSetting::Local) => {
            Some("the setting holds until the transaction ends")
        }
        Verb::Select if rest.has_any(TRANSACTION_LOCKS) => Some("the lock is held until the transaction ends"),
        Verb::Pragma if rest.at_word("defer_foreign_keys") => Some(DEFERRED),
        Verb::Lock => Some("the lock is held until the transaction ends"),
        Verb::Savepoint | Verb::Declare | Verb::Notify => Some("its effect is tied to the transaction"),
        _ => None,
    }
}

/// Functions whose advisory locks end with the transaction.
const TRANSACTION_LOCKS: &[&str] = &[
    "pg_advisory_xact_lock",
    "pg_advisory_xact_lock_shared",
    "pg_try_advisory_xact_lock",
    "pg_try_advisory_xact_lock_shared",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_may_ask_for_more_isolation() {
        let of = |text| isolation(Tokens::of(text, Dialect::Postgres));
        assert_eq!(of("begin isolation level serializable"), Some(Isolation::Serializable));
        assert_eq!(
            of("start transaction read write, isolation level repeatable read"),
            Some(Isolation::RepeatableRead)
        );
        assert_eq!(of("set transaction isolation level repeatable read"), Some(Isolation::RepeatableRead));
        assert_eq!(of("set transaction isolation level read committed"), None);
        assert_eq!(of("set isolation level serializable"), None);
        assert_eq!(of("begin"), None);
    }

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
            "select set_config('a', 'b', true)",
            "with a as (select 1) select pg_advisory_xact_lock(1) from a",
        ] {
            assert!(barrier(text), "{text}");
        }
        for text in [
            "alter type t rename to u",
            "set role x",
            "create table t (a int)",
            "select 'on commit'",
            "insert into t (deferred) values (1)",
        ] {
            assert!(!barrier(text), "{text}");
        }
        assert!(may_commit(Tokens::of("call p()", Dialect::Postgres)));
        assert!(!may_commit(Tokens::of("select 1", Dialect::Postgres)));
    }
}
