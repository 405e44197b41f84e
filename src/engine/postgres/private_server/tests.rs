#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::*;

/// A host of one's own, or nothing (said aloud) where PostgreSQL is not installed.
pub(in crate::engine::postgres) fn host(cache: &Path) -> Option<Host> {
    let path = std::env::var("PATH").unwrap_or_default();
    let host = Host {
        variables: [("PATH".to_owned(), path)].into(),
        cache: Some(cache.to_owned()),
        temporary: std::env::temp_dir(),
        ..Host::default()
    };
    match installed(&host, None) {
        Ok(_) => Some(host),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: {error}");
            }
            None
        }
    }
}

/// A server for the tests of the engine, with its data kept from run to run; nothing where PostgreSQL is missing.
pub(in crate::engine::postgres) fn server() -> Option<PrivateServer> {
    let host = host(&std::env::temp_dir().join("dbbuild-tests"))?;
    Some(PrivateServer::start(&host, None).unwrap())
}

/// A cache folder that the server's account can reach, as a folder made by `tempfile` is not.
fn cache() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn a_server_starts_serves_stops_and_starts_again_without_what_was_in_it() {
    let cache = cache();
    let Some(host) = host(cache.path()) else { return };
    let first = Instant::now();
    let server = PrivateServer::start(&host, None).unwrap();
    let first = first.elapsed();
    let socket = server.socket_folder().to_owned();
    let data = server.cluster.data_folder().to_owned();
    assert!(data.starts_with(cache.path()), "{data:?}");
    server.create_roles(["reader", "Odd \"name"]).unwrap();
    server.create_roles(["reader"]).unwrap();
    server.create_database("shop").unwrap();
    let mut client = Client::connect(&server.url("shop"), NoTls).unwrap();
    let login: bool =
        client.query_one("select rolcanlogin from pg_roles where rolname = 'Odd \"name'", &[]).unwrap().get(0);
    assert!(!login);
    let show = |client: &mut Client, name: &str| -> String {
        client.query_one("select current_setting($1)", &[&name]).unwrap().get(0)
    };
    assert_eq!(show(&mut client, "listen_addresses"), "");
    assert_eq!(show(&mut client, "fsync"), "off");
    assert_eq!(show(&mut client, "dynamic_shared_memory_type"), "mmap");
    client.batch_execute("alter system set work_mem = '123MB'").unwrap();
    client.batch_execute("alter role all set work_mem = '124MB'").unwrap();
    client.batch_execute("alter role dbbuild set work_mem = '125MB'").unwrap();
    client.batch_execute("grant connect on database postgres to reader").unwrap();
    client.batch_execute("create table t(); alter table t owner to reader").unwrap();
    client.batch_execute("select pg_create_logical_replication_slot('s', 'test_decoding')").ok();
    drop(client);
    drop(server);
    assert!(!socket.exists());
    assert!(!data.join("postmaster.pid").exists());
    // As it is made under a strict umask: the server's account has to pass through, where that is another one.
    let slot = data.parent().unwrap();
    std::fs::set_permissions(slot, std::fs::Permissions::from_mode(0o700)).unwrap();

    let again = Instant::now();
    let server = PrivateServer::start(&host, None).unwrap();
    let again = again.elapsed();
    assert_eq!(slot.metadata().unwrap().permissions().mode() & 0o777, 0o711);
    let mut client = server.connect("postgres").unwrap();
    let left: i64 = client
        .query_one(
            "select (select count(*) from pg_roles where rolname in ('reader', 'Odd \"name'))
                  + (select count(*) from pg_database where datname = 'shop')
                  + (select count(*) from pg_db_role_setting)
                  + (select count(*) from pg_replication_slots)",
            &[],
        )
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
    assert_eq!(show(&mut client, "work_mem"), "4MB");
    assert!(again < first, "the data was made again: {first:?}, then {again:?}");
    #[allow(clippy::print_stderr)]
    {
        eprintln!("first start {first:?}, from the cache {again:?}");
    }
}

