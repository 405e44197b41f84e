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
        let run = |more: &[&str]| match &case.home {
            Home::Sqlite(database) => Command::new("sqlite3")
                .arg("-bail")
                .arg(&database.0)
                .stdin(std::fs::File::open(&file).unwrap())
                .output()
                .unwrap(),
            Home::Postgres(database) => Command::new("psql")
                .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", &database.url])
                .args(more)
                .arg("-f")
                .arg(&file)
                .output()
                .unwrap(),
        };
        let mut output = run(&[]);
        if String::from_utf8_lossy(&output.stderr).contains("can only be used in transaction blocks") {
            output = run(&["--single-transaction"]);
        }
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
            let has = |text: &str| text.contains(&format!("[script.\"{version}\"]"));
            if error["code"] == "script/needs-no-transaction" && !has(&script) && !has(settings) {
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
              where i.indexrelid >= 16384 and i.indrelid not in (select oid from pg_class where relnamespace = 'pg_toast'::regnamespace)
                and not exists (select from pg_depend d where d.objid = i.indexrelid and d.deptype = 'i')
                and not exists (select from pg_constraint c where c.conindid = i.indexrelid) limit 1",
        ),
    );
    let (table, index) = (case.ask(table), case.ask(index));
    let quoted = |name: &str| case.pick(format!("\"{name}\""), name.to_owned());
    let table = quoted(&table);
    let (add, drop) =
        (format!("alter table {table} add column by_hand integer"), format!("alter table {table} drop column by_hand"));
    by_hand(case, &adopt, name, &add, &drop, "added");
    if let Some((create, index)) = index.rsplit_once('|') {
        let drop = format!("drop index {};", quoted(index));
        by_hand(case, &adopt, name, &drop, create, "missing");
        let bare = quoted(index.rsplit('.').next().unwrap());
        let other = format!("{drop} create index {bare} on {table} ((1))");
        by_hand(case, &adopt, name, &other, &format!("{drop} {create}"), "changed");
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

/// Makes files of a history's views and functions as they are at its end, with their comments, but for functions that
/// tables use. Returns how many.
fn write_code(built: &Case, case: &Case) -> usize {
    let texts = built.ask(
        "with own as (
             select oid from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'dbbuild')
         ), made (name, text) as (
             select p.oid::text,
                    pg_get_functiondef(p.oid)
                    || format(E';\\ncomment on routine %s is %L', p.oid::regprocedure, obj_description(p.oid, 'pg_proc'))
               from pg_proc p
              where p.pronamespace in (select oid from own) and p.prokind in ('f', 'p')
                and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
                and not exists (
                    select from pg_depend d
                     where d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid
                       and d.classid not in ('pg_rewrite'::regclass, 'pg_trigger'::regclass))
                and not exists (select from pg_trigger t where t.tgfoid = p.oid)
              union all
             select c.oid::text,
                    format('create %s %I.%I as %s', case c.relkind when 'v' then 'or replace view' else 'materialized view if not exists' end,
                           n.nspname, c.relname, rtrim(pg_get_viewdef(c.oid), ';'))
                    || format(E';\\ncomment on %s %I.%I is %L', case c.relkind when 'v' then 'view' else 'materialized view' end,
                                       n.nspname, c.relname, obj_description(c.oid, 'pg_class'))
               from pg_class c
               join pg_namespace n on n.oid = c.relnamespace
              where n.oid in (select oid from own) and c.relkind in ('v', 'm')
                and not exists (select from pg_index i where i.indrelid = c.oid)
                and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
         )
         select name || '|' || replace(text, E'\\n', E'\\x01') from made",
    );
    for line in texts.lines() {
        let (name, text) = line.split_once('|').unwrap();
        let file = format!("db/code/{:08x}_{name}.sql", fastrand::u32(..));
        case.write(&file, text.replace('\u{1}', "\n") + "\n;\n");
    }
    texts.lines().count()
}

/// The views and functions of each history as code objects: in any order of files, and back again when somebody drops
/// them all.
#[test]
fn the_views_and_functions_of_histories_are_code_objects() {
    let mut count = 0;
    for name in names("-pg") {
        let (Some(built), Some(case)) = (Case::on_postgres(), Case::on_postgres()) else { return };
        let Some(folder) = folder(&name) else { return };
        let own = std::fs::read_to_string(folder.with_file_name("dbbuild.toml")).unwrap_or_default();
        copy(&built, &folder);
        built.settings(&own);
        let output = built.run(&[]);
        if output.code != Some(0) {
            eprintln!("{name}: not built: {}", output.stderr.lines().next().unwrap_or_default());
            continue;
        }
        copy(&case, &folder);
        case.settings(&own);
        let files = write_code(&built, &case);
        if files == 0 {
            continue;
        }
        case.build();
        case.build().says("nothing to do");
        case.run(&["drift", "--strict"]).exits(0);
        case.execute(
            "do $$ declare gone text; begin
                 for gone in select format('drop view if exists %I.%I cascade', n.nspname, c.relname)
                               from pg_class c join pg_namespace n on n.oid = c.relnamespace
                              where c.relkind = 'v' and nspname !~ '^pg_' and nspname not in ('information_schema', 'dbbuild')
                                and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
                 loop execute gone; end loop;
             end $$",
        );
        case.write("db/9999_more.sql", "create table if not exists public.made_later (id integer);\n");
        case.build();
        case.run(&["drift", "--strict"]).exits(0);
        eprintln!("{name}: {files} views and functions");
        count += files;
    }
    eprintln!("{count} views and functions as code objects");
}
