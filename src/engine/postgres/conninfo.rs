//! Where and how to connect: a URL or a keyword string, the service file, the `PG*` variables and the defaults,
//! with libpq's rules (<https://www.postgresql.org/docs/current/libpq-connect.html>).
//!
//! Two differences, both on purpose: `sslmode` is `verify-full` by default for a host that is not local, and
//! what cannot be honoured (GSS encryption, certificate revocation lists) is refused instead of ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::service;
use crate::error::nearest;
use crate::host::Host;

/// Keywords with their values, as given or found.
pub(super) type Keywords = BTreeMap<String, String>;

/// The keywords that are understood, each with the variable that stands in for it.
const KNOWN: [(&str, &str); 40] = [
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("client_encoding", ""),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("dbname", "PGDATABASE"),
    ("fallback_application_name", ""),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("gsslib", "PGGSSLIB"),
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("keepalives", ""),
    ("keepalives_count", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("password", "PGPASSWORD"),
    ("port", "PGPORT"),
    ("replication", ""),
    ("require_auth", "PGREQUIREAUTH"),
    ("requirepeer", "PGREQUIREPEER"),
    ("requiressl", "PGREQUIRESSL"),
    ("service", "PGSERVICE"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslcrl", "PGSSLCRL"),
    ("sslkey", "PGSSLKEY"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslpassword", ""),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslsni", "PGSSLSNI"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("tcp_user_timeout", ""),
    ("user", "PGUSER"),
];

/// One server to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    /// A host's name, or a folder with a socket (it begins with `/` or `@`).
    pub host: String,
    /// Its address, if it is not to be looked up.
    pub address: Option<std::net::IpAddr>,
    /// Its port, part of a socket's name too.
    pub port: u16,
}

impl Server {
    /// Returns true if the host is a folder with a socket.
    pub(super) fn is_socket(&self) -> bool {
        self.address.is_none() && self.host.starts_with(['/', '@'])
    }

    /// Returns true if the server is on this machine.
    pub(super) fn is_local(&self) -> bool {
        if let Some(address) = self.address {
            return address.is_loopback();
        }
        let loopback = self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        self.is_socket() || loopback || self.host.eq_ignore_ascii_case("localhost")
    }
}

/// Everything that connecting needs, with nothing left to look up but passwords.
#[derive(Clone)]
pub(super) struct Conninfo {
    /// The servers to try, in order; at least one.
    pub servers: Vec<Server>,
    /// The role to log in as.
    pub user: String,
    /// The database.
    pub database: String,
    /// The rest: `sslmode`, `options`, `connect_timeout` and so on.
    pub keywords: Keywords,
}

impl Conninfo {
    /// Reads an address, and what it leaves open from the service file, the variables and the defaults.
    pub(super) fn resolve(address: &str, host: &Host) -> Result<Self, String> {
        let mut keywords = parse(address)?;
        if let Some(service) =
            keywords.get("service").cloned().or_else(|| host.variable("PGSERVICE").map(str::to_owned))
        {
            for (keyword, value) in service::find(&service, host)? {
                keywords.entry(known(&keyword)?.to_owned()).or_insert(value);
            }
        }
        for (keyword, variable) in KNOWN {
            if let Some(value) = host.variable(variable).filter(|_| !variable.is_empty()) {
                keywords.entry(keyword.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        // An empty value is none, as in libpq.
        keywords.retain(|_, value| !value.is_empty());
        refuse(&keywords)?;
        let user = keywords.remove("user").or_else(|| host.user.clone());
        let user = user.ok_or("no user name: put one into the URL, or set PGUSER")?;
        let database = keywords.remove("dbname").unwrap_or_else(|| user.clone());
        let servers = servers(&mut keywords)?;
        Ok(Self { servers, user, database, keywords })
    }

    /// Returns a keyword's value.
    pub(super) fn get(&self, keyword: &str) -> Option<&str> {
        self.keywords.get(keyword).map(String::as_str)
    }

    /// Returns true if each server that would be tried is on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.servers.iter().all(Server::is_local)
    }

    /// Returns the URL without anything secret: `postgresql://shop@db.example:5433/shop`.
    pub(super) fn shown(&self) -> String {
        let user = encode(&self.user);
        let database = encode(&self.database);
        if let [server] = self.servers.as_slice()
            && server.is_socket()
        {
            let port = if server.port == 5432 { String::new() } else { format!("&port={}", server.port) };
            return format!("postgresql://{user}@/{database}?host={}{port}", server.host);
        }
        let hosts: Vec<String> = self.servers.iter().map(shown_server).collect();
        format!("postgresql://{user}@{}/{database}", hosts.join(","))
    }
}

fn shown_server(server: &Server) -> String {
    let host = match server.host.as_str() {
        host if host.contains(':') => format!("[{host}]"),
        host if host.starts_with(['/', '@']) => encode(host),
        host => host.to_owned(),
    };
    if server.port == 5432 { host } else { format!("{host}:{}", server.port) }
}

/// Percent-encodes what has a meaning in a URL.
pub(super) fn encode(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

/// Reads a URL or a keyword string.
pub(super) fn parse(address: &str) -> Result<Keywords, String> {
    let rest = address.strip_prefix("postgresql://").or_else(|| address.strip_prefix("postgres://"));
    match rest {
        Some(rest) => parse_url(rest),
        None => parse_keywords(address),
    }
}

fn parse_url(rest: &str) -> Result<Keywords, String> {
    let mut keywords = Keywords::new();
    // As libpq does: the user's part ends at the first `@`; a later one must be percent-encoded.
    let login_end = rest.find(['@', '/']).filter(|at| rest[*at..].starts_with('@'));
    let (login, rest) = login_end.map_or(("", rest), |at| (&rest[..at], &rest[at + 1..]));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    for (keyword, value) in [("user", user), ("password", password), ("dbname", database)] {
        if !value.is_empty() {
            keywords.insert(keyword.into(), decode(value)?);
        }
    }
    let mut names = Vec::new();
    let mut ports = Vec::new();
    for part in hosts.split(',') {
        let (name, port) = host_and_port(part)?;
        names.push(decode(name)?);
        ports.push(decode(port)?);
    }
    if names.iter().any(|name| !name.is_empty()) {
        keywords.insert("host".into(), names.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        keywords.insert("port".into(), ports.join(","));
    }
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (keyword, value) = parameter.split_once('=').ok_or("a parameter of the URL has no `=`")?;
        let (keyword, value) = match (decode(keyword)?, decode(value)?) {
            // JDBC's spelling, which libpq takes too.
            (keyword, value) if keyword == "ssl" && value == "true" => ("sslmode".to_owned(), "require".to_owned()),
            pair => pair,
        };
        keywords.insert(known(&keyword)?.to_owned(), value);
    }
    Ok(keywords)
}

/// Splits `[::1]:5433` or `db.example:5433`.
fn host_and_port(part: &str) -> Result<(&str, &str), String> {
    if let Some(rest) = part.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("an IPv6 address in the URL has no closing `]`")?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, port)),
            None if rest.is_empty() => Ok((host, "")),
            None => Err("unexpected text behind `]` in the URL".into()),
        };
    }
    Ok(part.split_once(':').unwrap_or((part, "")))
}

fn decode(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let broken = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').any(
        |(at, _)| !matches!(bytes.get(at + 1..at + 3), Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()),
    );
    let decoded = percent_decode_str(text).decode_utf8();
    match decoded {
        // The text is not shown: it may be a password.
        _ if broken => Err("the URL has a `%` without two hex digits (a `%` itself is written `%25`)".into()),
        Ok(decoded) if decoded.contains('\0') => Err("the URL has a `%00`".into()),
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err("the URL is not UTF-8 where it is percent-encoded".into()),
    }
}

