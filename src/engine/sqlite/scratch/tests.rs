use std::time::SystemTime;

use super::*;
use crate::engine::Engine;
use crate::event::Silent;
use crate::interrupt::Interrupt;
use crate::project::{Address, Target};

fn engine(temporary: &Path, cache: &Path) -> Box<dyn Engine> {
    let target = Target::at(Address::Sqlite(Some(temporary.join("shop.db"))), "shop");
    let host = Host { temporary: temporary.to_owned(), cache: Some(cache.to_owned()), ..Host::default() };
    super::super::open(&target, &host, &Interrupt::default()).unwrap()
}

fn tables(scratch: &Scratch) -> i64 {
    let file = scratch.engine.url().reveal().strip_prefix("sqlite:").unwrap().to_owned();
    let query = "select count(*) from sqlite_schema";
    Connection::open(file).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

fn execute(scratch: &Scratch, sql: &str) {
    let file = scratch.engine.url().reveal().strip_prefix("sqlite:").unwrap().to_owned();
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn what_was_kept_is_copied_and_few_are_kept() {
    let (temporary, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = engine(temporary.path(), cache.path());
    for number in 0..template::MOST + 3 {
        let name = number.to_string();
        let wish = ScratchWish { template: Some(&name), ..ScratchWish::empty(true) };
        let mut scratch = engine.scratch(&wish, &mut Silent).unwrap();
        assert_eq!(tables(&scratch), 0);
        execute(&scratch, "pragma journal_mode = wal; create table a (x)");
        scratch.keep();
        let copy = scratch.copy().unwrap().unwrap();
        execute(&copy, "create table b (x)");
        assert_eq!((tables(&scratch), tables(&copy)), (1, 2));
        let again = engine.scratch(&wish, &mut Silent).unwrap();
        execute(&again, "drop table a");
        assert_eq!(tables(&engine.scratch(&wish, &mut Silent).unwrap()), 1);
    }
    assert_eq!(cache.path().join("sqlite").read_dir().unwrap().count(), template::MOST);
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0);
    // What cannot be read is no template.
    for file in cache.path().join("sqlite").read_dir().unwrap() {
        std::fs::write(file.unwrap().path(), "no database at all, and long enough to be asked for its header").unwrap();
    }
    let wish = ScratchWish { template: Some("5"), ..ScratchWish::empty(true) };
    assert_eq!(tables(&engine.scratch(&wish, &mut Silent).unwrap()), 0);
}

#[test]
fn what_killed_runs_left_is_removed_and_what_is_in_use_is_not() {
    let (temporary, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = engine(temporary.path(), cache.path());
    let used = engine.scratch(&ScratchWish::empty(true), &mut Silent).unwrap();
    let folder = |name: &str| temporary.path().join(format!("{PREFIX}{name}"));
    for name in ["left", "locked", "bare", "young"] {
        std::fs::create_dir(folder(name)).unwrap();
    }
    for name in ["left", "locked"] {
        std::fs::write(folder(name).join("lock"), "").unwrap();
    }
    let lock = File::open(folder("locked").join("lock")).unwrap();
    lock.lock().unwrap();
    for entry in temporary.path().read_dir().unwrap().flatten().filter(|entry| entry.path() != folder("young")) {
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        File::open(entry.path()).unwrap().set_modified(long_ago).unwrap();
    }
    let _other = engine.scratch(&ScratchWish::empty(true), &mut Silent).unwrap();
    let there = |name: &str| folder(name).exists();
    assert_eq!([there("left"), there("bare"), there("locked"), there("young")], [false, false, true, true]);
    assert_eq!(tables(&used), 0);
}
