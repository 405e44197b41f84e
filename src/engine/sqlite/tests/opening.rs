//! Opening, looking and locking.

use super::*;
use crate::engine::{ScratchWish, Wait};
use crate::event::Event;
use crate::journal::Mark;

#[test]
fn looking_creates_nothing() {
    let place = Place::new();
    let error = place.engine().connect(Access::Read).err().unwrap();
    assert!(matches!(error, EngineError::NoDatabase { .. }));
    assert!(place.files().is_empty());
    std::fs::write(place.file(), b"").unwrap();
    let seen = place.engine().connect(Access::Read).unwrap().inspect("shop").unwrap();
    assert_eq!((seen.journal, seen.objects.len()), (None, 0));
    assert_eq!(std::fs::read(place.file()).unwrap(), b"");
    assert_eq!(place.files(), ["shop.db"]);
}

#[test]
fn a_resting_wal_database_is_read_without_a_trace() {
    let place = Place::new();
    applied(&mut *place.prepared(), "1", "create table a (x);");
    place.raw().query_row("pragma journal_mode = wal", [], |_| Ok(())).unwrap();
    place.raw().execute_batch("insert into a values (1)").unwrap();
    assert_eq!(place.files(), ["shop.db"]);
    let mut reader = place.engine().connect(Access::Read).unwrap();
    assert_eq!(newest(&mut *reader).len(), 1);
    assert_eq!(place.files(), ["shop.db"]);
    // A builder at work in between is seen, before and after its write-ahead log is written back.
    let mut builder = place.session();
    applied(&mut *builder, "2", "create table b (x);");
    assert_eq!(newest(&mut *reader).len(), 2);
    applied(&mut *builder, "3", "create table c (x);");
    assert_eq!(newest(&mut *reader).len(), 3);
}

#[test]
fn what_is_no_database_is_said_to_be_none() {
    let place = Place::new();
    std::fs::write(
        place.file(),
        "this is a text that is long enough to be taken for a header of one hundred bytes, or so one hopes, and more",
    )
    .unwrap();
    for access in [Access::Read, Access::Write] {
        let error = place.engine().connect(access).err().unwrap();
        assert!(error.to_string().contains("no SQLite database"), "{error}");
    }
    std::fs::create_dir(place.folder.path().join("folder")).unwrap();
    let target = Target::at(Address::Sqlite(Some(place.folder.path().join("folder"))), "sqlite:folder");
    let engine = super::super::open(&target, &Host::default(), &Interrupt::default()).unwrap();
    let error = engine.connect(Access::Read).err().unwrap();
    assert!(error.to_string().ends_with("it is a folder"), "{error}");
}

#[test]
fn objects_without_a_journal_are_named() {
    let place = Place::new();
    place
        .raw()
        .execute_batch("create table a (x unique); create view v as select 1; create index i on a (x);")
        .unwrap();
    let seen = place.engine().connect(Access::Read).unwrap().inspect("shop").unwrap();
    assert_eq!(seen.objects, ["table a", "view v", "index i"]);
}

#[test]
fn another_projects_rows_and_newer_formats_are_seen() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(&mut *session, "1", "create table a (x);");
    let seen = session.inspect("other").unwrap();
    assert_eq!((seen.journal, seen.other_projects), (Some(Vec::new()), vec!["shop".to_owned()]));
    place.raw().execute_batch("update dbbuild_environment set format = 99").unwrap();
    for error in [session.inspect("shop").unwrap_err(), session.prepare(None, false).unwrap_err()] {
        assert!(error.to_string().contains("newer dbbuild"), "{error}");
    }
    place
        .raw()
        .execute_batch("update dbbuild_environment set format = 1; update dbbuild_journal set state = 'zzz'")
        .unwrap();
    assert!(matches!(session.inspect("shop"), Err(EngineError::Journal(_))));
    place.raw().execute_batch("drop view dbbuild_version; drop index dbbuild_journal_plan; alter table dbbuild_journal drop column checksum").unwrap();
    assert!(matches!(session.inspect("shop"), Err(EngineError::Journal(_))));
    place.raw().execute_batch("drop table dbbuild_journal; create table dbbuild_journal (sequence, project, kind, key, attempt, name, checksum, token_checksum, state, statements_done, statements); insert into dbbuild_journal values ('a', 'shop', 1, 2, 'b', 3, 4, 5, 6, 'c', 'd')").unwrap();
    assert!(matches!(session.inspect("shop"), Err(EngineError::Journal(_))));
}

#[test]
fn only_the_newest_row_of_each_key_is_read() {
    let place = Place::new();
    let mut session = place.prepared();
    let rows: Vec<NewEntry> =
        (1..=3).map(|attempt| entry(Kind::Script, "1", attempt, &format!("-- {attempt}"), 0)).collect();
    session.record(&rows, &[], &run()).unwrap();
    let reverted = NewEntry { state: Stored::Reverted, ..entry(Kind::Script, "2", 2, "", 0) };
    session.record(&[entry(Kind::Script, "2", 1, "", 0), reverted], &[], &run()).unwrap();
    let seen = newest(&mut *session);
    assert_eq!(seen.iter().map(|entry| (entry.key.as_str(), entry.attempt)).collect::<Vec<_>>(), [("1", 3), ("2", 2)]);
    assert_eq!(seen[0].checksum, rows[2].checksum);
    assert_eq!(session.entry_text("shop", Kind::Script, "1").unwrap().unwrap(), "-- 3");
    assert_eq!(place.ask("select version from dbbuild_version"), ["1"]);
}

