//! Transactional scripts: how they go out, what is reported of them, and what they leave behind in the session.

use super::fixture::{Heard, applied, apply, database, failed, run, unit};
use crate::engine::{EngineError, Outcome};
use crate::event::Event;

#[test]
fn nothing_of_a_failing_script_is_kept_and_the_place_is_told() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let failure = failed(
        &mut *session,
        &unit("1", "create table a (id int);\n-- é ï 💥\ninsert into a (id) values (1);\nselect 'äöü', idd from a;\n"),
    );
    assert_eq!((failure.failure.code.as_str(), failure.kept), ("42703", None));
    let place = failure.place.unwrap();
    assert_eq!((place.to_string().as_str(), place.width), ("db/1_test.sql:4:15", 3));
    let (start, length) = failure.failure.position.unwrap();
    assert_eq!(
        (start, length),
        ("create table a (id int);\n-- é ï 💥\ninsert into a (id) values (1);\nselect 'äöü', ".len(), 3)
    );
    assert_eq!(db.journal(), "");
    assert_eq!(db.ask("select to_regclass('a') is null"), "t");
}

/// More statements than are sent one by one.
fn many(before: usize, middle: &str) -> String {
    let filler: String = (0..before).map(|n| format!("create table f{n} (id int); -- ä {n}\n")).collect();
    format!("{filler}{middle};\ncreate table last (id int)")
}

#[test]
fn a_long_script_goes_out_in_one_message_and_its_failing_statement_is_still_named() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    // With a position in the message.
    let failure = failed(&mut *session, &unit("1", &many(60, "select 'ü', nothing")));
    assert_eq!(failure.place.unwrap().to_string(), "db/1_test.sql:61:13");
    // Without one: the script is run again statement by statement.
    let failure = failed(&mut *session, &unit("1", &many(60, "select 1 / 0")));
    assert_eq!(
        (failure.failure.code.as_str(), failure.place.unwrap().to_string().as_str()),
        ("22012", "db/1_test.sql:61:1")
    );
    let done = applied(&mut *session, &unit("1", &many(60, "insert into f0 select generate_series(1, 7)")));
    assert_eq!((done.statements, done.rows), (62, 7));
}

#[test]
fn a_script_cut_out_of_its_own_transaction_runs_in_the_tools() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    applied(&mut *session, &unit("1", "begin;\ncreate table a (id int);\ncommit;"));
    assert_eq!(db.journal(), "1 1 applied 1");
}

#[test]
fn a_commit_that_nobody_foresaw_is_caught_and_reported_truthfully() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    // What the cut would refuse.
    let mut own = unit("1", "create table a (id int); select 1; select 2");
    let text = own.text.as_str().replace("select 1", "commit; ").replace("select 2", "begin; ");
    own.text = crate::script::Text::of_file("db/1_test.sql", text);
    for (part, word) in own.parts[1..].iter_mut().zip(["commit", "begin"]) {
        let start = own.text.as_str().find(word).unwrap();
        part.span = crate::sql::Span { start, end: start + word.len() };
    }
    let failure = failed(&mut *session, &own);
    assert_eq!(failure.failure.code, "25000");
    assert!(failure.failure.detail.unwrap().contains("kept"));
    assert_eq!(db.ask("select to_regclass('a') is null"), "f");
    assert_eq!(db.journal(), "1 1 running 0");
    assert!(db.ask("select error from dbbuild.journal").contains("own transaction"));
    // And a rollback.
    let mut own = unit("2", "create table b (id int); select 1");
    own.text = crate::script::Text::of_file("db/2_test.sql", "create table b (id int); rollback".into());
    own.parts[1].span = crate::sql::Span { start: 25, end: 33 };
    assert_eq!(failed(&mut *session, &own).failure.code, "25000");
    assert_eq!(db.journal(), "1 1 running 0");
    applied(&mut *session, &unit("3", "create table c (id int)"));
}

#[test]
fn copy_blocks_are_streamed_and_a_bad_row_is_named() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let rows: String = (0..50_000).map(|n| format!("{n}\tname {n} ä\n")).collect();
    let text = format!(
        "create table a (id int, name text);\ncopy a from stdin;\n{rows}\\.\nselect count(*) from a;\ncopy a (id) from stdin;\n\\.\n"
    );
    let done = applied(&mut *session, &unit("1", &text));
    assert_eq!((done.rows, done.statements), (50_000, 4));
    assert_eq!(db.ask("select count(*), max(name) from a where id >= 49999"), "1 name 49999 ä");
    let failure = failed(&mut *session, &unit("2", "select 1;\ncopy a from stdin;\n1\tx\nbad\ty\n\\.\nselect 1;"));
    assert_eq!(
        (failure.failure.code.as_str(), failure.place.unwrap().to_string().as_str()),
        ("22P02", "db/2_test.sql:4:1")
    );
    // A COPY that does not begin puts the driver out of step; the next script must not notice.
    let failure = failed(&mut *session, &unit("2", "copy nowhere from stdin;\n1\n\\.\n"));
    assert_eq!(failure.failure.code, "42P01");
    applied(&mut *session, &unit("2", "insert into a values (-1)"));
    assert_eq!(db.ask("select count(*) from pg_locks where locktype = 'advisory'"), "1");
    assert_eq!(db.journal(), "1 1 applied 4\n2 1 applied 1");
}

