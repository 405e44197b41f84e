//! Statements that their server refuses inside a transaction.
//!
//! The tool must say so before it runs anything: the server says it in the
//! middle of a script. Each reason reads on from "… because".

use super::foreign_keys::foreign_keys_pragma;
use super::{Dialect, Span, TokenKind, Tokens};

/// Why a statement cannot run inside a transaction; `None` if it can.
///
/// For SQLite this includes pragmas that a transaction silently turns into
/// nothing (`foreign_keys`).
#[must_use]
pub fn refuses_transaction(tokens: Tokens<'_>) -> Option<&'static str> {
    match tokens.dialect() {
        Dialect::Postgres => postgres(tokens),
        Dialect::Sqlite => sqlite(tokens),
    }
}

fn postgres(mut tokens: Tokens<'_>) -> Option<&'static str> {
    let first = ["create", "drop", "reindex", "vacuum", "alter", "cluster", "discard", "repack", "do"];
    match tokens.eat_any(&first)? {
        "do" => commits_inside(tokens).then_some("a DO block that commits runs only outside a transaction"),
        "vacuum" => Some("VACUUM runs only outside a transaction"),
        "discard" => tokens.at_word("all").then_some("DISCARD ALL runs only outside a transaction"),
        "create" => create(tokens),
        "drop" => drop(tokens),
        "reindex" => reindex(tokens),
        "alter" => alter(tokens),
        "repack" => repack(tokens),
        // A table's name makes it an ordinary statement.
        _ => {
            tokens.eat_parens();
            tokens.eat_word("verbose");
            tokens.peek().is_none().then_some("CLUSTER of all tables runs only outside a transaction")
        }
    }
}

/// Whether a PL/pgSQL block ends a transaction somewhere: `COMMIT` or `ROLLBACK` where a statement begins.
fn commits_inside(mut tokens: Tokens<'_>) -> bool {
    let mut language = tokens;
    if language.skip_past("language") && !language.next_text().trim_matches('\'').eq_ignore_ascii_case("plpgsql") {
        return false;
    }
    let Some(body) = tokens.find(|token| token.kind == TokenKind::DollarString) else { return false };
    let written = body.text(tokens.text());
    let Some(tag) = written.get(1..).and_then(|rest| rest.find('$')).map(|at| at + 2) else { return false };
    if written.len() < 2 * tag {
        return false;
    }
    let inside = Span::new(body.span.start + tag, body.span.end - tag);
    let mut begins = false;
    let mut tokens = Tokens::new(tokens.text(), inside, Dialect::Postgres);
    while let Some(token) = tokens.next() {
        let is = |words: &[&str]| words.iter().any(|word| token.is_word(tokens.text(), word));
        if begins && is(&["commit", "rollback"]) {
            let at_end = tokens.peek().is_some_and(|next| next.kind == TokenKind::Semicolon);
            if at_end || tokens.at_word("and") {
                return true;
            }
        }
        begins = token.kind == TokenKind::Semicolon || is(&["begin", "then", "else", "loop"]);
    }
    false
}

fn create(mut tokens: Tokens<'_>) -> Option<&'static str> {
    tokens.eat_word("unique");
    if tokens.eat_words(&["index", "concurrently"]) {
        return Some("CREATE INDEX CONCURRENTLY runs only outside a transaction");
    }
    match tokens.eat_any(&["database", "tablespace", "subscription"])? {
        "database" => Some("CREATE DATABASE runs only outside a transaction"),
        "tablespace" => Some("CREATE TABLESPACE runs only outside a transaction"),
        _ => creates_slot(tokens).then_some("CREATE SUBSCRIPTION with a slot runs only outside a transaction"),
    }
}

/// Whether a `CREATE SUBSCRIPTION` creates its replication slot: it does unless
/// `WITH` says `create_slot = false` or `connect = false`.
fn creates_slot(mut tokens: Tokens<'_>) -> bool {
    if !tokens.skip_to_any(&["with"]) {
        return true;
    }
    tokens.next();
    while let Some(token) = tokens.next() {
        let option = token.is_word(tokens.text(), "create_slot") || token.is_word(tokens.text(), "connect");
        if option && tokens.eat_operator("=") {
            let value = tokens.next().map_or("", |token| token.text(tokens.text())).trim_matches('\'');
            if ["false", "off", "0", "no"].iter().any(|off| value.eq_ignore_ascii_case(off)) {
                return false;
            }
        }
    }
    true
}

fn drop(mut tokens: Tokens<'_>) -> Option<&'static str> {
    if tokens.eat_words(&["index", "concurrently"]) {
        return Some("DROP INDEX CONCURRENTLY runs only outside a transaction");
    }
    match tokens.eat_any(&["database", "tablespace", "subscription"])? {
        "database" => Some("DROP DATABASE runs only outside a transaction"),
        "tablespace" => Some("DROP TABLESPACE runs only outside a transaction"),
        // With `slot_name = none` it would be allowed, but only the catalog knows.
        _ => Some("DROP SUBSCRIPTION with a slot runs only outside a transaction"),
    }
}

fn reindex(mut tokens: Tokens<'_>) -> Option<&'static str> {
    const CONCURRENTLY: &str = "REINDEX CONCURRENTLY runs only outside a transaction";
    if let Some(options) = tokens.eat_parens() {
        let mut inside = Tokens::new(tokens.text(), options, Dialect::Postgres);
        if inside.skip_past("concurrently") {
            let off = inside.eat_any(&["false", "off", "no"]).is_some() || inside.next_text() == "0";
            if !off {
                return Some(CONCURRENTLY);
            }
        }
    }
    let kind = tokens.eat_any(&["index", "table", "schema", "database", "system"])?;
    match kind {
        _ if tokens.at_word("concurrently") => Some(CONCURRENTLY),
        "schema" => Some("REINDEX SCHEMA runs only outside a transaction"),
        "database" => Some("REINDEX DATABASE runs only outside a transaction"),
        "system" => Some("REINDEX SYSTEM runs only outside a transaction"),
        _ => None,
    }
}

/// PostgreSQL 19's successor of `CLUSTER` and `VACUUM FULL`.
fn repack(mut tokens: Tokens<'_>) -> Option<&'static str> {
    let options = tokens.eat_parens();
    if options.is_some_and(|options| Tokens::new(tokens.text(), options, Dialect::Postgres).has_word("concurrently")) {
        return Some("REPACK CONCURRENTLY runs only outside a transaction");
    }
    tokens.peek().is_none().then_some("REPACK of all tables runs only outside a transaction")
}

fn alter(mut tokens: Tokens<'_>) -> Option<&'static str> {
    match tokens.eat_any(&["system", "database", "table", "subscription"])? {
        "system" => Some("ALTER SYSTEM runs only outside a transaction"),
        "database" => {
            tokens.eat_name();
            tokens
                .eat_words(&["set", "tablespace"])
                .then_some("ALTER DATABASE SET TABLESPACE runs only outside a transaction")
        }
        "table" => {
            let detach =
                tokens.has_words(&["detach", "partition"]) && tokens.skip_to_any(&["concurrently", "finalize"]);
            (detach && tokens.eat_word("concurrently"))
                .then_some("DETACH PARTITION CONCURRENTLY runs only outside a transaction")
        }
        _ => {
            tokens.eat_name();
            let slot = tokens.at_word("set") && tokens.has_any(&["failover", "two_phase"]);
            let refreshes = slot
                || tokens.eat_words(&["refresh", "publication"])
                || (tokens.at_any(&["set", "add", "drop"])
                    && tokens.has_word("publication")
                    && !says_no_refresh(tokens));
            refreshes.then_some("ALTER SUBSCRIPTION that speaks to the publisher runs only outside a transaction")
        }
    }
}

fn says_no_refresh(mut tokens: Tokens<'_>) -> bool {
    tokens.skip_past("refresh") && tokens.eat_operator("=") && tokens.eat_any(&["false", "off"]).is_some()
}

fn sqlite(mut tokens: Tokens<'_>) -> Option<&'static str> {
    // Every script begins with them on: nothing is asked for that is not there.
    if foreign_keys_pragma(tokens) == Some(true) {
        return None;
    }
    match tokens.eat_any(&["vacuum", "attach", "detach", "pragma"])? {
        "vacuum" => Some("VACUUM runs only outside a transaction"),
        "attach" => Some("ATTACH belongs to the connection, not to a script's transaction"),
        "detach" => Some("DETACH runs only outside a transaction"),
        _ => {
            let (name, _) = tokens.eat_name()?;
            let sets = tokens.eat_operator("=") || tokens.at(TokenKind::OpenParen);
            match name.object() {
                "journal_mode" if sets => Some("PRAGMA journal_mode cannot change inside a transaction"),
                "foreign_keys" if sets => Some("PRAGMA foreign_keys does nothing inside a transaction"),
                "synchronous" if sets => Some("PRAGMA synchronous cannot change inside a transaction"),
                "wal_checkpoint" => Some("PRAGMA wal_checkpoint runs only outside a transaction"),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_refusals() {
        let refused = |text| refuses_transaction(Tokens::of(text, Dialect::Postgres)).is_some();
        for text in [
            "create index concurrently i on t (a)",
            "do $$ begin loop exit; end loop; commit; end $$",
            "do $x$ begin if true then rollback and chain; end if; end $x$ language plpgsql",
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
            "drop index concurrently if exists i",
            "reindex index concurrently i",
            "reindex (verbose, concurrently) table t",
            "reindex (concurrently true) table t",
            "reindex table /* x */ concurrently t",
            "reindex database d",
            "reindex system",
            "reindex (verbose) schema s",
            "vacuum",
            "vacuum (full) t",
            "alter system set x = 1",
            "create database d",
            "drop tablespace s",
            "alter database d set tablespace s",
            "cluster",
            "cluster verbose",
            "create subscription s connection 'c' publication p",
            "create subscription s connection 'c' publication p with (copy_data = false)",
            "drop subscription if exists s",
            "alter subscription s refresh publication",
            "alter table t detach partition p concurrently",
            "alter subscription s set (failover = true)",
            "discard all",
            "repack (concurrently) t",
            "repack",
        ] {
            assert!(refused(text), "{text}");
        }
        for text in [
            "create index i on t (concurrently)",
            "create index \"concurrently\" on t (a)",
            "drop index i",
            "reindex index i",
            "reindex (concurrently false) table t",
            "reindex (concurrently 0) table t",
            "alter database d set work_mem = '1MB'",
            "cluster t",
            "cluster verbose t using i",
            "create subscription s connection 'c' publication p with (create_slot = false)",
            "create subscription s connection 'c' publication p with (connect = 'false', enabled = false)",
            "alter subscription s disable",
            "alter subscription s set publication p with (refresh = false)",
            "alter table t detach partition p",
            "alter table t detach partition p finalize",
            "analyze t",
            "discard plans",
            "repack t",
            "alter subscription s set (slot_name = none)",
            "do $$ begin perform commit(); raise 'commit;'; end $$",
            "do language sql $$ commit; $$",
            "do $$ begin null; end $$",
        ] {
            assert!(!refused(text), "{text}");
        }
    }

    #[test]
    fn sqlite_refusals() {
        let refused = |text| refuses_transaction(Tokens::of(text, Dialect::Sqlite)).is_some();
        for text in [
            "VACUUM",
            "vacuum into 'x'",
            "attach 'f' as a",
            "detach database a",
            "pragma journal_mode = wal",
            "pragma main.journal_mode(wal)",
            "PRAGMA foreign_keys=OFF",
            "pragma wal_checkpoint",
        ] {
            assert!(refused(text), "{text}");
        }
        for text in
            ["pragma foreign_keys", "pragma foreign_keys = ON", "pragma user_version = 3", "create table vacuum (a)"]
        {
            assert!(!refused(text), "{text}");
        }
    }
}
