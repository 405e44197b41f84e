//! The committed JSON Schema of `dbbuild.toml` is the one that the settings' types make.
//! `UPDATE_DOCS=1 cargo test --test settings_schema` writes it.

#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn the_committed_schema_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/dbbuild.schema.json");
    let current = dbbuild::project::settings_schema();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
    assert_eq!(committed, current, "run `UPDATE_DOCS=1 cargo test --test settings_schema` and commit the file");
}

#[test]
fn the_schema_describes_what_the_settings_read() {
    let schema: serde_json::Value = serde_json::from_str(&dbbuild::project::settings_schema()).unwrap();
    let known = |path: &str| schema.pointer(path).is_some();
    assert!(known("/properties/project"));
    assert!(known("/properties/layout"));
    let targets = schema.pointer("/$defs/TargetSettings/properties/lock-timeout/description").unwrap();
    assert_eq!(targets, "How long a statement may wait for a lock. Default: `5s`.");
    let layouts = schema.pointer("/$defs/Layout").unwrap().to_string();
    for name in ["plain", "folder-per-change", "dotted-folders", "flyway", "dbmate", "goose", "sql-migrate", "tern"] {
        assert!(layouts.contains(&format!("\"{name}\"")), "{name}");
    }
}
