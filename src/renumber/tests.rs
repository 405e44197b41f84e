#![allow(clippy::unwrap_used)]

use std::process::Command;

use super::*;

struct Fixture(tempfile::TempDir);

impl Fixture {
    fn new(files: &[(&str, &str)]) -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            fixture.write(path, text);
        }
        fixture
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.root().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        let base = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ];
        let output = Command::new("git").current_dir(self.root()).args(base).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self, seconds: u32) {
        self.git(&["add", "."]);
        let date = format!("{} +0000", 1_700_000_000 + seconds);
        let mut command = Command::new("git");
        command.current_dir(self.root()).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "commit.gpgsign=false",
        ]);
        let output = command
            .args(["commit", "-qm", "x"])
            .env("GIT_COMMITTER_DATE", &date)
            .env("GIT_AUTHOR_DATE", &date)
            .output();
        assert!(output.unwrap().status.success());
    }

    fn renumber(&self) -> Result<Renumbered, Error> {
        renumber(&Project::open(self.root()).unwrap(), "2026-03-04T05:06:07Z".parse().unwrap())
    }

    fn moved(&self) -> Vec<(String, String)> {
        self.renumber().unwrap().files
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap()
    }
}

fn pair(old: &str, new: &str) -> (String, String) {
    (old.to_owned(), new.to_owned())
}

fn refusal(result: Result<Renumbered, Error>) -> &'static str {
    match result {
        Err(Error::Refusal(refusal)) => refusal.code,
        _ => "none",
    }
}

/// `main` has 1 and, since the branch, 2 and 3; the branch is checked out with what `ours` writes on it.
fn branched(settings: &str, ours: &[&str]) -> Fixture {
    let fixture = Fixture::new(&[("dbbuild.toml", settings), ("db/0001_a.sql", "1")]);
    fixture.git(&["init", "-q"]);
    fixture.commit(0);
    fixture.git(&["checkout", "-qb", "mine"]);
    for path in ours {
        fixture.write(path, path);
    }
    fixture.commit(1);
    fixture.git(&["checkout", "-q", "main"]);
    fixture.write("db/0002_theirs.sql", "2");
    fixture.write("db/0003_theirs.sql", "3");
    fixture.commit(2);
    fixture.git(&["checkout", "-q", "mine"]);
    fixture
}

#[test]
fn unmerged_scripts_move_above_main_in_order_with_what_belongs_to_them() {
    let ours =
        ["db/0002_x.sql", "db/0002_x.down.sql", "db/0003_y.postgres.sql", "db/0003_y.sqlite.sql", "db/0007_z.sql"];
    let fixture = branched("[script.'0002']\ndirectives = ['no-transaction'] # an index\n", &ours);
    let done = fixture.renumber().unwrap();
    assert_eq!(
        done.files,
        [
            pair("db/0002_x.down.sql", "db/0004_x.down.sql"),
            pair("db/0002_x.sql", "db/0004_x.sql"),
            pair("db/0003_y.postgres.sql", "db/0005_y.postgres.sql"),
            pair("db/0003_y.sqlite.sql", "db/0005_y.sqlite.sql"),
        ]
        .into_iter()
        .collect::<Vec<_>>()
    );
    assert!(done.settings_changed);
    assert_eq!(fixture.read("db/0004_x.sql"), "db/0002_x.sql");
    assert!(!fixture.root().join("db/0002_x.sql").exists());
    let settings: crate::project::Settings = toml::from_str(&fixture.read("dbbuild.toml")).unwrap();
    assert_eq!(settings.script.keys().collect::<Vec<_>>(), ["4"]);
    assert!(fixture.read("dbbuild.toml").contains("# an index"));
    // A second run has nothing to do.
    assert_eq!(fixture.renumber().unwrap(), Renumbered::default());
}

#[test]
fn after_a_merge_only_the_branchs_own_scripts_move() {
    let fixture = branched("", &["db/0002_x.sql"]);
    fixture.git(&["merge", "-q", "main"]);
    assert_eq!(fixture.moved(), [pair("db/0002_x.sql", "db/0004_x.sql")]);
    assert_eq!(fixture.read("db/0002_theirs.sql"), "2");
}

#[test]
fn scripts_that_are_above_already_stay() {
    let fixture = branched("", &["db/0004_x.sql", "db/0009_y.sql"]);
    assert_eq!(fixture.renumber().unwrap(), Renumbered::default());
}

