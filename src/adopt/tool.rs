//! The journals of other tools: up to which version a database is, as they have it.

use crate::build::{Checkout, Refusal};
use crate::engine::Session;
use crate::error::Error;
use crate::script::{Script, Version};

/// A tool whose journal can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Tool {
    GolangMigrate,
    Dbmate,
    Goose,
    Sqlx,
    Diesel,
    Refinery,
    Flyway,
    Rails,
}

/// Where a tool keeps its journal.
struct Place {
    tool: Tool,
    name: &'static str,
    table: &'static str,
    column: &'static str,
    /// Which rows are done.
    done: &'static str,
    /// True if the journal has the newest version only.
    newest_only: bool,
}

const PLACES: [Place; 8] = [
    place(Tool::GolangMigrate, "golang-migrate", "schema_migrations", "version", "not dirty", true),
    place(Tool::Dbmate, "dbmate", "schema_migrations", "version", "1 = 1", false),
    place(Tool::Goose, "goose", "goose_db_version", "version_id", "is_applied and version_id > 0", false),
    place(Tool::Sqlx, "sqlx", "_sqlx_migrations", "version", "success", false),
    place(Tool::Diesel, "diesel", "__diesel_schema_migrations", "version", "1 = 1", false),
    place(Tool::Refinery, "refinery", "refinery_schema_history", "version", "1 = 1", false),
    place(Tool::Flyway, "flyway", "flyway_schema_history", "version", "success and version is not null", false),
    place(Tool::Rails, "rails", "schema_migrations", "version", "1 = 1", false),
];

/// Tables that tools keep their journals in, those whose versions cannot be read here too.
const OTHERS: [&str; 7] = [
    "alembic_version",
    "databasechangelog",
    "databasechangeloglock",
    "schemaversions",
    "ar_internal_metadata",
    "__drizzle_migrations",
    "_prisma_migrations",
];

const fn place(
    tool: Tool,
    name: &'static str,
    table: &'static str,
    column: &'static str,
    done: &'static str,
    newest_only: bool,
) -> Place {
    Place { tool, name, table, column, done, newest_only }
}

impl Tool {
    /// Returns the names of all, as `--tool` takes them.
    pub fn names() -> String {
        PLACES.iter().map(|place| place.name).collect::<Vec<_>>().join("|")
    }

    /// Returns every table that a tool keeps a journal in.
    pub fn tables() -> impl Iterator<Item = &'static str> {
        PLACES.iter().map(|place| place.table).chain(OTHERS)
    }
}

impl std::str::FromStr for Tool {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = PLACES.iter().find(|place| place.name == text);
        found.map(|place| place.tool).ok_or_else(|| format!("known are {}", Self::names()))
    }
}

/// Reads the version of the newest script that a tool has as done. What it has and the checkout has not, and the
/// other way round, is refused: then nobody knows what the database is.
pub fn version(tool: Tool, session: &mut dyn Session, checkout: &Checkout) -> Result<Version, Error> {
    let Some(place) = PLACES.iter().find(|place| place.tool == tool) else {
        return Err(Refusal::new("adopt/tool", "this tool's journal cannot be read").into());
    };
    let Some(done) = session.foreign(place.table, place.column, place.done)? else {
        return Err(Refusal::new(
            "adopt/no-tool",
            format!("there is no table {}: {} was not here", place.table, place.name),
        )
        .hint("say the version: `dbbuild adopt --to VERSION`")
        .into());
    };
    let all = session.foreign(place.table, place.column, "1 = 1")?.unwrap_or_default();
    if done.is_empty() && place.newest_only && !all.is_empty() {
        return Err(Refusal::new(
            "adopt/tool-dirty",
            format!("{} has version {} as half-done", place.name, all.join(", ")),
        )
        .hint("bring it in order with that tool first")
        .into());
    }
    let done: Vec<String> = done.iter().map(|version| digits(version)).collect();
    let is_done =
        |script: &Script| done.contains(&digits(&stem(script))) || done.contains(&digits(&script.version.to_string()));
    let Some(newest) = checkout.scripts.iter().rfind(|script| is_done(script)) else {
        let message = format!("no script is one that {} has as done: {}", place.name, done.join(", "));
        return Err(Refusal::new("adopt/tool-unknown", message)
            .hint("see that `layout` in dbbuild.toml fits these scripts, or say the version: `dbbuild adopt --to VERSION`")
            .into());
    };
    if !place.newest_only {
        let before = checkout.scripts.iter().filter(|script| script.version <= newest.version);
        let left: Vec<&str> = before.filter(|script| !is_done(script)).map(|script| script.file.as_str()).collect();
        if !left.is_empty() {
            let message = format!("{} has {} as done, and not {}", place.name, newest.version, left.join(", "));
            return Err(Refusal::new("adopt/tool-gap", message)
                .hint("run those with that tool first, or say the version: `dbbuild adopt --to VERSION`")
                .into());
        }
        let known: Vec<String> = checkout
            .scripts
            .iter()
            .flat_map(|script| [digits(&stem(script)), digits(&script.version.to_string())])
            .collect();
        let strange: Vec<&String> = done.iter().filter(|version| !known.contains(version)).collect();
        if let Some(strange) = strange.first() {
            let message = format!("{} has {strange} as done, and this checkout has no such script", place.name);
            return Err(Refusal::new("adopt/tool-ahead", message).hint("check out the revision that has it").into());
        }
    }
    Ok(newest.version.clone())
}

/// Versions are spelt with and without what joins their numbers: `2024-01-01-000000` and `20240101000000`.
fn digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() }
}

/// Returns the head of a script's file or folder name, up to the first letter.
fn stem(script: &Script) -> String {
    let parts: Vec<&str> = script.file.rsplit('/').collect();
    let name = match parts.as_slice() {
        ["up.sql", folder, ..] => folder,
        [name, ..] => name,
        [] => "",
    };
    let name = name.strip_prefix(['V', 'v', 'U']).unwrap_or(name);
    name.chars().take_while(|char| !char.is_ascii_alphabetic()).collect()
}
