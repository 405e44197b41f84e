//! Scripts without a transaction: kept statement by statement, resumed, mended, healed.

use super::fixture::{Database, Heard, applied, apply, database, failed, run, unit};
use crate::engine::{Session, Unit};
use crate::event::Event;
use crate::journal::Stored;

/// The same script once more, as the pipeline hands it over when its entry says running.
fn resumed(session: &mut dyn Session, text: &str) -> Unit {
    let mut unit = unit("1", text);
    let journal = session.inspect("test").unwrap().journal.unwrap();
    unit.running = journal.into_iter().find(|entry| entry.state == Stored::Running);
    assert!(unit.running.is_some());
    unit.entry.attempt = 2;
    unit
}

fn effects(db: &Database) -> String {
    db.ask("select coalesce(string_agg(line::text, ',' order by line), '') from effect")
}

#[test]
fn it_resumes_after_each_statement_and_none_runs_twice() {
    let Some(db) = database() else { return };
    let lines = |broken: Option<usize>| {
        let line = |n: usize| match broken {
            Some(broken) if broken == n => format!("insert into effect select {n} / 0;\n"),
            _ => format!("insert into effect values ({n});\n"),
        };
        format!("-- dbbuild: no-transaction\n{}", (0..6).map(line).collect::<String>())
    };
    for k in 0..6 {
        db.ask("drop schema if exists dbbuild cascade; drop table if exists effect; create table effect (line int)");
        let mut session = db.builder();
        let failure = failed(&mut *session, &unit("1", &lines(Some(k))));
        assert_eq!((failure.kept, failure.place.unwrap().line), (Some(k), k + 2));
        assert_eq!(db.journal(), format!("1 1 running {k}"));
        assert_eq!(db.ask("select error from dbbuild.journal"), "division by zero");
        drop(session);
        // Mended, and by another builder.
        let mut session = db.builder();
        let again = resumed(&mut *session, &lines(None));
        let done = applied(&mut *session, &again);
        assert_eq!(done.statements, 6 - k);
        assert_eq!(effects(&db), "0,1,2,3,4,5");
        assert_eq!(db.journal(), "1 1 applied 6");
        assert_eq!(db.ask("select error is null and progress is null from dbbuild.journal"), "t");
        let checksum = again.entry.checksum.as_str().to_owned();
        assert_eq!(db.ask("select checksum from dbbuild.journal"), checksum);
    }
}

#[test]
fn a_finished_statement_that_changed_is_refused() {
    let Some(db) = database() else { return };
    db.ask("create table effect (line int)");
    let mut session = db.builder();
    failed(
        &mut *session,
        &unit(
            "1",
            "-- dbbuild: no-transaction\ninsert into effect values (1);\ninsert into effect values (2);\nselect 1 / 0",
        ),
    );
    for (text, line) in [
        ("-- dbbuild: no-transaction\ninsert into effect values (1);\ninsert into effect values (3);\nselect 1", 3),
        ("-- dbbuild: no-transaction\ninsert into effect values (1);", 2),
    ] {
        let again = resumed(&mut *session, text);
        let error = apply(&mut *session, &again).unwrap_err();
        assert_eq!((error.code().as_str(), error.place().unwrap().line), ("script/finished-part-changed", line));
    }
    assert_eq!(db.journal(), "1 1 running 2");
    // Comments and white space are no change.
    let text = "-- dbbuild: no-transaction\ninsert  into effect /* one */ values (1);\n-- two\ninsert into effect values (2);\ninsert into effect values (4)";
    let again = resumed(&mut *session, text);
    applied(&mut *session, &again);
    assert_eq!(effects(&db), "1,2,4");
}

#[test]
fn settings_of_the_finished_part_are_there_again() {
    let Some(db) = database() else { return };
    db.ask("create schema app; create table app.t (id int)");
    let text =
        |tail: &str| format!("-- dbbuild: no-transaction\nset search_path = app;\ninsert into t values (1);\n{tail}");
    let mut session = db.builder();
    failed(&mut *session, &unit("1", &text("create index concurrently i on t (nothing)")));
    drop(session);
    let mut session = db.builder();
    let again = resumed(&mut *session, &text("create index concurrently i on t (id);\ncreate table made_here ()"));
    applied(&mut *session, &again);
    assert_eq!(
        db.ask(
            "select relname, relnamespace::regnamespace from pg_class where relname in ('i', 'made_here') order by 1"
        ),
        "i app\nmade_here app"
    );
    applied(&mut *session, &unit("2", "create table elsewhere ()"));
    assert_eq!(db.ask("select relnamespace::regnamespace from pg_class where relname = 'elsewhere'"), "public");
}

