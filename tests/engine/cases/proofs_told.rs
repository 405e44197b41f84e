//! What `verify` tells beside its findings: databases that are left behind, what was not finished, how lint judges.

use serde_json::Value;

use super::proofs::{commit, git, verify};
use crate::support::Case;

/// The proofs that were not finished, but for the locks, which one of the engines has.
fn unfinished(report: &Value) -> Vec<&str> {
    let names = report["unfinished"].as_array().unwrap().iter().filter_map(Value::as_str);
    names.filter(|name| *name != "locks").collect()
}

/// Asks the database that was left behind, and removes it.
fn in_kept(case: &Case, report: &Value, query: &str) -> String {
    let url = report["kept"].as_str().unwrap();
    let ask = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    if !case.is_sqlite() {
        let (answer, data) = (ask("psql", &["-XAtqd", url, "-c", query]), "show data_directory");
        // Without the note that it was left for people, the next run stops its server.
        let note = std::path::PathBuf::from(ask("psql", &["-XAtqd", url, "-c", data])).with_file_name("left");
        std::fs::remove_file(note).unwrap();
        return answer;
    }
    let file = std::path::Path::new(url.strip_prefix("sqlite:").unwrap());
    let answer = ask("sqlite3", &[&file.display().to_string(), query]);
    std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
    answer
}

