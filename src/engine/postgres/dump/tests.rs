#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::engine::postgres::link::value;
use crate::engine::postgres::private_server::PrivateServer;
use crate::engine::postgres::private_server::tests::server;
use crate::engine::postgres::session::PostgresSession;
use crate::engine::{Access, Load, Session};
use crate::event::Silent;
use crate::host::Host;
use crate::journal::Run;
use crate::project::{Address, Secret, Target};
use crate::script::Checksum;

const RICH: &str = include_str!("tests/rich.sql");

fn connector(url: &str, variables: &[(&str, &str)]) -> Connector {
    let target = Target::at(Address::Postgres(Secret::new(url)), "shown");
    let mut host = Host { temporary: std::env::temp_dir(), ..Host::default() };
    host.variables.insert("PATH".into(), std::env::var("PATH").unwrap_or_default());
    host.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Connector::new(&target, &host).unwrap()
}

fn prepare(server: &PrivateServer, database: &str, sql: &str) {
    server.create_roles(["reader", "app_owner"]).unwrap();
    server.create_database(database).unwrap();
    run(&mut server.connect(database).unwrap(), sql);
}

/// One by one, as scripts run: a new label of an enum type needs a transaction of its own.
fn run(client: &mut Client, sql: &str) {
    // The role is called like the journal's schema, which `"$user"` would lead to.
    client.batch_execute("set search_path = public").unwrap();
    for statement in crate::sql::split(sql, crate::sql::Dialect::Postgres).unwrap() {
        client.batch_execute(statement.text(sql)).unwrap();
    }
}

/// Dumps into a new folder and returns its files.
fn dumped(connector: &Connector) -> (tempfile::TempDir, BTreeMap<PathBuf, String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut client = connector.connect().unwrap().client;
    let info =
        dump(&mut client, connector, &Interrupt::default(), &DumpWish::default(), folder.path(), &mut Silent).unwrap();
    assert!(info.dump_major.unwrap() >= info.server_major);
    let files = files(folder.path());
    (folder, files)
}

fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file());
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    files.map(|entry| (entry.path().strip_prefix(folder).unwrap().to_owned(), read(entry.path()))).collect()
}

fn load(server: &PrivateServer, database: &str, folder: &Path) -> crate::engine::Result<()> {
    server.create_database(database)?;
    let connector = connector(&server.url(database), &[]);
    let mut session = PostgresSession::open(&connector, &Interrupt::default(), Access::Write)?;
    let run = Run { id: "r".into(), tool_version: "0".into(), source_revision: None };
    assert!(session.load(&Load::new(folder, "shop", "baseline/postgres", Checksum::default()), &run, &mut Silent)?);
    let query = "select current_setting('row_security') || current_setting('search_path') || current_setting('lock_timeout') as x";
    let left = session.link.own("asking", query)?;
    assert_eq!(value(&left, "x"), Some("onpublic5s"));
    Ok(())
}

/// What `pg_dump` itself says of a database, without what differs each time.
fn plain_dump(server: &PrivateServer, database: &str) -> String {
    let connector = connector(&server.url(database), &[]);
    let found = crate::engine::postgres::programs::find(&connector.host, "pg_dump");
    let program = found.iter().find(|program| program.major >= server.major()).unwrap();
    let output = Command::new(&program.path)
        .args(["--exclude-schema=dbbuild", "-d", &server.url(database)])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let is_token = |line: &&str| line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ");
    text.lines().filter(|line| !is_token(line)).collect::<Vec<_>>().join("\n")
}

/// The lines of a dump in an order that does not depend on where the rows lie on the disk.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_rich_database_survives_dump_and_load() {
    let Some(server) = server() else { return };
    prepare(&server, "rich", RICH);
    let (folder, first) = dumped(&connector(&server.url("rich"), &[]));
    load(&server, "again", folder.path()).unwrap();
    let (_, second) = dumped(&connector(&server.url("again"), &[]));
    for (path, text) in &first {
        assert_eq!(text, second.get(path).unwrap(), "{}", path.display());
    }
    assert_eq!(first.len(), second.len());

    let (one, other) = (plain_dump(&server, "rich"), plain_dump(&server, "again"));
    pretty_diff(&sorted(&one), &sorted(&other));

    let file = |name: &str| first.get(Path::new(name)).unwrap().as_str();
    assert_eq!(
        file("data/public.country.copy"),
        "COPY public.country (code, name, note) FROM stdin;\nDE\tcapital\t\\N\na\t\\\\.\t\\r\nde\tDeutschland!\t\\\\N\n\
         ÄA\ttab\\tnew\\nline\\\\.\t\n\\.\n"
    );
    assert!(file("data/public.customer.copy").starts_with(
        "COPY public.customer (id, serial_no, other_id, email, nick, full_name, country, mood, since) FROM stdin;\n1\t"
    ));
    assert!(file("data/%4Fdd%20%53chema.%C3%9Cn%C3%AF%2E%25c%C3%B6de.copy").contains("\"ß\", \"A\", t) FROM"));
    assert_eq!(file("data/public.no_columns.copy"), "COPY public.no_columns FROM stdin;\n\n\n\\.\n");
    assert_eq!(file("data/public.not_logged.copy"), "COPY public.not_logged (a) FROM stdin;\n1\n2\n3\n\\.\n");
    assert_eq!(
        file("data/public.child.copy"),
        "COPY public.child (id, at, more) FROM stdin;\n2\t2020-01-01 00:00:00+00\tx\n\\.\n"
    );
    for missing in ["public.empty", "public.measure", "dbbuild.journal", "public.far_table", "public.totals"] {
        assert!(!first.contains_key(Path::new(&format!("data/{missing}.copy"))), "{missing}");
    }
    assert_eq!(
        file("sequences.sql").lines().skip(2).collect::<Vec<_>>(),
        [
            "SELECT pg_catalog.setval('public.called', 1, true);",
            "SELECT pg_catalog.setval('public.customer_id_seq', 2, true);",
            "SELECT pg_catalog.setval('public.customer_other_id_seq', 105, true);",
            "SELECT pg_catalog.setval('public.customer_serial_no_seq', 2, true);",
            "SELECT pg_catalog.setval('sales.invoice', 4711, false);",
        ]
    );
    assert!(!file("pre-data.sql").contains("SCHEMA dbbuild"));
    assert!(file("pre-data.sql").contains("ALTER TABLE public.owned_by_other OWNER TO app_owner;"));
    let totals: i64 = server.connect("again").unwrap().query_one("select count(*) from totals", &[]).unwrap().get(0);
    assert_eq!(totals, 5);
}

