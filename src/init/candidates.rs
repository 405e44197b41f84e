//! Which folders look as if they held scripts, by paths alone.

use std::collections::BTreeMap;

use crate::project::Layout;
use crate::project::layout::{PathRole, flyway_version, folder_version};
use crate::script::{Role, Version, strip_sql};
use crate::sql::Dialect;

/// A folder, or one for each engine, with versioned scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// How the scripts are named. Files with sections show only in their texts, and are plain here.
    pub layout: Layout,
    /// The folders and what they are for.
    pub folders: Vec<(String, FolderEngine)>,
    /// How many scripts there are for engines that dbbuild knows.
    pub scripts: usize,
    /// Where the versions are.
    pub numbers: Numbers,
}

/// Where files or their folders have their versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Where the layout has them.
    OfLayout,
    /// The folders are versions, and the files in them have none: `v1.5/queue.sql`.
    OfFolders,
    /// Behind a word that all files begin with: `upgrade-10.sql`.
    Behind,
    /// In Sqitch's plan.
    InPlan,
}

/// What a folder's path says of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FolderEngine {
    /// Nothing.
    Silent,
    /// One of ours.
    Known(Dialect),
    /// Another one.
    Other,
}

/// Folders whose scripts are no history.
const ASIDE: [&str; 19] = [
    "test",
    "tests",
    "testing",
    "testdata",
    "fixtures",
    "fixture",
    "example",
    "examples",
    "docs",
    "doc",
    "seed",
    "seeds",
    "samples",
    "benches",
    "templates",
    "stub",
    "stubs",
    "mock",
    "mocks",
];

/// Folders in which even a single script counts.
const USUAL: [&str; 9] =
    ["db", "migrations", "migration", "migrate", "schema", "sql", "scripts", "changes", "database"];

/// What a file's name may begin with for the number behind it to be a version.
const WORDS: [&str; 12] = [
    "upgrade",
    "update",
    "migration",
    "migrate",
    "patch",
    "change",
    "delta",
    "schema",
    "version",
    "revision",
    "step",
    "alter",
];

/// Returns the candidates, best first.
pub fn candidates<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<Candidate> {
    let mut counts: BTreeMap<(Layout, String), usize> = BTreeMap::new();
    let mut dotted: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut flyway: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for path in paths {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        if folder.split('/').any(|part| ASIDE.contains(&part.to_lowercase().as_str())) {
            continue;
        }
        let (outer, last) = folder.rsplit_once('/').unwrap_or(("", folder));
        if is_up(Layout::Flyway, file) {
            flyway.entry(flyway_base(folder)).or_default().push(path);
        } else if is_up(Layout::FolderPerChange, &format!("{last}/{file}")) {
            *counts.entry((Layout::FolderPerChange, outer.to_owned())).or_default() += 1;
        } else if is_up(Layout::Plain, file) || is_up(Layout::Pop, file) {
            *counts.entry((Layout::Plain, folder.to_owned())).or_default() += 1;
            if folder_version(last).is_some() {
                *dotted.entry(outer.to_owned()).or_default().entry(last.to_owned()).or_default() += 1;
            }
        }
    }
    // One folder that is named by a number is no series of releases.
    for (outer, inner) in dotted.into_iter().filter(|(_, inner)| inner.len() > 1) {
        for folder in inner.keys() {
            let folder = if outer.is_empty() { folder.clone() } else { format!("{outer}/{folder}") };
            counts.remove(&(Layout::Plain, folder));
        }
        counts.insert((Layout::DottedFolders, outer), inner.values().sum());
    }
    for (base, files) in flyway {
        for folder in flyway_folders(&base, &files) {
            *counts.entry((Layout::Flyway, folder)).or_default() += 1;
        }
    }
    let mut candidates = group(counts);
    candidates.retain(|candidate| {
        let usual = candidate.folders.iter().any(|(folder, _)| folder.split('/').any(|part| USUAL.contains(&part)));
        candidate.scripts > 1 || (candidate.scripts == 1 && usual)
    });
    let depth = |candidate: &Candidate| candidate.folders.first().map_or(0, |(folder, _)| folder.matches('/').count());
    candidates.sort_by(|a, b| b.scripts.cmp(&a.scripts).then(depth(a).cmp(&depth(b))));
    candidates
}

