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
fn by_shell(case: &Case, folder: &Path) -> Result<(), String> {
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
        if !output.status.success() {
            return Err(format!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr)));
        }
    }
    Ok(())
}

/// Says what is wrong with a change made by hand: it must be told as what it is.
fn by_hand(case: &Case, adopt: &[&str], name: &str, sql: &str, back: &str, change: &str) {
    case.execute(sql);
    let document = case.run(adopt).exits(1).document();
    let told = document["differences"].as_array().unwrap();
    assert!(told.iter().any(|one| one["change"] == change), "{name}: {sql}: {document:#}");
    case.execute(back);
}

/// Returns false where the shell alone cannot make the database.
fn adopt(name: &str, case: &Case, settings: &str) -> bool {
    let Some(folder) = folder(name) else { return true };
    copy(case, &folder);
    let own = std::fs::read_to_string(folder.with_file_name("dbbuild.toml")).unwrap_or_default();
    let settings = &format!("{settings}\n{own}");
    case.settings(settings);
    if let Err(why) = by_shell(case, &folder) {
        eprintln!("{name}: not made by the shell: {why}");
        return false;
    }
    let newest = files(&folder).last().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    let version = newest.split('_').next().unwrap().trim_start_matches('0').to_owned();
    let adopt = ["adopt", "--to", &version, "--dry-run", "--format", "json"];
    let mut output = case.run(&adopt);
    // What cannot be edited gets its directives from the settings, as the refusal says.
    let mut script = String::new();
    while output.code == Some(3) {
        let document = output.document();
        let before = script.len();
        for error in document["errors"].as_array().into_iter().flatten() {
            let file = error["place"]["file"].as_str().unwrap_or_default().rsplit('/').next().unwrap();
            let version = file.split('_').next().unwrap().trim_start_matches('0');
            let section = format!("[script.\"{version}\"]\ndirectives = [\"no-transaction\"]\n");
            if error["code"] == "script/needs-no-transaction" && !script.contains(&section) {
                script += &section;
            }
        }
        if script.len() == before {
            eprintln!("{name}: refused: {document:#}");
            return false;
        }
        case.settings(&format!("{settings}\n{script}"));
        output = case.run(&adopt);
    }
    let document = output.document();
    assert_eq!(document["clean"], true, "{name}: {document:#}");
    by_hand(case, &adopt, name, "create table by_hand (id integer)", "drop table by_hand", "added");
    let (table, index) = (
        case.pick(
            "select name from sqlite_schema where type = 'table' and name not like 'sqlite%' and sql not like '%virtual%' limit 1",
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema') limit 1",
        ),
        case.pick(
            "select sql || '|' || name from sqlite_schema where type = 'index' and sql is not null limit 1",
            "select pg_get_indexdef(i.indexrelid) || '|' || i.indexrelid::regclass from pg_index i
              where i.indexrelid >= 16384 and not exists (select from pg_depend d where d.objid = i.indexrelid and d.deptype = 'i')
                and not exists (select from pg_constraint c where c.conindid = i.indexrelid) limit 1",
        ),
    );
    let table = case.ask(table);
    let table = case.pick(format!("\"{table}\""), table.clone());
    let (add, drop) =
        (format!("alter table {table} add column by_hand integer"), format!("alter table {table} drop column by_hand"));
    by_hand(case, &adopt, name, &add, &drop, "changed");
    let index = case.ask(index);
    if let Some((create, index)) = index.rsplit_once('|') {
        let index = case.pick(format!("\"{index}\""), index.to_owned());
        by_hand(case, &adopt, name, &format!("drop index {index}"), create, "missing");
    }
    case.run(&["adopt", "--to", &version, "--yes"]).exits(0);
    case.build().says("nothing to do");
    eprintln!("{name}: adopted at {version}, {} objects", document["objects"]);
    true
}

/// Every history of the folder for one engine.
fn names(suffix: &str) -> Vec<String> {
    let Some(folder) = std::env::var_os("DBBUILD_TEST_CORPORA") else { return Vec::new() };
    let entries = Path::new(&folder).read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(suffix));
    names.sort();
    names
}

#[test]
fn histories_of_sqlite_are_adopted() {
    let names = names("-sqlite");
    let count = names.iter().filter(|name| adopt(name, &Case::on_sqlite(), "")).count();
    eprintln!("{count} of {} adopted", names.len());
}

#[test]
fn histories_of_postgres_are_adopted() {
    let names = names("-pg");
    let mut count = 0;
    for name in &names {
        let Some(case) = Case::on_postgres() else { return };
        let mut settings = "";
        if name == "supabase-auth-pg" {
            // Its scripts grant to a role that must be there.
            settings = "roles = [\"postgres\"]\n";
            case.execute("do $$ begin create role postgres; exception when duplicate_object then null; end $$");
        }
        count += usize::from(adopt(name, &case, settings));
    }
    eprintln!("{count} of {} adopted", names.len());
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