#[test]
fn the_first_mark_stays_unless_it_is_set() {
    let place = Place::new();
    let mut session = place.session();
    let mark = |name: &str, protected| Mark { environment: name.into(), protected };
    session.prepare(Some(&mark("development", false)), false).unwrap();
    session.prepare(Some(&mark("production", true)), false).unwrap();
    assert_eq!(session.inspect("shop").unwrap().mark, Some(mark("development", false)));
    session.mark(&mark("production", true)).unwrap();
    assert_eq!(session.inspect("shop").unwrap().mark, Some(mark("production", true)));
}

#[test]
fn the_lock_lets_one_in_and_leaves_no_file() {
    let place = Place::new();
    let engine = place.engine();
    let forever = Wait { limit: None };
    let inside = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let mut session = engine.connect(Access::Write).unwrap();
                    session.exclusive(forever, &mut Silent).unwrap();
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(place.files(), ["shop.db"]);
    let mut first = place.session();
    first.exclusive(forever, &mut Silent).unwrap();
    let mut heard = Vec::new();
    let mut second_one = place.session();
    let wait = Wait { limit: Some(Duration::from_millis(50)) };
    let error = second_one.exclusive(wait, &mut |event: Event| heard.push(event)).unwrap_err();
    let holder = format!("pid {}, ann, since", std::process::id());
    assert!(matches!(&error, EngineError::Locked { holder: found, .. } if found.starts_with(&holder)), "{error:?}");
    assert!(matches!(&heard[..], [Event::Waiting { .. }]), "{heard:?}");
    drop(first);
    second_one.exclusive(wait, &mut Silent).unwrap();
}

#[test]
fn double_quoted_text_is_an_error_unless_the_database_lives_by_it() {
    let place = Place::new();
    let error =
        apply(&mut *place.prepared(), script("1", "create table a (x); insert into a values (\"text\");")).unwrap_err();
    assert!(error.to_string().contains("no such column"), "{error}");
    place
        .raw()
        .execute_batch(
            "create table old (x text); create table \"Quoted\" (\"y\" text);
         create trigger t after update on old begin update old set x = \"changed\" where x = \"z\"; end;",
        )
        .unwrap();
    let mut session = place.session();
    applied(&mut *session, "2", "insert into old values (\"text\");");
    let mut heard = Vec::new();
    let mut fresh = place.session();
    fresh.exclusive(Wait { limit: None }, &mut |event: Event| heard.push(event)).unwrap();
    assert!(matches!(&heard[..], [Event::Note { message, .. }] if message.starts_with("t use")), "{heard:?}");
    place.raw().execute_batch("drop trigger t; create view v as select \"Quoted\".\"y\" from \"Quoted\"").unwrap();
    let error = apply(&mut *place.session(), script("3", "insert into old values (\"text\");")).unwrap_err();
    assert!(error.to_string().contains("no such column"), "{error}");
}

#[test]
fn a_database_in_memory_lives_as_long_as_its_engine() {
    let target = Target::at(Address::Sqlite(None), "sqlite::memory:");
    let engine = super::super::open(&target, &Host::default(), &Interrupt::default()).unwrap();
    let mut session = engine.connect(Access::Write).unwrap();
    session.prepare(None, false).unwrap();
    session.exclusive(Wait { limit: None }, &mut Silent).unwrap();
    applied(&mut *session, "1", "create temp table x (y); create table a (x);");
    drop(session);
    assert_eq!(newest(&mut *engine.connect(Access::Read).unwrap()).len(), 1);
}

#[test]
fn create_drop_and_scratch() {
    let place = Place::new();
    let engine = place.engine();
    assert_eq!((engine.exists().unwrap(), engine.create().unwrap(), engine.create().unwrap()), (false, true, false));
    assert_eq!((engine.database().as_str(), engine.describe().as_str()), ("shop", "sqlite:shop.db"));
    let busy = place.raw();
    busy.query_row("pragma journal_mode = wal", [], |_| Ok(())).unwrap();
    busy.execute_batch("create table a (x); begin; insert into a values (1);").unwrap();
    assert!(matches!(engine.drop_database(), Err(EngineError::Refused { code: "sqlite/in-use", .. })));
    drop(busy);
    assert_eq!((engine.drop_database().unwrap(), engine.drop_database().unwrap()), (true, false));
    assert!(place.files().is_empty());
    let host = Host { temporary: place.folder.path().to_owned(), ..Host::default() };
    let engine = super::super::open(&place.target, &host, &Interrupt::default()).unwrap();
    let scratch = engine.scratch(&ScratchWish::empty(true), &mut Silent).unwrap();
    let mut session = scratch.engine.connect(Access::Write).unwrap();
    session.prepare(None, false).unwrap();
    applied(&mut *session, "1", "create table a (x);");
    drop(session);
    drop(scratch);
    assert!(place.files().is_empty());
}

#[test]
fn what_a_killed_writer_left_is_put_right_by_looking() {
    let place = Place::new();
    applied(&mut *place.prepared(), "1", "create table a (x); insert into a values (zeroblob(100000));");
    // A writer in the middle of a transaction that did not fit its cache; the copy is what a kill would leave.
    let writer = place.raw();
    writer.execute_batch("pragma cache_size = 1; begin immediate; update a set x = randomblob(200000)").unwrap();
    let left = Place::new();
    std::fs::copy(place.file(), left.file()).unwrap();
    let journal = |place: &Place| place.folder.path().join("shop.db-journal");
    std::fs::copy(journal(&place), journal(&left)).unwrap();
    let mut reader = left.engine().connect(Access::Read).unwrap();
    assert_eq!(newest(&mut *reader).len(), 1);
    assert_eq!(left.ask("select length(x) from a"), ["100000"]);
    assert_eq!(left.files(), ["shop.db"]);
}
