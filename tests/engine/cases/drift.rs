//! A database that was built, or loaded from the baseline, is what a fresh build makes; whatever is changed by hand
//! is named, and nothing else.

use serde_json::Value;

use crate::postgres::Database;
use crate::support::Case;

const POSTGRES: &str = include_str!("../../catalog/postgres.sql");
const SQLITE: &str = include_str!("../../catalog/sqlite.sql");

/// A project with every class of object.
fn everything(case: &Case) {
    if !case.is_sqlite() {
        for role in ["reader", "app_owner"] {
            let create = format!("do $$ begin create role {role}; exception when duplicate_object or unique_violation then null; end $$");
            case.execute(&create);
        }
    }
    case.settings(case.pick("baseline = true\n", "baseline = true\nroles = [\"reader\", \"app_owner\"]\n"));
    case.write("db/0001_everything.sql", case.pick(SQLITE, POSTGRES));
}

/// The differences as `change kind name`.
fn differences(document: &Value) -> Vec<String> {
    let word = |difference: &Value, name: &str| difference[name].as_str().unwrap().to_owned();
    document["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", word(one, "change"), word(one, "kind"), word(one, "name")))
        .collect()
}

fn drift(case: &Case, code: i32) -> Value {
    case.run(&["drift", "--strict", "--format", "json"]).exits(code).document()
}

/// What `pg_dump` says of a database, but for the tokens that it makes up, the journal and the rows.
fn pg_dump(url: &str) -> Vec<String> {
    let output = std::process::Command::new("pg_dump")
        .args(["-d", url, "--exclude-schema=dbbuild", "--schema-only"])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.contains("restrict ")).map(str::to_owned).collect()
}

cases! {
    fn a_loaded_baseline_is_a_fresh_build_to_the_last_object(case) {
        everything(case);
        case.build();
        let built = drift(case, 0);
        assert_eq!(differences(&built), Vec::<String>::new());
        let least = case.pick(26, 180);
        assert!(built["objects"].as_u64().unwrap() > least, "{}", built["objects"]);

        let (other, url) = if case.is_sqlite() {
            (None, "sqlite:loaded.db".to_owned())
        } else {
            let other = Database::new().unwrap();
            let url = other.url.clone();
            (Some(other), url)
        };
        case.run(&["--url", &url, "--format", "json"]).exits(0).says("\"load\"");
        let loaded = case.run(&["drift", "--strict", "--format", "json", "--url", &url]);
        let document = loaded.document();
        assert_eq!(differences(&document), Vec::<String>::new(), "{:#}", document["differences"]);
        assert_eq!(loaded.code, Some(0), "{loaded}");
        if other.is_some() {
            assert_eq!(pg_dump(&case.url()), pg_dump(&url));
        }
    }
}
