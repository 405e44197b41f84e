//! psql, on a private server.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dbbuild::Host;
use dbbuild::engine::PrivateServer;

use super::{Ran, assert_same, dbbuild, example, feed, is_installed, project, skip};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Server {
    server: PrivateServer,
    _turn: MutexGuard<'static, ()>,
}

impl Server {
    fn start() -> Option<Self> {
        if !is_installed("psql") {
            return None;
        }
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let cache = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/dbbuild"));
        let variables = std::env::vars().filter(|(name, _)| !name.starts_with("PG")).collect();
        let host = Host { variables, cache, temporary: std::env::temp_dir(), ..Host::default() };
        match PrivateServer::start(&host, None) {
            Ok(server) => Some(Self { server, _turn: turn }),
            Err(error) => {
                skip(&format!("no private PostgreSQL server: {error}"));
                None
            }
        }
    }

    fn database(&self, name: &str) -> Database<'_> {
        self.server.drop_database(name).unwrap();
        self.server.create_database(name).unwrap();
        Database { server: self, name: name.to_owned() }
    }
}

struct Database<'a> {
    server: &'a Server,
    name: String,
}

impl Database<'_> {
    fn url(&self) -> String {
        self.server.server.url(&self.name)
    }

    fn shell(&self, input: &str) -> Ran {
        let mut command = Command::new("psql");
        // Variables that psql would put into SQL, wherever it took a colon for its own.
        command.args(["-X", "-q", "-A", "-t", "-v", "host=0", "-v", "b=9", "-d", &self.url()]);
        feed(command, input)
    }

    fn dbbuild(&self, project: &Path, arguments: &[&str]) -> Ran {
        dbbuild(project, &self.url(), arguments)
    }

    /// Everything but the journal, and the journal without times and runs.
    fn content(&self) -> String {
        let dump = Command::new("pg_dump").args(["--inserts", "-d", &self.url()]).output().unwrap();
        let dump = Ran::of(&dump).expect();
        // Sequence values count claims, too; newer versions write a random word.
        let differs = |line: &str| {
            ["INSERT INTO dbbuild.", "SELECT pg_catalog.setval('dbbuild.", "\\restrict", "\\unrestrict"]
                .iter()
                .any(|start| line.starts_with(start))
        };
        // Values of the journal's rows go over several lines.
        let dump = dump.replace("\n\n\n--\n-- ", "\u{c}");
        let sections: Vec<&str> =
            dump.split('\u{c}').filter(|section| !section.starts_with("Data for Name: journal;")).collect();
        let dump: Vec<&str> =
            sections.iter().flat_map(|section| section.lines()).filter(|line| !differs(line)).collect();
        let rows = "select kind, key, order_key, attempt, name, checksum, token_checksum, text, state, statements_done,
                           statements, error, objects, progress, applied_by, finished_at >= started_at, duration_ms >= 0
                      from dbbuild.journal order by kind, key, attempt;";
        let mark = "select environment, protected, format from dbbuild.environment;";
        format!("{}\n{}", dump.join("\n"), self.shell(&format!("{rows}\n{mark}")).expect())
    }
}

fn script(database: &Database<'_>, project: &Path, arguments: &[&str]) -> String {
    // A server that is not there: writing the script asks none.
    let url = format!("postgresql://nobody@/{}?host=/nowhere", database.name);
    dbbuild(project, &url, &[&["plan", "--sql"], arguments].concat()).expect()
}

#[test]
fn the_example_is_what_a_build_makes() {
    let Some(server) = Server::start() else { return };
    let (built, shell) = (server.database("built"), server.database("shell"));
    built.dbbuild(&example(), &["build", "--no-baseline", "--from-scripts", "--no-seed"]).expect();
    let text = script(&shell, &example(), &["--from", "0", "--no-seed"]);
    shell.shell(&text).expect();
    // A shell knows the names that a code file makes; a build knows the objects.
    for database in [&shell, &built] {
        database.shell("update dbbuild.journal set objects = null where objects is not null;").expect();
    }
    assert_same(&shell.content(), &built.content());
    let plan = shell.dbbuild(&example(), &["plan", "--no-seed", "--no-baseline"]).expect();
    assert!(plan.ends_with("nothing to do\n"), "{plan}");

    let everything = || (shell.content(), shell.shell("select * from dbbuild.journal;").expect());
    let before = everything();
    let again = shell.shell(&text);
    assert_eq!(again.stdout, "done\n", "{again:?}");
    assert!(again.ok && again.stderr.is_empty(), "{again:?}");
    assert_eq!(everything(), before);
}

