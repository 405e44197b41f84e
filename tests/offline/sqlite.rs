//! The sqlite3 shell.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Ran, assert_same, dbbuild, example, feed, is_installed, project};

struct Database {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Database {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { file: folder.path().join("test.db"), _folder: folder }
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.file.display())
    }

    fn shell(&self, input: &str) -> Ran {
        let mut command = Command::new("sqlite3");
        command.current_dir(self._folder.path()).arg("-batch").arg(&self.file);
        feed(command, input)
    }

    fn dbbuild(&self, project: &Path, arguments: &[&str]) -> Ran {
        dbbuild(project, &self.url(), arguments)
    }

    /// Everything but the journal, and the journal without times and runs.
    fn content(&self) -> String {
        let rows = "select kind, key, order_key, attempt, name, checksum, token_checksum, text, state, statements_done,
                           statements, error, objects, (select count(*) from dbbuild_progress) from dbbuild_journal order by kind, key, attempt;";
        let mark = "select environment, protected, format from dbbuild_environment;";
        let dump = self.shell(".dump").expect();
        let dump: Vec<&str> = dump.lines().filter(|line| !line.starts_with("INSERT INTO dbbuild_")).collect();
        format!("{}\n{}", dump.join("\n"), self.shell(&format!(".mode quote\n{rows}\n{mark}")).expect())
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.file).unwrap()
    }
}

fn script(database: &Database, project: &Path, arguments: &[&str]) -> String {
    database.dbbuild(project, &[&["plan", "--sql"], arguments].concat()).expect()
}

#[test]
fn the_example_is_what_a_build_makes() {
    if !is_installed("sqlite3") {
        return;
    }
    let (built, shell) = (Database::new(), Database::new());
    built.dbbuild(&example(), &["build", "--no-baseline", "--from-scripts", "--no-seed"]).expect();
    let text = script(&shell, &example(), &["--from", "0", "--no-seed"]);
    assert!(!shell.file.exists(), "writing the script opened the database");
    shell.shell(&text).expect();
    // A shell knows the names that a code file makes; a build knows the objects.
    for database in [&shell, &built] {
        database.shell("update dbbuild_journal set objects = null where objects is not null;").expect();
    }
    assert_same(&shell.content(), &built.content());
    let plan = shell.dbbuild(&example(), &["plan", "--no-seed", "--no-baseline"]).expect();
    assert!(plan.ends_with("nothing to do\n"), "{plan}");

    let before = shell.bytes();
    let again = shell.shell(&text);
    assert!(!again.ok && again.stderr.contains("there is nothing to do"), "{again:?}");
    assert_eq!(shell.bytes(), before);
}

#[test]
fn the_build_goes_on_where_the_script_ends() {
    if !is_installed("sqlite3") {
        return;
    }
    let (built, shell) = (Database::new(), Database::new());
    built.dbbuild(&example(), &["build", "--no-baseline", "--from-scripts"]).expect();
    shell.shell(&script(&shell, &example(), &["--from", "0"])).expect();
    let rest = shell.dbbuild(&example(), &["plan", "--no-baseline"]).expect();
    let steps: Vec<&str> = rest.lines().filter(|line| line.starts_with("  ")).collect();
    assert!(!steps.is_empty() && steps.iter().all(|step| step.contains(".csv")), "{rest}");
    shell.dbbuild(&example(), &["build", "--no-baseline"]).expect();
    assert_eq!(shell.content().lines().count(), built.content().lines().count());
    assert!(shell.dbbuild(&example(), &["plan", "--no-baseline"]).expect().ends_with("nothing to do\n"));
}

#[test]
fn from_one_version_to_another() {
    if !is_installed("sqlite3") {
        return;
    }
    let (built, shell) = (Database::new(), Database::new());
    built.dbbuild(&example(), &["build", "--to", "3"]).expect();
    built.dbbuild(&example(), &["build", "--to", "9"]).expect();
    shell.dbbuild(&example(), &["build", "--to", "3"]).expect();
    let text = script(&shell, &example(), &["--from", "3", "--to", "9"]);
    assert!(text.starts_with("-- shop: from version 3 to version 9, for the sqlite3 shell\n"), "{text}");
    shell.shell(&text).expect();
    // A shell knows the names that a code file makes; a build knows the objects.
    for database in [&shell, &built] {
        database.shell("update dbbuild_journal set objects = null where objects is not null;").expect();
    }
    assert_same(&shell.content(), &built.content());
    // What the database says of itself leads to the same script's end.
    let status = shell.dbbuild(&example(), &["status"]).expect();
    assert!(status.starts_with("shop · ") && status.contains("version 9"), "{status}");
}