/// Reads `keyword = value` pairs; values may be quoted with `'`, and `\` takes the next character as it is.
fn parse_keywords(text: &str) -> Result<Keywords, String> {
    let mut keywords = Keywords::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (keyword, behind) = rest.split_once('=').ok_or("a `=` is missing in the connection string")?;
        let keyword = keyword.trim();
        if keyword.is_empty() || keyword.contains(char::is_whitespace) {
            return Err("a `=` is missing in the connection string".into());
        }
        let (value, behind) = value(behind.trim_start())?;
        keywords.insert(known(keyword)?.to_owned(), value);
        rest = behind.trim_start();
    }
    Ok(keywords)
}

fn value(text: &str) -> Result<(String, &str), String> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            c if c.is_whitespace() && !quoted => return Ok((value, &text[at..])),
            c => value.push(c),
        }
    }
    if quoted { Err("a quoted value in the connection string has no end".into()) } else { Ok((value, "")) }
}

fn known(keyword: &str) -> Result<&'static str, String> {
    let found = KNOWN.iter().find(|(name, _)| *name == keyword).map(|(name, _)| *name);
    found.ok_or_else(|| {
        let nearest = nearest(keyword, KNOWN.iter().map(|(name, _)| *name));
        let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
        format!("unknown connection parameter `{keyword}`{hint}")
    })
}