#[test]
fn from_one_version_to_another() {
    let Some(server) = Server::start() else { return };
    let (built, shell) = (server.database("built"), server.database("shell"));
    built.dbbuild(&example(), &["build", "--to", "3"]).expect();
    built.dbbuild(&example(), &["build", "--to", "9"]).expect();
    shell.dbbuild(&example(), &["build", "--to", "3"]).expect();
    let text = script(&shell, &example(), &["--from", "3", "--to", "9"]);
    assert!(text.starts_with("-- shop: from version 3 to version 9, for psql\n"), "{text}");
    shell.shell(&text).expect();
    // A shell knows the names that a code file makes; a build knows the objects.
    for database in [&shell, &built] {
        database.shell("update dbbuild.journal set objects = null where objects is not null;").expect();
    }
    assert_same(&shell.content(), &built.content());
    let status = shell.dbbuild(&example(), &["status"]).expect();
    assert!(status.contains("version 9"), "{status}");

    // Seeds and code, from the state that the database is in.
    let rest = shell.dbbuild(&example(), &["plan", "--sql"]).expect();
    shell.shell(&rest).expect();
    let plan = shell.dbbuild(&example(), &["plan", "--no-baseline"]).expect();
    let steps: Vec<&str> = plan.lines().filter(|line| line.starts_with("  ")).collect();
    assert!(!steps.is_empty() && steps.iter().all(|step| step.contains(".csv")), "{plan}");
}

#[test]
fn another_database_is_left_alone() {
    let Some(server) = Server::start() else { return };
    let stops = |database: &Database<'_>, text: &str, why: &str| {
        let all = "select count(*) from pg_class; select * from pg_class c where relnamespace >= 16384 order by oid;";
        let before = database.shell(all).expect();
        let ran = database.shell(text);
        assert!(!ran.ok && ran.stderr.contains(why), "{ran:?}");
        assert_eq!(database.shell(all).expect(), before, "{why}");
    };
    let at_two = server.database("shell");
    at_two.dbbuild(&example(), &["build", "--to", "2"]).expect();
    let text = script(&at_two, &example(), &["--from", "3", "--to", "9"]);
    stops(&at_two, &text, "this database is not at version 3: it lacks 3");

    let foreign = server.database("shell");
    foreign.shell("create table mine (id int);").expect();
    stops(&foreign, &script(&foreign, &example(), &["--from", "0"]), "no journal: table public.mine");
    stops(&foreign, &script(&foreign, &example(), &["--from", "3"]), "has no journal");

    let first = project(&[("dbbuild.toml", "[project]\nname = \"p\"\n"), ("db/1_a.sql", "create table a (x int);")]);
    let altered = server.database("shell");
    altered.dbbuild(first.path(), &["build", "--no-baseline"]).expect();
    std::fs::write(first.path().join("db/1_a.sql"), "create table a (y int);").unwrap();
    std::fs::write(first.path().join("db/2_b.sql"), "create table b (y int);").unwrap();
    stops(&altered, &script(&altered, first.path(), &["--from", "1"]), "changed since they were applied here: 1");

    std::fs::write(first.path().join("dbbuild.toml"), "[project]\nname = \"q\"\n").unwrap();
    stops(&altered, &script(&altered, first.path(), &["--from", "0"]), "another project's: p");
}

