//! Who stands in the way of a script that waits for a lock, asked on a second connection meanwhile.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::connect::Connector;

/// For how long a script is left alone before anybody asks, and between the questions.
const PAUSE: Duration = Duration::from_secs(1);

/// A watch over one backend, from its start until `stop`.
pub(super) struct Watch {
    over: Sender<()>,
    thread: JoinHandle<Option<String>>,
}

impl Watch {
    /// Begins to watch. Nothing is connected if the script is done within a second.
    pub(super) fn start(connector: &Connector, pid: &str) -> Option<Self> {
        let pid: i32 = pid.parse().ok()?;
        let connector = connector.clone();
        let (over, is_over) = mpsc::channel();
        let thread = std::thread::Builder::new().name("dbbuild-blockers".into()).spawn(move || {
            let mut connection = None;
            let mut seen = None;
            while let Err(RecvTimeoutError::Timeout) = is_over.recv_timeout(PAUSE) {
                if connection.is_none() {
                    // Whoever cannot connect a second time cannot be told; the script does not depend on it.
                    connection = Some(connector.connect().ok()?);
                }
                let client = &mut connection.as_mut()?.client;
                seen = blockers(client, pid).or(seen);
            }
            seen
        });
        Some(Self { over, thread: thread.ok()? })
    }

    /// Ends the watch; returns who was last seen in the way.
    pub(super) fn stop(self) -> Option<String> {
        // A thread that has ended by itself needs no word.
        self.over.send(()).ok();
        self.thread.join().ok().flatten()
    }
}

/// Returns who blocks a backend: `pid 4711, deploy@ci-3, idle in transaction for 12 s`.
fn blockers(client: &mut postgres::Client, pid: i32) -> Option<String> {
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
    let told: Vec<String> = rows.ok()?.iter().filter_map(told).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn told(row: &postgres::Row) -> Option<String> {
    let (pid, role, host): (i32, String, String) = (row.try_get(0).ok()?, row.try_get(1).ok()?, row.try_get(2).ok()?);
    let (state, seconds): (String, i64) = (row.try_get(3).ok()?, row.try_get(4).ok()?);
    Some(format!("pid {pid}, {role}@{host}, {state} for {seconds} s"))
}
