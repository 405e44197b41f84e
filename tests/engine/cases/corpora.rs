//! Real histories, from the folder that `DBBUILD_TEST_CORPORA` names (`<project>-<engine>/up/*.sql`): databases that
//! psql and sqlite3 made of them are adopted, and their functions are code objects in any order of files.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Case, Home};

fn folder(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("DBBUILD_TEST_CORPORA") else {
        eprintln!("skipped: DBBUILD_TEST_CORPORA names no folder of histories");
        return None;
    };
    Some(Path::new(&folder).join(name).join("up")).filter(|folder| folder.is_dir())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Copies a history into a project.
fn copy(case: &Case, folder: &Path) -> usize {
    let files = files(folder);
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        case.write(&format!("db/{name}"), std::fs::read(file).unwrap());
    }
    files.len()
}

/// Runs the scripts by the database's own shell, as somebody would who knows no dbbuild.
fn by_shell(case: &Case, folder: &Path) {
    for file in files(folder) {
        let status = match &case.home {
            Home::Sqlite(database) => Command::new("sqlite3")
                .arg("-bail")
                .arg(&database.0)
                .stdin(std::fs::File::open(&file).unwrap())
                .output(),
            Home::Postgres(database) => Command::new("psql")
                .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", &database.url, "-f"])
                .arg(&file)
                .output(),
        };
        let output = status.unwrap();
        assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
}

fn adopt(name: &str, case: &Case, settings: &str) {
    let Some(folder) = folder(name) else { return };
    copy(case, &folder);
    case.settings(settings);
    by_shell(case, &folder);
    let newest = files(&folder).last().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    let version = newest.split('_').next().unwrap().trim_start_matches('0').to_owned();
    let adopt = ["adopt", "--to", &version, "--dry-run", "--format", "json"];
    let mut document = case.run(&adopt).document();
    // What cannot be edited gets its directives from the settings, as the refusal says.
    let mut script = String::new();
    for error in document["errors"].as_array().into_iter().flatten() {
        assert_eq!(error["code"], "script/needs-no-transaction", "{name}: {error:#}");
        let file = error["place"]["file"].as_str().unwrap().rsplit('/').next().unwrap();
        let version = file.split('_').next().unwrap().trim_start_matches('0');
        let section = format!("[script.\"{version}\"]\ndirectives = [\"no-transaction\"]\n");
        if !script.contains(&section) {
            script += &section;
        }
    }
    if !script.is_empty() {
        case.settings(&format!("{settings}\n{script}"));
        document = case.run(&adopt).document();
    }
    assert_eq!(document["clean"], true, "{name}: {document:#}");
    case.execute("create table by_hand (id integer)");
    let document = case.run(&adopt).exits(1).document();
    assert_eq!(document["differences"][0]["change"], "added", "{name}: {document:#}");
    case.execute("drop table by_hand");
    case.run(&["adopt", "--to", &version, "--yes"]).exits(0);
    case.build().says("nothing to do");
    eprintln!("{name}: adopted at {version}, {} objects", document["objects"]);
}

#[test]
fn histories_of_sqlite_are_adopted() {
    for name in ["memos-sqlite", "vaultwarden-sqlite"] {
        adopt(name, &Case::on_sqlite(), "");
    }
}

#[test]
fn histories_of_postgres_are_adopted() {
    for name in ["artifacthub-pg", "ente-pg", "memos-pg", "supabase-auth-pg", "vaultwarden-pg"] {
        if let Some(case) = Case::on_postgres() {
            adopt(name, &case, "");
        }
    }
}

/// Takes the functions as they are at the end of a history out of its database, each into a file; the scripts keep
/// what they made of tables.
#[test]
fn the_functions_of_artifacthub_are_code_objects_in_any_order() {
    let Some(folder) = folder("artifacthub-pg") else { return };
    let Some(case) = Case::on_postgres() else { return };
    copy(&case, &folder);
    case.build();
    let names = case.ask(
        "select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
          where n.nspname = 'public' and p.prokind = 'f'
            and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
            and not exists (select from pg_depend d where d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid)",
    );
    let oids: Vec<&str> = names.lines().collect();
    assert!(oids.len() > 50, "{}", oids.len());
    for round in 0..3 {
        let Some(fresh) = Case::on_postgres() else { return };
        copy(&fresh, &folder);
        for oid in &oids {
            let text = case.ask(&format!("select pg_get_functiondef({oid})"));
            let file = format!("db/code/{:08x}_{oid}.sql", fastrand::u32(..));
            fresh.write(&file, text + ";\n");
        }
        fresh.build();
        fresh.build().says("nothing to do");
        let count =
            "select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public'";
        assert_eq!(fresh.ask(count), case.ask(count), "round {round}");
    }
    eprintln!("{} functions as code objects, in three orders of files", oids.len());
}