#[test]
fn another_database_is_left_alone() {
    if !is_installed("sqlite3") {
        return;
    }
    let stops = |database: &Database, text: &str, why: &str| {
        let before = database.bytes();
        let ran = database.shell(text);
        assert!(!ran.ok && ran.stderr.contains(why), "{ran:?}");
        assert_eq!(database.bytes(), before, "{why}");
    };
    let at_two = Database::new();
    at_two.dbbuild(&example(), &["build", "--to", "2"]).expect();
    stops(&at_two, &script(&at_two, &example(), &["--from", "3", "--to", "9"]), "this database is not at version 3");

    let foreign = Database::new();
    foreign.shell("create table mine (id int);").expect();
    stops(&foreign, &script(&foreign, &example(), &["--from", "0"]), "objects and no journal");
    stops(&foreign, &script(&foreign, &example(), &["--from", "3"]), "has no journal");

    let first = project(&[("dbbuild.toml", "[project]\nname = \"p\"\n"), ("db/1_a.sql", "create table a (x int);")]);
    let altered = Database::new();
    altered.dbbuild(first.path(), &["build", "--no-baseline"]).expect();
    std::fs::write(first.path().join("db/1_a.sql"), "create table a (y int);").unwrap();
    std::fs::write(first.path().join("db/2_b.sql"), "create table b (y int);").unwrap();
    stops(&altered, &script(&altered, first.path(), &["--from", "1"]), "were changed since");
}

const TRICKY: &[(&str, &str)] = &[
    ("dbbuild.toml", "[project]\nname = \"tri'cky\"\nengines = [\"sqlite\"]\n"),
    (
        "db/1_lines.sql",
        "-- .quit; isn't\n/* a\n.quit\n#no\n; */\ncreate table t (id integer primary key, text text, n int);\n\
         insert into t values (1, '.quit\ngo\n/\n;--', 8\n/\n2), (2, 'a''b\\n', 4 -- half\n/\n2);\n\
         insert into t select 3, x.\"a b\"\n, go from (select 'c' as \"a b\", 5 as\ngo\n) x;\n",
    ),
    (
        "db/2_trigger.sql",
        "create trigger tr after insert on t when new.id > 1 begin\n  update t set n = case when n is null then 0 else n + 1 end\n   where id = new.id;\n  select 1;\nend;\n\
         insert into t (id) values (10);",
    ),
    (
        "db/3_guard.sql",
        "-- dbbuild: unless column t.extra\nalter table t add column extra text;\n\
         -- dbbuild: unless table g begin\ncreate table g (x);\ninsert into g values (1);\n-- dbbuild: end\n\
         -- dbbuild: if table nowhere\ndrop table nowhere;\n-- dbbuild: unless column main.T.N\nalter table t add column n int;\n\
         -- dbbuild: if query select '0' where 1 -- text\ninsert into g values ('it''s\n;');\n\
         -- dbbuild: if query select x from g where x = 9\ninsert into g values (10);\n\
         -- dbbuild: if table nowhere begin\n-- dbbuild: unless query select 1 from nowhere\ninsert into nowhere values (1);\n\
         insert into nowhere values (2);\n-- dbbuild: end\n",
    ),
    (
        "db/4_rebuild.sql",
        "-- dbbuild: foreign-keys off\ncreate table child (id int references parent on delete cascade);\n\
         create table parent (id integer primary key);\ninsert into parent values (1);\ninsert into child values (1);\n\
         create table parent_new (id integer primary key, more text);\ninsert into parent_new (id) select id from parent;\n\
         drop table parent;\nalter table parent_new rename to parent;\n",
    ),
    (
        "db/5_bare.sql",
        "-- dbbuild: no-transaction\ninsert into g values (2);\nvacuum;\n-- dbbuild: unless table h begin\ncreate table h (x);\ninsert into h values (3);\n-- dbbuild: end\n\
         -- dbbuild: if table nowhere begin\ndrop table nowhere;\ndrop table g;\n-- dbbuild: end\n",
    ),
    ("db/6_empty.sql", "-- nothing at all\n"),
];

