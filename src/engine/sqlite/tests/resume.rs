//! Scripts without a transaction: failing, resuming, mended.

use super::*;
use crate::event::Event;

const GUARD: &str = "-- dbbuild: no-transaction\n";

/// The unit of an interrupted script, as the pipeline hands it over the second time.
fn again(session: &mut dyn Session, version: &str, sql: &str) -> Unit {
    let running = newest(session).into_iter().find(|entry| entry.key == version).unwrap();
    assert_eq!(running.state, Stored::Running);
    Unit { running: Some(running), ..script(version, sql) }
}

#[test]
fn a_failure_at_any_statement_resumes_there() {
    let statements: Vec<String> = (1..=6).map(|n| format!("insert into log values ({n});\n")).collect();
    for k in 0..6 {
        let place = Place::new();
        let mut session = place.prepared();
        applied(&mut *session, "1", "create table log (n integer primary key autoincrement);");
        let with = |k: usize, broken: &str| {
            let part = |(n, text): (usize, &String)| if n == k { broken.to_owned() } else { text.clone() };
            GUARD.to_owned() + &statements.iter().enumerate().map(part).collect::<String>()
        };
        let error = apply(&mut *session, script("2", &with(k, "insert into nowhere values (1);\n"))).unwrap_err();
        let EngineError::Unit(failure) = error else { panic!("{error}") };
        assert_eq!((failure.kept, failure.place.unwrap().line), (Some(k), k + 2));
        assert_eq!(place.ask("select error from dbbuild_journal where key = '2'"), ["no such table: nowhere"]);
        let mended = with(k, &statements[k]);
        let unit = again(&mut *session, "2", &mended);
        let Outcome::Applied(done) = apply(&mut *session, unit).unwrap() else { panic!() };
        assert_eq!(done.statements, 6 - k);
        assert_eq!(place.ask("select n from log"), ["1", "2", "3", "4", "5", "6"]);
        let row = "select state || statements_done || coalesce(error, '-') || (select count(*) from dbbuild_progress) || (text like '%nowhere%') from dbbuild_journal where key = '2'";
        assert_eq!(place.ask(row), ["applied6-00"]);
        assert_eq!(newest(&mut *session)[1].checksum, script("2", &mended).entry.checksum);
    }
}

#[test]
fn a_changed_finished_statement_is_refused() {
    let place = Place::new();
    let mut session = place.prepared();
    let sql = |first: &str, rest: &str| format!("{GUARD}create table a (x);\n{first};\n{rest};\n");
    apply(&mut *session, script("1", &sql("insert into a values (1)", "nonsense"))).unwrap_err();
    for first in ["insert into a values (2)", "select 1; insert into a values (1)"] {
        let unit = again(&mut *session, "1", &sql(first, "select 1"));
        let error = apply(&mut *session, unit).unwrap_err();
        assert_eq!((code(&error).as_str(), error.place().unwrap().line), ("script/finished-part-changed", 3));
    }
    let shorter = format!("{GUARD}create table a (x);");
    let unit = again(&mut *session, "1", &shorter);
    assert_eq!(code(&apply(&mut *session, unit).unwrap_err()), "script/finished-part-changed");
    // White space and comments do not count.
    let unit = again(&mut *session, "1", &sql("insert  into a /* one */ values (1)", "insert into a values (3)"));
    assert!(matches!(apply(&mut *session, unit).unwrap(), Outcome::Applied(_)));
    assert_eq!(place.ask("select x from a"), ["1", "3"]);
}

#[test]
fn statements_that_refuse_a_transaction_run_bare() {
    let place = Place::new();
    let mut session = place.prepared();
    let sql = format!("{GUARD}create table a (x);\nvacuum;\npragma journal_mode = wal;\ninsert into a values (1);");
    assert_eq!(applied(&mut *session, "1", &sql).statements, 4);
    assert_eq!(place.ask("pragma journal_mode"), ["wal"]);
    assert_eq!(place.ask("select x from a"), ["1"]);
}

#[test]
fn settings_of_the_finished_part_are_replayed() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(&mut *session, "1", "create table p (id integer primary key); create table c (p references p);");
    let sql = |last: &str| {
        format!("{GUARD}pragma foreign_keys = off;\ninsert into c values (1);\n{last};\ninsert into c values (2);")
    };
    apply(&mut *session, script("2", &sql("nonsense"))).unwrap_err();
    let mut session = place.session();
    let unit = again(&mut *session, "2", &sql("select 1"));
    apply(&mut *session, unit).unwrap();
    assert_eq!(place.ask("select p from c"), ["1", "2"]);
    let error = apply(&mut *session, script("3", "insert into c values (3);")).unwrap_err();
    assert_eq!(code(&error), "sql/SQLITE_CONSTRAINT_FOREIGNKEY");
}

