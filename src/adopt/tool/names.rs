//! Journals that have names: of files, or of a revision.

use super::{Place, Tool, ahead, gap, unknown};
use crate::build::{Checkout, Refusal};
use crate::project::Project;
use crate::script::{Script, Version};

/// Returns the newest script whose file a tool has as done.
///
/// DbUp writes `MyApp.Scripts.0001_t.sql`, grate and Liquibase a path. Liquibase has a row for each change set of a
/// file: <https://docs.liquibase.com/concepts/changelogs/sql-format.html>
pub(super) fn newest_file(
    place: &Place,
    done: &[String],
    project: &Project,
    checkout: &Checkout,
) -> Result<Version, Refusal> {
    let rows = |script: &Script| done.iter().filter(|name| is_file(name, script)).count();
    let Some(newest) = checkout.scripts.iter().rfind(|script| rows(script) > 0) else {
        return Err(unknown(place, done));
    };
    let wanted = |script: &Script| match place.tool {
        Tool::Liquibase => change_sets(&text(project, script)).max(1),
        _ => 1,
    };
    let is_left = |script: &&Script| script.version <= newest.version && rows(script) < wanted(script);
    let left: Vec<&str> = checkout.scripts.iter().filter(is_left).map(|script| script.file.as_str()).collect();
    gap(place, &newest.version, &left)?;
    match done.iter().find(|name| !checkout.scripts.iter().any(|script| is_file(name, script))) {
        Some(strange) => Err(ahead(place, strange)),
        None => Ok(newest.version.clone()),
    }
}

/// Returns the newest script of a revision: its file is called so, or its text says that it leads there.
///
/// Alembic keeps the name of one revision: <https://alembic.sqlalchemy.org/en/latest/offline.html>. Its revisions are
/// Python; `alembic upgrade FROM:TO --sql` writes them as SQL, with a line that says which ones they are.
pub(super) fn of_revision(
    place: &Place,
    done: &[String],
    project: &Project,
    checkout: &Checkout,
) -> Result<Version, Refusal> {
    let revision = match done {
        [one] => one.as_str(),
        [] => return Err(unknown(place, done)),
        several => {
            let message = format!("{} has several heads: {}", place.name, several.join(", "));
            return Err(Refusal::new("adopt/tool-heads", message).hint("merge them with that tool first"));
        }
    };
    let is_it = |script: &&Script| {
        let name = script.file.rsplit('/').next().unwrap_or_default();
        let words = name.split(|char: char| !char.is_ascii_alphanumeric());
        words.into_iter().any(|word| word == revision) || last_revision(&text(project, script)) == Some(revision.into())
    };
    if let Some(script) = checkout.scripts.iter().rfind(is_it) {
        return Ok(script.version.clone());
    }
    let message = format!("{} has revision {revision}, and no script says that it leads there", place.name);
    Err(Refusal::new("adopt/tool-unknown", message)
        .hint("write each revision as a script of its own: `alembic upgrade FROM:TO --sql > db/0001_TO.sql`")
        .hint("or say the version: `dbbuild adopt --to VERSION`"))
}

/// Returns true if a name in a journal is a script's file: behind folders, or behind the namespace of a program.
fn is_file(name: &str, script: &Script) -> bool {
    let file = script.file.rsplit('/').next().unwrap_or_default();
    let Some(front) = name.strip_suffix(file) else { return false };
    front.is_empty() || front.ends_with(['/', '\\', '.'])
}

fn change_sets(text: &str) -> usize {
    let is_one = |line: &&str| {
        let line = line.trim_start().strip_prefix("--").map(str::trim_start).unwrap_or_default();
        line.get(..10).is_some_and(|head| head.eq_ignore_ascii_case("changeset "))
    };
    text.lines().filter(is_one).count()
}

/// Returns where a text of Alembic's leads: `-- Running upgrade 1a2b -> 3c4d`.
fn last_revision(text: &str) -> Option<String> {
    let last = text.lines().rfind(|line| line.starts_with("-- Running upgrade"))?;
    let (_, to) = last.split_once("->")?;
    Some(to.trim().split([',', ' ']).next()?.to_owned())
}

/// Reads a script's file as it is; one that cannot be read says nothing here, and is refused by the build.
fn text(project: &Project, script: &Script) -> String {
    project.files.read(&script.file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
