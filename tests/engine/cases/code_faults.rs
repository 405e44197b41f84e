//! Faults in the code step: at the first, the second, the third … message to the server, or write to the file, until a
//! build goes through untouched. Each time the database is as before or as after, and the next build makes it a fresh
//! build's.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::{Case, Home};

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The builder's connection ends before the server has it.
    Lost,
    /// The server has it, and its answer never comes.
    Unanswered,
    /// The server answers with an error.
    Fails,
    /// It arrives late.
    Late,
}

const FAULTS: [Fault; 4] = [Fault::Lost, Fault::Unanswered, Fault::Fails, Fault::Late];

/// The project before: two tables, views of views, and on PostgreSQL a function, a trigger and a materialized view.
fn before(case: &Case) {
    case.write(
        "db/1_customer.sql",
        "create table if not exists customer (id integer primary key, name text, email text);\n\
         create table if not exists log (what text);\n",
    );
    case.write("db/code/a.sql", "create view a as select id, name, email from customer;\n");
    case.write("db/code/b.sql", "create view b as select * from a;\n");
    case.write("db/code/stays.sql", "create view stays as select id from customer;\n");
    if case.is_sqlite() {
        case.write(
            "db/code/t.sql",
            "create trigger t after insert on customer begin insert into log select name from b; end;\n",
        );
    } else {
        case.write(
            "db/code/f.sql",
            "create or replace function f(x integer) returns integer language sql immutable as 'select x + 1';\n",
        );
        case.write("db/code/m.sql", "create materialized view if not exists m as select id, f(id) as next from b;\n");
        case.write(
            "db/code/t.sql",
            "create or replace function t() returns trigger language plpgsql as $$ begin return new; end $$;\n\
             create trigger t before insert on customer for each row when (f(new.id) > 0) execute function t();\n",
        );
    }
}

/// A script under the views, a view that loses a column, one that goes, a function with another signature.
fn after(case: &Case) {
    case.write("db/2_less.sql", "-- dbbuild: suspend-code a\nalter table customer drop column email;\n");
    case.write("db/code/a.sql", "create view a as select id, name from customer;\n");
    case.write("db/code/stays.sql", "-- nothing any more\n");
    if !case.is_sqlite() {
        case.write(
            "db/code/f.sql",
            "create or replace function f(x bigint) returns bigint language sql immutable as 'select x + 1';\n",
        );
    }
}

/// What there is, but for numbers and times: the code objects and what the journal says of them.
fn state(case: &Case, database: &str) -> String {
    match &case.home {
        Home::Sqlite(_) => case.ask(
            "select group_concat(line, ';') from (
                 select type || name || coalesce(sql, '') as line from sqlite_schema where name not like '%dbbuild%'
                  union all
                 select distinct key || state || coalesce(objects, '') from dbbuild_journal where kind = 'script' or key like '%a.sql'
                  order by 1)",
        ),
        Home::Postgres(_) => with_name(case, database).ask_of(
            "select string_agg(line, ';' order by line) from (
                 select c.relname || ' ' || coalesce(pg_get_viewdef(c.oid), '') from pg_class c
                  where c.relnamespace = 'public'::regnamespace and c.relkind in ('v', 'm')
                  union all
                 select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
                  union all
                 select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
                  union all
                 select concat(attrelid::regclass, attname) from pg_attribute where attrelid = 'customer'::regclass and attnum > 0 and not attisdropped
                  union all
                 select distinct key || state from dbbuild.journal where kind = 'script'
                  union all
                 select obj_description('b'::regclass)) s (line)",
        ),
    }
}

/// A database of the case's server.
struct Other {
    url: String,
}

fn with_name(case: &Case, name: &str) -> Other {
    let url = case.url();
    let (host, port) = socket_of(&url).unwrap();
    Other { url: format!("host={host} port={port} user=dbbuild dbname={name}") }
}

impl Other {
    fn ask_of(&self, query: &str) -> String {
        let mut client = postgres::Client::connect(&self.url, postgres::NoTls).unwrap();
        client.query_one(query, &[]).unwrap().get::<_, Option<String>>(0).unwrap_or_default()
    }
}

/// Stands between a builder and its server, and does something to one message.
struct Proxy {
    folder: tempfile::TempDir,
    seen: Arc<AtomicUsize>,
    hit: Arc<AtomicBool>,
}

