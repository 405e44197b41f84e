//! Finding and running `pg_dump`. Only making a dump needs it; loading one never does.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::conninfo::{Conninfo, Server};
use crate::engine::postgres::passfile::Found;
use crate::engine::postgres::programs::{self, Program};
use crate::engine::{EngineError, Result};
use crate::interrupt::Interrupt;

/// What `pg_dump` leaves to the server and constants in defaults, checks and partition bounds are written with.
const OPTIONS: &str = "-c timezone=UTC -c lc_monetary=C -c bytea_output=hex -c quote_all_identifiers=off -c standard_conforming_strings=on";

/// Returns what `pg_dump` tells the server. In a scratch database whoever logged in owns everything, whatever the login
/// acts as otherwise.
fn options(connector: &Connector) -> String {
    let role = if connector.pinned { " -c role=none" } else { "" };
    format!("{OPTIONS}{role}")
}

const POLL: Duration = Duration::from_millis(5);

/// Keywords that are given otherwise, are secret, or would change what is written.
const NOT_FOR_PG_DUMP: &[&str] = &[
    "password",
    "sslpassword",
    "options",
    "client_encoding",
    "application_name",
    "fallback_application_name",
    "replication",
];

/// A `pg_dump` that can read the server.
pub(super) struct PgDump {
    command: Vec<String>,
    /// Its major version.
    pub major: u32,
}

impl PgDump {
    /// Finds the configured command, else the program that fits the server best: of its own major version, else
    /// the next newer one.
    pub fn find(connector: &Connector, server: u32) -> Result<Self> {
        if let Some(command) = connector.target.pg_dump.as_ref().filter(|command| !command.is_empty()) {
            return Self::configured(connector, command.clone(), server);
        }
        let found = programs::find(&connector.host, "pg_dump");
        let fitting = found.iter().filter(|program| program.major >= server).min_by_key(|program| program.major);
        match fitting {
            Some(Program { path, major }) => {
                Ok(Self { command: vec![path.to_string_lossy().into_owned()], major: *major })
            }
            None => Err(missing(server, found.iter().map(|program| program.major).max())),
        }
    }

    fn configured(connector: &Connector, command: Vec<String>, server: u32) -> Result<Self> {
        let this = Self { command, major: 0 };
        let mut ask = this.command(connector);
        // A command that says where to connect takes this one more option as well.
        let major = programs::version(ask.arg("--version")).as_deref().and_then(programs::major_of);
        match major {
            Some(major) if major >= server => Ok(Self { major, ..this }),
            Some(major) => Err(missing(server, Some(major))),
            None => Err(EngineError::Tool {
                message: format!("`{} --version` does not answer as pg_dump does", this.command.join(" ")),
                hint: "check `pg-dump` under [baseline] in dbbuild.toml".into(),
            }),
        }
    }

    /// Starts to dump one section of the database, as of a snapshot that another session holds.
    pub fn start(&self, connector: &Connector, section: &str, snapshot: &str, options: &[String]) -> Result<Running> {
        let mut command = self.command(connector);
        command.args(["--format=plain", "--encoding=UTF8", "--no-subscriptions"]);
        command.arg(format!("--section={section}")).arg(format!("--snapshot={snapshot}"));
        command.args(options);
        if !self.command.iter().any(|part| placeholders(connector).iter().any(|(name, _)| part.contains(name))) {
            command.arg(format!("--dbname={}", self.conninfo(connector)));
        }
        let failed = |error: std::io::Error| cannot(&format!("`{}`: {error}", self.command.join(" ")));
        let io = |source| EngineError::Io { path: std::env::temp_dir(), source };
        let (out, err) = (tempfile::tempfile().map_err(io)?, tempfile::tempfile().map_err(io)?);
        command.stdout(out.try_clone().map_err(failed)?).stderr(err.try_clone().map_err(failed)?);
        Ok(Running { child: command.spawn().map_err(failed)?, out, err })
    }

