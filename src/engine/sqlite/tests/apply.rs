//! Transactional units: with their entry or not at all.

use super::*;

#[test]
fn a_script_and_its_entry_come_together() {
    let place = Place::new();
    let mut session = place.prepared();
    let done = applied(&mut *session, "1", "create table a (x);\ninsert into a values (1), (2);\nselect * from a;");
    assert_eq!((done.statements, done.skipped, done.rows), (3, 0, 2));
    let entries = newest(&mut *session);
    assert_eq!((entries[0].key.as_str(), entries[0].state, entries[0].statements_done), ("1", Stored::Applied, 3));
    assert_eq!(session.entry_text("shop", Kind::Script, "1").unwrap().unwrap().lines().count(), 3);
    assert_eq!(place.ask("select version from dbbuild_version"), ["1"]);
    let row = place.ask("select applied_by || ' ' || run || ' ' || (finished_at >= started_at) || ' ' || length(started_at) from dbbuild_journal");
    assert_eq!(row, ["ann run-1 1 24"]);
}

#[test]
fn a_failure_keeps_nothing_and_names_its_place() {
    let place = Place::new();
    let mut session = place.prepared();
    let sql = "create table a (x);\ninsert into a\n  values (1, nonsense);\n";
    let error = apply(&mut *session, script("1", sql)).unwrap_err();
    let EngineError::Unit(failure) = error else { panic!("{error}") };
    assert_eq!(failure.place.unwrap().to_string(), "db/1.sql:3:14");
    assert_eq!(failure.failure.position, Some((sql.find("nonsense").unwrap(), 8)));
    assert_eq!(place.ask("select name from sqlite_schema where name = 'a'"), Vec::<String>::new());
    assert!(newest(&mut *session).is_empty());
    let error =
        apply(&mut *session, script("2", "create table b (x unique);\ninsert into b values (1), (1);")).unwrap_err();
    assert_eq!((code(&error), error.place().unwrap().line), ("sql/SQLITE_CONSTRAINT_UNIQUE".into(), 2));
}

#[test]
fn several_units_are_all_or_none() {
    let place = Place::new();
    let mut session = place.prepared();
    let units = [script("1", "create table a (x);"), script("2", "create table a (x);")];
    let error = session.apply(&units, &run(), &mut Silent).unwrap_err();
    let EngineError::Unit(failure) = error else { panic!("{error}") };
    assert_eq!(failure.unit, 1);
    assert!(newest(&mut *session).is_empty());
    let units = [script("1", "create table a (x);"), script("2", "create table b (x);")];
    assert_eq!(session.apply(&units, &run(), &mut Silent).unwrap().len(), 2);
    let units = [script("3", "create table c (x);"), script("2", "create table b (x);")];
    assert_eq!(session.apply(&units, &run(), &mut Silent).unwrap(), [Outcome::Taken, Outcome::Taken]);
    assert!(place.ask("select name from sqlite_schema where name = 'c'").is_empty());
}

#[test]
fn a_commit_of_the_scripts_own_is_caught() {
    let place = Place::new();
    let mut session = place.prepared();
    // The cut refuses this; what reaches the engine all the same must be noticed.
    let with = |version: &str, word: &str| {
        let mut unit =
            script(version, &format!("create table t{version} (x);\nselect 22222;\ncreate table u{version} (x);"));
        let sql = unit.text.as_str().replace("select 22222", &format!("{word:<12}"));
        unit.text = Text::of_file("db/x.sql", sql);
        unit
    };
    let error = apply(&mut *session, with("1", "commit")).unwrap_err();
    assert!(error.to_string().contains("was kept, without an entry"), "{error}");
    assert_eq!(error.place().unwrap().line, 2);
    assert_eq!(place.ask("select name from sqlite_schema where name like '_1'"), ["t1"]);
    let error = apply(&mut *session, with("2", "rollback")).unwrap_err();
    assert!(error.to_string().contains("nothing was kept"), "{error}");
    assert!(place.ask("select name from sqlite_schema where name like '_2'").is_empty());
    assert!(newest(&mut *session).is_empty());
    applied(&mut *session, "3", "create table t3 (x);");
}

#[test]
fn parameters_and_uneven_cuts_are_refused() {
    let place = Place::new();
    let mut session = place.prepared();
    let error = apply(&mut *session, script("1", "create table a (x);\ninsert into a values (:name);")).unwrap_err();
    assert_eq!((code(&error), error.place().unwrap().column), ("sql/SQLITE_RANGE".into(), 23));
    let mut unit = script("2", "create table b (x); create table c (x);");
    unit.parts[0].span.end = unit.parts[1].span.end;
    unit.parts.truncate(1);
    let error = apply(&mut *session, unit).unwrap_err();
    assert!(error.to_string().contains("more than one statement"), "{error}");
    assert!(place.ask("select name from sqlite_schema where name in ('b', 'c')").is_empty());
}

