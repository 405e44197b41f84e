//! What `verify` proves, proof by proof, and what is no fault.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::Case;

/// Runs the proofs and returns the report.
pub fn verify(case: &Case, arguments: &[&str], code: i32) -> Value {
    case.run(&[&["verify", "--format", "json"], arguments].concat()).exits(code).document()
}

/// Every error as `code file:line`.
pub fn errors(report: &Value) -> BTreeSet<String> {
    of_level(report, "error")
}

pub fn of_level(report: &Value, level: &str) -> BTreeSet<String> {
    let proofs = report["proofs"].as_object().unwrap().values();
    let findings = proofs.flat_map(|proof| proof["findings"].as_array().unwrap());
    findings.filter(|finding| finding["level"] == level).map(shown).collect()
}

fn shown(finding: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match &finding["place"] {
        Value::Null => format!("{} {}", text(&finding["code"]), text(&finding["file"])),
        place => format!("{} {}:{}", text(&finding["code"]), text(&place["file"]), place["line"]),
    }
}

/// The finding of a file.
pub fn finding<'a>(report: &'a Value, proof: &str, file: &str) -> &'a Value {
    let findings = report["proofs"][proof]["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["file"] == file).unwrap_or_else(|| panic!("no finding of {file}"))
}

/// What may run any number of times.
pub const FINE: &str = "\
create table if not exists fine (id integer primary key, name text not null default '');
insert into fine values (1, 'a') on conflict (id) do update set name = excluded.name;
update fine set name = 'a' where id = 1;
delete from fine where id > 100;
create index if not exists fine_name on fine (name);
drop index if exists fine_gone;
";

