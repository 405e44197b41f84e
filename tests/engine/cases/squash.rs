//! A base stands for old scripts: fresh databases begin with it, others go on as if nothing had happened, and none
//! is taken over a gap.

use std::process::Command;

use crate::support::Case;

/// Four scripts that make tables, an index and rows; code and a seed on top.
fn shop(case: &Case) {
    case.settings("baseline = true\n");
    case.two_scripts();
    case.write(
        "db/0003_rows.sql",
        "-- The first customer.\ninsert into customer (id, name) values (1, 'O''Hara') on conflict do nothing;\n\
         create unique index if not exists customer_name on customer (name);\n",
    );
    case.write("db/0004_note.sql", "create table if not exists note (id integer primary key, text text);\n");
    case.write("seed/010_item.csv", "id,customer_id\n1,1\n");
    let view = "create view customer_view as select id, name from customer;";
    case.write("db/code/customer_view.sql", format!("drop view if exists customer_view; {view}"));
}

fn git(case: &Case, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(case.path(""))
        .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(case: &Case) -> String {
    if !case.path(".git").exists() {
        git(case, &["init", "-q", "-b", "main"]);
        case.write(".gitignore", "*.db*\n");
    }
    git(case, &["add", "-A"]);
    git(case, &["commit", "-q", "-m", "x", "--allow-empty"]);
    git(case, &["rev-parse", "HEAD"])
}

fn engine(case: &Case) -> &'static str {
    case.pick("sqlite", "postgres")
}

fn again(case: &Case) {
    case.run(&["reset", "--yes"]).exits(0);
}

fn states(case: &Case) -> String {
    let document = case.run(&["status", "--format", "json"]).exits(0).document();
    let scripts = document["scripts"].as_array().unwrap().iter();
    let lines = scripts.map(|one| format!("{} {}", one["version"].as_str().unwrap(), one["state"].as_str().unwrap()));
    lines.collect::<Vec<_>>().join(", ")
}

