//! The name of the variable that a repository keeps its database's URL in already. Values are not looked at.

use std::path::Path;

/// Files in which such names stand, also as comments.
const FILES: [&str; 9] = [
    ".env",
    ".env.example",
    ".env.template",
    ".env.sample",
    ".env.dist",
    ".env.local",
    ".env.development",
    "example.env",
    "sample.env",
];

/// Names in the order of preference.
const NAMES: [&str; 7] =
    ["DATABASE_URL", "DB_URL", "POSTGRES_URL", "POSTGRESQL_URL", "PG_URL", "DATABASE_DSN", "DB_DSN"];

/// Returns the name, and the file it was seen in.
pub fn variable(root: &Path) -> Option<(String, &'static str)> {
    let mut found: Vec<(usize, String, &'static str)> = Vec::new();
    for file in FILES {
        let Ok(text) = std::fs::read_to_string(root.join(file)) else { continue };
        for line in text.lines() {
            let Some((key, _)) = line.split_once('=') else { continue };
            let key = key.trim_start_matches(['#', ' ', '\t']).trim();
            let key = key.strip_prefix("export ").unwrap_or(key).trim();
            let rank = NAMES.iter().position(|name| key == *name || key.ends_with(&format!("_{name}")));
            let is_name =
                !key.is_empty() && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            if let Some(rank) = rank.filter(|_| is_name) {
                let own = if NAMES.contains(&key) { rank } else { rank + NAMES.len() };
                found.push((own, key.to_owned(), file));
            }
        }
    }
    found.into_iter().min_by_key(|(rank, _, _)| *rank).map(|(_, key, file)| (key, file))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_and_the_value_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(variable(folder.path()), None);
        write("example.env", "GOTRUE_DB_URL=secret\nPORT=1\n");
        assert_eq!(variable(folder.path()), Some(("GOTRUE_DB_URL".into(), "example.env")));
        write(".env.template", "## about the URL = see below\n# DATABASE_URL=postgresql://user:password@host/db\n");
        assert_eq!(variable(folder.path()), Some(("DATABASE_URL".into(), ".env.template")));
    }
}
