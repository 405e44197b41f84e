//! The build lock: one advisory lock of the working connection, polled and never waited for inside the server,
//! since a session that waits there deadlocks with `CREATE INDEX CONCURRENTLY` of the holder.

use std::time::{Duration, Instant};

use super::link::{Link, column, rows, value};
use crate::engine::{EngineError, Result, Wait};
use crate::event::{Event, Observer};

/// The lock's two numbers: one for dbbuild, one for the journal's schema. The database is the server's part.
pub(super) fn key(journal: &str) -> (i32, i32) {
    let number = |text: &str| {
        let hash = blake3::hash(text.as_bytes());
        let [a, b, c, d, ..] = *hash.as_bytes();
        i32::from_le_bytes([a, b, c, d])
    };
    (number("dbbuild"), number(journal))
}

/// Returns a condition on `pg_catalog.pg_locks l` that holds for our lock.
fn is_ours(journal: &str) -> String {
    let (class, object) = key(journal);
    format!(
        "l.locktype = 'advisory' and l.objsubid = 2 and l.granted and l.classid::bigint::bit(32)::int = {class} \
         and l.objid::bigint::bit(32)::int = {object} \
         and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())"
    )
}

/// Returns a query whose column `locked` tells whether this session holds the lock.
pub(super) fn assertion(journal: &str) -> String {
    format!(
        "select exists (select from pg_catalog.pg_locks l where l.pid = pg_catalog.pg_backend_pid() and {}) as locked",
        is_ours(journal)
    )
}

/// The error of a session that has lost its lock without losing its connection.
pub(super) fn gone() -> EngineError {
    EngineError::Refused {
        code: "engine/lock-gone",
        message: "the build lock is gone although the connection is not".into(),
        place: None,
        hint: Some(
            "a script released it (pg_advisory_unlock_all), or a transaction pooler stands between; connect to the \
             server itself, or set `lock = \"claim\"` for this target"
                .into(),
        ),
    }
}

/// Takes the lock, polling with jitter; tells whom it waits for, at once and then every few seconds.
pub(super) fn take(link: &mut Link, wait: Wait, observer: &mut dyn Observer) -> Result<()> {
    let journal = link.connector.target.journal_name.clone();
    let (class, object) = key(&journal);
    let begin = Instant::now();
    let mut next_word = Duration::ZERO;
    loop {
        link.check_interrupt(|| "nothing was changed".into())?;
        let query = format!("select pg_catalog.pg_try_advisory_lock({class}, {object}) as taken");
        let answers =
            link.send_own(&query).map_err(|trouble| trouble.own("taking the build lock", &link.connector.shown()))?;
        if value(&answers, "taken") == Some("t") {
            return Ok(());
        }
        let waited = begin.elapsed();
        let is_over = wait.limit.is_some_and(|limit| waited >= limit);
        if is_over || waited >= next_word {
            let holder = holder(link, &journal)?;
            if is_over {
                return Err(EngineError::Locked { holder, waited });
            }
            observer.event(Event::Waiting { holder, seconds: waited.as_secs() });
            next_word = waited + Duration::from_secs(2);
        }
        let pause = Duration::from_millis(fastrand::u64(50..250));
        let left = wait.limit.map_or(pause, |limit| limit.saturating_sub(waited));
        link.pause(pause.min(left));
    }
}

/// What a session that is at work on something is called, so that those who wait for it can be told.
const AT_WORK: &str = "dbbuild: ";

/// Returns the `application_name` of a session that is at work on something.
pub(super) fn at_work_on(name: &str) -> String {
    format!("{AT_WORK}{name}")
}

/// Returns who holds the lock and what they run, as far as this role may know.
fn holder(link: &mut Link, journal: &str) -> Result<String> {
    let query = format!(
        "select l.pid::text as pid, a.application_name as program, a.usename as role,
                coalesce(a.client_hostname, pg_catalog.host(a.client_addr), 'this machine') as host,
                extract(epoch from pg_catalog.clock_timestamp() - a.backend_start)::bigint::text as seconds
           from pg_catalog.pg_locks l
           left join pg_catalog.pg_stat_activity a on a.pid = l.pid
          where {}",
        is_ours(journal)
    );
    let answers = link
        .send_own(&query)
        .map_err(|trouble| trouble.own("asking who holds the build lock", &link.connector.shown()))?;
    let Some(row) = rows(&answers).next() else {
        return Ok("somebody who has just let go".into());
    };
    let part = |name: &str| column(row, name).unwrap_or_default();
    let mut text = format!("pid {}, {}@{}, {} s", part("pid"), part("role"), part("host"), part("seconds"));
    match part("program").strip_prefix(AT_WORK) {
        Some(name) => text.push_str(&format!(", running {name}")),
        None if part("program") != "dbbuild" => text.push_str(&format!(", {}", part("program"))),
        None => {}
    }
    Ok(link.connector.redactor.clean(&text))
}