#[test]
fn texts_reach_the_database_as_they_are() {
    if !is_installed("sqlite3") {
        return;
    }
    let project = project(TRICKY);
    let (built, shell) = (Database::new(), Database::new());
    built.dbbuild(project.path(), &["build", "--no-baseline"]).expect();
    let text = script(&shell, project.path(), &["--from", "0"]);
    shell.shell(&text).expect();
    // A shell knows the names that a code file makes; a build knows the objects.
    for database in [&shell, &built] {
        database.shell("update dbbuild_journal set objects = null where objects is not null;").expect();
    }
    assert_same(&shell.content(), &built.content());
    assert_eq!(shell.shell("select n from t where id < 3; select count(*) from child;").expect(), "4\n2\n1\n");
}

#[test]
fn a_script_that_was_cut_short_is_resumed_by_a_build() {
    if !is_installed("sqlite3") {
        return;
    }
    let bad = "-- dbbuild: no-transaction\ncreate table a (x int unique);\n-- dbbuild: unless table b begin\n\
               create table b (x int);\ninsert into a select 1 from c;\n-- dbbuild: end\n";
    let project =
        project(&[("dbbuild.toml", "[project]\nname = \"p\"\nengines = [\"sqlite\"]\n"), ("db/1_a.sql", bad)]);
    let database = Database::new();
    let text = script(&database, project.path(), &["--from", "0"]);
    let ran = database.shell(&text);
    assert!(!ran.ok && ran.stderr.contains("no such table: c"), "{ran:?}");
    let again = database.shell(&text);
    assert!(!again.ok && again.stderr.contains("cut short half-way"), "{again:?}");
    let refused = database.dbbuild(project.path(), &["plan", "--sql"]);
    assert!(!refused.ok && refused.stderr.contains("half-way"), "{refused:?}");

    database.shell("create table c (x int); insert into c values (1);").expect();
    database.dbbuild(project.path(), &["build", "--no-baseline"]).expect();
    assert_eq!(database.shell("select * from a; select state from dbbuild_journal;").expect(), "1\napplied\n");
}

#[test]
fn what_the_shell_cannot_do_is_refused_by_name() {
    let refused = |script: &str, code: &str| {
        let project = project(&[("dbbuild.toml", "[project]\nname = \"p\"\n"), ("db/1_a.sql", script)]);
        let ran = Database::new().dbbuild(project.path(), &["plan", "--sql", "--from", "0"]);
        assert!(!ran.ok && ran.stderr.contains(code), "{ran:?}");
    };
    refused(
        "-- dbbuild: no-transaction\ncreate table a (x);\n-- dbbuild: repeat until 0 rows\ndelete from a where x = 1;",
        "offline/repeat",
    );
    refused("create table a (x);\ninsert into a values (:x);", "offline/parameter");
}

#[test]
fn code_runs_again_only_as_a_build_would_journal_it() {
    if !is_installed("sqlite3") {
        return;
    }
    let project = project(&[
        ("dbbuild.toml", "[project]\nname = \"p\"\n"),
        ("db/1_a.sql", "create table a (x int);"),
        ("db/code/one.sql", "drop view if exists one;\ncreate view one as select 1 as x from a;"),
        ("db/code/two.sql", "drop view if exists two;\ncreate view two as select x from one;"),
    ]);
    let database = Database::new();
    database.dbbuild(project.path(), &["build", "--no-baseline"]).expect();
    std::fs::write(project.path().join("db/2_b.sql"), "create table b (x int);").unwrap();
    let one = "drop view if exists one;\ncreate view one as select 2 as x from b;";
    std::fs::write(project.path().join("db/code/one.sql"), one).unwrap();
    database.shell(&script(&database, project.path(), &["--from", "1"])).expect();
    let rows = "select key, attempt from dbbuild_journal where kind = 'code' order by key, attempt;";
    assert_eq!(database.shell(rows).expect(), "db/code/one.sql|1\ndb/code/one.sql|2\ndb/code/two.sql|1\n");
    let plan = database.dbbuild(project.path(), &["plan", "--no-baseline"]).expect();
    assert!(plan.ends_with("nothing to do\n"), "{plan}");
}
