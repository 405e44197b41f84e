//! Journals that have versions.

use super::{Keeps, Place, ahead, gap, unknown};
use crate::build::{Checkout, Refusal};
use crate::script::{Script, Version};

/// The versions in a journal.
pub(super) struct Rows {
    /// Those that are done.
    pub done: Vec<String>,
    /// Every one.
    pub all: Vec<String>,
    /// Those up to which everything was there before the tool came.
    pub before: Vec<String>,
}

/// Returns the newest version that a tool has as done.
pub(super) fn newest(place: &Place, rows: &Rows, checkout: &Checkout) -> Result<Version, Refusal> {
    if rows.done.is_empty() && place.keeps == Keeps::NewestVersion && !rows.all.is_empty() {
        let message = format!("{} has version {} as half-done", place.name, rows.all.join(", "));
        return Err(Refusal::new("adopt/tool-dirty", message).hint("bring it in order with that tool first"));
    }
    let before: Option<Version> = rows.before.iter().filter_map(|version| version.parse().ok()).max();
    let is_before = |version: &Version| before.as_ref().is_some_and(|before| version <= before);
    let done: Vec<String> = rows.done.iter().map(|version| digits(version)).collect();
    let spellings = |script: &Script| [digits(&stem(script)), digits(&script.version.to_string())];
    let is_done = |script: &&Script| {
        is_before(&script.version) || spellings(script).iter().any(|spelling| done.contains(spelling))
    };
    let Some(newest) = checkout.scripts.iter().rfind(is_done) else { return Err(unknown(place, &done)) };
    if place.keeps == Keeps::NewestVersion {
        return Ok(newest.version.clone());
    }
    let until = checkout.scripts.iter().filter(|script| script.version <= newest.version);
    let left: Vec<&str> = until.filter(|script| !is_done(script)).map(|script| script.file.as_str()).collect();
    gap(place, &newest.version, &left)?;
    let known: Vec<String> = checkout.scripts.iter().flat_map(spellings).collect();
    let is_strange = |version: &&String| {
        !known.contains(&digits(version)) && !version.parse().is_ok_and(|version| is_before(&version))
    };
    match rows.done.iter().find(is_strange) {
        Some(strange) => Err(ahead(place, strange)),
        None => Ok(newest.version.clone()),
    }
}

/// Versions are spelt with and without what joins their numbers: `2024-01-01-000000` and `20240101000000`.
fn digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() }
}

/// Returns the head of a script's file or folder name, up to the first letter.
fn stem(script: &Script) -> String {
    let parts: Vec<&str> = script.file.rsplit('/').collect();
    let name = match parts.as_slice() {
        ["up.sql", folder, ..] => folder,
        [name, ..] => name,
        [] => "",
    };
    let name = name.strip_prefix(['V', 'v', 'U']).unwrap_or(name);
    name.chars().take_while(|char| !char.is_ascii_alphabetic()).collect()
}
