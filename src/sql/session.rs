//! Statements whose effect stays with the session, not with the database.
//!
//! A script that resumes in a new session needs them again (settings) or cannot
//! have them at all (objects that died with the old session).

use super::{Dialect, Head, Tokens, Verb};

/// How long a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionSetting {
    /// Until the session ends: `SET`, `RESET`, `SET ROLE`, `set_config(…)`.
    Session,
    /// Until the transaction ends: `SET LOCAL`.
    Local,
    /// `SET CONSTRAINTS`.
    Constraints,
    /// `SET TRANSACTION`; but `SET SESSION CHARACTERISTICS` is for the session.
    Transaction,
}

/// Whether a statement changes a setting, and for how long.
#[must_use]
pub fn session_setting(mut tokens: Tokens<'_>) -> Option<SessionSetting> {
    if tokens.dialect() == Dialect::Sqlite {
        return pragma(tokens);
    }
    match Verb::read(&mut tokens) {
        Verb::Set => match tokens.eat_any(&["local", "constraints", "transaction"]) {
            // `SET local = 1` would be a setting called `local`, which cannot be.
            Some("local") => Some(SessionSetting::Local),
            Some("constraints") => Some(SessionSetting::Constraints),
            Some(_) => Some(SessionSetting::Transaction),
            None => Some(SessionSetting::Session),
        },
        Verb::Reset => Some(SessionSetting::Session),
        Verb::Discard => tokens.at_word("all").then_some(SessionSetting::Session),
        Verb::Select => set_config(tokens),
        _ => None,
    }
}

/// Pragmas that hold for a connection and are not written into the database.
const CONNECTION_PRAGMAS: &[&str] = &[
    "analysis_limit",
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "cache_spill",
    "case_sensitive_like",
    "cell_size_check",
    "checkpoint_fullfsync",
    "foreign_keys",
    "fullfsync",
    "hard_heap_limit",
    "ignore_check_constraints",
    "journal_mode",
    "journal_size_limit",
    "legacy_alter_table",
    "locking_mode",
    "mmap_size",
    "query_only",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "soft_heap_limit",
    "synchronous",
    "temp_store",
    "threads",
    "trusted_schema",
    "wal_autocheckpoint",
    "writable_schema",
];

fn pragma(mut tokens: Tokens<'_>) -> Option<SessionSetting> {
    let name = tokens.eat_word("pragma").then(|| tokens.eat_name()).flatten()?.0;
    // Without a value it only asks.
    tokens.peek()?;
    match name.object() {
        "defer_foreign_keys" => Some(SessionSetting::Local),
        name => CONNECTION_PRAGMAS.contains(&name).then_some(SessionSetting::Session),
    }
}

/// `SELECT set_config(name, value, is_local)`, also as one of several columns.
fn set_config(mut tokens: Tokens<'_>) -> Option<SessionSetting> {
    let text = tokens.text();
    let mut setting = None;
    while let Some(token) = tokens.next() {
        if !token.is_word(text, "set_config") {
            continue;
        }
        let Some(arguments) = tokens.eat_parens() else { continue };
        let last =
            Tokens::new(text, arguments, Dialect::Postgres).fold((None, None), |(_, last), token| (last, Some(token)));
        let local = last.0.is_some_and(|token| {
            let value = token.text(text).trim_matches('\'');
            ["true", "t", "on", "1", "yes"].iter().any(|on| value.eq_ignore_ascii_case(on))
        });
        match (local, setting) {
            (true, None) => setting = Some(SessionSetting::Local),
            (true, Some(_)) => {}
            (false, _) => setting = Some(SessionSetting::Session),
        }
    }
    setting
}

/// What a statement makes that dies with the session; `None` if it makes none.
#[must_use]
pub fn session_object(tokens: Tokens<'_>) -> Option<&'static str> {
    let head = Head::of(tokens);
    match head.verb {
        Verb::Create if head.temporary => Some("a temporary object"),
        Verb::Attach if tokens.dialect() == Dialect::Sqlite => Some("an attached database"),
        _ if tokens.dialect() == Dialect::Sqlite => None,
        Verb::Create if tokens.has_words(&["on", "commit"]) => Some("a temporary object"),
        Verb::Prepare if !tokens.has_words(&["prepare", "transaction"]) => Some("a prepared statement"),
        Verb::Listen => Some("a subscription to notifications"),
        Verb::Declare => Some("a cursor"),
        Verb::Load => Some("a loaded library"),
        Verb::Select if selects_into_temporary(tokens) => Some("a temporary object"),
        Verb::Select if takes_session_lock(tokens) => Some("an advisory lock"),
        _ => None,
    }
}

fn selects_into_temporary(mut tokens: Tokens<'_>) -> bool {
    while tokens.skip_to_any(&["into"]) {
        tokens.next();
        tokens.eat_any(&["global", "local"]);
        if tokens.at_any(&["temp", "temporary"]) {
            return true;
        }
    }
    false
}

fn takes_session_lock(tokens: Tokens<'_>) -> bool {
    let names = ["pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared"];
    tokens.has_any(&names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        use SessionSetting::{Constraints, Local, Session, Transaction};
        for (text, expected) in [
            ("set search_path = a, b", Some(Session)),
            ("SET SESSION AUTHORIZATION x", Some(Session)),
            ("set role x", Some(Session)),
            ("set session characteristics as transaction read only", Some(Session)),
            ("set local lock_timeout = 1", Some(Local)),
            ("set constraints all deferred", Some(Constraints)),
            ("set transaction read only", Some(Transaction)),
            ("reset all", Some(Session)),
            ("select pg_catalog.set_config('search_path', '', false)", Some(Session)),
            ("select set_config('a.b', 'c', true)", Some(Local)),
            ("select set_config('a.b', 'c', 'f'), set_config('a.c', 'c', true)", Some(Session)),
            ("select 'set_config(1)'", None),
            ("update t set a = 1", None),
        ] {
            assert_eq!(session_setting(Tokens::of(text, Dialect::Postgres)), expected, "{text}");
        }
        for (text, expected) in [
            ("pragma foreign_keys = off", Some(Session)),
            ("PRAGMA main.Cache_Size(-2000)", Some(Session)),
            ("pragma foreign_keys", None),
            ("pragma user_version = 3", None),
            ("pragma table_info(t)", None),
            ("pragma defer_foreign_keys = on", Some(Local)),
        ] {
            assert_eq!(session_setting(Tokens::of(text, Dialect::Sqlite)), expected, "{text}");
        }
    }

    #[test]
    fn objects() {
        let object = |text| session_object(Tokens::of(text, Dialect::Postgres));
        for text in [
            "create temp table t (a int)",
            "create local temporary table t (a int)",
            "create table pg_temp.t (a int)",
            "create or replace temporary view v as select 1",
            "select 1 as a into temp t",
            "prepare q as select 1",
            "listen c",
            "declare c cursor with hold for select 1",
            "select pg_advisory_lock(1)",
        ] {
            assert!(object(text).is_some(), "{text}");
        }
        for text in
            ["create table temp (a int)", "prepare transaction 'x'", "select 1 into t", "insert into temp values (1)"]
        {
            assert_eq!(object(text), None, "{text}");
        }
        assert!(session_object(Tokens::of("create temp table t (a)", Dialect::Sqlite)).is_some());
    }
}
