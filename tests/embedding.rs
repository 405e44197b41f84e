//! A program that embeds the library: built and started for real (`tests/embedding/`).

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Compiles something with this crate's own compiled dependencies.
fn cargo(arguments: &[&str]) -> Output {
    // `target/tmp` is cargo's own folder for this; beside it is what is compiled already.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let root = env!("CARGO_MANIFEST_DIR");
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    // What a test is told of its own package is no business of a build script, and one that asks for it runs again.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| name.to_string_lossy().starts_with(own)) {
            cargo.env_remove(name);
        }
    }
    cargo.current_dir(root).args(arguments).env("CARGO_TARGET_DIR", target).env_remove("RUSTFLAGS").output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Builds the program, and with it the library: without an engine for its build script, with SQLite for itself.
fn program() -> PathBuf {
    let built =
        cargo(&["build", "--offline", "--message-format=json", "--manifest-path", "tests/embedding/Cargo.toml"]);
    assert!(built.status.success(), "{}", said(&built));
    let messages = String::from_utf8(built.stdout).unwrap();
    let mut program = None;
    for line in messages.lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_ne!(message["message"]["level"], "warning", "{}", message["message"]["rendered"]);
        program = message["executable"].as_str().map(PathBuf::from).or(program);
    }
    program.unwrap()
}

#[test]
fn a_program_brings_its_database_up_from_its_own_scripts() {
    let program = program();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("notes.db").display());
    // Somewhere else than in the package: nothing of its folder is needed.
    let start = || Command::new(&program).arg(&url).current_dir(folder.path()).env_clear().output().unwrap();

    let first = start();
    assert!(first.status.success(), "{}", said(&first));
    let expected = "0001_create_note\n0002_create_tag\ntagged\n010_tag.csv\n020_note\nnotebook version 2 steps 5\n";
    assert_eq!(String::from_utf8_lossy(&first.stdout), expected, "{}", said(&first));

    let again = start();
    assert_eq!(String::from_utf8_lossy(&again.stdout), "notebook version 2 steps 0\n", "{}", said(&again));

    // The command line, on the folder, sees the same: the project's name and every checksum are equal.
    let status = Command::new(env!("CARGO_BIN_EXE_dbbuild"))
        .args(["--project", "tests/embedding", "--url", &url, "status", "--exit-code"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = said(&status);
    assert!(!text.contains("pending") && !text.contains("altered") && !text.contains("seed"), "{text}");
}

/// The library with both engines compiles without a warning; `tests/run` looks at the command line with one.
#[test]
fn it_is_clean_with_both_engines() {
    let checked = cargo(&["check", "--offline", "--lib", "--no-default-features", "--features", "sqlite,postgres"]);
    let text = said(&checked);
    assert!(checked.status.success() && !text.contains("warning"), "{text}");
}
