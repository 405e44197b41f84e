//! Indexes that are built, rebuilt or dropped `CONCURRENTLY`.
//!
//! Such a statement that is interrupted leaves an INVALID index behind, which
//! `IF NOT EXISTS` then takes for a good one; who resumes has to know its name.

use super::{Dialect, Head, Kind, Name, Tokens, Verb};

/// A statement that works on indexes concurrently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConcurrentIndex {
    /// `CREATE INDEX CONCURRENTLY`.
    Create {
        /// The index; unnamed ones get a name from the server.
        index: Option<Name>,
        /// Its table.
        table: Option<Name>,
    },
    /// `DROP INDEX CONCURRENTLY`.
    Drop {
        /// The index.
        index: Name,
    },
    /// `REINDEX … CONCURRENTLY`. It leaves `<index>_ccnew` behind.
    Reindex {
        /// An index, a table, a schema or a database.
        kind: Kind,
        /// Its name; a database's may be missing.
        name: Option<Name>,
    },
}

/// What a statement does concurrently; `None` if it does not.
#[must_use]
pub fn concurrent_index(tokens: Tokens<'_>) -> Option<ConcurrentIndex> {
    if tokens.dialect() != Dialect::Postgres {
        return None;
    }
    let head = Head::of(tokens);
    match (head.verb, head.kind?) {
        (Verb::Create, Kind::Index) if head.concurrently => {
            Some(ConcurrentIndex::Create { index: head.name, table: head.table })
        }
        (Verb::Drop, Kind::Index) if head.concurrently => Some(ConcurrentIndex::Drop { index: head.name? }),
        (Verb::Reindex, kind) if super::refuses_transaction(tokens).is_some() => {
            let concurrently = head.concurrently || tokens.has_word("concurrently");
            concurrently.then_some(ConcurrentIndex::Reindex { kind, name: head.name })
        }
        _ => None,
    }
}

/// The index and the table of a `CREATE INDEX CONCURRENTLY`. An index is in its
/// table's schema, whatever the search path.
#[must_use]
pub fn index_of_create_concurrently(tokens: Tokens<'_>) -> Option<(Option<Name>, Name)> {
    match concurrent_index(tokens)? {
        ConcurrentIndex::Create { index, table } => Some((index, table?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        let found = |text| concurrent_index(Tokens::of(text, Dialect::Postgres));
        let name = |parts: &[&str]| Name::new(parts.iter().copied());
        assert_eq!(
            found("create unique index concurrently if not exists \"I\" on only S.t using btree (a)"),
            Some(ConcurrentIndex::Create { index: Some(name(&["I"])), table: Some(name(&["s", "t"])) })
        );
        assert_eq!(
            found("create index concurrently on t (a)"),
            Some(ConcurrentIndex::Create { index: None, table: Some(name(&["t"])) })
        );
        assert_eq!(
            found("reindex (concurrently) index s.i"),
            Some(ConcurrentIndex::Reindex { kind: Kind::Index, name: Some(name(&["s", "i"])) })
        );
        assert_eq!(found("drop index concurrently if exists i"), Some(ConcurrentIndex::Drop { index: name(&["i"]) }));
        assert_eq!(found("create index i on t (a)"), None);
        assert_eq!(found("reindex (concurrently off) index i"), None);
        let both = index_of_create_concurrently(Tokens::of("create index concurrently i on t (a)", Dialect::Postgres));
        assert_eq!(both, Some((Some(name(&["i"])), name(&["t"]))));
    }
}
