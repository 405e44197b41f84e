//! The journals of other tools: up to which version a database is, as they have it.

use crate::build::{Checkout, Refusal};
use crate::engine::Session;
use crate::engine::dump::JOURNALS;
use crate::error::Error;
use crate::project::Project;
use crate::script::Version;

mod names;
mod versions;

/// A tool whose journal can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Tool {
    Flyway,
    Liquibase,
    GolangMigrate,
    Dbmate,
    Goose,
    Sqlx,
    Diesel,
    Refinery,
    Alembic,
    Dbup,
    Grate,
    Rails,
}

/// What a tool's journal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// A row for each script that is done, by its version.
    Versions,
    /// The newest version alone.
    NewestVersion,
    /// A row for each script that is done, by the name of its file; for each part of it, if a tool has files of parts.
    Files,
    /// The name of the newest revision, which says nothing about an order.
    Revision,
}

/// Where a tool keeps its journal.
struct Place {
    tool: Tool,
    name: &'static str,
    /// Where there are several spellings, the first one that is there.
    tables: &'static [&'static str],
    column: &'static str,
    /// Which rows are done.
    done: &'static str,
    /// Which rows say that everything up to theirs was there before the tool came.
    before: &'static str,
    keeps: Keeps,
}

/// A row that undoes or deletes one comes behind it:
/// <https://documentation.red-gate.com/fd/flyway-schema-history-table-273973417.html>
const FLYWAY: &str = "success and version is not null and type not like 'UNDO%' and type <> 'DELETE' and not exists (
    select 1 from flyway_schema_history later
     where later.version = flyway_schema_history.version and later.installed_rank > flyway_schema_history.installed_rank
       and (later.type like 'UNDO%' or later.type = 'DELETE'))";

/// What goose takes back it deletes; older ones wrote a row behind it.
const GOOSE: &str = "is_applied and version_id > 0 and not exists (
    select 1 from goose_db_version later
     where later.version_id = goose_db_version.version_id and later.id > goose_db_version.id and not later.is_applied)";

const PLACES: [Place; 12] = [
    Place {
        done: FLYWAY,
        before: "success and type = 'BASELINE'",
        ..versions(Tool::Flyway, "flyway", &["flyway_schema_history"], "version")
    },
    Place {
        done: "exectype in ('EXECUTED', 'RERAN', 'MARK_RAN')",
        keeps: Keeps::Files,
        ..versions(Tool::Liquibase, "liquibase", &["databasechangelog"], "filename")
    },
    Place {
        done: "not dirty",
        keeps: Keeps::NewestVersion,
        ..versions(Tool::GolangMigrate, "golang-migrate", &["schema_migrations"], "version")
    },
    versions(Tool::Dbmate, "dbmate", &["schema_migrations"], "version"),
    Place { done: GOOSE, ..versions(Tool::Goose, "goose", &["goose_db_version"], "version_id") },
    Place { done: "success", ..versions(Tool::Sqlx, "sqlx", &["_sqlx_migrations"], "version") },
    versions(Tool::Diesel, "diesel", &["__diesel_schema_migrations"], "version"),
    versions(Tool::Refinery, "refinery", &["refinery_schema_history"], "version"),
    Place { keeps: Keeps::Revision, ..versions(Tool::Alembic, "alembic", &["alembic_version"], "version_num") },
    Place { keeps: Keeps::Files, ..versions(Tool::Dbup, "dbup", &["schemaversions", "SchemaVersions"], "scriptname") },
    Place {
        keeps: Keeps::Files,
        done: "one_time_script",
        ..versions(Tool::Grate, "grate", &["grate.ScriptsRun", "grate_ScriptsRun"], "script_name")
    },
    versions(Tool::Rails, "rails", &["schema_migrations"], "version"),
];

/// Tables of these tools beside those and beside what a dump leaves out.
const OTHERS: [&str; 8] = [
    "ScriptsRun",
    "ScriptsRunErrors",
    "grate_ScriptsRunErrors",
    "grate_Version",
    "grate_GrateScriptsRun",
    "grate_GrateScriptsRunErrors",
    "grate_GrateVersion",
    "__drizzle_migrations",
];

const fn versions(tool: Tool, name: &'static str, tables: &'static [&'static str], column: &'static str) -> Place {
    Place { tool, name, tables, column, done: "1 = 1", before: "1 = 0", keeps: Keeps::Versions }
}

impl Tool {
    /// Returns the names of all, as `--tool` takes them.
    pub fn names() -> String {
        PLACES.iter().map(|place| place.name).collect::<Vec<_>>().join("|")
    }

    /// Returns every table that a tool keeps a journal in, also of tools whose journals cannot be read here.
    pub fn tables() -> impl Iterator<Item = &'static str> {
        let own = PLACES.iter().flat_map(|place| place.tables).copied().filter(|table| !table.contains('.'));
        own.chain(OTHERS).chain(JOURNALS.iter().copied())
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
pub fn version(
    tool: Tool,
    session: &mut dyn Session,
    project: &Project,
    checkout: &Checkout,
) -> Result<Version, Error> {
    let Some(place) = PLACES.iter().find(|place| place.tool == tool) else {
        return Err(Refusal::new("adopt/tool", "this tool's journal cannot be read").into());
    };
    for table in place.tables {
        if let Some(done) = session.foreign(table, place.column, place.done)? {
            let all = session.foreign(table, place.column, "1 = 1")?.unwrap_or_default();
            return Ok(match place.keeps {
                Keeps::Versions | Keeps::NewestVersion => {
                    let before = session.foreign(table, place.column, place.before)?.unwrap_or_default();
                    versions::newest(place, &versions::Rows { done, all, before }, checkout)?
                }
                Keeps::Files => names::newest_file(place, &done, project, checkout)?,
                Keeps::Revision => names::of_revision(place, &done, project, checkout)?,
            });
        }
    }
    let tables = place.tables.join(" or ");
    Err(Refusal::new("adopt/no-tool", format!("there is no table {tables}: {} was not here", place.name))
        .hint("say the version: `dbbuild adopt --to VERSION`")
        .into())
}

fn unknown(place: &Place, done: &[String]) -> Refusal {
    let message = format!("no script is one that {} has as done: {}", place.name, done.join(", "));
    Refusal::new("adopt/tool-unknown", message)
        .hint("see that `layout` in dbbuild.toml fits these scripts, or say the version: `dbbuild adopt --to VERSION`")
}

/// Refuses a journal that leaves scripts out below the newest one that it has.
fn gap(place: &Place, newest: &Version, left: &[&str]) -> Result<(), Refusal> {
    if left.is_empty() {
        return Ok(());
    }
    let message = format!("{} has {newest} as done, and not {}", place.name, left.join(", "));
    Err(Refusal::new("adopt/tool-gap", message)
        .hint("run those with that tool first, or say the version: `dbbuild adopt --to VERSION`"))
}

fn ahead(place: &Place, strange: &str) -> Refusal {
    let message = format!("{} has {strange} as done, and this checkout has no such script", place.name);
    Refusal::new("adopt/tool-ahead", message).hint("check out the revision that has it")
}
