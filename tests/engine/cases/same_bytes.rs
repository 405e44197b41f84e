//! The same bytes everywhere: whoever builds, on whatever server, however that is set up.

use dbbuild::engine::{EngineError, PrivateServer};
use dbbuild::host::Host;
use postgres::{Client, NoTls};

use crate::support::{Case, Output};

const EVERYTHING: &str = include_str!("../../catalog/postgres.sql");

/// Rows whose values each setting reads or writes in its own way.
const ROWS: &str = "
create table if not exists value (
    id integer primary key,
    at timestamptz,
    day date,
    span interval,
    number double precision,
    bytes bytea,
    price money,
    words tsvector,
    sorted text
);
insert into value values
    (1, '2024-03-31 02:30', '04/05/2024', '1 day -02:03:04', 0.1::float4, '\\x00ff', '1234.5', null, null),
    (2, '2024-12-31 23:59:59.999', '2024-02-29', '-1 year 3 days', 1e300, 'a\\\\b', '-0.01', to_tsvector('the cats'), null);
insert into value (id, sorted) select 10 + row_number() over (order by t), t
from unnest(array['z', 'Ä', 'a', 'Z', 'ö']) t;
create table if not exists \"Mixed\" (\"select\" text, plain text default 'it''s');
insert into \"Mixed\" values (E'tab\\there', null), ('ß', ''), ('b', 'x');
create index on value (sorted);
create function shout() returns trigger language plpgsql as $$ begin new.plain := upper(new.plain); return new; end $$;
create trigger shout before insert on \"Mixed\" for each row execute function shout();
insert into \"Mixed\" values ('loud', 'trigger'), ('zone', '2024-07-01 12:00 EST'::timestamptz at time zone 'UTC');
create view values_of_today as select id, at::date as day, span * 2 as twice from value where at > '2024-01-01';
alter table value add constraint known check (sorted in ('z', 'Ä', 'a', 'Z', 'ö') or sorted is null);
";

fn project(case: &Case, scratch: Option<&str>) {
    let scratch = scratch.map(|url| format!("scratch = \"{url}\"\n")).unwrap_or_default();
    case.settings(&format!("{scratch}roles = [\"reader\", \"app_owner\"]\n"));
    case.write("db/1_everything.sql", EVERYTHING);
    case.write("db/2_rows.sql", ROWS);
    case.write(
        "seed/010_mixed.sql",
        "insert into \"Mixed\" (plain) select 'seed' where not exists (select from \"Mixed\" where plain = 'seed');\n",
    );
}