impl Proxy {
    fn new(server: String, port: &str, at: usize, fault: Fault) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(format!(".s.PGSQL.{port}"))).unwrap();
        let (seen, hit) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, happened) = (seen.clone(), hit.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, counted, happened) = (server.clone(), counted.clone(), happened.clone());
                std::thread::spawn(move || {
                    let server = UnixStream::connect(server).unwrap();
                    forward(client, server, at, fault, &counted, &happened);
                });
            }
        });
        Self { folder, seen, hit }
    }

    fn host(&self) -> String {
        self.folder.path().display().to_string()
    }
}

/// Forwards messages; the one with the number gets the fault.
fn forward(
    mut client: UnixStream,
    mut server: UnixStream,
    at: usize,
    fault: Fault,
    seen: &AtomicUsize,
    hit: &AtomicBool,
) {
    let mute = Arc::new(AtomicBool::new(false));
    let (mut answers, mut back, muted) = (server.try_clone().unwrap(), client.try_clone().unwrap(), mute.clone());
    std::thread::spawn(move || {
        let mut buffer = [0; 1 << 16];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            if muted.load(Ordering::SeqCst) {
                // The answer is there: what was asked is done.
                break;
            }
            if back.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        back.shutdown(std::net::Shutdown::Both).ok();
    });
    let end = |client: &UnixStream, server: &UnixStream| {
        client.shutdown(std::net::Shutdown::Both).ok();
        server.shutdown(std::net::Shutdown::Both).ok();
    };
    let mut is_first = true;
    while let Some((kind, message)) = message(&mut client, is_first) {
        is_first = false;
        if kind == b'Q' && seen.fetch_add(1, Ordering::SeqCst) + 1 == at {
            hit.store(true, Ordering::SeqCst);
            match fault {
                Fault::Lost => return end(&client, &server),
                Fault::Unanswered => mute.store(true, Ordering::SeqCst),
                Fault::Fails => {
                    let sql = b"do $$ begin raise exception 'a fault'; end $$\0";
                    let length = u32::try_from(sql.len() + 4).unwrap().to_be_bytes();
                    server.write_all(&[&b"Q"[..], &length, sql].concat()).unwrap();
                    continue;
                }
                Fault::Late => std::thread::sleep(std::time::Duration::from_millis(100)),
            }
        }
        if server.write_all(&message).is_err() {
            break;
        }
    }
    end(&client, &server);
}

/// Reads one message; the first of a connection has no kind.
fn message(from: &mut UnixStream, is_first: bool) -> Option<(u8, Vec<u8>)> {
    let mut head = vec![0; if is_first { 4 } else { 5 }];
    from.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes(head[head.len() - 4..].try_into().ok()?);
    let mut body = vec![0; usize::try_from(length).ok()?.checked_sub(4)?];
    from.read_exact(&mut body).ok()?;
    let kind = if is_first { 0 } else { head[0] };
    Some((kind, [head, body].concat()))
}

/// Goes through the messages, `step` by `step`; returns how many runs there were.
fn each_message(step: usize) -> usize {
    let Some(case) = Case::on_postgres() else { return 0 };
    let url = case.url();
    let Some((host, port)) = socket_of(&url) else {
        eprintln!("skipped: the server is not at a socket: {url}");
        return 0;
    };
    let socket = format!("{host}/.s.PGSQL.{port}");
    before(&case);
    case.build();
    case.execute("comment on view b is 'said by hand'");
    let was = state(&case, &case.database());
    let template = case.database();
    let admin = with_name(&case, "postgres").url;
    let run = |name: &str, host: &str| {
        case.run(&["--url", &format!("postgresql://dbbuild@/{name}?host={host}&port={port}"), "--no-baseline"])
    };
    let make = |name: &str| {
        let mut client = postgres::Client::connect(&admin, postgres::NoTls).unwrap();
        client.batch_execute(&format!("create database {name} template {template}")).unwrap();
    };
    let drop = |name: &str| {
        let mut client = postgres::Client::connect(&admin, postgres::NoTls).unwrap();
        client.batch_execute(&format!("drop database {name} with (force)")).unwrap();
    };
    after(&case);
    let whole = format!("{template}_whole");
    make(&whole);
    run(&whole, &host).exits(0);
    let is = state(&case, &whole);
    assert_ne!(was, is);
    drop(&whole);
    let mut runs = 0;
    for at in (1..).step_by(step) {
        let faults: Vec<Fault> = if step == 1 { FAULTS.to_vec() } else { vec![FAULTS[at / step % FAULTS.len()]] };
        let mut is_over = false;
        for fault in faults {
            let name = format!("{template}_{at}");
            make(&name);
            let proxy = Proxy::new(socket.clone(), port, at, fault);
            let output = run(&name, &proxy.host());
            is_over |= !proxy.hit.load(Ordering::SeqCst);
            let now = state(&case, &name);
            let case_of = format!("{fault:?} at message {at} of {}:\n{output}", proxy.seen.load(Ordering::SeqCst));
            assert!(now == was || now == is, "a half-done state, {case_of}\n{now}");
            match output.code {
                Some(0) => assert_eq!(now, is, "told as done, {case_of}"),
                // The commit's answer may be what was lost.
                Some(4 | 5) if fault == Fault::Unanswered => {}
                Some(3..=5) => assert_eq!(now, was, "told as failed, {case_of}"),
                _ => panic!("{case_of}"),
            }
            run(&name, &host).exits(0);
            assert_eq!(state(&case, &name), is, "after {case_of}");
            run(&name, &host).says("nothing to do");
            drop(&name);
            runs += 1;
        }
        if is_over {
            return runs;
        }
    }
    runs
}