cases! {
    fn with_the_old_files_and_without_them_every_database_goes_on_or_is_refused(case) {
        shop(case);
        case.build();
        let before = commit(case);
        let said = case.run(&["squash", "--to", "3"]).exits(0);
        let said = said.says("stands for 3 scripts").says("obsolete  db/0001_create_customer.sql");
        said.says("squashed to 3 · the obsolete scripts may go: `dbbuild squash --to 3 --delete`");
        assert!(case.path(&format!("db/base/{}/manifest.toml", engine(case))).exists());
        assert!(case.read(&format!("db/base/{}/manifest.toml", engine(case))).contains(&before));
        // The committed baseline still belongs: nothing is to do.
        case.unchanged(|| case.build().says("nothing to do"));

        for deleted in [false, true] {
            if deleted {
                case.run(&["squash", "--to", "3", "--delete"]).exits(0).says("deleted   db/0003_rows.sql");
                assert!(!case.path("db/0001_create_customer.sql").exists());
                assert!(case.path("db/0004_note.sql").exists());
                // Past the base.
                case.unchanged(|| case.build().says("nothing to do"));
                assert_eq!(states(case), "1 squashed, 2 squashed, 3 squashed, 4 applied");
            }
            // Fresh: from the baseline, and from base and scripts.
            again(case);
            case.build().says("  load ");
            case.run(&["drift", "--strict"]).exits(0);
            again(case);
            let base = format!("db/base/{}", engine(case));
            case.run(&["--from-scripts"]).exits(0).says(&base).says("0004_note").does_not_say("0003_rows");
            assert_eq!(case.ask("select name from customer"), "O'Hara");
            assert_eq!(case.ask("select name from customer_view"), "O'Hara");
            case.run(&["drift", "--strict"]).exits(0);
            case.unchanged(|| case.build().says("nothing to do"));
            let kept = if deleted { "1 squashed, 2 squashed, 3 squashed" } else { "1 applied, 2 applied, 3 applied" };
            assert_eq!(states(case), format!("{kept}, 4 applied"));
            // Exactly at the base.
            again(case);
            case.run(&["--to", "3"]).exits(0).says(&base);
            assert_eq!(case.tables().replace('\n', " "), "customer item");
            case.run(&["--to", "4", "--no-baseline"]).exits(0).says("0004_note");
            case.build();
            case.run(&["drift", "--strict"]).exits(0);
        }
    }

    fn a_database_behind_is_sent_to_the_revision_and_comes_back(case) {
        shop(case);
        let before = commit(case);
        case.run(&["squash", "--to", "3"]).exits(0);
        // With the files it goes by them.
        case.run(&["--to", "1"]).exits(0).says("0001_create_customer");
        assert_eq!(states(case), "1 applied, 2 pending, 3 pending, 4 pending");
        case.run(&["--to", "2"]).exits(0);

        case.run(&["squash", "--to", "3", "--delete"]).exits(0);
        commit(case);
        let refused = case.unchanged(|| case.run(&[]).exits(3));
        let refused = refused.says("journal/behind-base").says("3 rows").does_not_say("2 create_item");
        refused.says(&format!("git checkout {before}"));
        case.unchanged(|| case.run(&["plan"]).exits(3).says("3 rows"));
        case.run(&["status", "--exit-code"]).exits(1).says("a build would refuse").says("3 rows");
        // Through the revision.
        git(case, &["checkout", "-q", &before]);
        case.run(&["--no-baseline"]).exits(0).says("0003_rows");
        git(case, &["checkout", "-q", "main"]);
        case.build();
        case.run(&["drift", "--strict"]).exits(0);
        again(case);
        case.unchanged(|| case.run(&["--to", "1"]).exits(3).says("base/inside").says("the scripts up to 3"));
    }

    fn what_is_half_way_is_never_jumped_over(case) {
        shop(case);
        case.write(
            "db/0003_rows.sql",
            "-- dbbuild: no-transaction\ninsert into customer (id, name) values (1, 'a');\n\
             insert into customer (id, name) select 2, text from missing;\n",
        );
        let mended = "-- dbbuild: no-transaction\ninsert into customer (id, name) values (1, 'a');\n\
             insert into customer (id, name) values (2, 'b');\n";
        case.run(&["--no-baseline"]).exits(4);
        case.write("db/0003_rows.sql", mended);
        let before = commit(case);
        case.run(&["squash", "--to", "3", "--delete"]).exits(0);
        let refused = case.unchanged(|| case.run(&[]).exits(3));
        refused.says("3 rows is half-way: 1 of 2 statements are done").says(&before);
        git(case, &["checkout", "-q", "--", "db/0003_rows.sql"]);
        case.run(&["--no-baseline"]).exits(0).says("resume");
        case.remove("db/0003_rows.sql");
        case.run(&["--no-baseline"]).exits(0).says("nothing to do");
        assert_eq!(case.ask("select count(*) from customer"), "2");
        case.run(&["drift"]).exits(0);
    }

    fn several_squashes_follow_each_other(case) {
        shop(case);
        let first = commit(case);
        case.run(&["--to", "1"]).exits(0);
        case.run(&["squash", "--to", "2", "--delete"]).exits(0);
        let second = commit(case);
        case.run(&["squash", "--to", "2"]).exits(0).says("as it was");
        case.run(&["squash", "--to", "4", "--delete"]).exits(0).says("stands for 4 scripts");
        commit(case);
        case.run(&["squash", "--to", "3"]).exits(3).says("squash/version");
        // Lacks both: the first revision that it must pass through is the first one's.
        let refused = case.run(&[]).exits(3).says("2 create_item, 3 rows, 4 note").says(&first);
        refused.does_not_say(&second);
        git(case, &["checkout", "-q", &first]);
        case.run(&["--to", "2"]).exits(0);
        git(case, &["checkout", "-q", "main"]);
        case.run(&[]).exits(3).says("3 rows, 4 note").says(&second);

        // Nothing but the base, code and seeds: the next script comes after it.
        case.run(&["new-version", "more"]).exits(0).says("db/0005_more.sql");
        case.write("db/0005_more.sql", "create table if not exists more (id integer primary key);");
        again(case);
        case.build().says("0005_more");
        assert_eq!(case.ask("select count(*) from note"), "0");
        assert_eq!(states(case), "1 squashed, 2 squashed, 3 squashed, 4 squashed, 5 applied");
        case.run(&["drift", "--strict"]).exits(0);
        case.run(&["verify"]).exits(0);
        // A database that is taken over has what the base stands for.
        case.execute(case.pick(
            "drop table dbbuild_journal; drop table dbbuild_environment; drop table dbbuild_seed_row; drop view dbbuild_version",
            "drop schema dbbuild cascade",
        ));
        case.run(&["adopt", "--to", "5", "--yes"]);
        assert_eq!(states(case), "1 squashed, 2 squashed, 3 squashed, 4 squashed, 5 applied");
        // Lint knows what the base makes: here it finds another shape than the guard's table, here the same.
        case.write("db/0006_note.sql", "create table if not exists note (id integer primary key, words text);\n");
        case.run(&["lint", "db/0006_note.sql"]).exits(1).says("shadowed-create");
        case.write("db/0006_note.sql", "create table if not exists note (id integer primary key, text text);\n");
        case.run(&["lint", "db/0006_note.sql"]).does_not_say("shadowed-create");
        case.remove("db/0006_note.sql");
        // A number that the base has is taken.
        case.rename("db/0005_more.sql", "db/0004_more.sql");
        case.run(&["renumber"]).exits(0).says("db/0005_more.sql");
        let sql = case.run(&["plan", "--sql", "--from", "4"]).exits(0);
        assert!(sql.stdout.contains("not exists more") && !sql.stdout.contains("not exists note"));
        case.run(&["plan", "--sql", "--from", "2"]).exits(3).says("3 rows, 4 note");
        case.run(&["plan", "--sql", "--from", "0"]).exits(3).says("--from 4");
    }

    fn what_nobody_could_find_again_is_not_squashed(case) {
        shop(case);
        commit(case);
        case.write("db/0003_rows.sql", "select 1;");
        case.run(&["squash", "--to", "3"]).exits(3).says("squash/uncommitted").says("db/0003_rows.sql");
        case.run(&["squash", "--to", "9"]).exits(3).says("no script of version 9");
        // What a script includes is part of its text.
        case.write("sql/note.sql", "create table if not exists note (id integer primary key, text text);\n");
        case.write("db/0003_rows.sql", "-- dbbuild: include sql/note.sql\n");
        commit(case);
        case.write("sql/note.sql", "create table if not exists note (id integer primary key);\n");
        case.run(&["squash", "--to", "3"]).exits(3).says("squash/uncommitted").says("sql/note.sql");
        git(case, &["checkout", "-q", "--", "sql/note.sql"]);
        git(case, &["checkout", "-q", "HEAD~1", "--", "db/0003_rows.sql"]);
        commit(case);
        assert!(!case.path("db/base").exists() || case.files("db/base").is_empty());
        case.run(&["squash", "--to", "2"]).exits(0);
        // A base that somebody edited is not loaded, and another text than it stands for neither.
        let name = case.pick("db/base/sqlite/schema.sql", "db/base/postgres/pre-data.sql");
        let text = case.read(name);
        case.write(name, text.replace("customer", "custumer"));
        case.run(&[]).exits(3).says("base/damaged").says(name);
        case.write(name, text);
        case.write("db/0002_create_item.sql", "create table other (id integer primary key);");
        case.run(&[]).exits(3).says("base/altered").says("2 create_item");
        case.write("db/0002_create_item.sql", "create table if not exists item (id integer primary key /* same */,\n\
             customer_id integer not null references customer (id));");
        case.run(&["--no-baseline", "--no-seed"]).exits(0).says("0003_rows");
    }

    fn nothing_is_deleted_that_no_commit_has_or_while_the_base_is_not_whole(case) {
        shop(case);
        let down = "db/0002_create_item.down.sql";
        case.write(down, "drop table item;");
        commit(case);
        case.write(down, "drop table if exists item;");
        case.unchanged(|| case.run(&["squash", "--to", "3"]).exits(3).says("squash/uncommitted").says(down));
        git(case, &["checkout", "-q", "--", down]);
        case.run(&["squash", "--to", "3"]).exits(0).says(down);

        // What changed since the base was written goes no more than what never was in a commit.
        case.write(down, "drop table if exists item;");
        let delete = ["squash", "--to", "3", "--delete"];
        case.unchanged(|| case.run(&delete).exits(3).says("squash/uncommitted").says(down));
        assert!(case.path("db/0001_create_customer.sql").exists());
        git(case, &["checkout", "-q", "--", down]);

        let base = format!("db/base/{}", engine(case));
        let file = format!("{base}/{}", case.pick("schema.sql", "pre-data.sql"));
        let text = case.read(&file);
        case.write(&file, text.get(..text.len() / 2).unwrap());
        case.unchanged(|| case.run(&delete).exits(3).says("base/damaged").says(&file));
        assert!(case.path("db/0001_create_customer.sql").exists());
        case.write(&file, text);
        // Rows that the manifest does not know would be loaded with the others.
        let stray = format!("{base}/data/stray.copy");
        case.write(&stray, "");
        case.unchanged(|| case.run(&delete).exits(3).says("base/damaged").says(&stray));
        case.run(&[]).exits(3).says("base/damaged").says(&stray);
        case.remove(&stray);

        case.run(&delete).exits(0).says(&format!("deleted   {down}"));
        case.build();
        case.run(&["drift", "--strict"]).exits(0);
    }

    fn another_base_takes_the_place_of_the_one_before_file_by_file(case) {
        shop(case);
        commit(case);
        case.run(&["squash", "--to", "3", "--delete"]).exits(0);
        commit(case);
        // Rows that are no more.
        case.write("db/0005_no_rows.sql", "delete from customer;");
        commit(case);
        let base = format!("db/base/{}", engine(case));
        let rows = case.files(&format!("{base}/data"));
        assert!(!rows.is_empty());
        case.run(&["squash", "--to", "5", "--delete"]).exits(0).says("stands for 5 scripts");
        assert!(!case.path(&format!("{base}/data")).exists(), "{:?}", case.files(&base));
        let beside: Vec<_> = std::fs::read_dir(case.path("db/base")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside, [engine(case)]);
        case.remove("seed/010_item.csv");
        case.build();
        assert_eq!(case.ask("select count(*) from customer"), "0");
        case.run(&["drift", "--strict"]).exits(0);
        case.run(&["verify"]).exits(0);
    }

    fn a_base_after_another_failure_is_loaded_by_the_next_run(case) {
        shop(case);
        case.run(&["squash", "--to", "2", "--delete"]).exits(0);
        // The journal is there, and nothing else: a first build was cut short.
        if case.is_sqlite() {
            case.run(&["create"]).exits(0);
        }
        case.run(&["mark", "development"]).exits(0);
        case.build().says("0003_rows");
        case.run(&["drift", "--strict"]).exits(0);
    }
}

