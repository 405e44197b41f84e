//! The library as a program uses it.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use std::path::Path;

use dbbuild::{Builder, Event, Host, Project, TestDatabase, Version};

fn example() -> Project {
    Project::open(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[cfg(feature = "sqlite")]
#[test]
fn a_builder_builds_tells_and_then_has_nothing_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("shop.db").display());
    let project = example();
    let builder = || Builder::new(&project).url(&url);

    let before = builder().status().unwrap();
    assert!(!before.exists && !folder.path().join("shop.db").exists());
    let to = builder().to("3".parse::<Version>().unwrap()).build().unwrap();
    assert_eq!(to.version.as_deref(), Some("3"));

    let planned = builder().plan().unwrap().steps.len();
    let mut told = Vec::new();
    let report = builder()
        .observe(|event| {
            if let Event::Finished { name, .. } = event {
                told.push(name);
            }
        })
        .build()
        .unwrap();
    assert_eq!((report.steps, told.len()), (planned, planned));
    assert_eq!(report.mark.map(|mark| mark.environment).as_deref(), Some("development"));
    assert_eq!(builder().build().unwrap().steps, 0);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_test_database_goes_with_its_value() {
    let project = example();
    let (one, two) = (TestDatabase::sqlite(&project).unwrap(), TestDatabase::sqlite(&project).unwrap());
    assert_ne!(one.url(), two.url());
    let path = one.path().unwrap().to_owned();
    let one = one.with_test_data().unwrap();
    let (with, without) =
        (std::fs::metadata(&path).unwrap().len(), std::fs::metadata(two.path().unwrap()).unwrap().len());
    assert!(with > without, "the test data is not there: {with} and {without} bytes");
    let status = Builder::new(&project).url(one.url()).status().unwrap();
    assert!(status.plan.unwrap().steps.is_empty());
    drop(one);
    assert!(!path.exists() && two.path().unwrap().exists());
}

fn host() -> Host {
    let variables = std::env::vars().filter(|(name, _)| !name.starts_with("PG")).collect();
    let cache = std::env::home_dir().map(|home| home.join(".cache/dbbuild"));
    Host { variables, cache, temporary: std::env::temp_dir(), user: Some("tester".into()), ..Host::default() }
}

#[cfg(feature = "postgres")]
#[test]
fn a_test_database_of_postgresql_is_on_a_server_of_its_own() {
    let project = example();
    let database = match TestDatabase::postgres(&project, &host()) {
        Ok(database) => database,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("skipped: {error}");
            return;
        }
    };
    let url = database.url().to_owned();
    let survey = Builder::new(&project).url(&url).host(host()).status().unwrap();
    assert!(survey.plan.unwrap().steps.is_empty());
    assert_eq!(survey.reconciled.version.unwrap().to_string(), "18");
    drop(database);
    assert!(
        Builder::new(&project).url(&url).host(host()).status().is_err_and(|error| error.code() == "engine/unreachable")
    );
}

#[cfg(feature = "postgres")]
#[test]
fn on_an_async_thread_the_library_says_so() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let project = example();
    let url = "postgresql://nobody@/nowhere?host=/nowhere";
    let error = runtime.block_on(async { Builder::new(&project).url(url).build().unwrap_err() });
    assert!(error.to_string().contains("async"), "{error}");
    let hint = error.hints("").join(" ");
    assert!(hint.contains("spawn_blocking"), "{hint}");
}

#[test]
fn nothing_is_read_from_the_process() {
    // PATH, USER and the like are there; the host says nothing, so there is no target and no user.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("db")).unwrap();
    let project = Project::open(folder.path()).unwrap();
    let error = Builder::new(&project).build().unwrap_err();
    assert_eq!(error.code(), "settings/no-target");
}
