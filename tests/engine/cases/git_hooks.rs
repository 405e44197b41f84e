//! Hooks and the merge driver, in real repositories: what is committed has its baseline, branches that both changed
//! it merge, and what others wrote in a hook stays.

use std::process::Command;

use crate::support::{Case, Output};

/// Runs git in a folder of the case.
fn git_in(case: &Case, folder: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("git");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_dbbuild")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    command.args(arguments).current_dir(case.path(folder)).env_clear();
    command.env("PATH", format!("{}:{path}", program.display())).env("HOME", case.path("home"));
    command.env("XDG_CACHE_HOME", crate::postgres::cache()).env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.com");
    }
    if let Some(folder) = std::env::var_os("TMPDIR") {
        command.env("TMPDIR", folder);
    }
    Output::of(command)
}

fn git(case: &Case, arguments: &[&str]) -> Output {
    git_in(case, "", arguments)
}

/// A repository with a project; nothing is committed yet.
fn repository(case: &Case) {
    case.settings("baseline = true\n");
    case.two_scripts();
    case.write("db/3_rows.sql", "insert into customer (id, name) values (1, 'Ada') on conflict (id) do nothing;\n");
    case.write(".gitignore", "shop.db*\nhome/\n");
    git(case, &["init", "-q", "-b", "main"]).exits(0);
}

fn commit(case: &Case, message: &str) -> Output {
    git(case, &["add", "-A"]).exits(0);
    git(case, &["commit", "-q", "-m", message])
}

fn table(name: &str) -> String {
    format!(
        "create table if not exists {name} (\n    id integer primary key\n);\n\
         insert into customer (id, name) values ({}, '{name}') on conflict (id) do nothing;\n",
        name.len() * 10 + usize::from(name.as_bytes()[0])
    )
}

fn is_whole(case: &Case) {
    case.run(&["baseline", "--check"]).exits(0);
    let status = git(case, &["status", "--porcelain"]);
    assert_eq!(status.stdout, "", "{status}");
}

/// Two branches that both made a table, a row and a baseline.
fn two_branches(case: &Case) {
    git(case, &["switch", "-q", "-c", "two"]).exits(0);
    case.write("db/4_two.sql", table("two"));
    case.run(&["baseline"]).exits(0);
    commit(case, "two").exits(0);
    git(case, &["switch", "-q", "main"]).exits(0);
    case.write("db/5_three.sql", table("three"));
    case.run(&["baseline"]).exits(0);
    commit(case, "three").exits(0);
}

fn manifest(case: &Case) -> &'static str {
    case.pick("baseline/sqlite/manifest.toml", "baseline/postgres/manifest.toml")
}

