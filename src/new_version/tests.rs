#![allow(clippy::unwrap_used)]

use std::process::Command;

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

fn wanted(name: &str) -> NewVersion<'_> {
    let now = "2026-03-04T05:06:07Z".parse().unwrap();
    NewVersion { name, down: false, engine: None, no_transaction: false, now }
}

fn make(root: &Path, wanted: &NewVersion<'_>) -> Made {
    new_version(&Project::open(root).unwrap(), wanted).unwrap()
}

/// Makes a folder with settings and one script, and returns the files that come next.
fn next(settings: &str, script: &str, wanted: &NewVersion<'_>) -> Vec<(String, String)> {
    let folder = folder(&[("dbbuild.toml", settings), (script, "")]);
    let made = make(folder.path(), wanted);
    let read = |path: &String| std::fs::read_to_string(folder.path().join(path)).unwrap();
    made.files.iter().map(|path| (path.clone(), read(path))).collect()
}

fn paths(files: &[(String, String)]) -> Vec<&str> {
    files.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn the_first_script_of_an_empty_folder_is_0001() {
    let folder = folder(&[]);
    let made = make(folder.path(), &wanted("Create  Customer!"));
    assert_eq!(made.files, ["db/0001_create_customer.sql"]);
    let text = std::fs::read_to_string(folder.path().join(&made.files[0])).unwrap();
    assert!(text.starts_with("-- Create Customer!\n"));
    let cut = crate::script::cut(&crate::script::Text::of_file("f", text), Dialect::Sqlite, &[]).unwrap();
    assert!(cut.parts.is_empty() && cut.guards.is_empty());
    assert_eq!(make(folder.path(), &wanted("Größe")).files, ["db/0002_größe.sql"]);
}

#[test]
fn a_name_without_letters_is_refused() {
    let folder = folder(&[]);
    let error = new_version(&Project::open(folder.path()).unwrap(), &wanted(" -_ ")).unwrap_err();
    assert!(matches!(error, Error::Settings(error) if error.code == "new-version/name"));
    assert!(!folder.path().join("db").exists());
}

#[test]
fn each_layout_goes_on_as_it_is() {
    let down = NewVersion { down: true, ..wanted("add tag") };
    let all = next("", "db/7_x.up.sql", &down);
    assert_eq!(paths(&all), ["db/8_add_tag.down.sql", "db/8_add_tag.up.sql"]);
    let all = next("", "db/20240102_0304_x.sql", &down);
    assert_eq!(paths(&all), ["db/20260304_0506_add_tag.down.sql", "db/20260304_0506_add_tag.sql"]);
    let all = next("layout.style = 'dotted-folders'", "db/0.31/09__x.sql", &down);
    assert_eq!(paths(&all), ["db/0.31/10__add_tag.down.sql", "db/0.31/10__add_tag.sql"]);
    let all = next("layout.style = 'flyway'\nlayout.scripts = 'sql'", "sql/V1_9__x.sql", &down);
    assert_eq!(paths(&all), ["sql/U1_10__add_tag.sql", "sql/V1_10__add_tag.sql"]);
    let all = next("layout.style = 'folder-per-change'", "db/2024-01-01-000000_x/up.sql", &down);
    assert_eq!(paths(&all), ["db/2026-03-04-050607_add_tag/down.sql", "db/2026-03-04-050607_add_tag/up.sql"]);
}

#[test]
fn versions_of_the_settings_go_on() {
    let settings = "[layout.versions]\n\"db/upgrade-87.sql\" = \"87\"\n";
    assert_eq!(paths(&next(settings, "db/upgrade-87.sql", &wanted("add x"))), ["db/88_add_x.sql"]);
}

#[test]
fn files_with_sections_get_their_markers() {
    let both = NewVersion { down: true, no_transaction: true, ..wanted("add tag") };
    for (style, script) in [
        ("dbmate", "db/20240101000000_x.sql"),
        ("goose", "db/00001_x.sql"),
        ("sql-migrate", "db/20240101000000-x.sql"),
        ("tern", "db/001_x.sql"),
    ] {
        let all = next(&format!("layout.style = '{style}'"), script, &both);
        assert_eq!(all.len(), 1, "{style}");
        let layout: Layout = serde_json::from_value(serde_json::Value::String(style.into())).unwrap();
        let sections = layout.divide(&all[0].1).unwrap();
        assert!(sections.no_transaction && sections.down_no_transaction, "{style}");
        assert!(sections.up.1.contains("-- add tag\n"), "{style}");
        assert!(sections.down.unwrap().1.contains("Takes back: add tag"), "{style}");
        let only_up = next(&format!("layout.style = '{style}'"), script, &wanted("x"));
        let sections = layout.divide(&only_up[0].1).unwrap();
        assert!(!sections.no_transaction, "{style}");
    }
}

#[test]
fn outside_a_transaction_is_said_as_the_layout_says_it() {
    let outside = NewVersion { no_transaction: true, ..wanted("x") };
    let all = next("", "db/1_x.sql", &outside);
    assert!(all[0].1.starts_with("-- dbbuild: no-transaction\n"));
    let all = next("layout.style = 'folder-per-change'", "db/2024-01-01-000000_x/up.sql", &outside);
    assert_eq!(all[0], ("db/2026-03-04-050607_x/metadata.toml".into(), "run_in_transaction = false\n".into()));
    let all = next("layout.style = 'flyway'", "db/V1__x.sql", &outside);
    assert_eq!(all[1], ("db/V2__x.sql.conf".into(), "executeInTransaction = false\n".into()));
}

#[test]
fn an_engine_has_its_suffix_or_its_folder() {
    let sqlite = NewVersion { engine: Some(Dialect::Sqlite), down: true, ..wanted("x") };
    let all = next("", "db/1_x.sql", &sqlite);
    assert_eq!(paths(&all), ["db/2_x.sqlite.down.sql", "db/2_x.sqlite.sql"]);
    let all = next("", "db/postgres/1_x.sql", &NewVersion { down: false, ..sqlite.clone() });
    assert_eq!(paths(&all), ["db/sqlite/2_x.sql"]);
    let own = "[layout]\nengine-scripts = { postgres = 'm/pg', sqlite = 'm/lite' }";
    assert_eq!(paths(&next(own, "m/pg/01_x.sql", &NewVersion { down: false, ..sqlite })), ["m/lite/02_x.sql"]);
    assert_eq!(paths(&next(own, "m/pg/01_x.sql", &wanted("x"))), ["m/lite/02_x.sql", "m/pg/02_x.sql"]);
}

#[test]
fn the_projects_template_is_filled_in() {
    let template = "-- {version} {name}, {date}\nselect '{other}';\n";
    let folder = folder(&[("db/1_a.sql", ""), ("db/templates/new.sql", template)]);
    let made = make(folder.path(), &wanted("b c"));
    let text = std::fs::read_to_string(folder.path().join(&made.files[0])).unwrap();
    assert_eq!(text, "-- 2 b c, 2026-03-04\nselect '{other}';\n");
}

fn git(folder: &Path, arguments: &[&str]) {
    let base =
        ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").current_dir(folder).args(base).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn other_branches_count_local_and_remote_in_a_subfolder_too() {
    let folder = folder(&[("app/db/0001_a.sql", "")]);
    let top = folder.path();
    git(top, &["init", "-q"]);
    git(top, &["add", "."]);
    git(top, &["commit", "-qm", "a"]);
    git(top, &["checkout", "-qb", "other"]);
    std::fs::write(top.join("app/db/0004_theirs.sql"), "").unwrap();
    git(top, &["add", "."]);
    git(top, &["commit", "-qm", "b"]);
    git(top, &["update-ref", "refs/remotes/origin/far", "HEAD"]);
    git(top, &["checkout", "-q", "main"]);
    let made = make(&top.join("app"), &wanted("mine"));
    assert_eq!(made.files, ["db/0005_mine.sql"]);
    assert_eq!(made.above.as_deref(), Some("other"));
    git(top, &["branch", "-qD", "other"]);
    std::fs::remove_file(top.join("app/db/0005_mine.sql")).unwrap();
    let made = make(&top.join("app"), &wanted("mine"));
    assert_eq!((made.files, made.above.as_deref()), (vec!["db/0005_mine.sql".to_owned()], Some("origin/far")));
    // What is here and newest needs no other branch.
    assert_eq!(make(&top.join("app"), &wanted("again")).above, None);
}