const TRICKY: &[(&str, &str)] = &[
    ("dbbuild.toml", "[project]\nname = \"tri'cky\\\\\"\nengines = [\"postgres\"]\n"),
    (
        "db/1_colons.sql",
        "-- :host isn't; \\q\n/* \\q '; :host */\ncreate table t (host int, b int, \"HOST\" text);\n\
         insert into t values (2, 3, 'x:host :''b'' \\q'), (1, 2, $$:host \\q ' $$);\n\
         create view sliced as select (array[1, 2, 3])[:host] as to_host, (array[1, 2, 3])[b:] as from_b,\n  \
         (array[7, 8, 9])[host:b] as both, host::text as cast_, E'a\\\\:b\\'' as escaped from t;\n\
         create function f(int) returns int language sql begin atomic select 1; select (array[5, 6])[1:$1] is null; select $1; end;\n",
    ),
    (
        "db/2_copy.sql",
        "create table c (id int primary key, text text);\ncreate table skipped (id int);\n\
         copy c (id, text) from stdin;\n1\tisn't \"it\"; $$ /* \\\\if :host\n2\t\\N\n3\t\n\\.\n-- between\n\
         -- dbbuild: unless table skipped\ncopy skipped from stdin;\nisn't read\n\n\\else\n\\.\n\
         insert into c values (4, 'after');\n-- dbbuild: if table c\ncopy c from stdin (format csv);\n5,\"a\nb\"\n\\.\n",
    ),
    (
        "db/3_guards.sql",
        "-- dbbuild: unless column t.more\nalter table t add column more text;\n\
         -- dbbuild: unless column t.more\nalter table t add column more text;\n\
         -- dbbuild: unless table g begin\ncreate table g (x int);\ninsert into g values (1);\n-- dbbuild: end\n\
         -- dbbuild: unless query select host, b as x, 1 as x from t where \"HOST\" = ':b' or host = (array[1,2])[1] -- why\ninsert into g values (2);\n\
         -- dbbuild: if query select 0.0\ninsert into g values (3);\n\
         -- dbbuild: if query select 'f'\ninsert into g values (4);\n\
         -- dbbuild: if query select null::int\ninsert into g values (5);\n\
         -- dbbuild: unless query select count(*) > 100 from t\ninsert into g values (6);\n",
    ),
    (
        "db/4_bare.sql",
        "-- dbbuild: no-transaction\n-- dbbuild: lock-timeout 2s\nset search_path = pg_catalog, public;\n\
         create index concurrently if not exists g_x on public.g (x);\n\
         -- dbbuild: unless table h begin\ncreate table public.h (x int);\ninsert into public.h select generate_series(1, 25);\n-- dbbuild: end\n\
         -- dbbuild: repeat until 0 rows\ndelete from public.h where x in (select x from public.h where x > 5 limit 7);\n\
         copy public.h from stdin;\n100\n\\.\n\
         do $$ begin insert into public.h values (101); commit; end $$;\nvacuum public.h;\n",
    ),
    (
        "db/5_unset.sql",
        "create table where_am_i (x int);\ncreate temporary table gone (x int);\nset local role none;\nset standard_conforming_strings = on;\n",
    ),
    ("db/6_begin.sql", "begin;\ncreate table framed (x int);\ncommit;\n"),
    ("db/7_empty.sql", "-- nothing at all\n"),
    (
        "db/8_deferred.sql",
        "create table d (id int primary key, up int references d deferrable initially deferred);\ninsert into d values (1, 2), (2, 1);\n",
    ),
    ("db/code/v.sql", "create or replace view v as select ':host' as x, (array[1, 2])[1:host] as y from t;\n"),
    ("seed/1_g.sql", "insert into g select 9 where not exists (select from g where x = 9);\n"),
];

#[test]
fn texts_reach_the_database_as_they_are() {
    let Some(server) = Server::start() else { return };
    let project = project(TRICKY);
    let (built, shell) = (server.database("built"), server.database("shell"));
    built.dbbuild(project.path(), &["build", "--no-baseline"]).expect();
    let text = script(&shell, project.path(), &["--from", "0"]);
    shell.shell(&text).expect();
    // A shell knows the names that a code file makes; a build knows the objects.
    for database in [&shell, &built] {
        database.shell("update dbbuild.journal set objects = null where objects is not null;").expect();
    }
    assert_same(&shell.content(), &built.content());
    assert_eq!(
        shell.shell("select count(*) from c; select count(*) from h; select sum(x) from g;").expect(),
        "5\n7\n20\n"
    );
    let before = shell.content();
    let again = shell.shell(&text);
    assert!(again.ok && again.stdout == "done\n", "{again:?}");
    assert_same(&shell.content(), &before);
}

#[test]
fn an_error_stops_the_script_which_goes_on_when_run_again() {
    let Some(server) = Server::start() else { return };
    let project = project(&[
        ("dbbuild.toml", "[project]\nname = \"p\"\nengines = [\"postgres\"]\n"),
        ("db/1_a.sql", "create table a (x int);"),
        ("db/2_b.sql", "create table b (x int);\ninsert into b select 1 from missing;"),
        ("db/3_c.sql", "create table c (x int);"),
    ]);
    let database = server.database("shell");
    let text = script(&database, project.path(), &["--from", "0"]);
    let ran = database.shell(&text);
    assert!(!ran.ok && ran.stderr.contains("relation \"missing\" does not exist"), "{ran:?}");
    let there = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1;
                 select key, state from dbbuild.journal order by 1;";
    assert_eq!(database.shell(there).expect(), "a\n1|applied\n");
    database.shell("create table public.missing (x int);").expect();
    database.shell(&text).expect();
    assert_eq!(database.shell(there).expect(), "a\nb\nc\nmissing\n1|applied\n2|applied\n3|applied\n");
}