cases! {
    fn a_commit_has_its_baseline(case) {
        repository(case);
        case.run(&["hooks", "install"]).exits(0).says("pre-commit").says(".gitattributes");
        commit(case, "first").exits(0);
        is_whole(case);
        assert!(git(case, &["ls-files"]).stdout.contains(manifest(case)));
        case.write("db/4_two.sql", table("two"));
        commit(case, "second").exits(0).says("staged    baseline");
        is_whole(case);
        // What touches no script is not looked at, whatever is wrong with it.
        case.write("README", "read me\n");
        case.write(manifest(case), "broken");
        git(case, &["add", "README"]).exits(0);
        git(case, &["commit", "-q", "-m", "third"]).exits(0).does_not_say("staged");
    }

    fn what_is_committed_is_what_is_staged(case) {
        repository(case);
        case.run(&["hooks", "install"]).exits(0);
        commit(case, "first").exits(0);
        case.write("db/4_two.sql", table("two"));
        git(case, &["add", "-A"]).exits(0);
        case.write("db/5_three.sql", table("three"));
        case.write("db/4_two.sql", table("two") + "insert into two (id) values (7) on conflict (id) do nothing;\n");
        git(case, &["commit", "-q", "-m", "second"]).exits(0);
        let committed = git(case, &["show", &format!("HEAD:{}", manifest(case))]).stdout;
        assert!(committed.contains("4_two.sql") && !committed.contains("5_three.sql"), "{committed}");
        assert!(!committed.contains("two.copy\"") && !committed.contains("data/two.sql"), "{committed}");
        let status = git(case, &["status", "--porcelain"]);
        assert_eq!(status.stdout, " M db/4_two.sql\n?? db/5_three.sql\n");
        // The rest comes with its own commit.
        commit(case, "third").exits(0);
        is_whole(case);
    }

    fn a_commit_of_some_paths_leaves_nothing_staged(case) {
        repository(case);
        case.run(&["hooks", "install"]).exits(0);
        commit(case, "first").exits(0);
        case.write("db/4_two.sql", table("two"));
        case.write("README", "read me\n");
        git(case, &["add", "-A"]).exits(0);
        git(case, &["commit", "-q", "-m", "second", "db/4_two.sql"]).exits(0).says("staged    baseline");
        case.run(&["baseline", "--check"]).exits(0);
        assert_eq!(git(case, &["status", "--porcelain"]).stdout, "A  README\n");
    }

    fn a_bad_script_stops_the_commit(case) {
        repository(case);
        case.run(&["hooks", "install"]).exits(0);
        commit(case, "first").exits(0);
        case.write("db/4_two.sql", "create table two (id integer primary key);\n");
        commit(case, "second").exits(1).says("unguarded-create-table").says("the commit is stopped");
        case.write("db/4_two.sql", "insert into nowhere (id) values (1) on conflict (id) do nothing;\n");
        commit(case, "second").exits(1).says("nowhere");
        assert_eq!(git(case, &["log", "--oneline"]).stdout.lines().count(), 1);
        case.write("db/4_two.sql", table("two"));
        commit(case, "second").exits(0);
        is_whole(case);
    }

    fn two_branches_merge_with_the_driver(case) {
        repository(case);
        case.run(&["hooks", "install"]).exits(0);
        commit(case, "first").exits(0);
        two_branches(case);
        git(case, &["merge", "-q", "-m", "merged", "two"]).exits(0);
        is_whole(case);
        let text = case.read(manifest(case));
        assert!(text.contains("4_two.sql") && text.contains("5_three.sql"), "{text}");
        // The database was built by the hook behind the merge.
        assert_eq!(case.tables(), "customer item three two");
        // And a fresh one loads it.
        case.run(&["reset", "--yes"]).exits(0);
        case.build().says(case.pick("load      baseline/sqlite", "load      baseline/postgres"));
        assert_eq!(case.ask("select count(*) from customer"), "3");
    }

    fn two_branches_are_rebased_with_the_driver(case) {
        repository(case);
        case.run(&["hooks", "install"]).exits(0);
        commit(case, "first").exits(0);
        two_branches(case);
        git(case, &["rebase", "two"]).exits(0);
        is_whole(case);
        assert_eq!(case.tables(), "customer item three two");
    }

    fn two_branches_merge_without_the_driver(case) {
        repository(case);
        case.run(&["baseline"]).exits(0);
        commit(case, "first").exits(0);
        two_branches(case);
        git(case, &["merge", "-q", "-m", "merged", "two"]).exits(1).says("conflict");
        assert!(case.read(manifest(case)).contains("<<<<<<<"));
        case.run(&["baseline", "--check"]).exits(1);
        case.run(&["baseline"]).exits(0).says("written");
        commit(case, "merged").exits(0);
        is_whole(case);
    }

    fn what_cannot_be_merged_stays_a_conflict(case) {
        repository(case);
        case.run(&["hooks", "install"]).exits(0);
        commit(case, "first").exits(0);
        two_branches(case);
        // A cherry-pick does not say what it picks.
        git(case, &["switch", "-q", "two"]).exits(0);
        git(case, &["cherry-pick", "main"]).exits(1).says("once the scripts are merged");
        case.run(&["baseline"]).exits(0);
        git(case, &["add", "-A"]).exits(0);
        git(case, &["-c", "core.editor=true", "cherry-pick", "--continue"]).exits(0);
        is_whole(case);
        // Scripts that are in conflict themselves have no baseline.
        git(case, &["switch", "-q", "-c", "four"]).exits(0);
        case.write("db/6_more.sql", table("four"));
        commit(case, "four").exits(0);
        git(case, &["switch", "-q", "two"]).exits(0);
        case.write("db/6_more.sql", table("fifth"));
        commit(case, "fifth").exits(0);
        git(case, &["merge", "-q", "-m", "merged", "four"]).exits(1).says("db/6_more.sql is in conflict itself");
        case.write("db/6_more.sql", table("fifth"));
        case.run(&["baseline"]).exits(0);
        commit(case, "merged").exits(0);
        is_whole(case);
    }

    fn a_branch_switch_builds_the_development_database(case) {
        repository(case);
        case.run(&["hooks", "install"]).exits(0);
        commit(case, "first").exits(0);
        git(case, &["switch", "-q", "-c", "two"]).exits(0);
        case.write("db/4_two.sql", table("two"));
        commit(case, "two").exits(0);
        git(case, &["switch", "-q", "main"]).exits(0);
        assert!(!case.tables().contains("two"), "{}", case.tables());
        git(case, &["switch", "-q", "two"]).exits(0).says("4_two");
        assert_eq!(case.tables(), "customer item two");
        is_whole(case);
        // Nothing of the database's changed: nothing is said.
        git(case, &["switch", "-q", "-c", "three"]).exits(0).does_not_say("version");
    }
}