/// Returns the candidates where folders are versions and the files in them have no number (`v1.5/queue.sql`), best
/// first. So may be many things: they are asked for only where there is no other candidate.
pub fn unnumbered<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<Candidate> {
    let mut folders: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for path in paths {
        let mut parts: Vec<&str> = path.split('/').collect();
        let (_, Some(last)) = (parts.pop(), parts.pop()) else { continue };
        let is_aside = parts.iter().any(|part| ASIDE.contains(&part.to_lowercase().as_str()));
        if !is_aside && folder_version(last).is_some() {
            *folders.entry(parts.join("/")).or_default().entry(last.to_owned()).or_default() += 1;
        }
    }
    let series = folders.into_iter().filter(|(_, inner)| inner.len() > 1);
    let counts = series.map(|(outer, inner)| ((Layout::DottedFolders, outer), inner.values().sum()));
    numbered(counts.collect(), Numbers::OfFolders)
}

/// Returns the candidates whose files have their numbers behind a word (`upgrade-10.sql`), best first; asked for last.
pub fn numbered_behind(paths: &[String]) -> Vec<Candidate> {
    let mut counts = BTreeMap::new();
    for path in paths {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.split('/').any(|part| ASIDE.contains(&part.to_lowercase().as_str())) {
            continue;
        }
        counts.entry((Layout::Plain, folder.to_owned())).or_insert_with(|| versions_behind(folder, paths).len());
    }
    counts.retain(|_, count| *count > 1);
    numbered(counts, Numbers::Behind)
}

/// The versions of a folder's files that have them behind a word, those behind the word that most of them begin with.
pub fn versions_behind(folder: &str, paths: &[String]) -> BTreeMap<String, String> {
    let mut words: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for path in paths {
        let (own, file) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = strip_sql(file);
        let (word, rest) = stem.split_at(stem.find(|c: char| c.is_ascii_digit()).unwrap_or(stem.len()));
        let known = WORDS.iter().any(|known| word.to_lowercase().contains(known));
        if own == folder
            && known
            && let Ok((version, _)) = Version::split(rest)
        {
            words.entry(word).or_default().insert(path.clone(), version.to_string());
        }
    }
    words.into_values().max_by_key(BTreeMap::len).unwrap_or_default()
}

fn numbered(counts: BTreeMap<(Layout, String), usize>, numbers: Numbers) -> Vec<Candidate> {
    let mut candidates = group(counts);
    candidates.retain(|candidate| candidate.scripts > 0);
    candidates.iter_mut().for_each(|candidate| candidate.numbers = numbers);
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.scripts));
    candidates
}

/// Returns true if a folder's files have the suffixes that pop knows and the plain layout does not.
pub fn is_pop<'a>(folder: &str, paths: impl IntoIterator<Item = &'a String>) -> bool {
    const SUFFIXES: [&str; 7] = ["autocommit", "sqlite3", "postgresql", "mysql", "mariadb", "cockroach", "cockroachdb"];
    let mut inside = paths.into_iter().filter_map(|path| {
        let file = if folder.is_empty() { path.as_str() } else { path.strip_prefix(folder)?.strip_prefix('/')? };
        let stem = strip_sql(file);
        let stem = stem.strip_suffix(".up").or_else(|| stem.strip_suffix(".down"))?;
        Some((file, stem.rsplit_once('.')?.1))
    });
    inside.any(|(file, suffix)| !file.contains('/') && SUFFIXES.contains(&suffix))
}

fn is_up(layout: Layout, path: &str) -> bool {
    matches!(layout.role(path), PathRole::Script(name) if name.role == Role::Up && !strip_sql(path).is_empty())
}

