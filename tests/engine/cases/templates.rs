//! Fresh builds that are kept: an unchanged project is copied, a changed one is built, and nobody sees the difference.

use std::collections::BTreeMap;

use tempfile::TempDir;

use crate::support::{Case, Output};

/// Tables, and a row that no two builds have alike.
fn rows(case: &Case) {
    case.settings("baseline = true\n");
    case.two_scripts();
    case.write("db/0003_rows.sql", "insert into customer (id, name) values (1, cast(random() as text));");
    case.write("seed/010_customer.csv", "id,name\n7,Ann\n");
}

/// A cache that no other case uses: which server of a shared one is free is chance.
fn own_cache() -> TempDir {
    let folder = tempfile::Builder::new().prefix("dbbuild-case-cache-").tempdir().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn run(case: &Case, cache: &TempDir, arguments: &[&str]) -> Output {
    let mut program = case.program(arguments);
    program.env("XDG_CACHE_HOME", cache.path());
    Output::of(program)
}

/// Makes the baseline anew.
fn baseline(case: &Case, cache: &TempDir) -> BTreeMap<String, String> {
    std::fs::remove_dir_all(case.path("baseline")).ok();
    run(case, cache, &[]).exits(0);
    let files = case.files("baseline").into_iter();
    files.map(|(file, content)| (file, String::from_utf8(content).unwrap())).collect()
}

cases! {
    fn an_unchanged_project_is_copied_and_a_changed_one_is_built(case) {
        let cache = own_cache();
        rows(case);
        let first = baseline(case, &cache);
        assert_eq!(baseline(case, &cache), first);
        case.write("seed/010_customer.csv", "id,name\n7,Bea\n");
        assert_ne!(baseline(case, &cache), first);
        case.write("seed/010_customer.csv", "id,name\n7,Ann\n");
        assert_eq!(baseline(case, &cache), first);
        // Rows of one environment are not in a baseline, and a build with them is another one.
        case.write("seed/@development/020_item.sql", "insert into item (id, customer_id) values (1, 7);");
        assert_eq!(baseline(case, &cache), first);
        run(case, &cache, &["drift"]).exits(0).says("customer: name is another value in each build");

        case.write("db/0003_rows.sql", "insert into customer (id, name) values (1, 'Ann');");
        case.run(&["reset", "--yes"]).exits(0);
        let plain = baseline(case, &cache);
        for _ in 0..2 {
            run(case, &cache, &["drift"]).exits(0).says("no drift");
        }
        // What comes out does not depend on what is kept.
        assert_eq!(baseline(case, &own_cache()), plain);
    }

    fn many_at_once_come_to_the_same(case) {
        rows(case);
        case.write("db/0003_rows.sql", "insert into customer (id, name) values (1, 'Ann');");
        case.write("db/0004_own.sql", format!("create table t{:x} (id integer primary key);", fastrand::u64(..)));
        case.run(&["--no-baseline"]).exits(0);
        for _ in 0..2 {
            let running: Vec<_> = (0..4).map(|_| case.spawn(&["drift"])).collect();
            for child in running {
                Output::from(child.wait_with_output().unwrap()).exits(0).says("no drift");
            }
        }
    }
}

/// Where no private server can be made, for want of a folder, the target's own is what is left.
#[test]
fn the_targets_own_server_serves_unless_something_reaches_out() {
    let Some(case) = Case::on_postgres() else { return };
    case.two_scripts();
    case.build();
    let drift = || {
        let mut program = case.program(&["drift"]);
        program.env("TMPDIR", "/nowhere/at/all");
        Output::of(program)
    };
    drift().exits(0).says("no drift");
    case.write(
        "seed/010_tune.sql",
        "do $$ begin\n  execute format('alter database %I set x.y to 1', current_database());\nend $$;",
    );
    case.unchanged(|| {
        drift().exits(5).says("on the target's server it could do harm: seed/010_tune.sql:1: alter database");
    });
    assert_eq!(case.ask("select count(*) from pg_db_role_setting"), "0");
    assert_eq!(case.ask("select count(*) from pg_database where datname ~ '^dbbuild_'"), "0");
}
