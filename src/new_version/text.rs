//! The text that a new script begins with.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::NewVersion;
use crate::numbering::Written;
use crate::project::{Layout, Project};
use crate::sql::Dialect;

/// The head of the built-in template.
const BUILT_IN: &str = "\
-- {name}
--
-- A second run must change nothing: give each statement its guard.
--   create table if not exists customer ( … );
--   create index if not exists customer_email_idx on customer (email);
--   insert into country (code) values ('CH') on conflict (code) do nothing;
";

const POSTGRES: &str = "\
--   alter table customer add column if not exists email text;
";

/// SQLite has no `ADD COLUMN IF NOT EXISTS`; the guard works for each engine.
const SQLITE: &str = "\
-- What has no guard of its own gets one on the line in front of it, as a comment:
--   `-- dbbuild: unless column customer.email` guards `alter table customer add column email text;`
";

const DOWN: &str = "\
-- Takes back: {name}
--
-- A second run must change nothing here too: drop … if exists.
";

/// The texts of a script's files.
pub struct Texts {
    /// What makes the version; with its way down where both stand in one file.
    pub up: String,
    /// The way down, where it is a file of its own and wanted.
    pub down: Option<String>,
}

/// Makes the texts. A template's own text comes whole; the layout's markers are put around it.
pub fn texts(
    project: &Project,
    folder: &str,
    up_path: &str,
    next: &Written,
    wanted: &NewVersion<'_>,
    engine: Option<Dialect>,
) -> Texts {
    let fill = |template: &str| {
        let day = strtime::format("%Y-%m-%d", wanted.now.to_zoned(TimeZone::UTC).datetime()).unwrap_or_default();
        let name = wanted.name.split_whitespace().collect::<Vec<_>>().join(" ");
        template.replace("{name}", &name).replace("{version}", &next.version.to_string()).replace("{date}", &day)
    };
    let up = fill(&template(project, folder, engine));
    let down = fill(DOWN);
    let layout = project.layout();
    let directive = wanted.no_transaction && layout.sidecar(up_path).is_none();
    let sections = |head: &str, middle: &str| {
        let down = if wanted.down { format!("\n{middle}\n{down}") } else { String::new() };
        Texts { up: format!("{head}{up}{down}"), down: None }
    };
    match layout {
        Layout::Plain | Layout::DottedFolders | Layout::FolderPerChange | Layout::Flyway | Layout::Pop => {
            let head = if directive { "-- dbbuild: no-transaction\n" } else { "" };
            Texts { up: format!("{head}{up}"), down: wanted.down.then_some(down) }
        }
        // dbmate wants both markers in each file.
        Layout::Dbmate => {
            let option = if directive { " transaction:false" } else { "" };
            let down = if wanted.down { down } else { String::new() };
            Texts { up: format!("-- migrate:up{option}\n{up}\n-- migrate:down{option}\n{down}"), down: None }
        }
        Layout::Goose => {
            let head = if directive { "-- +goose NO TRANSACTION\n-- +goose Up\n" } else { "-- +goose Up\n" };
            sections(head, "-- +goose Down")
        }
        Layout::SqlMigrate => {
            let option = if directive { " notransaction" } else { "" };
            sections(&format!("-- +migrate Up{option}\n"), &format!("-- +migrate Down{option}"))
        }
        Layout::Tern => {
            sections(if directive { "---- tern: disable-tx ----\n" } else { "" }, "---- create above / drop below ----")
        }
    }
}

/// Returns the project's template for an engine, else its common one, else the built-in one.
fn template(project: &Project, folder: &str, engine: Option<Dialect>) -> String {
    let own = engine.map(|engine| format!("{folder}/templates/new.{engine}.sql"));
    let common = format!("{folder}/templates/new.sql");
    let paths = own.into_iter().chain(std::iter::once(common));
    let mut texts = paths.filter_map(|path| project.files.read(path.trim_start_matches('/')).ok());
    match texts.next().and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) => text.replace("\r\n", "\n"),
        None => built_in(engine),
    }
}

/// Returns the built-in template, with hints for an engine or for each.
pub fn built_in(engine: Option<Dialect>) -> String {
    let hints = match engine {
        Some(Dialect::Postgres) => POSTGRES,
        Some(Dialect::Sqlite) | None => SQLITE,
    };
    format!("{BUILT_IN}{hints}\n")
}

/// Turns words into a name for a file: lower case, letters and digits of any script, joined by `_`.
pub fn slug(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join("_"))
}
