//! Many builders at once, and what keeps them apart.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::fixture::{Heard, applied, apply, database, run, unit};
use crate::engine::{Access, Engine, EngineError, Outcome, Wait};
use crate::event::{Event, Silent};
use crate::project::LockMode;

const BUILDERS: usize = 32;
const SCRIPTS: usize = 20;

fn race(lock: LockMode) {
    let Some(mut db) = database() else { return };
    db.target.lock = lock;
    db.target.lock_timeout = Duration::from_secs(20);
    let mut setup = db.session();
    applied(&mut *setup, &unit("1", "create table effect (script int)"));
    drop(setup);
    let (ran, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..BUILDERS {
            scope.spawn(|| {
                let mut session = db.session();
                session.exclusive(Wait { limit: Some(Duration::from_secs(120)) }, &mut Silent).unwrap();
                for script in 2..SCRIPTS + 2 {
                    let text = format!("create table t{script} (id int); insert into effect values ({script})");
                    match apply(&mut *session, &unit(&script.to_string(), &text)).unwrap() {
                        Outcome::Applied(_) => ran.fetch_add(1, Ordering::Relaxed),
                        Outcome::Taken => taken.fetch_add(1, Ordering::Relaxed),
                    };
                }
            });
        }
    });
    assert_eq!((ran.into_inner(), taken.into_inner()), (SCRIPTS, (BUILDERS - 1) * SCRIPTS));
    assert_eq!(db.ask("select count(*), count(distinct script) from effect"), format!("{SCRIPTS} {SCRIPTS}"));
    assert_eq!(db.ask("select count(*) from dbbuild.journal where state = 'applied'"), (SCRIPTS + 1).to_string());
}

#[test]
fn each_script_runs_once_behind_the_session_lock() {
    race(LockMode::Session);
}

#[test]
fn each_script_runs_once_by_its_claim_alone() {
    race(LockMode::Claim);
}

#[test]
fn who_waits_is_told_for_whom_and_gives_up_in_time() {
    let Some(db) = database() else { return };
    let holder = db.builder();
    let mut second = db.session();
    let mut heard = Heard::default();
    let wait = Wait { limit: Some(Duration::from_millis(700)) };
    let error = second.exclusive(wait, &mut heard).unwrap_err();
    let EngineError::Locked { holder: who, waited } = error else { panic!("{error:?}") };
    assert!(waited >= Duration::from_millis(700));
    assert!(who.contains("dbbuild@this machine"), "{who}");
    assert!(matches!(&heard.0[..], [Event::Waiting { holder, .. }] if holder.starts_with("pid ")), "{:?}", heard.0);
    drop(holder);
    second.exclusive(wait, &mut Silent).unwrap();
}

#[test]
fn builders_of_other_journals_do_not_wait() {
    let Some(mut db) = database() else { return };
    let _holder = db.builder();
    db.target.journal_name = "another".into();
    let mut other = db.session();
    other.exclusive(Wait { limit: Some(Duration::ZERO) }, &mut Silent).unwrap();
}

#[test]
fn a_script_that_releases_the_lock_stops_the_next_one() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    applied(&mut *session, &unit("1", "select pg_advisory_unlock_all()"));
    let error = apply(&mut *session, &unit("2", "create table never ()")).unwrap_err();
    assert_eq!(error.code(), "engine/lock-gone");
    assert!(error.hint().unwrap().contains("pooler"));
    assert_eq!(db.journal(), "1 1 applied 1");
}

#[test]
fn a_claim_refuses_what_needs_a_session() {
    let Some(mut db) = database() else { return };
    db.target.lock = LockMode::Claim;
    let mut session = db.session();
    let error = apply(&mut *session, &unit("1", "-- dbbuild: no-transaction\nvacuum")).unwrap_err();
    assert_eq!(error.code(), "engine/needs-session-lock");
    assert_eq!(db.journal(), "");
}

#[test]
fn units_share_a_transaction_or_none_of_them_is_kept() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let units = [
        unit("1", "create table a (id int)"),
        unit("2", "set search_path = nowhere; create schema s"),
        unit("3", "insert into a values (1)"),
    ];
    let outcomes = session.apply(&units, &run("run"), &mut Silent).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied(_))), "{outcomes:?}");
    assert_eq!(db.journal(), "1 1 applied 1\n2 1 applied 2\n3 1 applied 1");
    let bad = [unit("4", "create table b (id int)"), unit("5", "insert into nowhere values (1)")];
    let error = session.apply(&bad, &run("run"), &mut Silent).unwrap_err();
    assert!(matches!(&error, EngineError::Unit(failure) if failure.unit == 1), "{error:?}");
    assert_eq!(db.ask("select to_regclass('b') is null"), "t");
    let mut other = db.engine().connect(Access::Write).unwrap();
    let half = [unit("3", "select 1"), unit("6", "create table c ()")];
    assert_eq!(other.apply(&half, &run("other"), &mut Silent).unwrap(), [Outcome::Taken, Outcome::Taken]);
    assert_eq!(db.ask("select count(*) from dbbuild.journal"), "3");
}
