//! Locks that others hold, connections that break, people who press Ctrl-C.

use std::time::{Duration, Instant};

use super::fixture::{Database, Heard, applied, apply, database, failed, run, unit};
use crate::engine::{Access, Engine, EngineError, Outcome, Wait};
use crate::event::Event;
use crate::project::{Address, LockMode, Secret};

/// Waits until some other session runs a statement that looks like this one.
fn when_running(db: &Database, like: &str) -> String {
    let query = format!(
        "select pid from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid() and state = 'active' and query like '{like}' limit 1",
        db.name
    );
    let begin = Instant::now();
    loop {
        let pid = db.ask(&query);
        if !pid.is_empty() {
            return pid;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "nothing runs {like}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_script_that_waits_too_long_for_a_lock_is_tried_again() {
    let Some(mut db) = database() else { return };
    db.target.lock_timeout = Duration::from_millis(100);
    db.target.retries = 20;
    db.ask("create table a (id int)");
    let mut session = db.builder();
    let mut holder = db.server.connect(&db.name).unwrap();
    holder.batch_execute("begin; lock table a").unwrap();
    let mut heard = Heard::default();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(600));
            holder.batch_execute("commit").unwrap();
        });
        let text = "create table b (id int); alter table a add column x int";
        let outcome = session.apply(&[unit("1", text)], &run("r"), &mut heard).unwrap();
        assert!(matches!(outcome[..], [Outcome::Applied(_)]));
    });
    assert!(matches!(&heard.0[0], Event::Retrying { attempt: 2, name, .. } if name == "1_test"), "{:?}", heard.0);
    assert_eq!(db.journal(), "1 1 applied 2");
}

#[test]
fn trouble_with_the_journal_is_not_the_scripts() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    db.ask("alter table dbbuild.journal rename column error to mistake");
    for text in ["create table b (id int)", "-- dbbuild: no-transaction\ncreate table b (id int)"] {
        let error = session.apply(&[unit("1", text)], &run("r"), &mut Heard::default()).unwrap_err();
        let EngineError::Sql { doing, failure } = error else { panic!("{error:?}") };
        assert!(doing.contains("journal"), "{doing}");
        assert_eq!(failure.code, "42703");
    }
}

#[test]
fn a_text_that_takes_its_own_entry_out_of_the_journal_is_undone() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    for head in ["", "-- dbbuild: no-transaction\n"] {
        let text = format!("{head}create table b (id int);\ndelete from dbbuild.journal");
        let failure = failed(&mut *session, &unit("1", &text));
        assert!(failure.failure.message.contains("out of the journal"), "{failure:?}");
        assert!(failure.place.is_some_and(|place| place.text.starts_with("delete")));
    }
    assert_eq!(db.journal(), "1 1 running 1");
}

#[test]
fn tries_come_to_an_end() {
    let Some(mut db) = database() else { return };
    db.target.lock_timeout = Duration::from_millis(50);
    db.target.retries = 1;
    db.ask("create table a (id int)");
    let mut session = db.builder();
    let mut holder = db.server.connect(&db.name).unwrap();
    holder.batch_execute("begin; lock table a").unwrap();
    let failure = failed(&mut *session, &unit("1", "select 1;\nalter table a add column x int"));
    assert_eq!((failure.failure.code.as_str(), failure.place.unwrap().line), ("55P03", 2));
    assert_eq!(db.journal(), "");
}

#[test]
fn a_statement_timeout_is_the_scripts_own_and_never_tried_again() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    let begin = Instant::now();
    let failure = failed(&mut *session, &unit("1", "-- dbbuild: statement-timeout 100ms\nselect pg_sleep(5)"));
    assert_eq!(failure.failure.code, "57014");
    assert!(begin.elapsed() < Duration::from_secs(2));
    applied(&mut *session, &unit("1", "select pg_sleep(0.2)"));
}