/// Reads the folder and the port of a server's socket from a URL.
fn socket_of(url: &str) -> Option<(String, &str)> {
    let (_, query) = url.split_once("?host=")?;
    let (host, rest) = query.split_once('&').unwrap_or((query, ""));
    let mut bytes = host.bytes();
    let mut folder = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            folder.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            folder.push(byte);
        }
    }
    let port = rest.split('&').find_map(|pair| pair.strip_prefix("port=")).unwrap_or("5432");
    Some((String::from_utf8(folder).ok()?, port)).filter(|(folder, _)| folder.starts_with('/'))
}

#[test]
fn some_messages_of_the_code_step() {
    each_message(11);
}

#[test]
#[ignore = "takes minutes: `cargo nextest run --test engine --run-ignored only code_faults`"]
fn every_message_of_the_code_step() {
    eprintln!("{} runs", each_message(1));
}

/// Goes through the calls that write the file, `step` by `step`: the builder is killed there, or the disk is full.
fn each_write(step: usize) -> usize {
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no strace here, or it may not trace");
        return 0;
    }
    let case = Case::on_sqlite();
    before(&case);
    case.build();
    let file = case.path("shop.db");
    let kept = std::fs::read(&file).unwrap();
    let was = state(&case, "");
    after(&case);
    case.build();
    let is = state(&case, "");
    assert_ne!(was, is);
    let mut runs = 0;
    for call in ["pwrite64", "fdatasync", "unlink"] {
        for what in ["signal=KILL", "error=ENOSPC"] {
            for at in (1..).step_by(step) {
                for suffix in ["-journal", "-wal", "-shm"] {
                    std::fs::remove_file(case.path(&format!("shop.db{suffix}"))).ok();
                }
                std::fs::write(&file, &kept).unwrap();
                let trace = case.path("trace.txt");
                let mut command = Command::new("strace");
                command.args(["-f", "-o"]).arg(&trace);
                command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{what}:when={at}")]);
                let program = case.program(&[]);
                command.arg(program.get_program()).current_dir(case.path("")).env_clear();
                command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
                let output = command.output().unwrap();
                let output = crate::support::Output::from(output);
                let traced = std::fs::read_to_string(&trace).unwrap();
                let now = state(&case, "");
                let case_of = format!("{what} at {call} {at}:\n{output}");
                assert!(now == was || now == is, "a half-done state, {case_of}\n{now}");
                if output.code == Some(0) {
                    assert_eq!(now, is, "told as done, {case_of}");
                }
                case.build();
                assert_eq!(state(&case, ""), is, "after {case_of}");
                case.build().says("nothing to do");
                runs += 1;
                if !traced.contains("INJECTED") && !traced.contains("killed by SIGKILL") {
                    break;
                }
            }
        }
    }
    runs
}

#[test]
fn some_writes_of_the_code_step() {
    each_write(9);
}

#[test]
#[ignore = "takes a minute: `cargo nextest run --test engine --run-ignored only code_faults`"]
fn every_write_of_the_code_step() {
    eprintln!("{} runs", each_write(1));
}
