//! A session's dump and load, with the journal.

use super::fixture::{applied, database, run, unit};
use crate::engine::{Engine, ScratchWish};
use crate::event::Silent;

#[test]
fn what_one_session_dumps_another_loads_with_its_entries_or_not_at_all() {
    let (Some(mut from), Some(mut into)) = (database(), database()) else { return };
    for role in ["builders", "reader"] {
        from.server.create_builder(role).unwrap();
    }
    from.target.owner_role = Some("builders".into());
    into.target.owner_role = Some("builders".into());
    let script = unit(
        "1",
        "create table t (a int primary key); insert into t values (2), (1); revoke update on t from builders",
    );
    let mut session = from.builder();
    applied(session.as_mut(), &script);
    let folder = tempfile::tempdir().unwrap();
    session.dump(folder.path(), &mut Silent).unwrap();
    let pre = std::fs::read_to_string(folder.path().join("pre-data.sql")).unwrap();
    assert!(!pre.contains("builders") && pre.contains("CURRENT_USER"), "{pre}");

    let mut other = into.builder();
    let rows = folder.path().join("data/public.t.copy");
    let good = std::fs::read_to_string(&rows).unwrap();
    std::fs::write(&rows, good.replace("2\n", "2\n2\n")).unwrap();
    let error =
        other.load(folder.path(), std::slice::from_ref(&script.entry), &[], &run("r"), &mut Silent).unwrap_err();
    assert_eq!(error.code(), "sql/23505");
    assert_eq!(into.ask("select to_regclass('t') is null"), "t");
    assert_eq!(into.journal(), "");

    std::fs::write(&rows, good).unwrap();
    other.load(folder.path(), std::slice::from_ref(&script.entry), &[], &run("r"), &mut Silent).unwrap();
    assert_eq!(into.journal(), "1 1 applied 3");
    let owners = "select pg_get_userbyid(relowner) from pg_class where oid in ('public.t'::regclass, 'dbbuild.journal'::regclass) order by 1";
    assert_eq!(into.ask(owners), "builders\ndbbuild");
    assert_eq!(
        into.ask("select relacl::text from pg_class where oid = 'public.t'::regclass"),
        from.ask("select relacl::text from pg_class where oid = 'public.t'::regclass")
    );
}

#[test]
fn a_wish_to_stop_is_no_failure() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    applied(session.as_mut(), &unit("1", "create table t as select 1 as a"));
    let folder = tempfile::tempdir().unwrap();
    db.interrupt.raise();
    let error = session.dump(folder.path(), &mut Silent).unwrap_err();
    assert_eq!(error.code(), "interrupted");
}

#[test]
fn an_engine_makes_scratch_databases_and_they_go() {
    let Some(db) = database() else { return };
    let scratch = db.engine().scratch(&ScratchWish::empty(true), &mut Silent).unwrap();
    assert!(scratch.engine.exists().unwrap());
    assert!(scratch.engine.database().starts_with("dbbuild_scratch_"));
    // On a server of its own, and a second one beside it.
    assert_eq!(db.ask("select count(*) from pg_database where datname like 'dbbuild\\_scratch\\_%'"), "0");
    let second = scratch.engine.scratch(&ScratchWish::empty(false), &mut Silent).unwrap();
    assert_ne!(second.engine.database(), scratch.engine.database());
}