#[test]
fn a_killed_backend_leaves_nothing_and_the_session_goes_on() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    std::thread::scope(|scope| {
        let killer =
            scope.spawn(|| db.ask(&format!("select pg_terminate_backend({})", when_running(&db, "%pg_sleep(17)%"))));
        let error = apply(&mut *session, &unit("1", "create table a (id int); select pg_sleep(17)")).unwrap_err();
        assert!(matches!(error, EngineError::Lost { .. }), "{error:?}");
        killer.join().unwrap();
    });
    assert_eq!(db.journal(), "");
    applied(&mut *session, &unit("1", "create table a (id int)"));
    assert_eq!(db.ask("select count(*) from pg_locks where locktype = 'advisory'"), "1");
}

/// A server's socket behind which the first COMMIT, or only its answer, is lost, with its connection.
#[cfg(unix)]
fn lossy_socket(db: &Database, arrives: bool) -> tempfile::TempDir {
    use std::io::{Read, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = tempfile::tempdir().unwrap();
    let server = db.server.socket_folder().join(".s.PGSQL.5432");
    let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
    std::thread::spawn(move || {
        static LOST: AtomicBool = AtomicBool::new(false);
        LOST.store(false, Ordering::SeqCst);
        for client in listener.incoming().map_while(Result::ok) {
            let upstream = UnixStream::connect(&server).unwrap();
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            let (mut from_server, mut to_client) = (upstream, client);
            std::thread::spawn(move || {
                let mut buffer = [0; 65536];
                while let Ok(length @ 1..) = from_client.read(&mut buffer) {
                    let is_commit = buffer[..length].ends_with(b"commit\0") && !LOST.swap(true, Ordering::SeqCst);
                    if is_commit {
                        // From here on nothing comes back.
                        from_client.shutdown(std::net::Shutdown::Both).unwrap();
                        if !arrives {
                            break;
                        }
                    }
                    if to_server.write_all(&buffer[..length]).is_err() {
                        break;
                    }
                }
                std::thread::sleep(Duration::from_millis(200));
                to_server.shutdown(std::net::Shutdown::Both).ok();
            });
            std::thread::spawn(move || {
                std::io::copy(&mut from_server, &mut to_client).ok();
                to_client.shutdown(std::net::Shutdown::Both).ok();
            });
        }
    });
    folder
}

#[cfg(unix)]
#[test]
fn a_commit_whose_answer_was_lost_is_looked_up() {
    for (lock, arrives) in
        [(LockMode::Session, true), (LockMode::Claim, true), (LockMode::Session, false), (LockMode::Claim, false)]
    {
        let Some(mut db) = database() else { return };
        db.target.lock = lock;
        drop(db.session());
        let socket = lossy_socket(&db, arrives);
        let url = format!("postgresql://dbbuild@/{}?host={}", db.name, socket.path().display());
        db.target.address = Address::Postgres(Secret::new(url));
        let mut session = db.builder();
        applied(&mut *session, &unit("1", "create table effect (id int); insert into effect values (1)"));
        assert_eq!(db.ask("select count(*) from effect"), "1");
        applied(&mut *session, &unit("2", "insert into effect values (2)"));
        assert_eq!(db.journal(), "1 1 applied 2\n2 1 applied 1");
    }
}

#[test]
fn ctrl_c_cancels_rolls_back_and_says_so() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            when_running(&db, "%pg_sleep(19)%");
            db.interrupt.raise();
        });
        let begin = Instant::now();
        let error = apply(&mut *session, &unit("1", "create table a (id int); select pg_sleep(19)")).unwrap_err();
        assert!(
            matches!(&error, EngineError::Interrupted { kept } if kept == "nothing of 1_test was kept"),
            "{error:?}"
        );
        assert!(begin.elapsed() < Duration::from_secs(10));
    });
    assert_eq!(db.journal(), "");
    let error = apply(&mut *session, &unit("2", "select 1")).unwrap_err();
    assert!(matches!(error, EngineError::Interrupted { .. }));
}

