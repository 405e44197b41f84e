//! The repository's own project builds on both engines, and its committed baselines are its scripts'.

use std::path::Path;

use crate::support::{Case, Output};

/// Copies the example into the case's folder.
fn example(case: &Case) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["dbbuild.toml", "db", "seed", "baseline"] {
        for entry in walkdir::WalkDir::new(root.join(part)).into_iter().filter_map(Result::ok) {
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap();
                case.write(path, std::fs::read(entry.path()).unwrap());
            }
        }
    }
}

fn run(case: &Case, arguments: &[&str]) -> Output {
    case.run(&[arguments, &["--url", &case.url()]].concat()).exits(0)
}

/// The majors of server and dump program that a baseline was made with: others may write other bytes.
fn made_with(manifest: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(manifest);
    let majors = text.lines().filter(|line| line.starts_with("server =") || line.starts_with("pg-dump ="));
    majors.map(str::to_owned).collect()
}

/// Every table's rows, as text.
fn rows(case: &Case) -> String {
    let tables = case.tables();
    let rows = tables.split(' ').map(|table| {
        let mut rows: Vec<String> = case.ask(&format!("select * from {table}")).lines().map(str::to_owned).collect();
        rows.sort();
        format!("{table}\n{}\n", rows.join("\n"))
    });
    rows.collect()
}

cases! {
    fn the_example_builds_from_its_scripts_and_then_has_nothing_to_do(case) {
        example(case);
        run(case, &["build", "--from-scripts", "--no-baseline"]).says("0001_create_country");
        case.unchanged(|| run(case, &["build", "--no-baseline"]).says("nothing to do"));
        run(case, &["test-data"]).says("files loaded");
        case.unchanged(|| run(case, &["test-data"]).says("nothing to do"));
    }

    fn all_proofs_of_the_example_hold(case) {
        example(case);
        let report = run(case, &["verify", "--format", "json"]).document();
        assert_eq!(report["clean"], true, "{report}");
        for proof in ["twice", "seeds", "roads", "back", "offline", "again"] {
            let outcome = &report["proofs"][proof];
            assert!(outcome["proven"].as_u64() > Some(0), "{proof}: {outcome}");
            assert_eq!(outcome["proven"], outcome["scripts"], "{proof}: {outcome}");
        }
    }

    fn the_examples_baseline_is_its_scripts(case) {
        example(case);
        let folder = case.pick("baseline/sqlite", "baseline/postgres");
        if !case.path(folder).exists() {
            eprintln!("skipped: {folder} is not committed");
            return;
        }
        let committed = case.files(folder);
        let of_server = |major: u32| made_with(&committed["manifest.toml"]).contains(&format!("server = {major}"));
        if !case.is_sqlite() && !(0..=case.major()).any(of_server) {
            eprintln!("skipped: {folder} is of a newer server");
            return;
        }
        run(case, &["build"]).says(&format!("load      {folder}"));
        assert_eq!(case.files(folder), committed);
        let loaded = rows(case);
        run(case, &["reset", "--yes"]);
        std::fs::remove_dir_all(case.path(folder)).unwrap();
        run(case, &["build"]).says("0001_create_country").says(folder);
        assert_eq!(rows(case), loaded);
        let rebuilt = case.files(folder);
        if made_with(&rebuilt["manifest.toml"]) == made_with(&committed["manifest.toml"]) {
            let differs = |file: &&String| rebuilt.get(*file) != committed.get(*file);
            let differing: Vec<&String> = rebuilt.keys().chain(committed.keys()).filter(differs).collect();
            assert!(differing.is_empty(), "{differing:?} of {folder} are others: `dbbuild baseline`");
        }
    }
}
