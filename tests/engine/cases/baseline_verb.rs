//! `dbbuild baseline`: complete, atomic, quiet while nothing changed, and a check for CI.

use std::path::Path;

use crate::support::{CUSTOMER, Case};

fn folder(case: &Case) -> &'static str {
    case.pick("baseline/sqlite", "baseline/postgres")
}

fn project(case: &Case) {
    case.two_scripts();
    case.write("db/3_rows.sql", "insert into customer (id, name) values (1, 'Ada'), (2, 'Bob');\n");
}

/// A table with a column that is another value each time, as this engine says it.
fn volatile_table(case: &Case) -> &'static str {
    case.pick(
        "create table if not exists token (
    id integer primary key,
    name text not null,
    secret text not null default (lower(hex(randomblob(8)))),
    made_at text not null default current_timestamp
);
",
        "create table if not exists token (
    id integer primary key,
    name text not null,
    secret uuid not null default gen_random_uuid(),
    made_at timestamptz not null default now()
);
",
    )
}

fn data_file(case: &Case, table: &str) -> String {
    case.pick(format!("{}/data/{table}.sql", folder(case)), format!("{}/data/public.{table}.copy", folder(case)))
}

cases! {
    fn it_writes_what_is_not_there_and_then_nothing(case) {
        project(case);
        let output = case.run(&["baseline"]).exits(0).says("files written");
        let files = case.files(folder(case));
        assert!(files.contains_key("manifest.toml") && files.contains_key("objects.toml"), "{output}");
        assert!(!files.keys().any(|path| path.contains(".dbbuild-")), "{:?}", files.keys());
        let times = case.times();
        // Nothing is looked for: no server, no programs, no database.
        let mut command = case.program(&["baseline"]);
        command.env("PATH", "/nowhere");
        crate::support::Output::of(command).exits(0).says("up to date");
        assert_eq!(case.times(), times);
        assert_eq!(case.tables(), "", "the target is none of its business");
    }

    fn a_change_writes_only_what_differs(case) {
        project(case);
        case.run(&["baseline"]).exits(0);
        case.write("db/3_rows.sql", "-- only said otherwise\ninsert into customer (id, name) values (1, 'Ada'), (2, 'Bob');\n");
        let document = case.run(&["baseline", "--format", "json"]).exits(0).document();
        assert_eq!(document["changed"], serde_json::json!(["manifest.toml"]));
        case.write("db/4_more.sql", "insert into customer (id, name) values (3, 'Eve');\n");
        let document = case.run(&["baseline", "--format", "json"]).exits(0).document();
        let data = case.pick("data/customer.sql", "data/public.customer.copy");
        assert_eq!(document["changed"], serde_json::json!([data, "manifest.toml"]), "{document}");
    }

    fn what_no_script_makes_any_more_goes(case) {
        project(case);
        case.run(&["baseline"]).exits(0);
        case.write(&format!("{}/README", folder(case)), "ours\n");
        case.remove("db/3_rows.sql");
        case.run(&["baseline"]).exits(0);
        let files = case.files(folder(case));
        assert!(!files.keys().any(|path| path.starts_with("data/")), "{:?}", files.keys());
        assert!(files.contains_key("README"));
    }

    fn check_shows_objects_and_rows_and_writes_nothing(case) {
        project(case);
        case.run(&["baseline", "--check"]).exits(1).says("is missing");
        case.run(&["baseline"]).exits(0);
        case.run(&["baseline", "--check"]).exits(0).says("is of this checkout");
        case.write("db/4_more.sql", "alter table customer add column city text;\ndelete from customer where id = 1;\ninsert into customer (id, name) values (3, 'Eve');\nupdate customer set name = 'Robert' where id = 2;\n");
        let before = case.files("");
        case.run(&["baseline", "--check"])
            .exits(1)
            .says("db/4_more.sql is new")
            .says("city")
            .says("is not of this checkout");
        case.write("db/4_more.sql", "delete from customer where id = 1;\ninsert into customer (id, name) values (3, 'Eve');\nupdate customer set name = 'Robert' where id = 2;\n");
        let name = case.pick("customer", "public.customer");
        case.run(&["baseline", "--check"])
            .exits(1)
            .says(&format!("{name} (id 2)   name: {}", case.pick("'Robert', here 'Bob'", "Robert, here Bob")))
            .says(&format!("{name} (id 3)   is not in the baseline"))
            .says(&format!("{name} (id 1)   is in the baseline only"));
        let document = case.run(&["baseline", "--check", "--format", "json"]).exits(1).document();
        assert_eq!(document["stale"], true);
        assert_eq!(document["rows"].as_array().unwrap().len(), 2, "{document}");
        assert_eq!(document["surplus"].as_array().unwrap().len(), 1, "{document}");
        case.remove("db/4_more.sql");
        assert_eq!(case.files("").len(), before.len() - 1);
        case.run(&["baseline", "--check"]).exits(0);
    }

    fn check_names_files_that_somebody_changed(case) {
        project(case);
        case.run(&["baseline"]).exits(0);
        let data = data_file(case, "customer");
        case.write(&data, case.read(&data).replace("Ada", "Eve"));
        case.run(&["baseline", "--check"]).exits(1).says(&format!("{data} is another one"));
        case.run(&["baseline"]).exits(0).says("1 file written");
        assert!(case.read(&data).contains("Ada"));
    }

    fn a_database_without_a_journal_is_not_dumped(case) {
        case.execute("create table theirs (id integer primary key)");
        project(case);
        case.unchanged(|| case.run(&["baseline"]).exits(3).says("objects and no journal").says("`adopt`"));
        assert!(!case.path(folder(case)).exists());
    }

    fn another_servers_version_is_refused(case) {
        project(case);
        case.run(&["baseline"]).exits(0);
        let manifest = format!("{}/manifest.toml", folder(case));
        let text = case.read(&manifest);
        let server = text.lines().find(|line| line.starts_with("server = ")).unwrap().to_owned();
        case.write(&manifest, text.replace(&server, "server = 99"));
        case.write("db/4_more.sql", "create table if not exists more (id integer primary key);\n");
        let files = case.files("baseline");
        case.run(&["baseline"]).exits(3).says("server version 99").says("delete");
        assert_eq!(case.files("baseline"), files);
        // In a build that is a line and no failure.
        case.settings("baseline = true\n");
        case.build().says("was not regenerated");
        assert_eq!(case.files("baseline"), files);
    }

    fn values_that_change_are_named_and_kept(case) {
        case.write("db/1_token.sql", volatile_table(case));
        case.write("db/2_rows.sql", "insert into token (id, name) values (1, 'a'), (2, 'b');\n");
        case.run(&["baseline"]).exits(0).says("secret, made_at is another value each time");
        let before = case.read(&data_file(case, "token"));
        case.write("db/3_more.sql", "insert into token (id, name) values (3, 'c');\nupdate token set name = 'B' where id = 2;\n");
        case.run(&["baseline"]).exits(0).says("1 row keeps what is committed");
        let after = case.read(&data_file(case, "token"));
        let row = |text: &str, needle: &str| text.lines().find(|line| line.contains(needle)).map(str::to_owned);
        let (a, b) = case.pick(("'a'", "'b'"), ("\ta\t", "\tb\t"));
        assert_eq!(row(&before, a), row(&after, a), "{before}\n{after}");
        assert_eq!(row(&after, b), None);
        // What changes is no reason for a difference.
        case.write("db/4_more.sql", "create table if not exists more (id integer primary key);\n");
        let document = case.run(&["baseline", "--check", "--format", "json"]).exits(1).document();
        assert_eq!((document["rows"].as_array().unwrap().len(), document["surplus"].as_array().unwrap().len()), (0, 0), "{document}");
        // And a fresh database has what is committed.
        case.run(&["baseline"]).exits(0).says("3 rows keep what is committed");
        assert_eq!(case.read(&data_file(case, "token")), after);
    }

    fn days_and_years_are_found_by_another_clock(case) {
        // PostgreSQL's server needs a library for it.
        let library = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"];
        if !case.is_sqlite() && !library.iter().any(|folder| Path::new(folder).join("faketime").exists()) {
            return;
        }
        case.write("db/1_t.sql", "create table if not exists t (id integer primary key, day date default current_date, year text, fixed text);\n");
        case.write("db/2_rows.sql", case.pick(
            "create index if not exists t_fixed on t (date(fixed));
insert or ignore into t (id, year, fixed) values (1, strftime('%Y'), date('2026-01-01', '+1 day'));\n",
            "insert into t (id, year, fixed) values (1, extract(year from now()), date '2026-01-02') on conflict do nothing;\n",
        ));
        case.run(&["baseline"]).exits(0).says("day, year is another value each time");
        case.build();
        assert_eq!(case.ask("select fixed from t"), "2026-01-02");
    }

    fn keys_that_change_stay_together(case) {
        let key = case.pick("text primary key default (lower(hex(randomblob(8))))", "uuid primary key default gen_random_uuid()");
        let text = case.pick("text", "uuid");
        case.write("db/1_account.sql", format!("create table if not exists account (id {key}, name text not null);\n"));
        case.write("db/2_member.sql", format!("create table if not exists member (id integer primary key, account {text} not null references account (id));\n"));
        case.write("db/3_rows.sql", "insert into account (name) values ('a'), ('b');\ninsert into member (id, account) select 1, id from account where name = 'a';\n");
        case.run(&["baseline"]).exits(0).says("id is another value each time").says("account is another value each time");
        let before = case.files(folder(case));
        case.write("db/4_more.sql", "create table if not exists more (id integer primary key);\n");
        case.run(&["baseline"]).exits(0).says("2 rows keep what is committed");
        let after = case.files(folder(case));
        for (path, bytes) in before.iter().filter(|(path, _)| path.starts_with("data/")) {
            assert_eq!(after.get(path), Some(bytes), "{path}");
        }
        // The account's row is another one, so that its key goes, and the member's must go with it.
        case.write("db/5_name.sql", "update account set name = 'A' where name = 'a';\n");
        case.run(&["baseline"]).exits(0).says("do not fit together");
        case.run(&["build"]).exits(0).says(folder(case));
        assert_eq!(case.ask("select a.name from member m join account a on a.id = m.account"), "A");
    }

    fn what_a_merge_left_is_written_anew(case) {
        project(case);
        case.run(&["baseline"]).exits(0);
        let whole = case.files(folder(case));
        let manifest = format!("{}/manifest.toml", folder(case));
        for path in [manifest.clone(), data_file(case, "customer"), format!("{}/{}", folder(case), case.pick("schema.sql", "pre-data.sql"))] {
            case.write(&path, format!("<<<<<<< HEAD\n{0}=======\n{0}>>>>>>> other\n", case.read(&path)));
        }
        case.run(&["baseline", "--check"]).exits(1).says("a merge by hand?");
        case.run(&["baseline"]).exits(0).says("3 files written");
        assert_eq!(case.files(folder(case)), whole);
    }

    fn a_leftover_of_a_killed_run_goes(case) {
        project(case);
        let (killed, working) = (format!("{}/.dbbuild-killed", folder(case)), format!("{}/.dbbuild-working", folder(case)));
        case.write(&format!("{killed}/fresh/data/x.sql"), "half");
        case.write(&format!("{working}/fresh/data/x.sql"), "half");
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7_200);
        std::fs::File::open(case.path(&killed)).unwrap().set_modified(long_ago).unwrap();
        // A lock tells at once whether somebody is there.
        let (just, held) = (format!("{}/.dbbuild-just", folder(case)), format!("{}/.dbbuild-held", folder(case)));
        case.write(&format!("{just}/lock"), "");
        case.write(&format!("{held}/lock"), "");
        let lock = std::fs::File::open(case.path(&format!("{held}/lock"))).unwrap();
        lock.lock().unwrap();
        case.run(&["baseline"]).exits(0);
        assert!(!case.path(&killed).exists() && !case.path(&just).exists());
        assert!(case.path(&held).exists());
        assert!(case.path(&working).exists(), "another run may be at work there");
    }

    fn a_script_that_fails_leaves_the_baseline_as_it_was(case) {
        project(case);
        case.write("db/4_bad.sql", "insert into nowhere values (1);\n");
        case.run(&["baseline"]).exits(4).says("db/4_bad.sql");
        assert!(!case.path("baseline").exists());
        case.remove("db/4_bad.sql");
        case.run(&["baseline"]).exits(0);
        let files = case.files("baseline");
        case.write("db/4_bad.sql", "insert into nowhere values (1);\n");
        case.run(&["baseline"]).exits(4).says("db/4_bad.sql");
        assert_eq!(case.files("baseline"), files);
        case.write("db/4_bad.sql", CUSTOMER);
        case.run(&["baseline"]).exits(0).says("1 file written");
    }
}