#[test]
fn two_servers_that_are_set_up_otherwise_make_the_same_bytes() {
    let Some(case) = Case::on_postgres() else { return };
    project(&case, None);
    case.run(&["baseline"]).exits(0);
    let here = case.files("baseline/postgres");
    assert!(here.len() >= 8, "{:?}", here.keys());

    // A server of its own, another user, and for that user everything otherwise.
    let variables = std::env::var("PATH").map(|path| [("PATH".to_owned(), path)].into()).unwrap_or_default();
    let cache = Some(crate::postgres::cache());
    let host = Host { variables, cache, temporary: std::env::temp_dir(), ..Host::default() };
    let server = match PrivateServer::start(&host, Some(case.major())) {
        Ok(server) => server,
        Err(EngineError::Tool { message, .. }) => return eprintln!("skipped: {message}"),
        Err(error) => panic!("{error}"),
    };
    server.create_builder("Zoë").unwrap();
    server.create_roles(["reader", "app_owner"]).unwrap();
    let mut client = Client::connect(&server.url("postgres"), NoTls).unwrap();
    for (name, value) in [
        ("timezone", "'Asia/Kathmandu'"),
        ("datestyle", "'German, DMY'"),
        ("intervalstyle", "'sql_standard'"),
        ("extra_float_digits", "-3"),
        ("bytea_output", "'escape'"),
        ("xmlbinary", "'hex'"),
        ("quote_all_identifiers", "on"),
        ("search_path", "'other', 'public', 'pg_catalog'"),
        ("default_text_search_config", "'pg_catalog.german'"),
        ("default_transaction_isolation", "'serializable'"),
        ("standard_conforming_strings", "off"),
        ("enable_hashagg", "off"),
        ("transform_null_equals", "on"),
        ("default_transaction_read_only", "on"),
        ("role", "app_owner"),
        ("session_replication_role", "replica"),
        ("plpgsql.variable_conflict", "use_column"),
        ("timezone_abbreviations", "'Australia'"),
    ] {
        client.batch_execute(&format!("alter role \"Zoë\" set {name} = {value}")).unwrap();
    }
    let create = "create database other template template0 encoding 'UTF8' locale_provider icu icu_locale 'sv'";
    // Before 15, or without ICU, a database has the server's locale.
    if client.batch_execute(create).is_err() {
        client.batch_execute("create database other").unwrap();
    }
    let url = server.url_as("Zoë", "other");
    let there = Case::on_postgres().unwrap();
    project(&there, Some(&url));
    let settings = there.read("dbbuild.toml");
    there.write(
        "dbbuild.toml",
        format!("{settings}\n[targets.other]\nurl = \"{url}\"\nroles = [\"reader\", \"app_owner\"]\n"),
    );
    let mut command = there.program(&["baseline", "--target", "other"]);
    command.env("TZ", "America/St_Johns").env("LC_ALL", "C.UTF-8").env("PGTZ", "Asia/Tokyo").env("PGDATESTYLE", "SQL");
    command.env("USER", "somebody-else").env("PGOPTIONS", "-c intervalstyle=iso_8601");
    Output::of(command).exits(0);
    same(&here, &there.files("baseline/postgres"));

    // The same on that server itself, by its name as the place of scratch work.
    std::fs::remove_dir_all(there.path("baseline")).unwrap();
    there.run(&["baseline"]).exits(0);
    same(&here, &there.files("baseline/postgres"));
}

/// What a role gets is another thing where it owns what it gets.
const NAMED: &str = "
create schema s;
alter default privileges in schema s grant select on tables to storage_admin;
alter default privileges for role storage_admin in schema s grant insert on tables to postgres;
create table s.item (id integer primary key, maker text default current_user);
insert into s.item values (1);
grant all on s.item to postgres with grant option;
create table owned ();
grant select on owned to postgres;
alter table owned owner to storage_admin;
create view mine as select 1 as one;
alter view mine owner to current_user;
create policy p on owned to postgres, storage_admin using (true);
create schema theirs authorization storage_admin;
do $$ begin
    if exists (select from pg_roles where rolname = 'alice') then
        create table alice_was_here ();
    end if;
    execute format('grant select on s.item to %I', current_user);
end $$;
";

#[test]
fn whoever_logs_in_makes_the_same_bytes() {
    let Some(case) = Case::on_postgres() else { return };
    let at = |login: &str| case.url().replacen("://dbbuild@", &format!("://{login}@"), 1);
    // One that the scripts name, one whose name they only ask for, and one that is not even said to be a role there.
    let logins = [
        ("postgres", "\"storage_admin\", \"postgres\""),
        ("alice", "\"postgres\", \"storage_admin\""),
        ("storage_admin", "\"postgres\""),
    ];
    let target = |(login, roles)| format!("\n[targets.{login}]\nurl = \"{}\"\nroles = [{roles}]\n", at(login));
    case.settings(&logins.map(target).concat());
    case.write("db/1_named.sql", NAMED);
    let made = logins.map(|(login, _)| {
        case.run(&["baseline", "--target", login]).exits(0).says("s.item: maker is another value each time");
        let files = case.files("baseline/postgres");
        std::fs::remove_dir_all(case.path("baseline")).unwrap();
        files
    });
    let text: String = made[0].values().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    for line in [" ON TABLE s.item TO postgres WITH GRANT OPTION;", "ALTER TABLE public.owned OWNER TO storage_admin;"]
    {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("alice"), "{text}");
    same(&made[0], &made[1]);
    same(&made[0], &made[2]);

    case.write("db/2_own.sql", "create schema alice;\ncreate table hers ();\n");
    case.run(&["baseline", "--target", "alice"]).exits(0).says("the scripts make a schema alice");
    assert!(case.read("baseline/postgres/pre-data.sql").contains("CREATE TABLE alice.hers"));
}

