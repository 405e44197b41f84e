//! The journal: made, read, marked, refused.

use super::fixture::{applied, database, run, unit};
use crate::engine::{Access, Engine, EngineError, Wait};
use crate::event::Silent;
use crate::journal::{Kind, Mark, Stored};

#[test]
fn an_empty_database_has_no_journal_and_nothing_is_made_by_looking() {
    let Some(db) = database() else { return };
    let mut session = db.engine().connect(Access::Read).unwrap();
    let found = session.inspect("test").unwrap();
    assert_eq!((found.journal, found.mark, found.objects.len()), (None, None, 0));
    assert_eq!(found.major, db.server.major());
    db.ask("create table public.customer (id int); create schema s; create view s.v as select 1; create type s.e as enum ()");
    let found = session.inspect("test").unwrap();
    assert_eq!(found.objects, ["table public.customer", "type s.e", "view s.v"]);
    assert_eq!(db.ask("select count(*) from pg_namespace where nspname = 'dbbuild'"), "0");
    assert!(session.prepare(None, false).is_err(), "a reader must not write");
}

#[test]
fn a_builder_that_commits_while_the_objects_are_read_is_no_stranger() {
    let Some(mut db) = database() else { return };
    db.target.lock_timeout = std::time::Duration::from_secs(60);
    let mut builder = db.builder();
    builder.prepare(None, false).unwrap();
    applied(&mut *builder, &unit("1", "create table a (id int)"));
    // The other builder's commit: the journal and its table come to be seen at once.
    db.ask("alter schema dbbuild rename to dbbuild_preserved; alter table a set schema dbbuild_preserved");
    let mut other = db.server.connect(&db.name).unwrap();
    let mut commit = other.transaction().unwrap();
    commit.batch_execute("lock pg_catalog.pg_depend in access exclusive mode").unwrap();
    let found = std::thread::scope(|scope| {
        let found = scope.spawn(|| db.engine().connect(Access::Read).unwrap().inspect("test").unwrap());
        let waits = "select count(*) from pg_locks where not granted and relation = 'pg_catalog.pg_depend'::regclass";
        while db.ask(waits) == "0" {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        commit.batch_execute("alter table dbbuild_preserved.a set schema public").unwrap();
        commit.batch_execute("alter schema dbbuild_preserved rename to dbbuild").unwrap();
        commit.commit().unwrap();
        found.join().unwrap()
    });
    assert_eq!(found.journal.unwrap().len(), 1);
}

#[test]
fn only_the_projects_schemas_count_and_extension_members_never_do() {
    let Some(mut db) = database() else { return };
    db.ask("create schema other; create table other.t (); create extension if not exists plpgsql");
    db.target.schemas = vec!["public".into()];
    let mut session = db.engine().connect(Access::Read).unwrap();
    assert!(session.inspect("test").unwrap().objects.is_empty());
}

#[test]
fn what_was_written_is_read_again() {
    let Some(db) = database() else { return };
    let mark = Mark { environment: "staging".into(), protected: true };
    let mut session = db.builder();
    session.prepare(Some(&mark), false).unwrap();
    session.prepare(Some(&Mark { environment: "other".into(), protected: false }), false).unwrap();
    applied(&mut *session, &unit("2", "create table a (id int); insert into a values (1)"));
    applied(&mut *session, &unit("10", "create table b (id int)"));
    let mut second = unit("2", "select 1");
    second.entry.attempt = 2;
    applied(&mut *session, &second);
    let mut other = unit("1", "select 1");
    other.entry.project = "other".into();
    applied(&mut *session, &other);
    let found = session.inspect("test").unwrap();
    assert_eq!(found.mark, Some(mark));
    assert_eq!(session.inspect("third").unwrap().other_projects, ["other", "test"]);
    let journal: Vec<(String, i32, Stored)> =
        found.journal.unwrap().into_iter().map(|entry| (entry.key, entry.attempt, entry.state)).collect();
    assert_eq!(journal, [("10".into(), 1, Stored::Applied), ("2".into(), 2, Stored::Applied)]);
    assert_eq!(db.ask("select version from dbbuild.version where project = 'test'"), "10");
    assert_eq!(session.entry_text("test", Kind::Script, "2").unwrap().as_deref(), Some("select 1"));
    assert_eq!(session.entry_text("test", Kind::Script, "3").unwrap(), None);
    session.mark(&Mark { environment: "development".into(), protected: false }).unwrap();
    assert_eq!(session.inspect("test").unwrap().mark.unwrap().environment, "development");
    assert_eq!(db.ask("select count(*) from dbbuild.journal where finished_at is null or duration_ms is null"), "0");
}

#[test]
fn entries_are_recorded_without_running_anything() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let mut entry = unit("1", "create table never (id int)").entry;
    entry.state = Stored::Adopted;
    entry.objects = vec!["view customer_view".into()];
    session.record(std::slice::from_ref(&entry), &[], &run("run")).unwrap();
    assert_eq!(db.journal(), "1 1 adopted 1");
    assert_eq!(db.ask("select objects, finished_at is not null from dbbuild.journal"), "[\"view customer_view\"] t");
    assert_eq!(db.ask("select to_regclass('never') is null"), "t");
}