/// Lets the proofs go on for some seconds, and stops them as Ctrl-C does.
fn stopped_after(case: &Case, format: &str, seconds: u64) -> String {
    let mut command = case.program(&["verify", "--format", format]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(seconds));
    crate::support::signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

cases! {
    fn a_failing_proof_leaves_its_database_on_request(case) {
        case.write("db/1_a.sql", "create table a (id integer);\n");
        case.write("db/2_b.sql", "create table if not exists b (id integer);\n");
        let report = verify(case, &["--keep"], 1);
        assert_eq!(report["kept_state"], "after the first run of db/1_a.sql");
        assert_eq!(unfinished(&report), ["twice", "roads", "offline", "again"]);
        // What is kept has what the proof met.
        assert_eq!(in_kept(case, &report, "select count(*) from a"), "0");
        // Each proof leaves its own.
        case.write("db/1_a.sql", "-- dbbuild: no-transaction\ncreate table if not exists a (id integer);\ninsert into a values (1);\n");
        let report = verify(case, &["--keep"], 1);
        assert_eq!(report["kept_state"], "after db/1_a.sql ran twice");
        assert_eq!(in_kept(case, &report, "select count(*) from a"), "2");
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key);\n");
        case.write("db/1_a.down.sql", "drop table not_a;\n");
        let report = verify(case, &["--keep"], 1);
        assert_eq!(report["kept_state"], "after db/1_a.sql, before its way back");
        assert_eq!(in_kept(case, &report, "select count(*) from a"), "0");
        case.remove("db/1_a.down.sql");
        git(case, &["init", "-q", "-b", "main"]);
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n integer);\n");
        commit(case, "one");
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key);\n");
        let report = verify(case, &["--keep", "--release", "main"], 1);
        assert_eq!(report["kept_state"], "a database of main, upgraded");
        assert_eq!(unfinished(&report), ["roads", "offline"]);
        assert_eq!(in_kept(case, &report, "select count(n) from a"), "0");
    }

    fn what_lint_and_a_second_run_judge_differently_is_listed(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key);\n");
        case.write("db/2_b.sql", "create table b (id integer);\n");
        // Lint cannot know what a function does; the database can.
        let hidden = case.pick(
            "create view if not exists v as select 1 as one;\ncreate table if not exists n (id integer);\n\
             insert into n select random() where not exists (select 1 from n where id = -1);\n",
            "do $$ begin execute 'insert into a select ' || (select count(*) from a) || ' '; end $$;\n",
        );
        case.write("db/3_c.sql", hidden);
        // Where lint says that it cannot tell, nothing is a surprise.
        case.write("db/4_d.sql", case.pick(
            "create table if not exists d (id integer primary key);\n",
            "create table if not exists d (n integer);\n\
             do $$ begin execute format('create or replace function adds() returns void language sql as %L',\n\
             'insert into d values (1)'); end $$;\nselect adds();\n",
        ));
        let report = verify(case, &[], 1);
        let lint = &report["lint"];
        assert_eq!(lint["scripts"], 4, "{lint}");
        let disagree = lint["disagree"].as_array().unwrap();
        for one in disagree {
            assert!(one["lint"] == "clean" && one["verify"] == "twice/changes" || one["verify"] == "proven", "{one}");
        }
        case.run(&["verify"]).exits(1).says("  lint          ").says(" of 4 agree");
        assert_eq!(lint["agree"], 4 - disagree.len());
        let agreed = ["db/1_a.sql", "db/2_b.sql", "db/4_d.sql"];
        assert!(disagree.iter().all(|one| agreed.iter().all(|file| one["file"] != *file)), "{lint}");
    }

    fn among_many_rows_the_place_is_found_where_a_script_cannot_go_on(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n integer);\n");
        let rows: String = (1..=12).map(|id| format!("insert into a values ({id}, 0) on conflict do nothing;\n")).collect();
        case.write("db/2_b.sql", format!("-- dbbuild: no-transaction\n{rows}"));
        let report = verify(case, &[], 0);
        assert_eq!(report["proofs"]["crash-points"]["proven"], 3, "the first, the middle and the last");
        // What a session knows is gone with it: who is cut short behind the sixth statement has lost the number.
        case.write("db/3_c.sql", case.pick(
            "create table if not exists c (id integer primary key autoincrement, n integer);\n",
            "create sequence if not exists s;\ncreate table if not exists c (id serial primary key, n integer);\n",
        ));
        let plain = "insert into a values (1, 0) on conflict do nothing;\n";
        let (takes, uses) = case.pick(
            ("insert into c (n) values (0);\n", "update c set n = 1 where id = last_insert_rowid();\n"),
            ("insert into c (n) values (nextval('s'));\n", "update c set n = 1 where n = currval('s');\n"),
        );
        let late = format!("-- dbbuild: no-transaction\n{}{takes}{}{uses}", plain.repeat(5), plain.repeat(20));
        case.write("db/4_d.sql", late);
        let report = verify(case, &[], 1);
        let findings = report["proofs"]["crash-points"]["findings"].as_array().unwrap();
        let messages: Vec<&str> = findings.iter().filter_map(|finding| finding["message"].as_str()).collect();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].contains("cut short after 6 of 27 statements"), "{messages:?}");
    }

    fn who_asks_to_stop_is_told_what_was_proven(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key);\n");
        case.write("db/2_b.sql", case.pick(
            "insert into a with recursive n(i) as (select 1 union all select i + 1 from n) select i from n where i < 0;\n",
            "select pg_sleep(600);\n",
        ));
        for format in case.pick(&["text", "json"][..], &["json"]) {
            // The first script must be over: on a busy machine that takes its time.
            let mut patience = [1, 4, 16, 64].into_iter().skip(case.pick(0, 1));
            let said = loop {
                let said = stopped_after(case, format, patience.next().expect("the first script is over by now"));
                let report: Value = serde_json::from_str(&said).unwrap_or_default();
                if said.contains("twice         1 of 1 proven") || report["proofs"]["twice"]["proven"] == 1 {
                    break said;
                }
            };
            if *format == "json" {
                let report: Value = serde_json::from_str(&said).unwrap();
                assert_eq!(report["interrupted"], true);
                assert_eq!(report["proofs"]["twice"]["proven"], 1, "{report}");
                assert_eq!(unfinished(&report), ["twice", "roads", "offline", "again"]);
            } else {
                assert!(said.contains("twice         1 of 1 proven"), "{said}");
                assert!(said.contains("interrupted; not finished: twice, roads, offline, again"), "{said}");
            }
        }
    }
}
