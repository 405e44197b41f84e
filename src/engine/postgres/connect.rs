//! Opens connections to one target: servers in turn, TLS by mode, the tool's settings as start-up options.
//!
//! Promise: whatever goes wrong is told without a secret and with what to do.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postgres::config::{ChannelBinding, LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs};
use postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::catalog::Prepared;
use super::conninfo::{Conninfo, Server, encode};
use super::error::{chain, failure};
use super::passfile::{self, Found};
use super::redact::Redactor;
use super::settings::{BY_SUPERUSERS, option, set};
use super::tls::{self, Mode};
use crate::engine::{EngineError, Result};
use crate::host::Host;
use crate::project::{Address, LockMode, Secret, Target};

/// A target, resolved: where it is, how to get in, and which settings its sessions have.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) conninfo: Conninfo,
    pub(super) target: Target,
    pub(super) host: Host,
    pub(super) redactor: Redactor,
    /// True for sessions that may only look.
    pub(super) read_only: bool,
    /// True for databases that are thrown away: what a script makes must not depend on how a server is set up.
    pub(super) pinned: bool,
    /// Whom `"$user"` means in the search path of such databases, if not the role that builds there.
    pub(super) path_user: Option<String>,
}

/// What a server said beside its answers: severity and message.
pub(super) type Notices = Arc<Mutex<Vec<(String, String)>>>;

/// An open connection, with what closing in on it from outside needs.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) notices: Notices,
    /// True if the settings came with the start-up message, so that `RESET ALL` brings them back.
    pub(super) settings_at_startup: bool,
    /// How to reach the server again, to cancel.
    pub(super) tls: Option<MakeRustlsConnect>,
    /// What is asked over and over.
    pub(super) prepared: Prepared,
}