#[test]
fn a_session_is_as_new_for_the_next_script() {
    let Some(mut db) = database() else { return };
    db.ask("create schema app; create role app_owner; grant all on schema app to app_owner");
    db.target.schemas = vec!["app".into()];
    let mut session = db.builder();
    applied(
        &mut *session,
        &unit(
            "1",
            "create temp table left_over (id int); set search_path = ''; set session_replication_role = replica;
             set role app_owner; set lock_timeout = '1h';
             prepare p as select 1; listen l; select set_config('check_function_bodies', 'off', false);
             declare c cursor with hold for select 1",
        ),
    );
    applied(&mut *session, &unit("2", "create table here (id int)"));
    assert_eq!(
        db.ask("select relnamespace::regnamespace, relowner::regrole from pg_class where relname = 'here'"),
        "app dbbuild"
    );
    let state = "create table state as select current_user::text as who, current_setting('search_path') as path,
        current_setting('lock_timeout') as wait, current_setting('check_function_bodies') as bodies,
        current_setting('session_replication_role') as replication, current_setting('client_connection_check_interval') as alive,
        (select count(*) from pg_prepared_statements where not from_sql is false) as prepared,
        (select count(*) from pg_cursors) as cursors, (select count(*) from pg_listening_channels()) as channels,
        to_regclass('pg_temp.left_over') is null as gone";
    applied(&mut *session, &unit("3", state));
    assert_eq!(db.ask("select * from app.state"), "dbbuild \"app\" 500ms on origin 1s 0 0 0 t");
    // After a failure too.
    failed(&mut *session, &unit("4", "prepare q as select 1; set search_path = ''; set role app_owner; select 1 / 0"));
    let again = state.replace("state as", "again as");
    applied(&mut *session, &unit("4", &again));
    assert_eq!(db.ask("select * from app.again"), "dbbuild \"app\" 500ms on origin 1s 0 0 0 t");
}

#[test]
fn scripts_run_as_the_owner_role_and_the_journal_is_the_login_roles() {
    let Some(mut db) = database() else { return };
    db.ask(&format!(
        "create role shop_owner; grant all on schema public to shop_owner; grant create on database {} to shop_owner",
        db.name
    ));
    db.target.owner_role = Some("shop_owner".into());
    let mut session = db.builder();
    applied(&mut *session, &unit("1", "create table a (id int)"));
    applied(
        &mut *session,
        &unit("2", "-- dbbuild: no-transaction\ncreate table b (id int);\ncreate index concurrently i on b (id)"),
    );
    session
        .apply(
            &[unit("3", "create table c ()"), unit("4", "reset role; set role none; create table d ()")],
            &run("r"),
            &mut Heard::default(),
        )
        .unwrap();
    assert_eq!(
        db.ask("select relname, relowner::regrole from pg_class where relname in ('a', 'b', 'i', 'c', 'd', 'journal') order by 1"),
        "a shop_owner\nb shop_owner\nc shop_owner\nd dbbuild\ni shop_owner\njournal dbbuild"
    );
    assert_eq!(db.ask("select distinct applied_by from dbbuild.journal"), "dbbuild");
    db.ask("revoke all on schema dbbuild from shop_owner");
    applied(&mut *session, &unit("5", "alter table a add column x int"));
}

#[test]
fn deferred_constraints_are_checked_before_the_entry_is_finished() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    applied(
        &mut *session,
        &unit(
            "1",
            "create table a (id int primary key); create table b (a int references a deferrable initially deferred)",
        ),
    );
    let failure = failed(&mut *session, &unit("2", "insert into b values (1)"));
    assert_eq!(failure.failure.code, "23503");
    assert!(failure.place.is_some());
    applied(&mut *session, &unit("2", "insert into b values (1); insert into a values (1)"));
}