    fn command(&self, connector: &Connector) -> Command {
        let placeholders = placeholders(connector);
        let fill =
            |part: &String| placeholders.iter().fold(part.clone(), |part, (name, value)| part.replace(name, value));
        let mut parts = self.command.iter().map(fill);
        let mut command = Command::new(parts.next().unwrap_or_default());
        command.args(parts).stdin(Stdio::null()).env_clear();
        // Where to connect is settled; what else PG* variables say would change the connection or the text.
        let others =
            connector.host.variables.iter().filter(|(name, _)| !name.starts_with("PG") && !name.starts_with("LC_"));
        command.envs(others).env("LC_ALL", "C").env("PGOPTIONS", options(connector));
        if let Found::Password(password) =
            connector.conninfo.servers.first().map_or(Found::Nothing, |server| connector.password(server))
        {
            command.env("PGPASSWORD", password);
        }
        command
    }

    /// Returns where to connect as a keyword string, without the password: others can read it.
    fn conninfo(&self, connector: &Connector) -> String {
        let info = &connector.conninfo;
        let list = |of: fn(&Server) -> String| info.servers.iter().map(of).collect::<Vec<_>>().join(",");
        let mut pairs = vec![
            ("host", list(|server| server.host.clone())),
            ("port", list(|server| server.port.to_string())),
            ("user", info.user.clone()),
            ("dbname", info.database.clone()),
            ("options", options(connector)),
        ];
        if info.servers.iter().any(|server| server.address.is_some()) {
            pairs.push((
                "hostaddr",
                list(|server| server.address.map(|address| address.to_string()).unwrap_or_default()),
            ));
        }
        let others = info.keywords.iter().filter(|(name, _)| !NOT_FOR_PG_DUMP.contains(&name.as_str()));
        pairs.extend(others.map(|(name, value)| (name.as_str(), value.clone())));
        // libpq's own default would speak to anybody who answers; ours does not.
        if info.get("sslmode").is_none() && !info.is_local() {
            pairs.push(("sslmode", "verify-full".into()));
            // `system` came with libpq 16; older ones look for a file of authorities.
            if info.get("sslrootcert").is_none() && self.major >= 16 {
                pairs.push(("sslrootcert", "system".into()));
            }
        }
        let quoted = |value: &str| value.replace('\\', "\\\\").replace('\'', "\\'");
        pairs.iter().map(|(name, value)| format!("{name}='{}'", quoted(value))).collect::<Vec<_>>().join(" ")
    }
}

/// A `pg_dump` at work; it is ended if nobody waits for it.
pub(super) struct Running {
    child: Child,
    out: File,
    err: File,
}