/// Where nothing can be built, the digests beside the manifest say what is different.
#[test]
fn drift_goes_by_the_digests_where_there_is_nowhere_to_build() {
    let Some(case) = Case::on_postgres() else { return };
    case.two_scripts();
    case.write("db/3_check.sql", "alter table customer add constraint known check (name in ('Ada', 'Bob'));\n");
    case.run(&["baseline"]).exits(0);
    case.build();
    let on_its_own = |arguments: &[&str]| {
        let mut command = case.program(arguments);
        command.env("PATH", "/nowhere").env("HOME", "/nowhere");
        crate::support::Output::of(command)
    };
    // The same objects and no rows: nothing is built, and so nothing is needed for it.
    case.settings(&format!("scratch = \"postgresql://nobody@/nothing?host={}\"\n", case.path("nowhere").display()));
    on_its_own(&["drift"]).exits(0).says("no drift");
    // A database that was loaded keeps its definitions in other words.
    case.run(&["reset", "--yes"]).exits(0);
    case.build().says("baseline/postgres");
    on_its_own(&["drift"]).exits(0).says("no drift");
    case.execute(
        "drop table item; alter table customer add column mine text; create view public.theirs as select 1 as a",
    );
    on_its_own(&["drift"])
        .exits(1)
        .says("missing   object table public.item")
        .says("added     column public.customer.mine")
        .says("added     view public.theirs")
        .says("3 differences");
}