#[test]
fn a_script_that_was_cut_short_is_resumed_by_a_build() {
    let Some(server) = Server::start() else { return };
    let bad = "-- dbbuild: no-transaction\ncreate table a (x int unique);\n-- dbbuild: unless table b begin\n\
               create table b (x int);\ninsert into a select 1 from c;\n-- dbbuild: end\n";
    let project =
        project(&[("dbbuild.toml", "[project]\nname = \"p\"\nengines = [\"postgres\"]\n"), ("db/1_a.sql", bad)]);
    let database = server.database("shell");
    let text = script(&database, project.path(), &["--from", "0"]);
    let ran = database.shell(&text);
    assert!(!ran.ok && ran.stderr.contains("relation \"c\" does not exist"), "{ran:?}");
    let again = database.shell(&text);
    assert!(!again.ok && again.stderr.contains("1 is half-way"), "{again:?}");
    database.shell("create table public.c (x int); insert into public.c values (1);").expect();
    database.dbbuild(project.path(), &["build", "--no-baseline"]).expect();
    assert_eq!(database.shell("select * from public.a; select state from dbbuild.journal;").expect(), "1\napplied\n");
}

#[test]
fn the_settings_of_a_target_hold() {
    let Some(server) = Server::start() else { return };
    let settings = "[project]\nname = \"p\"\n[targets.live]\nurl = \"postgresql://nobody@/shell\"\nenvironment = \"staging\"\n\
                    owner-role = \"the owner\"\nschemas = [\"Own\", \"public\"]\nlock-timeout = \"3s\"\n";
    let project = project(&[
        ("dbbuild.toml", settings),
        (
            "db/1_a.sql",
            "create schema \"Own\";\ncreate table a as select current_setting('lock_timeout') as t;\nset role none;",
        ),
        ("db/2_b.sql", "create table b as select current_user::text as u, current_schema()::text as s;"),
    ]);
    let database = server.database("shell");
    database.shell("drop role if exists \"the owner\"; create role \"the owner\" superuser;").expect();
    let output = Command::new(env!("CARGO_BIN_EXE_dbbuild"))
        .arg("--project")
        .arg(project.path())
        .args(["--target", "live", "plan", "--sql", "--from", "0"])
        .output()
        .unwrap();
    let text = Ran::of(&output).expect();
    database.shell(&text).expect();
    let facts =
        "select t from \"Own\".a; select u, s from \"Own\".b; select environment, protected from dbbuild.environment;
                 select applied_by from dbbuild.journal limit 1;
                 select distinct tableowner from pg_tables where schemaname in ('Own', 'public');";
    assert_eq!(database.shell(facts).expect(), "3s\nthe owner|Own\nstaging|f\ndbbuild\nthe owner\n");
    database.shell("update dbbuild.environment set environment = 'production';").expect();
    let ran = database.shell(&text);
    assert!(!ran.ok && ran.stderr.contains("is marked production, and the script is for staging"), "{ran:?}");
}

#[test]
fn a_build_at_work_keeps_the_script_out() {
    let Some(server) = Server::start() else { return };
    let database = server.database("shell");
    let text = script(&database, &example(), &["--from", "0"]);
    let lock = text.lines().find(|line| line.contains("pg_try_advisory_lock")).unwrap();
    let (call, _) = lock.split_once(" as ").unwrap();
    let mut holder = Command::new("psql")
        .args(["-X", "-q", "-d", &database.url(), "-c", &format!("{call}; select pg_sleep(60)")])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let held = "select count(*) from pg_locks where locktype = 'advisory';";
    while database.shell(held).expect() != "1\n" {
        assert!(holder.try_wait().unwrap().is_none());
    }
    let ran = database.shell(&text);
    assert!(!ran.ok && ran.stderr.contains("another build is at work"), "{ran:?}");
    holder.kill().unwrap();
    holder.wait().unwrap();
}

#[test]
fn data_that_psql_cannot_skip_is_refused() {
    let script = "create table a (x text);\ncopy a from stdin;\na\u{1}b\n\\.\n";
    let project = project(&[("dbbuild.toml", "[project]\nname = \"p\"\n"), ("db/1_a.sql", script)]);
    let ran = dbbuild(project.path(), "postgresql://nobody@/x", &["plan", "--sql", "--from", "0"]);
    assert!(!ran.ok && ran.stderr.contains("offline/copy-data"), "{ran:?}");
}