const FAMILY: &str = "create table parent (id integer primary key, name text);
create table child (id integer primary key, parent integer not null references parent on delete cascade);
insert into parent values (1, 'a'), (2, 'b');
insert into child values (10, 1), (20, 2);";

#[test]
fn a_rebuild_with_foreign_keys_off_keeps_the_children() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(&mut *session, "1", FAMILY);
    let rebuild = "create table p2 (id integer primary key, name text not null);
insert into p2 select * from parent;
drop table parent;
alter table p2 rename to parent;";
    applied(&mut *session, "2", &format!("-- dbbuild: foreign-keys off\n{rebuild}"));
    assert_eq!(place.ask("select id from child"), ["10", "20"]);
    // Foreign keys are on again afterwards.
    let error = apply(&mut *session, script("3", "insert into child values (30, 3);")).unwrap_err();
    assert_eq!(code(&error), "sql/SQLITE_CONSTRAINT_FOREIGNKEY");
    // With them on, what is renamed takes its children along, and cannot go.
    let kept = "create table shelf (id integer primary key); create table book (shelf integer references shelf);
insert into shelf values (1); insert into book values (1);";
    applied(&mut *session, "3.1", kept);
    let away = "alter table shelf rename to s_old; create table shelf (id integer primary key); drop table s_old;";
    let error = apply(&mut *session, script("4", away)).unwrap_err();
    assert!(error.notes().join(" ").contains("`-- dbbuild: foreign-keys off`"), "{:?}", error.notes());
    // The same rebuild with them on deletes the children: that is what the mode is for.
    applied(&mut *session, "5", rebuild);
    assert!(place.ask("select id from child").is_empty());
}

#[test]
fn an_upsert_behind_a_select_needs_a_condition_and_the_hint_says_so() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(&mut *session, "1", "create table t (a integer primary key);");
    let upsert = |condition: &str| format!("insert into t select 1 from t {condition} ON CONFLICT DO NOTHING;");
    let error = apply(&mut *session, script("2", &upsert(""))).unwrap_err();
    assert!(error.notes().join(" ").contains("`where true`"), "{:?}", error.notes());
    applied(&mut *session, "3", &upsert("where true"));
}

#[test]
fn a_statement_may_open_more_than_a_thousand_tables() {
    let place = Place::new();
    let mut session = place.prepared();
    let all = |count: usize, of: &str| vec![format!("select a from {of}"); count].join(" union all ");
    let views = format!(
        "create table t (a);\ncreate view one as with c as (select a from t) select a from c;\ncreate view ten as {};
create view hundred as {};\ncreate view more as {};\ninsert into t select a from more;",
        all(10, "one"),
        all(10, "ten"),
        all(6, "hundred")
    );
    applied(&mut *session, "1", &views);
}

#[test]
fn a_definition_is_kept_to_its_semicolon() {
    let place = Place::new();
    let mut session = place.prepared();
    let text = "create table t (a integer) strict ;\ncreate index i on t (a) /* why */\n;\ncreate index j on t (a);";
    applied(&mut *session, "1", text);
    let plain = rusqlite::Connection::open_in_memory().unwrap();
    plain.execute_batch(text).unwrap();
    for name in ["t", "i", "j"] {
        let query = format!("select sql from sqlite_schema where name = '{name}'");
        let kept: String = plain.query_row(&query, [], |row| row.get(0)).unwrap();
        assert_eq!(place.ask(&query), [kept]);
    }
}

#[test]
fn text_in_double_quotes_is_taken_where_it_is_asked_for() {
    let place = Place::new();
    let mut session = place.prepared();
    let text = "create table t (a text check (a <> \"no\"));
insert into t values (\"yes\");
create trigger copies after insert on t when new.a = \"again\" begin insert into t values (\"more\"); end;";
    let error = apply(&mut *session, script("1", text)).unwrap_err();
    assert!(error.notes().join(" ").contains("double-quoted-text"), "{:?}", error.notes());
    applied(&mut *session, "1", &format!("-- dbbuild: double-quoted-text\n{text}"));
    // What was made goes on working.
    applied(&mut *session, "2", "insert into t values ('again');");
    assert_eq!(place.ask("select a from t"), ["yes", "again", "more"]);
}

#[test]
fn foreign_keys_off_must_leave_no_new_orphan() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(&mut *session, "1", FAMILY);
    place.raw().execute_batch("pragma foreign_keys = off; insert into child values (99, 99)").unwrap();
    let error = apply(&mut *session, script("2", "-- dbbuild: foreign-keys off\ndelete from parent where id = 2;"))
        .unwrap_err();
    assert!(error.to_string().contains("row 20 of child is left without its parent in parent"), "{error}");
    assert_eq!(place.ask("select count(*) from parent"), ["2"]);
    // An orphan that was there before is no reason to refuse.
    applied(&mut *session, "3", "-- dbbuild: foreign-keys off\nupdate parent set name = 'c';");
    let error = apply(&mut *session, script("4", "delete from parent; insert into child values (1, 7);")).unwrap_err();
    assert_eq!(code(&error), "sql/SQLITE_CONSTRAINT_FOREIGNKEY");
}

