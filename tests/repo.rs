//! The repository polices its own shape: its layers, its forbidden words, its generated pages.
//!
//! `UPDATE_DOCS=1 cargo test --test repo` writes the pages anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

#[path = "repo/links.rs"]
mod links;
#[path = "repo/pages.rs"]
mod pages;
#[path = "repo/shape.rs"]
mod shape;

use std::path::PathBuf;

/// Returns the repository's folder.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Reads a file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}")).replace("\r\n", "\n")
}

/// Returns the files below a folder with an ending, relative to the repository, sorted.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let below = walkdir::WalkDir::new(root().join(folder)).sort_by_file_name();
    let paths = below.into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    let paths = paths.map(|entry| entry.path().strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/"));
    paths.filter(|path| path.ends_with(ending)).collect()
}
