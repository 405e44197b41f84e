//! Who stands in the way of a script that waits for a lock, asked on a second connection and told meanwhile.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::connect::{Connection, Connector};
use super::link::Link;
use crate::event::{Event, Observer};

/// For how long a script is left alone before anybody asks, and between the questions.
const PAUSE: Duration = Duration::from_secs(1);

/// The backend at work for a session, and who was last seen in its way.
#[derive(Clone, Default)]
pub(super) struct Blockers(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    pid: Option<i32>,
    seen: Option<String>,
}

impl Blockers {
    /// A backend is at work from now on; nobody has been seen in its way yet.
    pub(super) fn watch(&self, pid: Option<&str>) {
        let pid = pid.and_then(|pid| pid.parse().ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Watched { pid, seen: None };
    }

    /// Returns who was last seen in the way.
    pub(super) fn seen(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seen.clone()
    }

    fn pid(&self) -> Option<i32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pid
    }

    fn saw(&self, blockers: Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seen = blockers;
    }
}

/// Does work on a thread of its own, tells the observer what it tells, and who is in its way while it says nothing.
pub(super) fn told<T: Send>(
    link: &mut Link,
    name: &str,
    observer: &mut dyn Observer,
    work: impl FnOnce(&mut Link, &mut dyn Observer) -> T + Send,
) -> T {
    let (blockers, connector) = (link.blockers.clone(), link.connector.clone());
    blockers.watch(None);
    std::thread::scope(|scope| {
        let (events, heard) = mpsc::channel();
        let worker = scope.spawn(move || {
            work(link, &mut |event: Event| {
                // Who hears is there until this thread ends.
                events.send(event).ok();
            })
        });
        let mut look = Look { connector, connection: None, blocked: None };
        loop {
            match heard.recv_timeout(PAUSE) {
                Ok(event) => observer.event(event),
                Err(RecvTimeoutError::Timeout) => look.at(&blockers, name, observer),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The second connection; nothing is connected for a script that is done within a second.
struct Look {
    connector: Connector,
    connection: Option<Connection>,
    blocked: Option<Instant>,
}

impl Look {
    fn at(&mut self, blockers: &Blockers, name: &str, observer: &mut dyn Observer) {
        let Some(pid) = blockers.pid() else { return };
        if self.connection.is_none() {
            // Whoever cannot connect a second time cannot be told; the script does not depend on it.
            self.connection = self.connector.connect().ok();
        }
        let Some(connection) = &mut self.connection else { return };
        let holder = in_the_way(&mut connection.client, pid);
        blockers.saw(holder.clone());
        match holder {
            Some(holder) => {
                let since = *self.blocked.get_or_insert_with(Instant::now);
                observer.event(Event::Blocked { name: name.to_owned(), holder, seconds: since.elapsed().as_secs() });
            }
            None => self.blocked = None,
        }
    }
}

/// Returns who blocks a backend: `pid 4711, deploy@ci-3, idle in transaction for 12 s`.
fn in_the_way(client: &mut postgres::Client, pid: i32) -> Option<String> {
    // https://www.postgresql.org/docs/current/functions-info.html: pg_blocking_pids
    let rows = client.query(
        "select a.pid, coalesce(a.usename::text, ''),
                coalesce(a.client_hostname, pg_catalog.host(a.client_addr), 'this machine'),
                coalesce(a.state, 'at work'),
                coalesce(extract(epoch from pg_catalog.clock_timestamp() - a.state_change), 0)::bigint
           from pg_catalog.pg_stat_activity a
          where a.pid = any (pg_catalog.pg_blocking_pids($1))
          order by a.pid
          limit 5",
        &[&pid],
    );
    let told: Vec<String> = rows.ok()?.iter().filter_map(blocker).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn blocker(row: &postgres::Row) -> Option<String> {
    let (pid, role, host): (i32, String, String) = (row.try_get(0).ok()?, row.try_get(1).ok()?, row.try_get(2).ok()?);
    let (state, seconds): (String, i64) = (row.try_get(3).ok()?, row.try_get(4).ok()?);
    Some(format!("pid {pid}, {role}@{host}, {state} for {seconds} s"))
}
