//! What of a build reaches out of its database: such a build is never run beside the target's own database, where
//! `alter database shop …` in a scratch database would change the real one.
//!
//! Judged by words, those inside strings and bodies too: `execute format('alter database %I …')` counts. Roles do
//! not, since the build makes them on the target's server anyway.

use std::collections::BTreeSet;

use super::load::{Reading, load};
use super::{Checkout, SeedForm, discover};
use crate::project::{Layout, Project};
use crate::sql::{Dialect, Lexer, TokenKind};

/// Two words that stand one after the other.
const PAIRS: &[(&str, &str)] = &[
    ("alter", "database"),
    ("create", "database"),
    ("drop", "database"),
    ("on", "database"),
    ("reindex", "database"),
    ("alter", "system"),
    ("create", "tablespace"),
    ("alter", "tablespace"),
    ("drop", "tablespace"),
    ("on", "tablespace"),
    ("create", "subscription"),
    ("alter", "subscription"),
    ("drop", "subscription"),
    ("create", "server"),
    ("to", "program"),
    ("from", "program"),
    ("cron", "schedule"),
    ("cron", "schedule_in_database"),
    ("cron", "unschedule"),
];

/// Words that lead out wherever they stand: other servers, other sessions, files, languages that may do anything.
const WORDS: &[&str] = &[
    "dblink",
    "dblink_connect",
    "dblink_connect_u",
    "dblink_exec",
    "http_get",
    "http_post",
    "http_put",
    "http_delete",
    "lo_export",
    "pg_cancel_backend",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_create_restore_point",
    "pg_drop_replication_slot",
    "pg_file_write",
    "pg_promote",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_switch_wal",
    "pg_terminate_backend",
    "plperlu",
    "plpython3u",
    "plpythonu",
    "plsh",
    "pltclu",
];

/// Returns the first thing that reaches out, with its file and line, of whatever the project has for this engine.
pub fn of_project(project: &Project, dialect: Dialect) -> Option<String> {
    // What cannot be discovered is told by whoever builds it.
    discover(project, dialect).ok().and_then(|checkout| out(project, &checkout))
}

/// Returns the first thing that reaches out, with its file and line: `db/0007_tune.sql:3: alter system`.
pub fn out(project: &Project, checkout: &Checkout) -> Option<String> {
    files(project, checkout).find_map(|(file, layout)| of_file(project, checkout.dialect, &file, layout))
}

/// Returns the files whose texts run.
fn files(project: &Project, checkout: &Checkout) -> impl Iterator<Item = (String, Option<Layout>)> {
    let scripts = checkout.scripts.iter().map(|script| (script.file.as_str(), Some(project.layout())));
    let code = checkout.code.iter().map(|source| (source.file.as_str(), None));
    let seeds = checkout.seeds.iter().chain(&checkout.test_data);
    let seeds = seeds.filter(|seed| seed.form == SeedForm::Sql).map(|seed| (seed.source.file.as_str(), None));
    let found = scripts.chain(code).chain(seeds).map(|(file, layout)| (file.to_owned(), layout));
    // What a base makes, its scripts may not be there to tell.
    let base = checkout.base.iter().flat_map(|base| base.files.keys().map(|file| format!("{}/{file}", base.folder)));
    let base = base.filter(|file| file.ends_with(".sql")).map(|file| (file, None));
    found.chain(base)
}

fn text_of(project: &Project, dialect: Dialect, file: &str, layout: Option<Layout>) -> Option<String> {
    // A text whose variables have no value yet is read as it is written.
    match load(project, file, Reading { dialect, layout, variables: None }) {
        Ok(loaded) => Some(loaded.text.as_str().to_owned()),
        Err(_) => Some(String::from_utf8_lossy(&project.files.read(file).ok()?).into_owned()),
    }
}

fn of_file(project: &Project, dialect: Dialect, file: &str, layout: Option<Layout>) -> Option<String> {
    let text = text_of(project, dialect, file, layout)?;
    let (line, what) = find(&text, dialect, PAIRS, WORDS)?;
    Some(format!("{file}:{line}: {what}"))
}

/// Returns true for a text that makes roles, which are the server's and not the database's.
pub fn makes_roles(text: &str, dialect: Dialect) -> bool {
    find(text, dialect, &[("create", "role"), ("create", "user"), ("create", "group")], &[]).is_some()
}

