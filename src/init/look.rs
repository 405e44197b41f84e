//! Which engine a text is written for, by the words it uses. A guess, told as one.

use crate::sql::{Dialect, Lexer, TokenKind};

/// How much speaks for each engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// For PostgreSQL.
    pub postgres: u32,
    /// For SQLite.
    pub sqlite: u32,
    /// For MySQL, which is none of ours.
    pub mysql: u32,
}

impl Look {
    /// Adds a text's words.
    pub fn add(&mut self, text: &str) {
        for token in Lexer::new(text, Dialect::Postgres).map_while(Result::ok) {
            let written = token.span.text(text);
            match token.kind {
                TokenKind::Word => self.word(&written.to_ascii_lowercase()),
                TokenKind::DollarString => self.postgres += 4,
                TokenKind::Operator if written == "::" => self.postgres += 4,
                _ => {}
            }
        }
    }

    fn word(&mut self, word: &str) {
        match word {
            "autoincrement" | "pragma" | "sqlite_master" | "sqlite_sequence" | "sqlite_schema" | "fts5" | "nocase" => {
                self.sqlite += 5
            }
            "strftime" | "rowid" | "julianday" | "unixepoch" | "json_extract" => self.sqlite += 3,
            "datetime" | "glob" => self.sqlite += 1,
            "timestamptz" | "bytea" | "plpgsql" | "gen_random_uuid" | "tsvector" | "jsonb" | "bigserial"
            | "nextval" => {
                self.postgres += 5;
            }
            "serial" | "concurrently" | "extension" | "gin" | "gist" | "ilike" | "regclass" | "inet" => {
                self.postgres += 3
            }
            "uuid" | "varying" | "schema" | "timestamp" | "owner" | "bigint" => self.postgres += 1,
            "auto_increment" | "innodb" | "utf8mb4" | "longtext" | "mediumtext" | "unsigned" => self.mysql += 5,
            "charset" | "tinyint" | "engine" => self.mysql += 2,
            _ => {}
        }
    }

    /// Returns true if the text is most likely MySQL's.
    pub fn is_mysql(self) -> bool {
        self.mysql > self.postgres.max(self.sqlite)
    }

    /// Returns the engine that most speaks for; `None` if nothing does.
    pub fn engine(self) -> Option<Dialect> {
        match self.postgres.cmp(&self.sqlite) {
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
        assert!(look("CREATE TABLE t (id int unsigned AUTO_INCREMENT) ENGINE=InnoDB").is_mysql());
    }
}