impl Connection {
    /// Takes what the server has said since the last time.
    pub(super) fn take_notices(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why one server did not let us in.
struct Refusal {
    code: Option<String>,
    message: String,
    /// True if it may be the TLS that is in the way.
    is_tls: bool,
}

impl Connector {
    /// Reads a target. Nothing is connected yet.
    pub(super) fn new(target: &Target, host: &Host) -> Result<Self> {
        let Address::Postgres(address) = &target.address else {
            return Err(unreachable(&target.shown, "this is no PostgreSQL address".into(), None));
        };
        let mut redactor = Redactor::default();
        for secret in target.password.iter().map(Secret::reveal).chain(host.variable("PGPASSWORD")) {
            redactor.add(secret);
        }
        let conninfo = Conninfo::resolve(address.reveal(), host)
            .map_err(|message| unreachable(&redactor.clean(&target.shown), redactor.clean(&message), None))?;
        if let Some(password) = conninfo.get("password") {
            redactor.add(password);
        }
        // Also where it says nothing, over a socket: what is misspelt was meant.
        Mode::of(&conninfo, true)
            .map_err(|message| unreachable(&redactor.clean(&target.shown), redactor.clean(&message), None))?;
        Ok(Self {
            conninfo,
            target: target.clone(),
            host: host.clone(),
            redactor,
            read_only: false,
            pinned: false,
            path_user: None,
        })
    }

    /// Returns the target without secrets.
    pub(super) fn shown(&self) -> String {
        self.conninfo.shown()
    }

    /// Returns the target's URL with its password and its way to encrypt.
    pub(super) fn url(&self) -> Secret {
        let mut url = self.shown();
        let password = self.target.password.as_ref().map(Secret::reveal).or(self.conninfo.get("password"));
        let sslmode = self.conninfo.get("sslmode");
        for (name, value) in [("password", password), ("sslmode", sslmode)] {
            if let Some(value) = value {
                url.push(if url.contains('?') { '&' } else { '?' });
                url.push_str(&format!("{name}={}", encode(value)));
            }
        }
        Secret::new(url)
    }

    /// Returns this target with another database of the same server.
    pub(super) fn with_database(&self, database: &str) -> Self {
        let mut other = self.clone();
        other.conninfo.database = database.to_owned();
        other
    }

    /// Returns the password for a server, from the target, the address, the variables or the password file.
    pub(super) fn password(&self, server: &Server) -> Found {
        let given = self.target.password.as_ref().map(Secret::reveal).or(self.conninfo.get("password"));
        match given {
            Some(password) => Found::Password(password.to_owned()),
            None => passfile::find(
                self.conninfo.get("passfile"),
                server,
                &self.conninfo.database,
                &self.conninfo.user,
                &self.host,
            ),
        }
    }

    /// Connects to the first server that lets us in.
    pub(super) fn connect(&self) -> Result<Connection> {
        if tokio::runtime::Handle::try_current().is_ok() {
            let hint = "call it from a thread of its own: `tokio::task::spawn_blocking` or `std::thread::spawn`";
            let message = "the PostgreSQL driver cannot be used on a thread that runs async code".into();
            return Err(unreachable(&self.shown(), message, Some(hint.into())));
        }
        let mut servers: Vec<&Server> = self.conninfo.servers.iter().collect();
        if self.conninfo.get("load_balance_hosts") == Some("random") {
            fastrand::shuffle(&mut servers);
        }
        let mut last = None;
        for server in servers {
            match self.connect_to(server)? {
                Ok(connection) => return Ok(connection),
                Err(refusal) => last = Some((server, refusal)),
            }
        }
        Err(match last {
            Some((server, refusal)) => self.explain(server, &refusal),
            None => unreachable(&self.shown(), "there is no server to connect to".into(), None),
        })
    }

    /// Tries one server, in each of the ways that its `sslmode` and its age allow.
    fn connect_to(&self, server: &Server) -> Result<std::result::Result<Connection, Refusal>> {
        let usage = |message: String| unreachable(&self.shown(), self.redactor.clean(&message), None);
        let mode = if server.is_socket() {
            Mode::Disable
        } else {
            Mode::of(&self.conninfo, server.is_local()).map_err(usage)?
        };
        // libpq: `allow` tries without TLS first, `prefer` with it first; both then try the other way.
        let ways: &[SslMode] = match mode {
            Mode::Disable => &[SslMode::Disable],
            Mode::Allow => &[SslMode::Disable, SslMode::Require],
            Mode::Prefer => &[SslMode::Prefer, SslMode::Disable],
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => &[SslMode::Require],
        };
        let mut first = None;
        for way in ways {
            let tls = match way {
                SslMode::Disable => None,
                _ => Some(MakeRustlsConnect::new(tls::config(mode, &self.conninfo, &self.host).map_err(usage)?)),
            };
            let refusal = match self.connect_with_options(server, *way, tls)? {
                Ok(connection) => return Ok(Ok(connection)),
                Err(refusal) => refusal,
            };
            // 28000 is what pg_hba.conf says of a connection that it wants otherwise encrypted.
            let may_be_tls = refusal.is_tls || refusal.code.as_deref() == Some("28000");
            let refusal = first.unwrap_or(refusal);
            if !may_be_tls {
                return Ok(Err(refusal));
            }
            first = Some(refusal);
        }
        Ok(Err(first.unwrap_or(Refusal { code: None, message: String::new(), is_tls: false })))
    }

    /// Connects with our settings as start-up options, where the server (or a pooler in front of it) has them.
    fn connect_with_options(
        &self,
        server: &Server,
        way: SslMode,
        tls: Option<MakeRustlsConnect>,
    ) -> Result<std::result::Result<Connection, Refusal>> {
        let options = |settings: &[(&str, &str)]| settings.iter().map(|(name, value)| option(name, value)).collect();
        let own: String = self.settings().iter().map(|(name, value)| option(name, value)).collect();
        // What not everybody has, each with the refusal that says so: what only superusers may set, and what came with
        // PostgreSQL 14; that and systems that cannot poll for it refuse the start-up for its sake.
        let mut more: Vec<(&str, String)> = vec![("42704", options(&[("client_connection_check_interval", "1s")]))];
        if self.pinned {
            more.insert(0, ("42501", options(BY_SUPERUSERS)));
        }
        let mut has_options = self.target.lock != LockMode::Claim;
        let mut first = None;
        loop {
            let all: String = more.iter().fold(own.clone(), |all, (_, options)| all + options);
            let refusal = match self.connect_once(server, way, tls.clone(), has_options.then_some(&all))? {
                Ok(connection) => return Ok(Ok(connection)),
                Err(refusal) => refusal,
            };
            let code = refusal.code.clone().unwrap_or_default();
            let is_too_much = more.iter().position(|(refused, _)| *refused == code);
            // 42704 and 22023: no such setting, or not this value. 08P01: pgbouncer takes no options.
            let is_about_options = matches!(code.as_str(), "42704" | "22023" | "08P01" | "0A000");
            let refusal = first.unwrap_or(refusal);
            match is_too_much.or_else(|| more.len().checked_sub(1).filter(|_| is_about_options)) {
                Some(at) if has_options => drop(more.remove(at)),
                _ if has_options && is_about_options => has_options = false,
                _ => return Ok(Err(refusal)),
            }
            first = Some(refusal);
        }
    }

    fn connect_once(
        &self,
        server: &Server,
        way: SslMode,
        tls: Option<MakeRustlsConnect>,
        options: Option<&str>,
    ) -> Result<std::result::Result<Connection, Refusal>> {
        let mut config = self.config(server, way, options)?;
        let notices = Notices::default();
        let heard = Arc::clone(&notices);
        let redactor = self.redactor.clone();
        config.notice_callback(move |notice| {
            let said = (notice.severity().to_owned(), redactor.clean(notice.message()));
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(said);
        });
        let connected = match &tls {
            Some(tls) => config.connect(tls.clone()),
            None => config.connect(NoTls),
        };
        Ok(match connected {
            Ok(client) => {
                let settings_at_startup = options.is_some();
                let mut connection =
                    Connection { client, notices, settings_at_startup, tls, prepared: Prepared::default() };
                if !settings_at_startup && self.target.lock == LockMode::Session {
                    let set: String = self.settings().iter().map(|(name, value)| set(name, value)).collect();
                    connection
                        .client
                        .batch_execute(&set)
                        .map_err(|error| unreachable(&self.shown(), self.redactor.clean(&chain(&error)), None))?;
                }
                Ok(connection)
            }
            Err(error) => {
                let answer = error.as_db_error();
                Err(Refusal {
                    code: answer.map(|answer| answer.code().code().to_owned()),
                    message: answer.map_or_else(
                        || self.redactor.clean(&chain(&error)),
                        |answer| failure(answer, &self.redactor).message,
                    ),
                    is_tls: answer.is_none() && chain(&error).contains("TLS"),
                })
            }
        })
    }

    fn config(&self, server: &Server, way: SslMode, options: Option<&str>) -> Result<Config> {
        let usage = |message: String| unreachable(&self.shown(), self.redactor.clean(&message), None);
        let get = |keyword: &str| self.conninfo.get(keyword);
        let seconds = |keyword: &str| -> Result<Option<Duration>> {
            let Some(text) = get(keyword) else { return Ok(None) };
            let number: u64 = text.parse().map_err(|_| usage(format!("`{keyword}={text}` is no whole number")))?;
            Ok(Some(Duration::from_secs(number)).filter(|time| !time.is_zero()))
        };
        let mut config = Config::new();
        config.user(&self.conninfo.user).dbname(&self.conninfo.database).port(server.port).ssl_mode(way);
        config.host(&server.host);
        if let Some(address) = server.address {
            config.hostaddr(address);
        }
        if let Found::Password(password) = self.password(server) {
            config.password(password);
        }
        config.application_name(get("application_name").or(get("fallback_application_name")).unwrap_or("dbbuild"));
        let theirs = get("options").unwrap_or_default();
        let all = format!("{theirs}{}", options.unwrap_or_default());
        if !all.is_empty() {
            config.options(&all);
        }
        if let Some(limit) = seconds("connect_timeout")? {
            // libpq: "a timeout of 1 second is treated as 2".
            config.connect_timeout(limit.max(Duration::from_secs(2)));
        }
        config.keepalives(get("keepalives") != Some("0"));
        config.keepalives_idle(seconds("keepalives_idle")?.unwrap_or(Duration::from_secs(60)));
        config.keepalives_interval(seconds("keepalives_interval")?.unwrap_or(Duration::from_secs(10)));
        let count = seconds("keepalives_count")?.map_or(6, |count| count.as_secs());
        config.keepalives_retries(u32::try_from(count).unwrap_or(6));
        if let Some(limit) = get("tcp_user_timeout").and_then(|text| text.parse().ok()).filter(|limit| *limit > 0) {
            config.tcp_user_timeout(Duration::from_millis(limit));
        }
        config.load_balance_hosts(match get("load_balance_hosts") {
            Some("random") => LoadBalanceHosts::Random,
            _ => LoadBalanceHosts::Disable,
        });
        config.ssl_negotiation(match get("sslnegotiation") {
            Some("direct") => SslNegotiation::Direct,
            _ => SslNegotiation::Postgres,
        });
        config.channel_binding(match get("channel_binding") {
            None | Some("prefer") => ChannelBinding::Prefer,
            Some("disable") => ChannelBinding::Disable,
            Some("require") => ChannelBinding::Require,
            Some(other) => return Err(usage(format!("`channel_binding={other}`: it is disable, prefer or require"))),
        });
        config.target_session_attrs(match get("target_session_attrs") {
            None | Some("any") => TargetSessionAttrs::Any,
            // A primary that is read-only by default would be of no use here either.
            Some("read-write" | "primary") => TargetSessionAttrs::ReadWrite,
            Some("read-only" | "standby") => TargetSessionAttrs::ReadOnly,
            Some(other) => return Err(usage(format!("`target_session_attrs={other}` is not supported"))),
        });
        Ok(config)
    }

    /// Says what it means that a server did not let us in.
    fn explain(&self, server: &Server, refusal: &Refusal) -> EngineError {
        let message = refusal.message.clone();
        let hint = match refusal.code.as_deref() {
            Some("3D000") => return EngineError::NoDatabase { target: self.shown() },
            Some("28P01" | "28000") => match self.password(server) {
                Found::Ignored(why) => Some(why),
                Found::Nothing if refusal.code.as_deref() == Some("28P01") || message.contains("password") => {
                    Some("give the password with `password` in dbbuild.toml, PGPASSWORD or ~/.pgpass".into())
                }
                _ => {
                    Some(format!("check the user `{}`, its password, and the server's pg_hba.conf", self.conninfo.user))
                }
            },
            Some("53300") => Some("the server has too many connections; try again later".into()),
            Some("57P03") => Some("the server is starting or stopping; `dbbuild wait` waits for it".into()),
            Some(_) => None,
            None => self.explain_network(server, &message),
        };
        unreachable(&self.shown(), message, hint)
    }

    fn explain_network(&self, server: &Server, message: &str) -> Option<String> {
        let place = if server.is_socket() {
            format!("the socket {}/.s.PGSQL.{}", server.host, server.port)
        } else {
            format!("{} port {}", server.host, server.port)
        };
        if message.contains("refused") || message.contains("No such file") || message.contains("os error 2") {
            return Some(format!("is a server running there, and does it listen on {place}?"));
        }
        if message.contains("does not support TLS") {
            return Some("the server has no TLS; in a network you trust, ask for that with `sslmode=disable`".into());
        }
        if message.contains("certificate") {
            return Some(
                "name the authority with `sslrootcert=FILE`; `sslmode=require` encrypts without knowing who answers"
                    .into(),
            );
        }
        if message.contains("password missing") {
            return Some(match self.password(server) {
                Found::Ignored(why) => why,
                _ => "give the password with `password` in dbbuild.toml, PGPASSWORD or ~/.pgpass".into(),
            });
        }
        if message.contains("lookup address") || message.contains("not known") {
            return Some(format!("there is no host called `{}`; check the name", server.host));
        }
        None
    }
}

/// Makes a failure to connect.
pub(super) fn unreachable(target: &str, message: String, hint: Option<String>) -> EngineError {
    EngineError::Unreachable { target: target.to_owned(), message, hint }
}