/// What `pg_dump` has no place for is found by loading its dump, and named.
#[test]
fn what_a_dump_cannot_carry_is_named() {
    let Some(case) = Case::on_postgres() else { return };
    project(&case);
    case.run(&["baseline"]).exits(0);
    let files = case.files("baseline");
    case.write(
        "db/4_index.sql",
        "create index customer_name on customer (name);\n\
         update pg_index set indisvalid = false where indexrelid = 'customer_name'::regclass;\n",
    );
    case.run(&["baseline"]).exits(3).says("is not what the scripts make").says("public.customer_name");
    assert_eq!(case.files("baseline"), files);
    case.settings("baseline = true\n");
    case.build().says("was not regenerated").says("customer_name");
    assert_eq!(case.files("baseline"), files);
}

/// What belongs to the database as a whole is in no dump of its content.
#[test]
fn settings_of_the_database_are_named() {
    let Some(case) = Case::on_postgres() else { return };
    case.write(
        "db/1_setting.sql",
        "do $$ begin
            execute format('alter database %I set work_mem = %L', current_database(), '5MB');
            execute format('comment on database %I is %L', current_database(), 'ours');
        end $$;\n",
    );
    case.run(&["baseline"]).exits(0).says("work_mem").says("comment");
}

/// Only making a baseline needs `pg_dump`, and then it says what to install.
#[test]
fn a_missing_client_tool_is_named() {
    let Some(case) = Case::on_postgres() else { return };
    project(&case);
    case.settings("[baseline]\npg-dump = [\"/no/such/pg_dump\"]\n");
    case.run(&["baseline"]).exits(5).says("/no/such/pg_dump");
    assert!(!case.path("baseline/postgres/manifest.toml").exists());
    // A locale that scripts need is none that another one stands in for.
    case.settings("[baseline]\nlocale = \"xx_XX.UTF-8\"\n");
    case.run(&["baseline"]).exits(5).says("xx_XX.UTF-8").says("`locale` under [baseline]");
}