cases! {
    fn a_finding_names_rows_by_their_keys_and_objects_with_their_difference(case) {
        case.write("db/1_tally.sql", "create table if not exists tally (id integer primary key, n integer not null);\n\
            insert into tally values (1, 10), (2, 20) on conflict do nothing;\n");
        case.write("db/2_more.sql", "update tally set n = n + 1 where id = 2;\n");
        let report = verify(case, &[], 1);
        let found = finding(&report, "twice", "db/2_more.sql");
        let table = case.pick("tally", "public.tally");
        let change = &found["changes"][0];
        assert_eq!(change["what"], "row");
        assert_eq!(change["table"], table);
        assert_eq!(change["change"], "changed");
        assert_eq!(change["key"][0]["value"], "2");
        assert_eq!(change["columns"][0]["column"], "n");
        assert_eq!(change["columns"][0]["expected"], "21");
        assert_eq!(change["columns"][0]["found"], "22");
        let output = case.run(&["verify"]).exits(1);
        output.says("db/2_more.sql:1:1").says("changed row").says("n: 21, then 22");
        assert_eq!(case.content(), case.pick("no database", ""), "the target was touched");
    }

    fn what_differs_without_meaning_is_no_finding(case) {
        case.write("db/1_fine.sql", FINE);
        case.write("db/2_own.sql", case.pick(
            "create table if not exists n (id integer primary key autoincrement, name text unique);\n\
             insert into n (name) values ('a') on conflict do nothing;\n",
            "create table if not exists n (id serial primary key, name text unique);\n\
             insert into n (name) values ('a') on conflict do nothing;\n\
             create or replace function f() returns integer language sql as 'select 1';\n\
             comment on table n is 'said';\ngrant select on n to public;\nanalyze n;\n\
             create table if not exists met (id integer primary key, roles bigint, memory text);\n\
             insert into met select 1, count(*), (select min(setting) from pg_file_settings where name = 'work_mem')\n\
               from pg_roles where rolname = 'dbbuild_of_a_proof' on conflict do nothing;\n\
             do $$ begin create role dbbuild_of_a_proof; exception when duplicate_object then null; end $$;\n",
        ));
        case.write("db/3_volatile.sql", "create table if not exists v (id integer primary key, at text);\n\
            insert into v values (1, cast(random() as text)) on conflict do nothing;\n");
        case.write("db/4_system.sql", case.pick("select 1;\n", "-- dbbuild: no-transaction\n\
            alter system set work_mem = '9MB';\n"));
        let report = verify(case, &[], 0);
        assert_eq!(report["clean"], true);
        assert_eq!(report["proofs"]["twice"]["proven"], 4);
        // What one proof has left on the server, another would have met.
        assert_eq!(report["volatile"].as_array().map(Vec::len), Some(1), "{report}");
        assert_eq!(report["volatile"][0]["column"], "at");
    }

    fn a_way_back_is_gone_and_the_script_runs_again(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key);\n");
        case.write("db/1_a.down.sql", "drop table a;\n");
        case.write("db/2_b.sql", "create table if not exists b (id integer);\n");
        case.write("db/2_b.down.sql", "select 1;\ndrop table not_b;\n");
        case.write("db/3_c.sql", "create table if not exists c (id integer);\n");
        case.write("db/3_c.down.sql", "alter table c rename to c_old;\n");
        let rows: Vec<String> = (1..=120).map(|id| format!("({id})")).collect();
        case.write("db/4_d.sql", format!("insert into a values {} on conflict do nothing;\n", rows.join(", ")));
        case.write("db/4_d.down.sql", "delete from a where id <> 120;\n");
        // No build ever reads it.
        case.write("db/5_e.sql", "create table if not exists e (id integer);\n");
        case.write("db/5_e.down.sql", "drop table e;\nselect 'open;\n");
        let report = verify(case, &[], 1);
        let expected = ["back/down-fails db/2_b.down.sql:2", "back/differs db/3_c.down.sql", "back/unreadable db/5_e.down.sql:2"];
        let expected = expected.map(str::to_owned);
        assert_eq!(errors(&report), BTreeSet::from(expected));
        // By their keys, and no more of them than somebody reads.
        let lost = finding(&report, "back", "db/4_d.down.sql")["changes"].as_array().unwrap();
        let keys: Vec<&str> = lost.iter().filter_map(|one| one["key"][0]["value"].as_str()).collect();
        assert_eq!((keys.len(), &keys[..2]), (100, &["1", "10"][..]), "{lost:?}");
        assert!(lost[..100].iter().all(|one| one["change"] == "lost"));
        assert_eq!((lost[100]["before"].as_u64(), lost[100]["after"].as_u64()), (Some(120), Some(1)));
        assert_eq!(report["proofs"]["back"]["proven"], 2);
        case.run(&["verify"]).exits(1).says("loses").says("lost row").says("(id 10)");
    }

    fn a_baseline_is_what_the_scripts_make(case) {
        case.settings("baseline = true\n");
        case.write("db/1_fine.sql", FINE);
        case.build();
        let report = verify(case, &[], 0);
        assert_eq!(report["proofs"]["roads"]["proven"], 2);
        let folder = case.pick("baseline/sqlite/schema.sql", "baseline/postgres/pre-data.sql");
        // A merge by hand that leaves the manifest alone.
        case.write(folder, case.read(folder).replace("fine", "fain"));
        let report = verify(case, &[], 1);
        assert_eq!(errors(&report).len(), 1);
        assert_eq!(report["proofs"]["roads"]["findings"][0]["code"], "roads/baseline");
    }

    fn a_script_without_a_transaction_goes_on_from_each_crash_point(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n integer);\n");
        case.write("db/2_b.sql", "-- dbbuild: no-transaction\ninsert into a values (1, 1) on conflict do nothing;\n\
            update a set n = n + 1 where n = 1;\ncreate index if not exists a_n on a (n);\n");
        let report = verify(case, &[], 0);
        assert_eq!(report["proofs"]["crash-points"]["proven"], 3);
        if !case.is_sqlite() {
            case.write("db/3_c.sql", "-- dbbuild: no-transaction\ncreate index concurrently a_slow on a (n);\n");
            let report = verify(case, &[], 1);
            assert!(errors(&report).contains("crash-points/fails db/3_c.sql:2"), "{:?}", errors(&report));
        }
    }

    fn a_transactional_script_that_is_run_by_hand_weighs_less(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key);\n");
        case.write("db/2_b.sql", "insert into a values (1);\ninsert into a values (2);\n");
        case.write("db/3_c.sql", "insert into a values (3) on conflict do nothing;\ninsert into a values (4) on conflict do nothing;\n");
        let report = verify(case, &["--thorough"], 1);
        assert_eq!(errors(&report), BTreeSet::from(["twice/fails db/2_b.sql:1".to_owned()]));
        assert!(of_level(&report, "warning").contains("crash-points/by-hand db/2_b.sql:1"));
        assert_eq!(report["proofs"]["crash-points"]["proven"], 1);
    }

    fn an_old_script_at_the_end_of_the_history_weighs_less(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer);\n");
        case.write("db/2_b.sql", "drop table if exists a;\n");
        let report = verify(case, &[], 0);
        assert!(errors(&report).is_empty());
        assert_eq!(of_level(&report, "warning"), BTreeSet::from(["again/changes db/1_a.sql:1".to_owned()]));
    }

    fn a_sequence_that_is_set_back_is_told_and_one_that_moved_on_is_not(case) {
        case.write("db/1_n.sql", case.pick(
            "create table if not exists n (id integer primary key autoincrement, name text unique);\n\
             insert into n (id, name) values (1, 'a') on conflict do nothing;\n\
             update sqlite_sequence set seq = 10 where name = 'n';\n",
            "create table if not exists n (id serial primary key, name text unique);\n\
             insert into n (id, name) values (1, 'a') on conflict do nothing;\nselect setval('n_id_seq', 10);\n",
        ));
        case.write("db/2_more.sql", "insert into n (name) values ('b'), ('c') on conflict do nothing;\n");
        let report = verify(case, &[], 0);
        assert_eq!(of_level(&report, "warning"), BTreeSet::from(["again/changes db/1_n.sql:3".to_owned()]));
        let change = &finding(&report, "again", "db/1_n.sql")["changes"][0];
        // Numbers that a trial took are not given back.
        assert!(change["before"].as_i64() >= Some(12), "{change}");
        assert_eq!(change["after"], 10);
    }

    fn a_history_that_does_not_build_says_where_it_ends(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer);\n");
        case.write("db/2_b.sql", "select 1;\ninsert into nowhere values (1);\n");
        case.write("db/3_c.sql", "create table c (id integer);\n");
        let report = verify(case, &[], 1);
        assert_eq!(errors(&report), BTreeSet::from(["build/fails db/2_b.sql:2".to_owned()]));
        assert_eq!(report["proofs"]["twice"]["skipped"][0]["why"], "the history ends there");
    }

    fn the_shells_script_makes_the_same(case) {
        case.write("db/1_fine.sql", FINE);
        case.write("db/code/v.sql", "drop view if exists v;\ncreate view v as select id from fine;\n");
        let report = verify(case, &[], 0);
        let offline = &report["proofs"]["offline"];
        let shell = case.pick("sqlite3", "psql");
        let is_installed = std::process::Command::new(shell).arg("-version").output().is_ok();
        assert_eq!(offline["proven"], u64::from(is_installed), "{offline}");
        assert_eq!(offline["skipped"].as_array().unwrap().len(), usize::from(!is_installed));
    }

    fn locks_are_measured_where_there_are_some(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n integer);\n");
        case.write("db/2_b.sql", "select 1;\nalter table a alter column n type bigint;\nselect 2;\n");
        if case.is_sqlite() {
            return;
        }
        // Slow enough to be watched, however busy the machine is.
        case.write("db/0_slow.sql", "create or replace function slow(n bigint) returns bigint language plpgsql immutable as\n\
            $$ begin perform pg_sleep(0.3); return n; end $$;\n");
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n integer);\n\
            insert into a values (1, 1) on conflict do nothing;\n");
        case.write("db/3_c.sql", "-- dbbuild: no-transaction\nset search_path = public;\nalter table a add check (n > 0);\n\
            create index concurrently if not exists a_n on a (slow(n));\n");
        let report = verify(case, &[], 1);
        let measured = &report["proofs"]["locks"]["measured"];
        let of_c: Vec<(u64, &str)> = measured.as_array().unwrap().iter().filter(|one| one["file"] == "db/3_c.sql")
            .flat_map(|one| one["locks"].as_array().unwrap().iter().map(|lock| (one["line"].as_u64().unwrap(), lock)))
            .filter(|(_, lock)| lock["on"] == "table public.a")
            .map(|(line, lock)| (line, lock["mode"].as_str().unwrap())).collect();
        // The first in a transaction that is undone, the second, which none can hold, watched from outside.
        assert!(of_c.contains(&(3, "AccessExclusiveLock")) && of_c.contains(&(4, "ShareUpdateExclusiveLock")), "{of_c:?}");
        let of_b: Vec<&Value> =
            measured.as_array().unwrap().iter().filter(|one| one["file"] == "db/2_b.sql").collect();
        assert_eq!(of_b.len(), 1, "{measured}");
        assert_eq!((of_b[0]["line"].as_u64(), of_b[0]["held_for"].as_u64()), (Some(2), Some(1)));
        let microseconds = |name: &str| of_b[0][name].as_u64().unwrap();
        assert!(microseconds("held_us") >= microseconds("duration_us"), "to the end of the transaction: {measured}");
        let table = of_b[0]["locks"].as_array().unwrap().iter().find(|lock| lock["on"] == "table public.a").unwrap();
        assert_eq!((table["mode"].as_str(), table["rewritten"].as_bool()), (Some("AccessExclusiveLock"), Some(true)));
    }
}