#[test]
fn an_entered_group_stays_entered() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(&mut *session, "1", "create table a (id integer primary key); insert into a values (1);");
    let sql = |middle: &str| {
        format!(
            "{GUARD}-- dbbuild: unless column a.email begin\nalter table a add column email text;\n{middle};\nupdate a set email = 'x';\n-- dbbuild: end\n"
        )
    };
    apply(&mut *session, script("2", &sql("nonsense"))).unwrap_err();
    let unit = again(&mut *session, "2", &sql("select 1"));
    let Outcome::Applied(done) = apply(&mut *session, unit).unwrap() else { panic!() };
    assert_eq!((done.statements, done.skipped), (2, 0));
    assert_eq!(place.ask("select email from a"), ["x"]);
    assert_eq!(applied(&mut *session, "3", &sql("select 1")).skipped, 3);
}

#[test]
fn a_batch_repeats_until_it_changes_nothing() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(
        &mut *session,
        "1",
        "create table a (id integer primary key, done int not null default 0);
         insert into a (id) with recursive n(i) as (select 1 union all select i + 1 from n where i < 25) select i from n;",
    );
    let sql = format!(
        "{GUARD}-- dbbuild: repeat until 0 rows\nupdate a set done = 1 where id in (select id from a where done = 0 limit 10);\nselect 1;"
    );
    let mut heard = Vec::new();
    let outcome = session.apply(&[script("2", &sql)], &run(), &mut |event: Event| heard.push(event)).unwrap().remove(0);
    let Outcome::Applied(done) = outcome else { panic!() };
    assert_eq!((done.passes, done.rows, done.statements), (4, 25, 2));
    let last = heard.iter().rev().find_map(|event| match event {
        Event::Progress { message, .. } => Some(message.clone()),
        _ => None,
    });
    assert_eq!(last.unwrap(), "pass 3, 25 rows");
    assert_eq!(place.ask("select sum(done) from a"), ["25"]);
}

#[test]
fn a_running_script_that_somebody_finished_is_taken() {
    let place = Place::new();
    let mut session = place.prepared();
    apply(&mut *session, script("1", &format!("{GUARD}create table a (x);\nnonsense;"))).unwrap_err();
    let mended = format!("{GUARD}create table a (x);\nselect 1;");
    let (one, two) = (again(&mut *session, "1", &mended), again(&mut *session, "1", &mended));
    assert!(matches!(apply(&mut *session, one).unwrap(), Outcome::Applied(_)));
    assert_eq!(apply(&mut *session, two).unwrap(), Outcome::Taken);
    assert_eq!(apply(&mut *session, script("1", &mended)).unwrap(), Outcome::Taken);
}

#[test]
fn a_running_entry_says_how_far_it_is_although_its_builder_died() {
    let place = Place::new();
    let mut session = place.prepared();
    let sql = |last: &str| format!("{GUARD}create table a (x);\ninsert into a values (1);\n{last};");
    apply(&mut *session, script("1", &sql("nonsense"))).unwrap_err();
    // A builder that dies says nothing in the entry: its progress alone tells.
    place.ask("update dbbuild_journal set statements_done = 0, error = null where key = '1' returning 1");
    assert_eq!(newest(&mut *session)[0].statements_done, 2);
    let unit = again(&mut *session, "1", &sql("insert into a values (2)"));
    assert!(matches!(apply(&mut *session, unit).unwrap(), Outcome::Applied(_)));
    assert_eq!(place.ask("select x from a"), ["1", "2"]);
}

#[test]
fn progress_that_somebody_deleted_is_refused() {
    let place = Place::new();
    let mut session = place.prepared();
    let sql = format!("{GUARD}create table a (x);\ninsert into a values (1);\nnonsense;");
    apply(&mut *session, script("1", &sql)).unwrap_err();
    for statement in [0, 1] {
        place.ask(&format!("delete from dbbuild_progress where statement = {statement} returning 1"));
        let unit = again(&mut *session, "1", &sql);
        let error = apply(&mut *session, unit).unwrap_err().to_string();
        assert!(error.contains("script 1 has 2 finished statements"), "{error}");
    }
    assert_eq!(place.ask("select x from a"), ["1"]);
}
