//! The password file (<https://www.postgresql.org/docs/current/libpq-pgpass.html>).

use std::path::{Path, PathBuf};

use super::conninfo::{Server, is_default_socket};
use crate::host::Host;

/// What the password file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A password.
    Password(String),
    /// Nothing for this server, or no file.
    Nothing,
    /// The file is open to others, so it is not used; a sentence that says so.
    Ignored(String),
}

/// Looks for a password. `file` is the parameter `passfile`.
pub(super) fn find(file: Option<&str>, server: &Server, database: &str, user: &str, host: &Host) -> Found {
    let file = file.map(PathBuf::from).or_else(|| match cfg!(windows) {
        true => host.variable("APPDATA").map(|folder| Path::new(folder).join("postgresql").join("pgpass.conf")),
        false => host.home.as_ref().map(|home| home.join(".pgpass")),
    });
    let Some(file) = file else { return Found::Nothing };
    let Ok(text) = std::fs::read_to_string(&file) else { return Found::Nothing };
    if is_open_to_others(&file) {
        let name = file.display();
        return Found::Ignored(format!("{name} was not used: it may be read by others; run `chmod 600 {name}`"));
    }
    // libpq looks a default socket up as `localhost`.
    let name = if is_default_socket(&server.host) { "localhost" } else { &server.host };
    let wanted = [name, &server.port.to_string(), database, user];
    text.lines().find_map(|line| password(line, &wanted)).map_or(Found::Nothing, Found::Password)
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// Returns the password of a line `host:port:database:user:password` if its first four fields fit.
fn password(line: &str, wanted: &[&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    for value in wanted {
        let (field, behind) = field(rest)?;
        if field != "*" && unescape(field) != *value {
            return None;
        }
        rest = behind;
    }
    let password = field(rest).map_or(rest, |(password, _)| password);
    Some(unescape(password)).filter(|password| !password.is_empty())
}

/// Splits at the first `:` that has no `\` in front of it.
fn field(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ':' => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> String {
    let mut chars = text.chars();
    let mut result = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        if c == '\\' {
            result.extend(chars.next());
        } else {
            result.push(c);
        }
    }
    result
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        let wanted = ["db", "5432", "shop", "me"];
        assert_eq!(password("db:5432:shop:me:secret", &wanted), Some("secret".into()));
        assert_eq!(password("*:*:*:me:a\\:b\\\\c", &wanted), Some("a:b\\c".into()));
        assert_eq!(password("db:5433:shop:me:secret", &wanted), None);
        assert_eq!(password("#db:5432:shop:me:secret", &wanted), None);
        assert_eq!(password("db:5432:shop", &wanted), None);
        assert_eq!(password("a\\:b:1:c:d:e", &["a:b", "1", "c", "d"]), Some("e".into()));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass");
        std::fs::write(&file, "localhost:5432:shop:me:secret\n").unwrap();
        let name = file.to_string_lossy().into_owned();
        let socket = Server { host: "/var/run/postgresql".into(), address: None, port: 5432 };
        let look = || find(Some(&name), &socket, "shop", "me", &Host::default());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(look(), Found::Ignored(_)));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(look(), Found::Password("secret".into()));
    }
}