/// Runs git in the case's folder.
pub fn git(case: &Case, arguments: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    let mut command = std::process::Command::new("git");
    command.current_dir(case.path("")).args(identity).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

pub fn commit(case: &Case, message: &str) {
    git(case, &["add", "-A"]);
    git(case, &["commit", "-q", "-m", message]);
}

cases! {
    fn an_earlier_revision_is_upgraded_and_compared(case) {
        git(case, &["init", "-q", "-b", "main"]);
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n integer);\n");
        case.write("seed/010_a.sql", "insert into a values (1, 1), (2, 2) on conflict do nothing;\n");
        commit(case, "one");
        git(case, &["tag", "v1"]);
        case.write("db/2_b.sql", "create table if not exists b (id integer);\n");
        let report = verify(case, &["--release", "v1"], 0);
        assert_eq!(report["proofs"]["roads"]["proven"], 2);
        // A row that left an SQL seed stays where it was brought in.
        case.write("seed/010_a.sql", "insert into a values (1, 1) on conflict do nothing;\n");
        let report = verify(case, &["--release", "v1"], 1);
        let found = finding(&report, "roads", "v1");
        assert_eq!((found["code"].as_str(), found["changes"][0]["change"].as_str()), (Some("roads/release"), Some("new")));
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n bigint);\n");
        let report = verify(case, &["--release", "v1"], 1);
        assert_eq!(errors(&report), BTreeSet::from(["roads/release v1".to_owned()]));
        case.run(&["verify", "--release", "v9"]).exits(5).says("no revision `v9`");
    }

    fn the_scripts_of_two_branches_are_run_in_both_orders(case) {
        git(case, &["init", "-q", "-b", "main"]);
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n integer);\n\
            insert into a values (1, 1) on conflict do nothing;\n");
        commit(case, "one");
        git(case, &["checkout", "-q", "-b", "other"]);
        case.write("db/3_theirs.sql", "update a set n = 3;\n");
        commit(case, "theirs");
        git(case, &["checkout", "-q", "main"]);
        case.write("db/2_ours.sql", "create table if not exists ours (id integer);\n");
        let report = verify(case, &["--against", "other"], 0);
        assert_eq!(report["proofs"]["order"]["proven"], 1);
        // Which of ours it is, and which of theirs.
        case.write("db/4_ours.sql", "update a set n = 2;\n");
        case.write("db/5_ours.sql", "create index if not exists a_n on a (n);\n");
        let report = verify(case, &["--against", "other"], 1);
        assert_eq!(errors(&report), BTreeSet::from(["order/differs db/4_ours.sql".to_owned()]));
        let message = finding(&report, "order", "db/4_ours.sql")["message"].as_str().unwrap();
        assert!(message.contains("since db/3_theirs.sql of other"), "{message}");
        case.remove("db/4_ours.sql");
        case.remove("db/5_ours.sql");
        case.write("db/2_ours.sql", "alter table a rename to aa;\n");
        let report = verify(case, &["--against", "other"], 1);
        assert!(errors(&report).iter().any(|error| error.starts_with("order/fails db/3_theirs.sql:1")));
    }

    fn quick_proves_what_changed_since_the_main_branch(case) {
        git(case, &["init", "-q", "-b", "main"]);
        case.write("db/1_a.sql", "create table a (id integer);\n");
        case.write("db/2_b.sql", "create table if not exists b (id integer);\n");
        commit(case, "one");
        git(case, &["checkout", "-q", "-b", "work"]);
        let report = verify(case, &["--quick"], 0);
        assert!(report["proofs"].get("twice").is_none());
        case.write("db/3_c.sql", "create table c (id integer);\n");
        case.write("db/2_b.sql", "create table if not exists b (id integer, n integer);\n");
        let report = verify(case, &["--quick"], 1);
        assert_eq!(errors(&report), BTreeSet::from(["twice/fails db/3_c.sql:1".to_owned()]));
        assert_eq!(report["proofs"]["twice"]["scripts"], 2);
    }

    fn a_base_is_what_the_squashed_scripts_make(case) {
        git(case, &["init", "-q", "-b", "main"]);
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n integer default 7);\n");
        case.write("db/2_b.sql", "insert into a (id) values (1) on conflict do nothing;\n");
        case.write("db/3_c.sql", "create table if not exists c (id integer primary key);\n");
        // What a seed did not bring in yet when the scripts were squashed is no difference.
        case.write("seed/010_c.sql", "insert into c values (1) on conflict do nothing;\n");
        commit(case, "one");
        case.run(&["squash", "--to", "1"]).exits(0);
        commit(case, "squashed");
        let report = verify(case, &[], 0);
        assert_eq!(report["proofs"]["roads"]["proven"], 2, "the scripts are there yet");
        case.run(&["squash", "--to", "1", "--delete"]).exits(0);
        commit(case, "deleted");
        case.run(&["squash", "--to", "2", "--delete"]).exits(0);
        case.write("seed/010_c.sql", "insert into c values (2) on conflict do nothing;\n");
        commit(case, "again");
        let report = verify(case, &[], 0);
        assert_eq!(report["proofs"]["roads"]["proven"], 2, "the scripts come out of git, in two steps");

        // A base that says of itself that it is whole, and is not.
        let folder = format!("db/base/{}", case.pick("sqlite", "postgres"));
        let manifest = case.read(&format!("{folder}/manifest.toml"));
        let schema = manifest.lines().filter_map(|line| line.strip_prefix('"')?.split_once('"')).map(|(file, _)| file);
        let file = schema.filter(|file| file.ends_with(".sql"));
        let file = file.map(|file| format!("{folder}/{file}")).find(|file| case.read(file).contains("DEFAULT 7")
            || case.read(file).contains("default 7")).unwrap();
        let (before, text) = (case.read(&file), case.read(&file).replace("DEFAULT 7", "DEFAULT 8").replace("default 7", "default 8"));
        case.write(&file, &text);
        let sum = |text: &str| dbbuild::script::Checksum::of_bytes(text.as_bytes()).to_string();
        assert!(manifest.contains(&sum(&before)));
        case.write(&format!("{folder}/manifest.toml"), manifest.replace(&sum(&before), &sum(&text)));
        let report = verify(case, &[], 1);
        let found = finding(&report, "roads", &folder);
        assert_eq!((found["code"].as_str(), found["changes"][0]["name"].as_str()),
            (Some("roads/squashed"), Some(case.pick("a.n", "public.a.n"))));
    }

    fn a_script_that_switches_the_counters_off_proves_nothing_by_that(case) {
        case.write("db/1_a.sql", "create table if not exists a (n integer not null);\n");
        let off = case.pick("", "set track_counts = off;\n");
        case.write("db/2_b.sql", format!("{off}insert into a values (1);\n"));
        let report = verify(case, &[], 1);
        assert_eq!(errors(&report), BTreeSet::from([format!("twice/changes db/2_b.sql:{}", case.pick(1, 2))]));
    }

    fn a_second_run_is_told_apart_from_the_first_though_the_server_still_counts_that(case) {
        // Counters of rows outlive a transaction until the server hands them over.
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key, n integer not null);\n\
            insert into a values (1, 1), (2, 2) on conflict do nothing;\n");
        case.write("db/2_b.sql", "update a set n = 3 where id = 2;\n");
        case.write("db/3_c.sql", "delete from a where n = 3;\n");
        // As many rows as the first time, and others.
        case.write("db/4_d.sql", "update a set n = n + 1;\n");
        case.write("db/5_e.sql", "insert into a select max(id) + 1, 0 from a;\n");
        let report = verify(case, &[], 1);
        assert_eq!(errors(&report), BTreeSet::from(["db/4_d.sql:1", "db/5_e.sql:1"].map(|at| format!("twice/changes {at}"))));
    }
}

/// Without a private server, the target's own one serves only if nothing leads out of the database.
#[test]
fn nothing_that_leads_out_of_its_database_is_proven_beside_the_targets() {
    let Some(case) = Case::on_postgres() else { return };
    let verify = || {
        let mut command = case.program(&["verify", "--quick"]);
        // There is no folder for a private server.
        command.env("TMPDIR", "/nowhere");
        crate::support::Output::of(command)
    };
    git(&case, &["init", "-q", "-b", "main"]);
    case.write("README", "");
    commit(&case, "none");
    case.write("db/1_a.sql", "create table if not exists a (id integer);\n");
    verify().exits(0);
    case.write("db/1_a.down.sql", "do $$ begin execute 'alter database shop reset all'; end $$;\n");
    verify().exits(5).says("it could do harm: db/1_a.down.sql: alter database");
    case.remove("db/1_a.down.sql");
    case.write("db/2_b.sql", "do $$ begin execute 'alter database shop set work_mem = 1'; end $$;\n");
    verify().exits(5).says("it could do harm: db/2_b.sql:1: alter database");
}