/// Flyway searches below its folder, so that one is the folder called `migration`, or an engine's in it.
fn flyway_base(folder: &str) -> String {
    let parts: Vec<&str> = folder.split('/').collect();
    let end = parts.iter().position(|part| engine_of(part) != FolderEngine::Silent);
    let end = end.or_else(|| parts.iter().rposition(|part| matches!(*part, "migration" | "migrations")));
    parts[..end.map_or(parts.len(), |at| at + 1)].join("/")
}

/// The folder of each file below a base: the base, or the folder in it where two of them have one version, each with a
/// history of its own.
fn flyway_folders(base: &str, files: &[&str]) -> Vec<String> {
    let part = |path: &str| path[base.len()..].trim_start_matches('/').split_once('/').map(|(part, _)| part.to_owned());
    let mut owners: BTreeMap<Version, Option<String>> = BTreeMap::new();
    let clash = files.iter().any(|path| {
        let version = flyway_version(strip_sql(path.rsplit('/').next().unwrap_or(path)), 'V');
        version.is_some_and(|version| *owners.entry(version).or_insert_with(|| part(path)) != part(path))
    });
    let of = |path: &&str| match part(path).filter(|_| clash) {
        Some(part) if base.is_empty() => part,
        Some(part) => format!("{base}/{part}"),
        None => base.to_owned(),
    };
    files.iter().map(of).collect()
}

/// A folder, its engine and the number of its scripts.
type Counted = (String, FolderEngine, usize);

/// Puts folders together that differ only by their engine.
fn group(counts: BTreeMap<(Layout, String), usize>) -> Vec<Candidate> {
    let mut groups: BTreeMap<(Layout, String), Vec<Counted>> = BTreeMap::new();
    for ((layout, folder), count) in counts {
        let engines = folder.split('/').map(engine_of);
        let engine = engines.rev().find(|engine| *engine != FolderEngine::Silent).unwrap_or(FolderEngine::Silent);
        let common: Vec<&str> =
            folder.split('/').map(|part| if engine_of(part) == FolderEngine::Silent { part } else { "*" }).collect();
        groups.entry((layout, common.join("/"))).or_default().push((folder, engine, count));
    }
    let candidate = |((layout, _), mut folders): ((Layout, String), Vec<Counted>)| {
        folders.sort_by(|a, b| a.1.cmp(&b.1).then(b.2.cmp(&a.2)));
        // Two folders for one engine: the fuller one.
        folders.dedup_by(|next, kept| next.1 == kept.1 && next.1 != FolderEngine::Other);
        let scripts =
            folders.iter().filter(|(_, engine, _)| *engine != FolderEngine::Other).map(|(_, _, count)| count).sum();
        Candidate {
            layout,
            folders: folders.into_iter().map(|(folder, engine, _)| (folder, engine)).collect(),
            scripts,
            numbers: Numbers::OfLayout,
        }
    };
    groups.into_iter().map(candidate).collect()
}