/// Comments in the old files go with them, unless they are carried over.
#[test]
fn comments_on_tables_and_columns_are_carried_over() {
    let Some(case) = Case::on_postgres() else { return };
    case.write(
        "db/0001_create_customer.sql",
        "-- Who buys.\ncreate table customer (\n  id int primary key,\n  name text, -- as on the passport\n  gone text -- x\n);",
    );
    case.write(
        "db/0002_drop.sql",
        "alter table customer drop column gone; create role squash_maker; drop role squash_maker;",
    );
    case.build();
    let said = case.run(&["squash", "--to", "2"]).exits(0);
    let said = said.says("3 comments in 1 file will be gone").says("3 of them on tables and columns");
    said.says("db/0002_drop.sql makes roles");
    assert!(!case.path("db/base/postgres/.git").exists());
    std::fs::remove_dir_all(case.path("db/base")).unwrap();
    let said = case.run(&["squash", "--to", "2", "--carry-comments", "--delete"]).exits(0);
    said.says("db/0003_comments_of_squashed_scripts.sql");
    let script = case.read("db/0003_comments_of_squashed_scripts.sql");
    let expected = "comment on table \"public\".\"customer\" is 'Who buys.';\n\
        comment on column \"public\".\"customer\".\"name\" is 'as on the passport';\n";
    assert!(script.ends_with(expected), "{script}");
    case.build().says("0003_comments");
    case.run(&["drift", "--strict"]).exits(0);
    assert_eq!(case.ask("select col_description('customer'::regclass, 2)"), "as on the passport");
}

/// One squash writes a base for each engine; a file that both read goes when both have theirs.
#[test]
fn a_project_of_two_engines_has_two_bases() {
    let Some(case) = Case::on_postgres() else { return };
    case.two_scripts();
    case.write("db/0003_own.sqlite.sql", "create table own (id integer primary key) strict;");
    case.settings("[targets.file]\nurl = \"sqlite:file.db\"\nenvironment = \"development\"\n");
    case.run(&["--target", "file", "--no-baseline"]).exits(0);
    case.build();
    let said = case.run(&["squash", "--to", "2"]).exits(0);
    said.says("db/base/postgres").says("db/base/sqlite");
    case.run(&["squash", "--to", "3", "--delete"]).exits(0).says("deleted   db/0003_own.sqlite.sql");
    for target in ["dev", "file"] {
        case.run(&["--target", target, "--no-baseline"]).exits(0).says("nothing to do");
        case.run(&["reset", "--target", target, "--yes"]).exits(0);
        case.run(&["--target", target, "--no-baseline"]).exits(0).says("db/base");
        case.run(&["drift", "--target", target]).exits(0);
    }
}