impl Running {
    /// Waits for it and returns what it wrote.
    pub fn finish(mut self, connector: &Connector, interrupt: &Interrupt) -> Result<String> {
        let failed = |error: std::io::Error| cannot(&error.to_string());
        let status = loop {
            super::stop_if(interrupt)?;
            match self.child.try_wait().map_err(failed)? {
                Some(status) => break status,
                None => std::thread::sleep(POLL),
            }
        };
        let read = |file: &mut File| {
            let mut bytes = Vec::new();
            file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(failed)?;
            Ok::<_, EngineError>(bytes)
        };
        if !status.success() {
            let said = String::from_utf8_lossy(&read(&mut self.err)?).trim().to_owned();
            return Err(explain(&connector.redactor.clean(&said)));
        }
        String::from_utf8(read(&mut self.out)?).map_err(|error| cannot(&format!("it wrote what is not UTF-8: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It fails if the program has ended already, which is as good.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a configured command may hold.
fn placeholders(connector: &Connector) -> [(&'static str, String); 4] {
    let Conninfo { servers, user, database, .. } = &connector.conninfo;
    let server = servers.first();
    [
        ("{host}", server.map(|server| server.host.clone()).unwrap_or_default()),
        ("{port}", server.map(|server| server.port.to_string()).unwrap_or_default()),
        ("{database}", database.clone()),
        ("{user}", user.clone()),
    ]
}

fn explain(said: &str) -> EngineError {
    let hint = if said.contains("permission denied") {
        "the login needs the right to read every table and sequence of the dump"
    } else if said.contains("password") {
        "a command that runs elsewhere needs the password: with docker, `docker exec -e PGPASSWORD …`"
    } else if said.contains("snapshot") {
        "`pg-dump` under [baseline] in dbbuild.toml must reach the very server and database of the target"
    } else if said.contains("max_locks_per_transaction") {
        "it locks every table at once: raise `max_locks_per_transaction` on that server and start it again"
    } else {
        "name another pg_dump with `pg-dump` under [baseline] in dbbuild.toml"
    };
    EngineError::Tool { message: format!("pg_dump failed: {said}"), hint: hint.into() }
}

fn cannot(why: &str) -> EngineError {
    EngineError::Tool {
        message: format!("cannot run pg_dump: {why}"),
        hint: "check `pg-dump` under [baseline] in dbbuild.toml".into(),
    }
}

fn missing(server: u32, newest: Option<u32>) -> EngineError {
    let message = match newest {
        Some(newest) => format!("pg_dump {newest} is too old for the server, which is PostgreSQL {server}"),
        None => format!("there is no pg_dump on this machine; the server is PostgreSQL {server}"),
    };
    let hint = format!(
        "Debian, Ubuntu: `apt install postgresql-client-{server}`; macOS: `brew install postgresql@{server}`; \
         Docker: `pg-dump = [\"docker\", \"exec\", \"-e\", \"PGPASSWORD\", \"-e\", \"PGOPTIONS\", \"CONTAINER\", \"pg_dump\", \"-U\", \"{{user}}\", \
         \"{{database}}\"]` under [baseline] in dbbuild.toml"
    );
    EngineError::Tool { message, hint }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::host::Host;
    use crate::project::{Address, Secret, Target};

    fn connector(url: &str, command: Option<&[&str]>) -> Connector {
        let mut target = Target::at(Address::Postgres(Secret::new(url)), "shown");
        target.pg_dump = command.map(|parts| parts.iter().map(|part| (*part).to_owned()).collect());
        Connector::new(&target, &Host::default()).unwrap()
    }

    #[test]
    fn the_password_is_in_no_argument() {
        let connector = connector("postgresql://me:se'cret@db.example:5433/shop?options=-cx%3D1", None);
        let dump = PgDump { command: vec!["pg_dump".into()], major: 15 };
        assert_eq!(
            dump.conninfo(&connector),
            "host='db.example' port='5433' user='me' dbname='shop' \
             options='-c timezone=UTC -c lc_monetary=C -c bytea_output=hex -c quote_all_identifiers=off -c standard_conforming_strings=on' sslmode='verify-full'"
        );
        let command = dump.command(&connector);
        let password = command.get_envs().find(|(name, _)| *name == "PGPASSWORD").unwrap().1.unwrap();
        assert_eq!(password, "se'cret");
    }

    #[test]
    fn placeholders_are_filled() {
        let connector = connector("postgresql://me@h:5433/shop", None);
        let command = ["docker", "exec", "c", "pg_dump", "-h", "{host}", "-p{port}", "-U", "{user}", "{database}"];
        let dump = PgDump { command: command.map(str::to_owned).to_vec(), major: 15 };
        let filled: Vec<String> =
            dump.command(&connector).get_args().map(|part| part.to_string_lossy().into_owned()).collect();
        assert_eq!(filled, ["exec", "c", "pg_dump", "-h", "h", "-p5433", "-U", "me", "shop"]);
    }

    #[test]
    fn one_that_is_too_old_is_refused_with_what_to_install() {
        let connector = connector("postgresql://me@h/shop", Some(&["sh", "-c", "echo 'pg_dump (PostgreSQL) 14.2'"]));
        let error = PgDump::find(&connector, 15).err().unwrap();
        assert_eq!(error.to_string(), "pg_dump 14 is too old for the server, which is PostgreSQL 15");
        let hint = error.hint().unwrap();
        assert!(
            hint.contains("postgresql-client-15") && hint.contains("postgresql@15") && hint.contains("docker"),
            "{hint}"
        );
        assert_eq!(PgDump::find(&connector, 14).unwrap().major, 14);
    }
}