#[test]
fn ctrl_c_keeps_the_finished_statements_of_a_script_without_a_transaction() {
    let Some(db) = database() else { return };
    let mut session = db.builder();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            when_running(&db, "%pg_sleep(23)%");
            db.interrupt.raise();
        });
        let text = "-- dbbuild: no-transaction\ncreate table a (id int);\nselect pg_sleep(23);\nselect 1";
        let error = apply(&mut *session, &unit("1", text)).unwrap_err();
        assert!(
            matches!(&error, EngineError::Interrupted { kept } if kept.starts_with("1 of 3 statements")),
            "{error:?}"
        );
    });
    assert_eq!(db.journal(), "1 1 running 1");
}

#[test]
fn a_server_that_is_not_there_is_told_with_a_hint_and_without_the_password() {
    let Some(mut db) = database() else { return };
    let connect = |db: &Database| db.engine().connect(Access::Read).err().unwrap();
    db.target.address = Address::Postgres(Secret::new("postgresql://me:se%40cret@localhost:1/shop?sslmode=disable"));
    let error = connect(&db);
    let text = format!("{error} {:?} {error:?}", error.hint());
    assert!(matches!(error, EngineError::Unreachable { .. }));
    assert!(text.contains("postgresql://me@localhost:1/shop") && text.contains("localhost port 1"), "{text}");
    assert!(!text.contains("se%40cret") && !text.contains("se@cret"), "{text}");
    db.target.address = Address::Postgres(Secret::new("postgresql:///shop?host=/nowhere"));
    assert!(connect(&db).hint().unwrap().contains("/nowhere/.s.PGSQL.5432"));
    db.target.address = Address::Postgres(Secret::new(db.server.url_as("nobody_here", &db.name)));
    let error = connect(&db);
    assert!(error.to_string().contains("nobody_here") && error.hint().is_some(), "{error} {:?}", error.hint());
}

#[test]
fn an_async_thread_is_told_instead_of_panicking() {
    let Some(db) = database() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(async { db.engine().connect(Access::Read).err().unwrap() });
    assert!(error.hint().unwrap().contains("spawn_blocking"), "{error}");
}

#[test]
fn who_holds_the_lock_is_told() {
    let Some(mut db) = database() else { return };
    db.target.lock_timeout = Duration::from_millis(2_500);
    db.target.retries = 0;
    db.ask("create table a (id int)");
    let mut session = db.builder();
    let mut holder = db.server.connect(&db.name).unwrap();
    let pid: i32 = holder.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    holder.batch_execute("begin; lock table a").unwrap();
    let failure = failed(&mut *session, &unit("1", "alter table a add column x int"));
    let detail = failure.failure.detail.unwrap_or_default();
    assert!(detail.starts_with(&format!("blocked by pid {pid}, ")), "{detail}");
    assert!(detail.contains("idle in transaction"), "{detail}");
}

#[test]
fn who_is_in_the_way_is_told_while_a_script_waits() {
    for head in ["", "-- dbbuild: no-transaction\n"] {
        let Some(mut db) = database() else { return };
        db.target.lock_timeout = Duration::from_secs(60);
        db.ask("create table a (id int)");
        let mut session = db.builder();
        let mut holder = db.server.connect(&db.name).unwrap();
        let pid: i32 = holder.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
        holder.batch_execute("begin; lock table a").unwrap();
        // The lock goes once it has been told who holds it: without that the script would never end.
        let mut heard = Vec::new();
        let mut observer = |event: Event| {
            if let Event::Blocked { name, holder: by, .. } = event {
                heard.push((name, by));
                holder.batch_execute("rollback").unwrap();
            }
        };
        let unit = unit("1", &format!("{head}alter table a add column x int"));
        session.apply(&[unit], &run("r"), &mut observer).unwrap();
        assert!(!heard.is_empty() && heard[0].1.starts_with(&format!("pid {pid}, ")), "{heard:?}");
    }
}

#[test]
fn a_role_that_must_be_there_and_is_not_is_named_before_anything_is_done() {
    let Some(mut db) = database() else { return };
    db.target.roles = vec!["pg_monitor".into(), "shop_nobody".into()];
    let error = db.session().exclusive(Wait { limit: None }, &mut Heard::default()).unwrap_err();
    assert_eq!(error.code(), "engine/missing-role");
    assert!(error.to_string().ends_with("needs: shop_nobody"), "{error}");
}
