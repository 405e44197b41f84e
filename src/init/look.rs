//! Which engine a text is written for, by the words it uses. A guess, told as one.

use std::collections::BTreeSet;

use crate::sql::{Dialect, Lexer, TokenKind};

/// What speaks for each engine, and how much. MySQL is none of ours.
const WORDS: [(Whose, u32, &[&str]); 11] = [
    (Whose::Sqlite, 5, &["autoincrement", "pragma", "sqlite", "sqlite3", "sqlite_master", "sqlite_sequence"]),
    (Whose::Sqlite, 5, &["sqlite_schema", "fts5", "nocase"]),
    (Whose::Sqlite, 3, &["strftime", "rowid", "julianday", "unixepoch", "json_extract"]),
    (Whose::Sqlite, 1, &["datetime", "glob"]),
    (
        Whose::Postgres,
        5,
        &["timestamptz", "bytea", "plpgsql", "gen_random_uuid", "tsvector", "jsonb", "bigserial", "nextval"],
    ),
    (Whose::Postgres, 5, &["$$", "::", "postgres", "postgresql"]),
    (Whose::Postgres, 3, &["serial", "concurrently", "extension", "gin", "gist", "ilike", "regclass", "inet"]),
    (Whose::Postgres, 1, &["uuid", "varying", "schema", "timestamp", "owner"]),
    (Whose::Mysql, 5, &["auto_increment", "innodb", "utf8mb4"]),
    (Whose::Mysql, 2, &["charset", "engine", "unsigned"]),
    (Whose::Mysql, 1, MYSQL_TYPES),
];

/// They alone say nothing: SQLite takes any type.
const MYSQL_TYPES: &[&str] = &["longtext", "mediumtext", "tinyint"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Postgres,
    Sqlite,
    Mysql,
}

/// What speaks for each engine. A word counts once: a column may be called like another engine's type, and stand in
/// every script.
#[derive(Debug, Clone, Default)]
pub struct Look {
    words: BTreeSet<String>,
}

impl Look {
    /// Adds a text's words.
    pub fn add(&mut self, text: &str) {
        for token in Lexer::new(text, Dialect::Postgres).map_while(Result::ok) {
            let written = token.span.text(text);
            match token.kind {
                TokenKind::Word => self.words.insert(written.to_ascii_lowercase()),
                TokenKind::DollarString => self.words.insert("$$".to_owned()),
                TokenKind::Operator if written == "::" => self.words.insert(written.to_owned()),
                _ => false,
            };
        }
    }

    fn count(&self, whose: Whose) -> u32 {
        let own = WORDS.iter().filter(|(of, ..)| *of == whose);
        let counts = own.flat_map(|(_, count, words)| words.iter().map(move |word| (count, word)));
        counts.filter(|(_, word)| self.words.contains(**word)).map(|(count, _)| count).sum()
    }

    /// Returns true if the text is most likely MySQL's.
    pub fn is_mysql(&self) -> bool {
        let types = MYSQL_TYPES.iter().filter(|word| self.words.contains(**word)).count();
        let count = self.count(Whose::Mysql);
        count as usize > types && count > self.count(Whose::Postgres).max(self.count(Whose::Sqlite))
    }

    /// Returns the engine that most speaks for; `None` if nothing does.
    pub fn engine(&self) -> Option<Dialect> {
        match self.count(Whose::Postgres).cmp(&self.count(Whose::Sqlite)) {
            std::cmp::Ordering::Greater => Some(Dialect::Postgres),
            std::cmp::Ordering::Less => Some(Dialect::Sqlite),
            std::cmp::Ordering::Equal => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> Look {
        let mut look = Look::default();
        look.add(text);
        look
    }

    #[test]
    fn words_tell_the_engine() {
        assert_eq!(look("create table t (id serial, d jsonb default '{}'::jsonb)").engine(), Some(Dialect::Postgres));
        assert_eq!(look("do $$ begin end $$").engine(), Some(Dialect::Postgres));
        assert_eq!(look("create table t (id integer primary key autoincrement)").engine(), Some(Dialect::Sqlite));
        assert_eq!(look("create table t (a int); -- jsonb '::'").engine(), None);
        let often = "create table t (at bigint, timestamp int); alter table t add column timestamp_2 uuid".repeat(9);
        assert_eq!(
            look(&format!("{often}; create table u (id integer autoincrement)")).engine(),
            Some(Dialect::Sqlite)
        );
        assert!(!look("create table t (id unsigned int); pragma x").is_mysql());
        assert!(!look("create table t (seen tinyint not null default '0', body longtext)").is_mysql());
        assert!(look("CREATE TABLE t (id int unsigned AUTO_INCREMENT) ENGINE=InnoDB").is_mysql());
    }
}