#[test]
fn a_login_that_the_scripts_name_has_no_drift_of_its_own() {
    let (Some(case), Some(loaded)) = (Case::on_postgres(), Case::on_postgres()) else { return };
    let (login, owner) = (case.reader(), case.reader());
    case.execute(&format!("alter role {login} superuser"));
    let target = |name: &str, case: &Case| {
        let url = case.url().replacen("://dbbuild@", &format!("://{login}:reader@"), 1);
        format!("[targets.{name}]\nurl = \"{url}\"\nroles = [\"{owner}\"]\nenvironment = \"development\"\n")
    };
    let targets = target("scripts", &case) + &target("loaded", &loaded);
    case.write("dbbuild.toml", format!("[project]\nname = \"shop\"\n\n{targets}"));
    // A table that changes hands takes the old owner's rights along, where the old owner built it and only there.
    case.write(
        "db/1_named.sql",
        format!(
            "do $$ begin\n\
             if to_regclass('item') is null then\n\
             create table item (id integer primary key, maker text default current_user);\n\
             insert into item values (1);\n\
             grant select on item to {login};\n\
             alter table item owner to {owner};\n\
             end if;\n\
             execute format('comment on table item is %L', current_user);\n\
             end $$;\n"
        ),
    );
    case.run(&["build", "--target", "scripts"]).exits(0).says("baseline/postgres");
    let rights = case.ask("select relacl::text from pg_class where relname = 'item'");
    assert!(rights.contains(&owner) && !rights.contains(&login), "{rights}");
    case.run(&["build", "--target", "loaded"]).exits(0).says("  load ");
    for database in ["scripts", "loaded"] {
        case.run(&["drift", "--strict", "--target", database]).exits(0).says("no drift");
    }
    case.run(&["verify", "--target", "loaded"]).exits(0);
    let otherwise = format!("make otherwise where {login} runs them: table public.item");
    case.run(&["squash", "--target", "loaded", "--to", "1"]).exits(0).says(&otherwise);
    std::fs::remove_dir_all(case.path("db/base")).unwrap();
    loaded.execute("revoke all on item from public; grant delete on item to public");
    case.run(&["drift", "--target", "loaded"]).exits(1).says("grant delete to public");
}

#[track_caller]
fn same(one: &std::collections::BTreeMap<String, Vec<u8>>, other: &std::collections::BTreeMap<String, Vec<u8>>) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (path, bytes) in one {
        let (bytes, others) = (String::from_utf8_lossy(bytes), String::from_utf8_lossy(&other[path]));
        let differs = bytes.lines().zip(others.lines()).find(|(one, other)| one != other);
        assert!(bytes == others, "{path}: {differs:?}");
    }
}

#[test]
fn another_folder_user_and_zone_make_the_same_bytes() {
    let write = |case: &Case| {
        case.write("db/1_everything.sql", include_str!("../../catalog/sqlite.sql"));
        case.write("seed/010_value.sql", "create table if not exists value (id integer primary key, number real, text text);\ninsert into value values (1, 0.1, 'Ä'), (2, 1e300, 'z') on conflict (id) do nothing;\n");
    };
    let (one, other) = (Case::on_sqlite(), Case::on_sqlite());
    write(&one);
    write(&other);
    one.run(&["baseline"]).exits(0);
    // One of its columns is the clock's, and keeps what is committed.
    for (path, bytes) in one.files("baseline/sqlite").iter().filter(|(path, _)| path.starts_with("data/")) {
        other.write(&format!("baseline/sqlite/{path}"), bytes);
    }
    let mut command = other.program(&["baseline", "--url", "sqlite:elsewhere.db"]);
    command.env("TZ", "Asia/Kathmandu").env("LC_ALL", "C.UTF-8").env("USER", "somebody-else");
    Output::of(command).exits(0);
    same(&one.files("baseline/sqlite"), &other.files("baseline/sqlite"));
}