/// Refuses what would silently not hold.
fn refuse(keywords: &Keywords) -> Result<(), String> {
    let is = |keyword: &str, value: &str| keywords.get(keyword).is_some_and(|found| found == value);
    if is("gssencmode", "require") {
        return Err("`gssencmode=require` is not supported; use TLS".into());
    }
    for keyword in ["sslcrl", "sslpassword", "requirepeer", "require_auth", "replication"] {
        if keywords.contains_key(keyword) {
            return Err(format!("`{keyword}` is not supported"));
        }
    }
    Ok(())
}

/// Pairs hosts, addresses and ports: one port may serve all hosts, else there is one each.
fn servers(keywords: &mut Keywords) -> Result<Vec<Server>, String> {
    let mut list = |keyword: &str| -> Vec<String> {
        keywords
            .remove(keyword)
            .map(|text| text.split(',').map(|part| part.trim().to_owned()).collect())
            .unwrap_or_default()
    };
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = hosts.len().max(addresses.len()).max(1);
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(format!("{} hosts, but {} addresses", hosts.len(), addresses.len()));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(format!("{count} hosts, but {} ports", ports.len()));
    }
    (0..count)
        .map(|index| {
            let port = ports.get(if ports.len() == 1 { 0 } else { index }).filter(|port| !port.is_empty());
            let port = port.map_or(Ok(5432), |port| port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(port));
            let port = port.map_err(|port| format!("`{port}` is no port"))?;
            let address = addresses.get(index).filter(|address| !address.is_empty());
            let address =
                address.map(|text| text.parse().map_err(|_| format!("`{text}` is no IP address"))).transpose()?;
            let host = hosts.get(index).filter(|host| !host.is_empty()).cloned();
            let host = host.or_else(|| address.map(|address: std::net::IpAddr| address.to_string()));
            Ok(Server { host: host.unwrap_or_else(|| default_host(port)), address, port })
        })
        .collect()
}

/// The folders in which servers put their socket: Debian's, Red Hat's, the source's.
const SOCKET_FOLDERS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// Without a host, libpq uses the socket folder that it was built with; which one that is shows where a socket is.
fn default_host(port: u16) -> String {
    let has_socket = |folder: &&&str| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists();
    let found = SOCKET_FOLDERS.iter().filter(|_| cfg!(unix)).find(has_socket);
    found.map_or_else(|| "localhost".to_owned(), |folder| (*folder).to_owned())
}

/// Returns true if the host is a socket folder that servers use by default.
pub(super) fn is_default_socket(host: &str) -> bool {
    SOCKET_FOLDERS.contains(&host)
}

/// Returns a file of the user's `~/.postgresql/` (`%APPDATA%\postgresql\` on Windows), whether it is there or not.
pub(super) fn user_file(name: &str, host: &Host) -> Option<PathBuf> {
    if cfg!(windows) {
        return host.variable("APPDATA").map(|folder| Path::new(folder).join("postgresql").join(name));
    }
    host.home.as_ref().map(|home| home.join(".postgresql").join(name))
}

#[cfg(test)]
#[path = "conninfo_tests.rs"]
mod tests;
