//! The verb `lint` as people and CI use it: exit codes, files left alone, bytes kept, formats.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn lint(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbbuild"));
    command.current_dir(folder).arg("lint").args(arguments).env_remove("DATABASE_URL").env_remove("DBBUILD_URL");
    command.output().unwrap()
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let output = Command::new("git").current_dir(folder).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn project(settings: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dbbuild.toml"), settings).unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const POSTGRES: &str = "[project]\nengines = [\"postgres\"]\n";

#[test]
fn findings_exit_with_1_and_none_with_0() {
    let folder = project(POSTGRES, &[("db/1_a.sql", "create table a (a int);\n")]);
    let output = lint(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("error[unguarded-create-table]"), "{}", out(&output));
    assert_eq!(lint(folder.path(), &["--set", "security"]).status.code(), Some(0));
    assert_eq!(lint(folder.path(), &["--rule", "nope"]).status.code(), Some(2));
    assert_eq!(lint(folder.path(), &["--fix"]).status.code(), Some(0));
    assert_eq!(
        std::fs::read_to_string(folder.path().join("db/1_a.sql")).unwrap(),
        "create table if not exists a (a int);\n"
    );
}

#[test]
fn what_a_code_file_makes_needs_no_guard() {
    for engine in ["postgres", "sqlite"] {
        let folder = project(
            &format!("[project]\nengines = [\"{engine}\"]\n"),
            &[("db/1_a.sql", "create table if not exists a (a int);\n")],
        );
        std::fs::create_dir_all(folder.path().join("db/code")).unwrap();
        std::fs::write(folder.path().join("db/code/v.sql"), "create view v as select a from a;\n").unwrap();
        let output = lint(folder.path(), &[]);
        assert_eq!(output.status.code(), Some(0), "{}", out(&output));
        std::fs::write(
            folder.path().join("db/code/v.sql"),
            "create view v as select a from a;\ninsert into a values (1);\n",
        )
        .unwrap();
        assert!(out(&lint(folder.path(), &[])).contains("db/code/v.sql:2:1"));
    }
}

#[test]
fn rows_that_only_a_seed_brings_are_not_there_yet() {
    let folder = project(
        "[project]\nengines = [\"sqlite\"]\n",
        &[
            ("db/0001_country.sql", "CREATE TABLE IF NOT EXISTS country (code TEXT PRIMARY KEY);\n"),
            (
                "db/0002_at.sql",
                "CREATE TABLE IF NOT EXISTS at (code TEXT PRIMARY KEY);\n\
             INSERT INTO at SELECT code FROM country WHERE code = 'at' ON CONFLICT DO NOTHING;\n",
            ),
            ("seed/country.csv", "code\nat\n"),
        ],
    );
    let output = out(&lint(folder.path(), &[]));
    assert!(output.contains("error[used-seed]") && output.contains("in 2 scripts"), "{output}");
}

#[test]
fn since_needs_a_repository() {
    let folder = project("", &[("db/0001_a.sql", "SELECT 1;\n")]);
    let output = lint(folder.path(), &["--since", "main"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("usage/since"));
}

#[test]
fn what_is_merged_or_history_is_left_alone() {
    let settings = "[project]\nengines = [\"postgres\"]\nhistory = \"1\"\n";
    let table = |name: &str| format!("create table {name} (a int);\r\n");
    let (one, two) = (table("a"), table("b"));
    let folder = project(settings, &[("db/1_a.sql", &one), ("db/2_b.sql", &two)]);
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-qm", "a"]);
    git(folder.path(), &["checkout", "-qb", "work"]);
    std::fs::write(folder.path().join("db/3_c.sql"), format!("\u{feff}{}", table("c"))).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();

    let since = out(&lint(folder.path(), &["--since", "main", "--format", "github"]));
    assert_eq!(
        since.trim(),
        "::error file=db/3_c.sql,line=1,col=1,title=unguarded-create-table::a second run fails: table c exists"
    );
    let diff = out(&lint(folder.path(), &["--fix", "--dry-run"]));
    assert!(diff.contains("+create table if not exists c (a int);") && !diff.contains("db/2_b.sql"), "{diff}");
    assert_eq!(read("db/3_c.sql"), format!("\u{feff}{}", table("c")));
    assert_eq!(lint(folder.path(), &["--fix"]).status.code(), Some(1));
    assert_eq!((read("db/1_a.sql"), read("db/2_b.sql")), (one, two));
    assert_eq!(read("db/3_c.sql"), "\u{feff}create table if not exists c (a int);\r\n");
    assert_eq!(lint(folder.path(), &["--fix", "--all"]).status.code(), Some(0));
    assert_eq!(read("db/1_a.sql"), "create table if not exists a (a int);\r\n");
}

#[test]
fn levels_and_paths_come_from_the_settings() {
    let settings = "[project]\nengines = [\"postgres\"]\n[lint]\nlevels = { idempotency = \"warning\" }\n\
                    [lint.paths.\"db/2*\"]\nlevels = { unguarded-create-table = \"off\" }\n";
    let folder =
        project(settings, &[("db/1_a.sql", "create table a (a int);"), ("db/2_b.sql", "create table b (a int);")]);
    let output = lint(folder.path(), &["--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["summary"], serde_json::json!({"errors": 0, "warnings": 1, "scripts": 2}));
    assert_eq!(output.status.code(), Some(0));
    std::fs::write(folder.path().join("dbbuild.toml"), "[lint]\nlevels = { nope = \"off\" }\n").unwrap();
    assert_eq!(lint(folder.path(), &[]).status.code(), Some(2));
}

#[test]
fn sarif_names_rule_and_place() {
    let folder = project(POSTGRES, &[("db/1_a.sql", "\n  drop table a;\n")]);
    let output = lint(folder.path(), &["--format", "sarif", "--set", "idempotency"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let result = &document["runs"][0]["results"][0];
    assert_eq!(document["version"], "2.1.0");
    assert_eq!(result["ruleId"], "unguarded-drop");
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&2.into(), &3.into()));
}