#[test]
fn guards_are_asked_just_before_their_statement() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let setup = "create schema \"S x\"; create table customer (id int primary key, constraint positive check (id > 0));
        create index by_id on customer (id); create view v as select 1 as x; create materialized view m as select 1 as x;
        create type mood as enum ('a'); create sequence s; create function f(int) returns int language sql as 'select 1';
        create function tf() returns trigger language plpgsql as 'begin return new; end';
        create trigger tr before insert on customer for each row execute function tf();
        create policy p on customer; create table \"S x\".\"Order\" (id int)";
    applied(&mut *session, &unit("1", setup));
    let there = [
        "table customer",
        "table public.customer",
        "table CUSTOMER",
        "table \"S x\".\"Order\"",
        "column customer.id",
        "column public.customer.id",
        "index by_id",
        "view v",
        "view m",
        "type mood",
        "type customer",
        "sequence s",
        "function f",
        "function f(int)",
        "function public.f(integer)",
        "trigger tr",
        "trigger customer.tr",
        "constraint positive",
        "constraint customer.positive",
        "constraint public.customer.positive",
        "policy customer.p",
        "role dbbuild",
        "schema \"S x\"",
        "extension plpgsql",
        "query select 1",
        "query select true",
        "query select 'f'",
        "query select id from (values (2)) v (id)",
    ];
    let absent = [
        "table nowhere",
        "table nowhere.customer",
        "table by_id",
        "table \"Order\"",
        "column customer.email",
        "column nowhere.id",
        "index customer",
        "view customer",
        "type nothing",
        "sequence customer",
        "function g",
        "function f(text)",
        "trigger other",
        "trigger v.tr",
        "constraint other",
        "constraint v.positive",
        "policy customer.q",
        "role nobody_here",
        "schema nowhere",
        "extension nothing",
        "query select 1 where false",
        "query select null",
        "query select false",
        "query select 0",
        "query select 0.0::numeric",
    ];
    let mut text = "create table log (line text);\n".to_owned();
    for (test, expected) in there.iter().map(|test| (test, true)).chain(absent.iter().map(|test| (test, false))) {
        let word = if expected { "if" } else { "unless" };
        let other = if expected { "unless" } else { "if" };
        let quoted = test.replace('\'', "''");
        text.push_str(&format!("-- dbbuild: {word} {test}\ninsert into log values ('right {quoted}');\n"));
        text.push_str(&format!("-- dbbuild: {other} {test}\ninsert into log values ('wrong {quoted}');\n"));
    }
    let done = applied(&mut *session, &unit("2", &text));
    assert_eq!(db.ask("select line from log where line like 'wrong%'"), "");
    assert_eq!((done.skipped, done.statements), (there.len() + absent.len(), there.len() + absent.len() + 1));
}

#[test]
fn a_group_is_asked_once_and_sees_what_came_before() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let text = "create table customer (id int);\n-- dbbuild: unless column customer.email begin\n\
                alter table customer add column email text;\nupdate customer set email = 'x';\n-- dbbuild: end\n\
                -- dbbuild: unless column customer.email\nalter table customer add column email text;";
    let done = applied(&mut *session, &unit("1", text));
    assert_eq!((done.statements, done.skipped), (3, 1));
}

#[test]
fn a_guard_that_cannot_be_asked_is_shown_at_its_place() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let failure = failed(&mut *session, &unit("1", "-- dbbuild: if query select nothing from nowhere\nselect 1"));
    assert_eq!(
        (failure.failure.code.as_str(), failure.place.unwrap().to_string().as_str()),
        ("42P01", "db/1_test.sql:1:42")
    );
    let error = apply(&mut *session, &unit("1", "-- dbbuild: unless column email\nselect 1")).unwrap_err();
    assert_eq!((error.code().as_str(), error.hint().as_deref()), ("guard/name", Some("write `table.column`")));
    assert_eq!(db.journal(), "");
}

#[test]
fn what_the_server_says_is_told_and_what_is_the_tools_own_is_not() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let mut heard = Heard::default();
    let text = "create table if not exists a (id int); create table if not exists a (id int); do $$ begin raise warning 'mind'; end $$";
    session.apply(&[unit("1", text)], &run("r"), &mut heard).unwrap();
    let said: Vec<(String, String)> = heard
        .0
        .into_iter()
        .map(|event| match event {
            Event::Notice { name, severity, message } => {
                assert_eq!(name, "1_test");
                (severity, message)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let said: Vec<(&str, &str)> =
        said.iter().map(|(severity, message)| (severity.as_str(), message.as_str())).collect();
    assert_eq!(said, [("NOTICE", "relation \"a\" already exists, skipping"), ("WARNING", "mind")]);
}

#[test]
fn an_error_inside_a_function_shows_where() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let failure = failed(&mut *session, &unit("1", "select 1;\ndo $$ begin\n  execute 'select broken';\nend $$"));
    let context = failure.failure.context.unwrap();
    assert!(context.contains("select broken") && context.contains("line 2 at EXECUTE"), "{context}");
    assert_eq!(failure.place.unwrap().to_string(), "db/1_test.sql:2:1");
}

#[test]
fn who_comes_second_is_told_to_read_again() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    applied(&mut *session, &unit("1", "create table a (id int)"));
    assert_eq!(apply(&mut *session, &unit("1", "create table b (id int)")).unwrap(), Outcome::Taken);
    assert_eq!(db.ask("select to_regclass('b') is null"), "t");
    let mut next = unit("1", "create table b (id int)");
    next.entry.attempt = 2;
    applied(&mut *session, &next);
    assert!(!matches!(apply(&mut *session, &next), Err(EngineError::Unit(_))));
}