#[test]
fn two_at_a_time_have_a_server_each_and_the_second_goes_after_two_weeks() {
    let cache = cache();
    let Some(host) = host(cache.path()) else { return };
    let one = PrivateServer::start(&host, None).unwrap();
    let two = PrivateServer::start(&host, None).unwrap();
    one.create_roles(["only_here"]).unwrap();
    two.create_database("only_there").unwrap();
    assert!(one.connect("only_there").is_err());
    let second = two.slot.file("");
    drop(two);
    drop(one);
    let lock = std::fs::File::options().write(true).open(second.join("lock")).unwrap();
    let days = |days: u64| SystemTime::now() - Duration::from_secs(days * 24 * 3600);
    lock.set_modified(days(13)).unwrap();
    drop(PrivateServer::start(&host, None).unwrap());
    assert!(second.exists());
    lock.set_modified(days(15)).unwrap();
    drop(PrivateServer::start(&host, None).unwrap());
    assert!(!second.exists());
}

#[test]
fn what_a_killed_run_left_running_is_stopped_and_what_died_is_made_again() {
    let cache = cache();
    let Some(host) = host(cache.path()) else { return };
    // A killed process runs no destructor, and the system takes its locks.
    let abandon = |server: PrivateServer| {
        server.slot.unlock();
        let process = server.cluster.process().unwrap();
        let socket = server.socket_folder().to_owned();
        std::mem::forget(server);
        (process, socket)
    };
    let (process, socket) = abandon(PrivateServer::start(&host, None).unwrap());
    let server = PrivateServer::start(&host, None).unwrap();
    assert_ne!(server.cluster.process().unwrap(), process);
    assert!(!socket.exists());
    assert!(server.slot.file("").ends_with("1"));
    server.create_database("before_the_crash").unwrap();

    let (process, socket) = abandon(server);
    let killed = std::process::Command::new("kill").args(["-9", &process.to_string()]).status().unwrap();
    assert!(killed.success());
    while Path::new(&format!("/proc/{process}/cwd")).read_link().is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let server = PrivateServer::start(&host, None).unwrap();
    assert!(server.connect("before_the_crash").is_err());
    assert!(!socket.exists());
}

#[test]
fn what_is_left_for_people_runs_on_for_a_day() {
    let cache = cache();
    let Some(host) = host(cache.path()) else { return };
    let left = Arc::new(PrivateServer::start(&host, None).unwrap());
    left.create_database("left").unwrap();
    let (slot, socket) = (left.slot.file(""), left.socket_folder().to_owned());
    // The process that left it is gone, and with it the lock.
    left.slot.unlock();
    left.leave();
    let other = PrivateServer::start(&host, None).unwrap();
    assert_ne!(other.slot.file(""), slot);
    drop(other);
    assert!(super::connect(&socket, "left").is_ok());
    let note = std::fs::File::options().write(true).open(slot.join("left")).unwrap();
    note.set_modified(SystemTime::now() - Duration::from_secs(25 * 3600)).unwrap();
    drop(PrivateServer::start(&host, None).unwrap());
    assert!(super::connect(&socket, "left").is_err());
}

#[test]
fn without_a_cache_nothing_is_kept() {
    let cache = cache();
    let Some(host) = host(cache.path()) else { return };
    let host = Host { cache: None, ..host };
    let server = PrivateServer::start(&host, None).unwrap();
    let home = server._home.path().to_owned();
    server.connect("postgres").unwrap();
    drop(server);
    assert!(!home.exists());
}

#[test]
fn a_major_that_is_not_installed_is_named_with_what_to_install() {
    let error = match PrivateServer::start(&Host::default(), Some(12)) {
        Ok(_) => return,
        Err(error) => error,
    };
    let words = format!("{error} / {}", error.hint().unwrap());
    assert!(words.contains("PostgreSQL 12") && words.contains("postgresql-12") && words.contains("@12"), "{words}");
}
