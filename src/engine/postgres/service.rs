//! The connection service file: named sets of connection parameters
//! (<https://www.postgresql.org/docs/current/libpq-pgservice.html>).

use std::path::{Path, PathBuf};

use crate::host::Host;

/// Returns the parameters of a service: from the user's file, else from the system's.
pub(super) fn find(name: &str, host: &Host) -> Result<Vec<(String, String)>, String> {
    for file in files(host) {
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                if let Some(parameters) = section(&text, name).map_err(|line| bad_line(&file, line))? {
                    return Ok(parameters);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot read the service file {}: {error}", file.display())),
        }
    }
    Err(format!("no service `{name}` in pg_service.conf"))
}

fn files(host: &Host) -> Vec<PathBuf> {
    let user = host.variable("PGSERVICEFILE").map(PathBuf::from);
    let user = user.or_else(|| match cfg!(windows) {
        true => host.variable("APPDATA").map(|folder| Path::new(folder).join("postgresql").join(".pg_service.conf")),
        false => host.home.as_ref().map(|home| home.join(".pg_service.conf")),
    });
    let system = host.variable("PGSYSCONFDIR").map(|folder| Path::new(folder).join("pg_service.conf"));
    let system = system.or_else(|| cfg!(unix).then(|| PathBuf::from("/etc/postgresql-common/pg_service.conf")));
    user.into_iter().chain(system).collect()
}

fn bad_line(file: &Path, line: usize) -> String {
    format!("{}:{line}: neither `[service]` nor `keyword=value`", file.display())
}

/// Returns a section's pairs, the first one of that name; an error is the number of a line that is neither.
fn section(text: &str, name: &str) -> Result<Option<Vec<(String, String)>>, usize> {
    let mut found: Option<Vec<(String, String)>> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if header.strip_suffix(']') == Some(name) {
                found = Some(Vec::new());
            }
        } else if let Some(pairs) = &mut found {
            let (keyword, value) = line.split_once('=').ok_or(index + 1)?;
            pairs.push((keyword.trim().to_owned(), value.trim().to_owned()));
        }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let text = "# mine\n[a]\nhost=one\n port = 1 \n\n[b]\nhost=two\n[a]\nhost=three\n";
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(section(text, "a"), Ok(Some(pairs(&[("host", "one"), ("port", "1")]))));
        assert_eq!(section(text, "b"), Ok(Some(pairs(&[("host", "two")]))));
        assert_eq!(section(text, "c"), Ok(None));
        assert_eq!(section("[a]\nnonsense\n", "a"), Err(2));
    }

    #[test]
    fn the_users_file_comes_first_and_a_missing_service_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("mine.conf");
        std::fs::write(&mine, "[a]\nhost=mine\n").unwrap();
        std::fs::write(folder.path().join("pg_service.conf"), "[a]\nhost=system\n[b]\nhost=b\n").unwrap();
        let mut host = Host::default();
        host.variables.insert("PGSERVICEFILE".into(), mine.to_string_lossy().into_owned());
        host.variables.insert("PGSYSCONFDIR".into(), folder.path().to_string_lossy().into_owned());
        assert_eq!(find("a", &host).unwrap()[0].1, "mine");
        assert_eq!(find("b", &host).unwrap()[0].1, "b");
        assert!(find("c", &host).unwrap_err().contains("no service `c`"));
    }
}