#[test]
fn hooks_live_beside_others_and_go_again() {
    let case = Case::on_sqlite();
    repository(&case);
    let theirs = "#!/bin/sh\necho theirs\nexit 0\n";
    case.write(".git/hooks/pre-commit", theirs);
    let mut command = Command::new("chmod");
    command.args(["+x", ".git/hooks/pre-commit"]).current_dir(case.path(""));
    Output::of(command).exits(0);
    case.run(&["hooks", "install"]).exits(0).says("hook .git/hooks/post-merge");
    case.run(&["hooks", "install"]).exits(0).says("nothing to do");
    commit(&case, "first").exits(0).says("theirs").says("staged    baseline/sqlite");
    case.run(&["hooks", "uninstall"]).exits(0).says("pre-commit");
    assert_eq!(case.read(".git/hooks/pre-commit"), theirs);
    assert!(!case.path(".git/hooks/post-merge").exists());
    assert_eq!(git(&case, &["config", "--local", "--get", "merge.dbbuild.driver"]).code, Some(1));
    // The line is committed, and so the team's.
    assert!(case.read(".gitattributes").contains("merge=dbbuild"));
    case.run(&["hooks", "uninstall"]).exits(0).says("nothing to do");
    git(&case, &["rm", "-q", "--cached", ".gitattributes"]).exits(0);
    git(&case, &["commit", "-q", "-m", "without"]).exits(0);
    case.run(&["hooks", "uninstall"]).exits(0).says("the line in .gitattributes");
    assert!(!case.path(".gitattributes").exists());
}

#[test]
fn a_hook_that_no_shell_runs_is_refused_before_anything_is_written() {
    let case = Case::on_sqlite();
    repository(&case);
    case.write(".git/hooks/post-checkout", "#!/usr/bin/env python3\nprint('theirs')\n");
    case.run(&["hooks", "install"]).exits(3).says("post-checkout is no shell script");
    assert!(!case.path(".git/hooks/pre-commit").exists() && !case.path(".gitattributes").exists());
    let elsewhere = tempfile::tempdir().unwrap();
    case.remove(".git/hooks/post-checkout");
    git(&case, &["config", "core.hooksPath", elsewhere.path().to_str().unwrap()]).exits(0);
    case.run(&["hooks", "install"]).exits(3).says("core.hooksPath");
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 0);
}

#[test]
fn hooks_go_where_git_looks_for_them() {
    let case = Case::on_sqlite();
    repository(&case);
    git(&case, &["config", "core.hooksPath", "tools/hooks"]).exits(0);
    case.run(&["hooks", "install"]).exits(0).says("hook tools/hooks/pre-commit");
    commit(&case, "first").exits(0).says("staged");
    is_whole(&case);
    // A linked work tree has the hooks of its repository.
    git(&case, &["worktree", "add", "-q", "home/linked", "-b", "linked"]).exits(0);
    case.write("home/linked/db/4_two.sql", table("two"));
    git_in(&case, "home/linked", &["add", "-A"]).exits(0);
    git_in(&case, "home/linked", &["commit", "-q", "-m", "linked"]).exits(0).says("staged    baseline/sqlite");
    assert!(case.read("home/linked/baseline/sqlite/manifest.toml").contains("4_two.sql"));
    assert_eq!(git_in(&case, "home/linked", &["status", "--porcelain"]).stdout, "");
}

#[test]
fn a_project_in_a_folder_of_its_repository_has_hooks_too() {
    let case = Case::on_sqlite();
    git(&case, &["init", "-q", "-b", "main"]).exits(0);
    for project in ["services/a", "services/b"] {
        case.write(
            &format!("{project}/dbbuild.toml"),
            "[project]\nname = \"one\"\n[targets.dev]\nurl = \"sqlite:one.db\"\nenvironment = \"development\"\n",
        );
        case.write(&format!("{project}/db/1_two.sql"), "create table if not exists two (id integer primary key);\n");
        case.run(&["hooks", "install", "--project", project]).exits(0);
    }
    case.write(".gitignore", "*.db*\nhome/\ndb/\n/dbbuild.toml\n");
    git(&case, &["add", "-f", "services"]).exits(0);
    git(&case, &["commit", "-q", "-m", "first"]).exits(0);
    let files = git(&case, &["ls-files"]).stdout;
    assert!(files.contains("services/a/baseline/sqlite/schema.sql"), "{files}");
    assert!(files.contains("services/b/baseline/sqlite/schema.sql"), "{files}");
    case.run(&["hooks", "uninstall", "--project", "services/a"]).exits(0);
    assert!(case.read(".git/hooks/pre-commit").contains("services/b"));
    assert_eq!(git(&case, &["config", "--local", "--get", "merge.dbbuild.driver"]).code, Some(0));
}