#[test]
fn a_chain_of_moves_meets_nobody() {
    let fixture = branched("", &["db/0002_x.sql", "db/0004_y.sql", "db/0005_z.sql"]);
    let expected = [
        pair("db/0002_x.sql", "db/0004_x.sql"),
        pair("db/0004_y.sql", "db/0005_y.sql"),
        pair("db/0005_z.sql", "db/0006_z.sql"),
    ];
    assert_eq!(fixture.moved(), expected);
    assert_eq!(fixture.read("db/0005_y.sql"), "db/0004_y.sql");
}

#[test]
fn on_main_an_uncommitted_script_gives_way() {
    let fixture = Fixture::new(&[("db/0001_a.sql", ""), ("db/0002_b.sql", "")]);
    fixture.git(&["init", "-q"]);
    fixture.commit(0);
    fixture.write("db/0002_mine.sql", "");
    fixture.write("db/0003_after.sql", "");
    let expected = [pair("db/0002_mine.sql", "db/0003_mine.sql"), pair("db/0003_after.sql", "db/0004_after.sql")];
    assert_eq!(fixture.moved(), expected);
}

#[test]
fn on_main_the_script_that_was_merged_last_gives_way() {
    let fixture = Fixture::new(&[("db/0001_a.sql", "")]);
    fixture.git(&["init", "-q"]);
    fixture.commit(0);
    fixture.write("db/0002_z_first.sql", "");
    fixture.commit(1);
    fixture.write("db/0002_later.sql", "");
    fixture.write("db/0003_b.sql", "");
    fixture.commit(2);
    fixture.git(&["checkout", "-qb", "mine"]);
    fixture.write("x", "");
    fixture.commit(3);
    assert_eq!(refusal(fixture.renumber()), "renumber/merged");
    fixture.git(&["checkout", "-q", "main"]);
    assert_eq!(fixture.moved(), [pair("db/0002_later.sql", "db/0004_later.sql")]);
}

#[test]
fn two_that_came_at_once_cannot_be_told_apart() {
    let fixture = Fixture::new(&[("db/0002_a.sql", ""), ("db/0002_b.sql", "")]);
    fixture.git(&["init", "-q"]);
    fixture.commit(0);
    assert_eq!(refusal(fixture.renumber()), "renumber/which");
    assert!(fixture.root().join("db/0002_a.sql").exists() && fixture.root().join("db/0002_b.sql").exists());
}

#[test]
fn without_git_the_newest_file_gives_way() {
    let fixture = Fixture::new(&[("db/2_new.sql", ""), ("db/2_old.sql", ""), ("db/9_c.sql", "")]);
    let old = std::fs::File::options().write(true).open(fixture.root().join("db/2_old.sql")).unwrap();
    old.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).unwrap();
    assert_eq!(fixture.moved(), [pair("db/2_new.sql", "db/10_new.sql")]);
}

#[test]
fn a_folder_per_change_moves_whole_and_options_follow() {
    let fixture =
        Fixture::new(&[("dbbuild.toml", "layout.style = 'folder-per-change'"), ("db/2024-01-01-000000_a/up.sql", "")]);
    fixture.git(&["init", "-q"]);
    fixture.commit(0);
    for file in ["up.sql", "down.sql", "metadata.toml"] {
        fixture.write(&format!("db/2024-01-01-000000_b/{file}"), file);
    }
    assert_eq!(fixture.moved(), [pair("db/2024-01-01-000000_b", "db/2026-03-04-050607_b")]);
    assert_eq!(fixture.read("db/2026-03-04-050607_b/metadata.toml"), "metadata.toml");
    let fixture = Fixture::new(&[("dbbuild.toml", "layout.style = 'flyway'"), ("db/V1__a.sql", "")]);
    fixture.git(&["init", "-q"]);
    fixture.commit(0);
    for file in ["V1__b.sql", "V1__b.sql.conf", "U1__b.sql"] {
        fixture.write(&format!("db/{file}"), "");
    }
    let expected = [
        pair("db/U1__b.sql", "db/U2__b.sql"),
        pair("db/V1__b.sql", "db/V2__b.sql"),
        pair("db/V1__b.sql.conf", "db/V2__b.sql.conf"),
    ];
    let mut moved = fixture.moved();
    moved.sort();
    assert_eq!(moved, expected);
}
