//! A session's dump and load, with the journal.

use super::fixture::{applied, database, run, unit};
use crate::engine::postgres::load::load_within;
use crate::engine::postgres::session::PostgresSession;
use crate::engine::{Access, Engine, Load, ScratchWish, Session, Wait};
use crate::event::Silent;
use crate::script::Checksum;

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
    let load = Load::new(folder.path(), "shop", "baseline", Checksum::default());
    let load = Load { entries: std::slice::from_ref(&script.entry), ..load };
    let error = other.load(&load, &run("r"), &mut Silent).unwrap_err();
    assert_eq!(error.code(), "sql/23505");
    assert_eq!(into.ask("select to_regclass('t') is null"), "t");
    assert_eq!(into.journal(), "");

    std::fs::write(&rows, good).unwrap();
    assert!(other.load(&load, &run("r"), &mut Silent).unwrap());
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

/// Twelve tables with rows, identities, indexes and keys; and a view.
fn many() -> String {
    let table = |n: usize| {
        let to = n.saturating_sub(1);
        format!(
            "create table t{n} (id int generated always as identity primary key, to_id int references t{to}, x text);
             create index t{n}_x on t{n} (x); insert into t{n} (x) values ('a'), ('b');\n"
        )
    };
    let tables: String = (0..12).map(table).collect();
    tables + "create view v as select * from t3; create extension if not exists plpgsql"
}

#[test]
fn a_load_of_several_transactions_goes_on_where_it_was_stopped() {
    let (Some(from), Some(into)) = (database(), database()) else { return };
    let script = unit("1", &many());
    let mut session = from.builder();
    applied(session.as_mut(), &script);
    let folder = tempfile::tempdir().unwrap();
    session.dump(folder.path(), &mut Silent).unwrap();
    let post = folder.path().join("post-data.sql");
    let good = std::fs::read_to_string(&post).unwrap();
    std::fs::write(&post, good.replace("CREATE INDEX t9_x ON public.t9", "CREATE INDEX t9_x ON public.gone")).unwrap();

    let mut other = PostgresSession::open(&into.engine().connector, &into.interrupt, Access::Write).unwrap();
    other.prepare(None, false).unwrap();
    other.exclusive(Wait { limit: None }, &mut Silent).unwrap();
    let load = |text: &str| Load::new(folder.path(), "test", "baseline/postgres", Checksum::of_text(text));
    let entries = [script.entry.clone()];
    let mut go = |text: &str, run_of: &str| {
        let load = Load { entries: &entries, ..load(text) };
        let done = load_within(&mut other.link, &other.journal, &load, 40, &run(run_of), &mut Silent);
        other.link.rollback();
        other.link.reset();
        done
    };
    let error = go("this", "one").unwrap_err();
    assert_eq!(
        (error.code().as_str(), error.place().unwrap().text.trim()),
        ("sql/42P01", "CREATE INDEX t9_x ON public.gone USING btree (x);")
    );
    let half_way = into.ask("select kind, state, statements_done < statements, error from dbbuild.journal");
    assert!(half_way.starts_with("baseline running t ") && half_way.contains("public.gone"), "{half_way}");
    assert_eq!(into.ask("select count(*) from t11"), "2");

    assert_eq!(go("that", "two").unwrap_err().code(), "load/another");
    std::fs::write(&post, good).unwrap();
    assert!(go("this", "three").unwrap());
    assert_eq!(
        into.ask("select kind, state, statements_done = statements, run from dbbuild.journal order by sequence"),
        "baseline applied t three\nscript applied t three"
    );
    assert!(!go("this", "four").unwrap(), "somebody else did");
    let rows = "select count(*) from t0 union all select last_value from t11_id_seq union all select count(*) from pg_index i join pg_class c on c.oid = i.indrelid and c.relname like 't%' and c.relnamespace = 'public'::regnamespace";
    assert_eq!(into.ask(rows), from.ask(rows));
    assert_eq!(session.catalog().unwrap(), other.catalog().unwrap());
}