#[test]
fn a_deferred_key_fails_the_text_at_its_commit() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(
        &mut *session,
        "1",
        "create table p (id integer primary key); create table c (p references p deferrable initially deferred);",
    );
    let error = apply(&mut *session, script("2", "insert into c values (1);")).unwrap_err();
    assert!(matches!(&error, EngineError::Unit(_)), "{error:?}");
    assert_eq!(newest(&mut *session).len(), 1);
    applied(&mut *session, "3", "insert into c values (1); insert into p values (1);");
}

#[test]
fn many_builders_at_once_run_each_script_once() {
    let place = Place::new();
    let (threads, scripts) = (32, 20);
    let engine = place.engine();
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let builders: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut session = engine.connect(Access::Write).unwrap();
                    session.prepare(None, false).unwrap();
                    let one = |number: i32| {
                        let sql = format!("create table t{number} (x); insert into t{number} values (1);");
                        apply(&mut *session, script(&number.to_string(), &sql)).unwrap()
                    };
                    (1..=scripts).map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        builders.into_iter().flat_map(|builder| builder.join().unwrap()).collect()
    });
    let ran = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Applied(_))).count();
    assert_eq!((ran, outcomes.len()), (20, 640));
    assert_eq!(place.ask("select count(*) from dbbuild_journal where state = 'applied'"), ["20"]);
    assert_eq!(place.ask("select count(*) from dbbuild_environment"), ["1"]);
}

#[test]
fn a_text_leaves_nothing_behind_in_the_session() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(&mut *session, "1", "create temp table scratchpad (x); create table a (x);");
    let error = apply(&mut *session, script("2", "insert into scratchpad values (1);")).unwrap_err();
    assert!(error.to_string().contains("no such table"), "{error}");
    applied(&mut *session, "3", "pragma ignore_check_constraints = on; create table b (x check (x > 0));");
    let error = apply(&mut *session, script("4", "insert into b values (-1);")).unwrap_err();
    assert_eq!(code(&error), "sql/SQLITE_CONSTRAINT_CHECK");
}

#[test]
fn an_interrupt_stops_a_statement_and_keeps_nothing() {
    let place = Place::new();
    let mut session = place.prepared();
    let endless = "create table a (x);
insert into a with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n;";
    let interrupt = place.interrupt.clone();
    let error = std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(second() / 4);
            interrupt.raise();
        });
        apply(&mut *session, script("1", endless)).unwrap_err()
    });
    assert!(matches!(error, EngineError::Interrupted { .. }), "{error:?}");
    assert!(place.ask("select name from sqlite_schema where name = 'a'").is_empty());
    assert!(place.ask("select key from dbbuild_journal").is_empty());
}

#[test]
fn a_statement_has_its_limit() {
    let place = Place::new();
    let mut session = place.prepared();
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n;";
    let sql = format!("-- dbbuild: statement-timeout 100ms\ncreate table a (x);\n{endless}");
    let error = apply(&mut *session, script("1", &sql)).unwrap_err();
    assert_eq!(error.to_string(), "the statement ran longer than 100ms");
    assert_eq!(error.place().unwrap().line, 3);
    assert!(place.ask("select name from sqlite_schema where name = 'a'").is_empty());
    applied(&mut *session, "2", "create table a (x);");
}

#[test]
fn a_busy_database_is_waited_for_as_long_as_the_text_says() {
    let place = Place::new();
    let mut session = place.prepared();
    let other = place.raw();
    other.execute_batch("begin immediate").unwrap();
    let mut heard = 0;
    let unit = script("1", "-- dbbuild: lock-timeout 30ms\ncreate table a (x);");
    let since = std::time::Instant::now();
    let error =
        session.apply(std::slice::from_ref(&unit), &run(), &mut |_: crate::event::Event| heard += 1).unwrap_err();
    assert_eq!((code(&error).as_str(), heard), ("sql/SQLITE_BUSY", 5));
    assert!(since.elapsed() > Duration::from_millis(150));
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(40));
            other.execute_batch("rollback").unwrap();
        });
        assert!(matches!(apply(&mut *session, unit).unwrap(), Outcome::Applied(_)));
    });
}