fn pretty_diff(one: &[&str], other: &[&str]) {
    let only = |these: &[&str], those: &[&str]| -> Vec<String> {
        these.iter().filter(|line| those.binary_search(line).is_err()).map(|line| (*line).to_owned()).collect()
    };
    assert_eq!(only(one, other), only(other, one));
    assert_eq!(one, other);
}

#[test]
fn bytes_depend_on_neither_user_nor_time_zone_nor_locale_nor_order_of_writing() {
    let Some(one) = server() else { return };
    prepare(&one, "rich", RICH);
    let (_, first) = dumped(&connector(&one.url("rich"), &[]));

    let other = server().unwrap();
    other.create_builder("somebody else").unwrap();
    other.create_roles(["reader", "app_owner"]).unwrap();
    let mut client = other.connect("postgres").unwrap();
    client
        .batch_execute(
            "create database rich template template0 encoding 'UTF8' lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'",
        )
        .unwrap();
    for setting in [
        "timezone = 'Asia/Kathmandu'",
        "datestyle = 'German, DMY'",
        "intervalstyle = 'iso_8601'",
        "bytea_output = 'escape'",
        "extra_float_digits = -3",
        "xmlbinary = 'hex'",
        "quote_all_identifiers = on",
        "row_security = on",
        "default_text_search_config = 'pg_catalog.german'",
        "statement_timeout = '20s'",
        "lc_monetary = 'C.UTF-8'",
        "search_path = sales",
    ] {
        client.batch_execute(&format!("alter database rich set {setting}")).unwrap();
    }
    let mut client = postgres::Client::connect(&other.url_as("somebody else", "rich"), postgres::NoTls).unwrap();
    // Literals without a zone and ambiguous dates mean what the session says; that is the script's business.
    client.batch_execute("set timezone = 'UTC'; set datestyle = 'ISO, MDY'; set search_path = public; set intervalstyle = 'postgres'").unwrap();
    run(&mut client, RICH);
    client.batch_execute("update kinds set f = f where f = 'NaN'").unwrap();
    client
        .batch_execute(
            "begin; create temporary table copy on commit drop as select * from \"Odd Schema\".\"Ünï.%cöde\" order by 2 desc;
             delete from \"Odd Schema\".\"Ünï.%cöde\"; insert into \"Odd Schema\".\"Ünï.%cöde\" select * from copy; commit",
        )
        .unwrap();
    let variables = [
        ("PGTZ", "America/Caracas"),
        ("PGDATESTYLE", "SQL"),
        ("PGOPTIONS", "-c intervalstyle=sql_standard"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("TZ", "Asia/Tokyo"),
        ("PGCLIENTENCODING", "LATIN1"),
        ("PGAPPNAME", "x"),
    ];
    let (_, second) = dumped(&connector(&other.url_as("somebody else", "rich"), &variables));
    for (path, text) in &first {
        let (mine, theirs): (Vec<&str>, Vec<&str>) =
            (text.lines().collect(), second.get(path).unwrap().lines().collect());
        for (mine, theirs) in mine.iter().zip(&theirs) {
            assert_eq!(mine, theirs, "{}", path.display());
        }
        assert_eq!(text, second.get(path).unwrap(), "{}", path.display());
    }
    assert_eq!(first.len(), second.len());
}

#[test]
fn a_schema_that_is_not_the_projects_stays_out() {
    let Some(server) = server() else { return };
    prepare(
        &server,
        "two",
        "create schema mine; create schema theirs; create table mine.a as select 1 as x; create table theirs.b as select 1 as x; drop schema public",
    );
    let mut connector = connector(&server.url("two"), &[]);
    connector.target.schemas = vec!["mine".into()];
    let (folder, files) = dumped(&connector);
    let names: Vec<String> = files.keys().map(|path| path.display().to_string()).collect();
    assert_eq!(names, ["data/mine.a.copy", "post-data.sql", "pre-data.sql"]);
    let pre = files.get(Path::new("pre-data.sql")).unwrap();
    assert!(!pre.contains("theirs"));
    // `public` is what every new database has, and this one has not.
    load(&server, "again", folder.path()).unwrap();
    let schemas =
        "select string_agg(nspname, ' ' order by nspname) from pg_namespace where nspname !~ '^pg_|^information'";
    let schemas: String = server.connect("again").unwrap().query_one(schemas, &[]).unwrap().get(0);
    assert_eq!(schemas, "mine");
}

#[test]
fn configuration_of_extensions_is_dumped_and_nothing_else_of_theirs() {
    let Some(server) = server() else { return };
    // As an extension's script would do it; an extension of one's own would have to be installed on the machine.
    prepare(
        &server,
        "extended",
        "create extension hstore;
         create table config (k text primary key, v text, own boolean);
         create table internal (a int);
         alter extension hstore add table config;
         alter extension hstore add table internal;
         insert into config values ('b', 'x', false), ('a', 'y', true);
         insert into internal values (1);
         update pg_extension
         set extconfig = array['config'::regclass::oid], extcondition = array['WHERE NOT own']
         where extname = 'hstore'",
    );
    let (_, files) = dumped(&connector(&server.url("extended"), &[]));
    let data: Vec<(String, &str)> = files
        .iter()
        .filter(|(path, _)| path.starts_with("data"))
        .map(|(path, text)| (path.display().to_string(), text.as_str()))
        .collect();
    assert_eq!(
        data,
        [("data/public.config.copy".into(), "COPY public.config (k, v, own) FROM stdin;\nb\tx\tf\n\\.\n")]
    );
}

#[test]
fn large_objects_are_refused() {
    let Some(server) = server() else { return };
    prepare(&server, "large", "select lo_create(0)");
    let connector = connector(&server.url("large"), &[]);
    let folder = tempfile::tempdir().unwrap();
    let mut client = connector.connect().unwrap().client;
    let error = dump(&mut client, &connector, &Interrupt::default(), &DumpWish::default(), folder.path(), &mut Silent)
        .unwrap_err();
    assert_eq!(error.code(), "baseline/large-objects");
    // The session is out of the dump's transaction.
    client.batch_execute("create table still_writes ()").unwrap();
}

#[test]
fn broken_files_are_refused_with_their_place() {
    let Some(server) = server() else { return };
    prepare(&server, "small", "create table t (a int primary key, b text); insert into t values (1, 'x'), (2, 'y')");
    let (folder, files) = dumped(&connector(&server.url("small"), &[]));
    let rows = folder.path().join("data/public.t.copy");
    let pre = folder.path().join("pre-data.sql");
    let cases: [(&Path, &str, &str, &str, &str); 8] = [
        (&rows, "2\ty", "2\tz\nx\tz", "sql/22P02", "baseline/postgres/data/public.t.copy:4:1"),
        (&rows, "2\ty\n\\.\n", "2\ty\n", "baseline/copy", "baseline/postgres/data/public.t.copy:1:1"),
        (&rows, "1\tx\n", "1\tx\n\\.\n", "baseline/copy", "baseline/postgres/data/public.t.copy:1:1"),
        (&rows, "\n", "\r\n", "baseline/copy", "baseline/postgres/data/public.t.copy:1:1"),
        (&rows, " FROM stdin", " FROM program 'true'", "baseline/copy", "baseline/postgres/data/public.t.copy:1:1"),
        (
            &pre,
            "CREATE TABLE",
            "\\! touch /tmp/x\nCREATE TABLE",
            "baseline/meta-command",
            "baseline/postgres/pre-data.sql:11:1",
        ),
        (&pre, "b text", "b texd", "sql/42704", "baseline/postgres/pre-data.sql:13:7"),
        (
            &pre,
            "CREATE TABLE",
            "COPY t FROM stdin;\n1\n\\.\nCREATE TABLE",
            "baseline/copy",
            "baseline/postgres/pre-data.sql:11:1",
        ),
    ];
    for (number, (file, from, to, code, place)) in cases.into_iter().enumerate() {
        let good = files.get(file.strip_prefix(folder.path()).unwrap()).unwrap();
        let bad = good.replace(from, to);
        assert_ne!(*good, bad);
        std::fs::write(file, bad).unwrap();
        let error = load(&server, &format!("small_{number}"), folder.path()).unwrap_err();
        let found = error.place().unwrap().to_string().replace(&*folder.path().to_string_lossy(), "baseline/postgres");
        assert_eq!((error.code().as_str(), found.as_str()), (code, place), "{error}");
        std::fs::write(file, good).unwrap();
    }
    load(&server, "small_again", folder.path()).unwrap();
}