#[test]
fn a_journal_of_a_newer_program_is_refused() {
    let Some(db) = database() else { return };
    let mut session = db.session();
    db.ask("update dbbuild.environment set format = 99");
    assert!(matches!(session.inspect("test"), Err(EngineError::Journal(message)) if message.contains("99")));
    assert!(matches!(session.prepare(None, false), Err(EngineError::Journal(_))));
}

#[test]
fn a_schema_of_that_name_that_is_no_journal_is_refused() {
    let Some(db) = database() else { return };
    db.ask("create schema dbbuild; create table dbbuild.journal (id int); create table dbbuild.environment (id int)");
    let mut session = db.engine().connect(Access::Read).unwrap();
    assert!(matches!(session.inspect("test"), Err(EngineError::Journal(_))));
}

#[test]
fn many_first_builders_at_once_make_one_journal() {
    let Some(db) = database() else { return };
    let mark = Mark { environment: "development".into(), protected: false };
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let mut session = db.engine().connect(Access::Write).unwrap();
                session.prepare(Some(&mark), false).unwrap();
            });
        }
    });
    assert_eq!(db.ask("select count(*), min(environment), min(format) from dbbuild.environment"), "1 development 1");
}

#[test]
fn a_database_is_made_dropped_and_missed() {
    let Some(mut db) = database() else { return };
    let name = format!("{}_new", db.name);
    db.target.address = crate::project::Address::Postgres(crate::project::Secret::new(db.server.url(&name)));
    let engine = db.engine();
    assert!(!engine.exists().unwrap());
    assert!(matches!(engine.connect(Access::Read), Err(EngineError::NoDatabase { .. })));
    assert!(engine.create().unwrap());
    assert!(!engine.create().unwrap());
    assert!(engine.exists().unwrap());
    let _held = engine.connect(Access::Read).unwrap();
    assert!(engine.drop_database().unwrap());
    assert!(!engine.drop_database().unwrap());
    assert_eq!(engine.database(), name);
    assert!(engine.is_local());
}

#[test]
fn a_reset_database_is_empty_again() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    applied(
        &mut *session,
        &unit(
            "1",
            "create schema \"S x\"; create type mood as enum ('a'); create domain positive as int check (value > 0);
             create table a (id int primary key generated always as identity, m mood, p positive);
             create table b (id int references a); create view v as select * from a; create materialized view m as select 1 as x;
             create function f(int) returns int language sql as 'select 1'; create procedure p() language sql as '';
             create aggregate g(int) (sfunc = int4pl, stype = int); create sequence s; create table \"S x\".\"T t\" (id int);
             create statistics st on id, m from a; create collation c (locale = 'C');
             create operator === (leftarg = int, rightarg = int, function = int4eq);
             create function t() returns trigger language plpgsql as 'begin return new; end';
             create trigger tr before insert on a for each row execute function t();
             create text search configuration ts (copy = english);
             create publication pub for table a;
             create function et() returns event_trigger language plpgsql as 'begin end';
             create event trigger ev on ddl_command_start execute function et();
             create extension if not exists pg_trgm",
        ),
    );
    assert!(!session.inspect("test").unwrap().journal.unwrap().is_empty());
    session.reset(&mut Silent).unwrap();
    let found = session.inspect("test").unwrap();
    assert_eq!((found.journal, found.objects), (None, Vec::<String>::new()));
    assert_eq!(db.ask("select (select count(*) from pg_publication) + (select count(*) from pg_event_trigger)"), "0");
    assert_eq!(db.ask("select count(*) from pg_extension where extname = 'pg_trgm'"), "1");
    session.prepare(None, false).unwrap();
    session.exclusive(Wait { limit: None }, &mut Silent).unwrap();
    applied(&mut *session, &unit("1", "create table a (id int)"));
}