/// Reads a folder's name as an engine's.
pub fn engine_of(part: &str) -> FolderEngine {
    match part.to_lowercase().as_str() {
        "postgres" | "postgresql" | "pgsql" | "psql" | "pg" => FolderEngine::Known(Dialect::Postgres),
        "sqlite" | "sqlite3" => FolderEngine::Known(Dialect::Sqlite),
        "mysql" | "mariadb" | "mssql" | "sqlserver" | "oracle" | "cockroach" | "cockroachdb" | "clickhouse"
        | "duckdb" | "db2" => FolderEngine::Other,
        _ => FolderEngine::Silent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(paths: &[&str]) -> Option<Candidate> {
        candidates(paths.iter().copied()).into_iter().next()
    }

    fn found(layout: Layout, folders: &[(&str, FolderEngine)], scripts: usize) -> Option<Candidate> {
        let folders = folders.iter().map(|(folder, engine)| ((*folder).to_owned(), *engine)).collect();
        Some(Candidate { layout, folders, scripts, numbers: Numbers::OfLayout })
    }

    #[test]
    fn the_folder_with_most_scripts_is_best() {
        let paths = [
            "a/1_x.sql",
            "a/2_y.sql",
            "a/2_y.down.sql",
            "b/c/1_x.up.sql",
            "b/c/2_x.up.sql",
            "b/c/3_x.up.sql",
            "tests/1_a.sql",
        ];
        assert_eq!(best(&paths), found(Layout::Plain, &[("b/c", FolderEngine::Silent)], 3));
        assert_eq!(best(&["notes/2024.sql"]), None);
        assert_eq!(best(&["db/1_x.sql"]), found(Layout::Plain, &[("db", FolderEngine::Silent)], 1));
    }

    #[test]
    fn folders_of_engines_belong_together() {
        let paths = [
            "m/mysql/2024-01-01-000000_a/up.sql",
            "m/postgresql/2024-01-01-000000_a/up.sql",
            "m/postgresql/2024-01-01-000000_a/down.sql",
            "m/sqlite/2024-01-01-000000_a/up.sql",
        ];
        let postgres = FolderEngine::Known(Dialect::Postgres);
        let sqlite = FolderEngine::Known(Dialect::Sqlite);
        let folders = [("m/postgresql", postgres), ("m/sqlite", sqlite), ("m/mysql", FolderEngine::Other)];
        assert_eq!(best(&paths), found(Layout::FolderPerChange, &folders, 2));
    }

    #[test]
    fn releases_are_folders_named_by_versions() {
        let paths = ["s/0.9/00__a.sql", "s/0.10/00__b.sql", "s/0.10/01__c.sql", "s/LATEST.sql"];
        assert_eq!(best(&paths), found(Layout::DottedFolders, &[("s", FolderEngine::Silent)], 3));
        assert_eq!(best(&["s/v1/1_a.sql", "s/v1/2_b.sql"]), found(Layout::Plain, &[("s/v1", FolderEngine::Silent)], 2));
    }

    #[test]
    fn files_without_numbers_have_their_folders() {
        let paths =
            ["s/postgresql/v1.0/a.sql", "s/postgresql/v1.1/b.sql", "s/postgresql/v1.1/c.sql", "s/mysql/v1.0/a.sql"];
        assert_eq!(best(&paths), None);
        let candidate = unnumbered(paths.iter().copied()).into_iter().next();
        let folders = [("s/postgresql", FolderEngine::Known(Dialect::Postgres))];
        let expected =
            found(Layout::DottedFolders, &folders, 3).map(|found| Candidate { numbers: Numbers::OfFolders, ..found });
        assert_eq!(candidate, expected);
    }

    #[test]
    fn numbers_may_stand_behind_a_word() {
        let paths =
            ["m/upgrade-2.sql", "m/upgrade-10.sql", "m/downgrade.sql", "m/full.sql", "q/query1.sql", "q/query2.sql"];
        assert_eq!(best(&paths), None);
        let candidate = numbered_behind(&paths.map(str::to_owned)).into_iter().next();
        let expected = found(Layout::Plain, &[("m", FolderEngine::Silent)], 2);
        assert_eq!(candidate, expected.map(|found| Candidate { numbers: Numbers::Behind, ..found }));
        let ranges = ["schema-upgrade-1.9-1.10.sql", "schema-upgrade-1.10-1.11.sql"].map(str::to_owned);
        let versions: Vec<String> = versions_behind("", &ranges).into_values().collect();
        assert_eq!(versions, ["1.10.1.11", "1.9.1.10"]);
    }

    #[test]
    fn flyway_is_searched_from_its_usual_folder() {
        let paths = ["src/main/resources/db/migration/V1__a.sql", "src/main/resources/db/migration/y/V2__b.sql"];
        assert_eq!(
            best(&paths),
            found(Layout::Flyway, &[("src/main/resources/db/migration", FolderEngine::Silent)], 2)
        );
        // Two histories beside each other.
        let paths = ["db/migration/a/V1__a.sql", "db/migration/a/V2__a.sql", "db/migration/b/V1__b.sql"];
        assert_eq!(best(&paths), found(Layout::Flyway, &[("db/migration/a", FolderEngine::Silent)], 2));
    }
}