/// Returns every word of the texts that make roles: names of roles among them.
pub fn role_names(project: &Project, dialect: Dialect) -> BTreeSet<String> {
    let Ok(checkout) = discover(project, dialect) else { return BTreeSet::new() };
    let texts = files(project, &checkout).filter_map(|(file, layout)| text_of(project, dialect, &file, layout));
    texts.filter(|text| makes_roles(text, dialect)).flat_map(|text| words(&text)).collect()
}

/// Returns true if a text has a word in it, as those have that name a role.
pub fn names(project: &Project, dialect: Dialect, role: &str) -> bool {
    let Ok(checkout) = discover(project, dialect) else { return true };
    let mut texts = files(project, &checkout).filter_map(|(file, layout)| text_of(project, dialect, &file, layout));
    texts.any(|text| text.contains(role) || words(&text).contains(role))
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '-')));
    // What is not quoted is folded.
    words.filter(|word| !word.is_empty()).flat_map(|word| [word.to_owned(), word.to_lowercase()]).collect()
}

/// Returns the first words of a text that lead out of its database.
pub fn of_text(text: &str, dialect: Dialect) -> Option<String> {
    find(text, dialect, PAIRS, WORDS).map(|(_, what)| what)
}

/// Returns what of a text no rollback takes back: what leads out of its database, and numbers that sequences are set to.
pub fn out_of_a_transaction(text: &str, dialect: Dialect) -> Option<String> {
    of_text(text, dialect).or_else(|| find(text, dialect, &[], &["setval"]).map(|(_, what)| what))
}

/// Returns the first of these words, and their line.
fn find(text: &str, dialect: Dialect, pairs: &[(&str, &str)], words: &[&str]) -> Option<(usize, String)> {
    let mut before = String::new();
    for token in Lexer::new(text, dialect) {
        // What cannot be lexed is told when the file is cut.
        let Ok(token) = token else { return None };
        let written = token.span.text(text);
        let inside = match token.kind {
            TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::UnicodeIdentifier => true,
            kind => kind.is_string(),
        };
        if !inside {
            if token.kind == TokenKind::Semicolon {
                before.clear();
            }
            continue;
        }
        for word in written.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()) {
            let word = word.to_ascii_lowercase();
            let found = if words.contains(&word.as_str()) {
                Some(word.clone())
            } else {
                pairs.contains(&(before.as_str(), word.as_str())).then(|| format!("{before} {word}"))
            };
            if let Some(found) = found {
                let start = token.span.start;
                return Some((1 + text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count(), found));
            }
            before = word;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{PAIRS, WORDS, find};
    use crate::sql::Dialect;

    fn reaches(text: &str) -> Option<String> {
        find(text, Dialect::Postgres, PAIRS, WORDS).map(|(line, what)| format!("{line}: {what}"))
    }

    #[test]
    fn what_leads_out_is_found_in_statements_bodies_and_strings() {
        for (text, what) in [
            ("select 1;\nalter  DATABASE shop set work_mem = '1MB'", "2: alter database"),
            (
                "do $$ begin\n execute format('alter database %I reset all', current_database()); end $$",
                "1: alter database",
            ),
            ("alter system /* now */ set x = 1", "1: alter system"),
            ("create tablespace fast location '/x'", "1: create tablespace"),
            ("create subscription s connection 'x' publication p", "1: create subscription"),
            ("grant connect on database shop to app", "1: on database"),
            ("select * from dblink('dbname=shop', 'select 1') as t (a int)", "1: dblink"),
            ("select \"pg_terminate_backend\"(1)", "1: pg_terminate_backend"),
            ("copy t to program 'mail'", "1: to program"),
            ("select cron.schedule('x', '* * * * *', 'vacuum')", "1: cron schedule"),
        ] {
            assert_eq!(reaches(text).as_deref(), Some(what), "{text}");
        }
    }

    #[test]
    fn what_stays_inside_does_not_count() {
        for text in [
            "-- alter system set x = 1\ncreate table t (a int) tablespace fast",
            "create role app; grant select on t to app; alter role app set search_path = x",
            "select current_database(); create table database (alter_system int)",
            "select 'alter'; select 'system'",
            "create extension dblink_like; create publication p for table t",
        ] {
            assert_eq!(reaches(text), None, "{text}");
        }
    }
}