#[test]
fn an_invalid_index_of_the_interrupted_statement_is_built_anew() {
    let Some(db) = database() else { return };
    let text = "-- dbbuild: no-transaction\ncreate table t (id int);\ninsert into t values (1), (1);\ncreate unique index concurrently if not exists i on t (id)";
    let mut session = db.builder();
    let failure = failed(&mut *session, &unit("1", text));
    assert_eq!((failure.failure.code.as_str(), failure.kept), ("23505", Some(2)));
    assert_eq!(db.ask("select indisvalid from pg_index where indexrelid = 'i'::regclass"), "f");
    db.ask("delete from t; insert into t values (1), (2)");
    let again = resumed(&mut *session, text);
    applied(&mut *session, &again);
    assert_eq!(db.ask("select indisvalid from pg_index where indexrelid = 'i'::regclass"), "t");
}

#[test]
fn what_an_interrupted_reindex_left_is_dropped() {
    let Some(db) = database() else { return };
    let function = |body: &str| {
        format!(
            "create or replace function public.f(int) returns int immutable language plpgsql as 'begin {body}; end'"
        )
    };
    let broken = format!(
        "-- dbbuild: no-transaction\ncreate table t (id int);\ninsert into t values (1);\n{};\ncreate index i on t (f(id));\n{};\n\
         reindex index concurrently i",
        function("return 1"),
        function("raise exception ''broken''")
    );
    let mut session = db.builder();
    failed(&mut *session, &unit("1", &broken));
    assert_eq!(db.ask("select relname from pg_class where relname like 'i\\_cc%'"), "i_ccnew");
    db.ask(&function("return 1"));
    let again = resumed(&mut *session, &broken);
    applied(&mut *session, &again);
    assert_eq!(db.ask("select relname from pg_class where relname like 'i\\_cc%'"), "");
}

#[test]
fn a_batch_runs_until_it_changes_nothing() {
    let Some(db) = database() else { return };
    db.ask("create table t as select n as id, false as done from generate_series(1, 25) n");
    let text = "-- dbbuild: no-transaction\n-- dbbuild: repeat until 0 rows\nupdate t set done = true where id in (select id from t where not done limit 10)";
    let mut session = db.builder();
    let mut heard = Heard::default();
    let outcome = session.apply(&[unit("1", text)], &run("r"), &mut heard).unwrap().remove(0);
    let crate::engine::Outcome::Applied(done) = outcome else { panic!("{outcome:?}") };
    assert_eq!((done.passes, done.rows, done.statements), (4, 25, 1));
    let told: Vec<&Event> = heard.0.iter().filter(|event| matches!(event, Event::Progress { .. })).collect();
    assert_eq!(told.len(), 3);
    assert_eq!(db.ask("select count(distinct xmin::text) from t"), "3");
}

#[test]
fn a_group_that_was_entered_is_finished_on_resume() {
    let Some(db) = database() else { return };
    db.ask("create table customer (id int); insert into customer values (1)");
    let text = |tail: &str| {
        format!(
            "-- dbbuild: no-transaction\n-- dbbuild: unless column customer.email begin\nalter table customer add column email text;\n{tail};\n-- dbbuild: end\nselect 1"
        )
    };
    let mut session = db.builder();
    failed(&mut *session, &unit("1", &text("update customer set email = nothing")));
    let again = resumed(&mut *session, &text("update customer set email = 'x'"));
    let done = applied(&mut *session, &again);
    assert_eq!((done.statements, done.skipped), (2, 0));
    assert_eq!(db.ask("select email from customer"), "x");
}

#[test]
fn a_procedure_that_commits_may() {
    let Some(db) = database() else { return };
    db.ask("create table t (id int); create procedure p() language plpgsql as 'begin insert into t values (1); commit; insert into t values (2); end'");
    let mut session = db.builder();
    applied(&mut *session, &unit("1", "-- dbbuild: no-transaction\ncall p();\nvacuum t"));
    assert_eq!(db.ask("select count(*), count(distinct xmin::text) from t"), "2 2");
}

#[test]
fn copy_data_is_kept_once() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let text =
        "-- dbbuild: no-transaction\ncreate table effect (line int);\ncopy effect from stdin;\n1\n2\n\\.\nselect 1 / 0";
    let failure = failed(&mut *session, &unit("1", text));
    assert_eq!(failure.kept, Some(2));
    let again = resumed(&mut *session, &text.replace("1 / 0", "1"));
    applied(&mut *session, &again);
    assert_eq!(effects(&db), "1,2");
}
