//! A seed of rows: a CSV file and the sidecar that says what becomes of it.

use std::io::Read;

use serde::Deserialize;

use super::seeds::{SeedForm, unreadable};
use crate::engine::SeedMode;
use crate::error::Place;
use crate::project::Project;
use crate::script::{Checksum, Fault, ScriptErrors, Version, engine_suffix, normalise, strip_sql};
use crate::sql::Span;

/// The sidecar of a CSV seed: `010_country.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sidecar {
    table: Option<String>,
    key: Option<OneOrMore>,
    mode: SeedMode,
    null: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Returns the checksum of a CSV seed as it is now.
pub fn checksum(project: &Project, file: &str) -> Result<Checksum, ScriptErrors> {
    read(project, file).map(|(checksum, _)| checksum)
}

/// Returns the checksum of a CSV seed and its sidecar together, and what the sidecar says.
pub fn read(project: &Project, file: &str) -> Result<(Checksum, SeedForm), ScriptErrors> {
    let stem = file.get(..file.len() - 4).unwrap_or(file);
    let sidecar_file = format!("{stem}.toml");
    let mut hasher = LfHasher::default();
    let mut content = project.files.open(file).map_err(|error| unreadable(file, &error))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = content.read(&mut buffer).map_err(|error| unreadable(file, &error))?;
        if length == 0 {
            break;
        }
        hasher.update(&buffer[..length]);
    }
    let mut sidecar = Sidecar::default();
    if project.files.has(&sidecar_file) {
        let bytes = project.files.read(&sidecar_file).map_err(|error| unreadable(&sidecar_file, &error))?;
        let text = normalise(&sidecar_file, bytes)?;
        sidecar = toml::from_str(&text).map_err(|error| sidecar_fault(&sidecar_file, &text, &error))?;
        hasher.update(text.as_bytes());
    }
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let name = engine_suffix(name).map_or(name, |(name, _)| name);
    let behind = Version::split(name).map_or(name, |(_, rest)| rest.trim_start_matches(['_', '-', ' ']));
    let key = match sidecar.key {
        None => Vec::new(),
        Some(OneOrMore::One(column)) => vec![column],
        Some(OneOrMore::More(columns)) => columns,
    };
    let table = sidecar.table.unwrap_or_else(|| strip_sql(behind).to_owned());
    Ok((hasher.finish(), SeedForm::Rows { table, key, mode: sidecar.mode, null: sidecar.null }))
}

fn sidecar_fault(file: &str, text: &str, error: &toml::de::Error) -> Fault {
    let span = error.span().map_or(Span::new(0, 0), |range| Span::new(range.start, range.end));
    Fault::new("seed/sidecar", file, error.message().to_owned())
        .at(Place::new(file, text, span))
        .hint("a sidecar holds `table`, `key`, `mode` (tracked, upsert, insert, sync) and `null`")
}

/// Hashes bytes with CRLF as LF, so that a checkout with other line ends has the same checksum.
#[derive(Default)]
struct LfHasher {
    hasher: blake3::Hasher,
    pending_cr: bool,
}

impl LfHasher {
    fn update(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if self.pending_cr {
            self.pending_cr = false;
            if rest.first() != Some(&b'\n') {
                self.hasher.update(b"\r");
            }
        }
        while let Some(at) = rest.iter().position(|byte| *byte == b'\r') {
            self.hasher.update(&rest[..at]);
            match rest.get(at + 1) {
                Some(b'\n') => {}
                Some(_) => {
                    self.hasher.update(b"\r");
                }
                None => self.pending_cr = true,
            }
            rest = &rest[at + 1..];
        }
        self.hasher.update(rest);
    }

    fn finish(mut self) -> Checksum {
        if self.pending_cr {
            self.hasher.update(b"\r");
        }
        Checksum::of_hasher(&self.hasher)
    }
}
