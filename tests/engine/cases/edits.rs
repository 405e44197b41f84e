//! Edits of applied scripts: run again and kept where the result is proven to be a fresh build's, refused with names
//! where it is not, the target untouched; accepted where both texts make the same.

use crate::support::Case;

/// An edit of the second script: the old text, the new one, whether running it again is kept, whether it is accepted.
type Edit = (&'static str, &'static str, bool, bool);

const T: &str = "create table if not exists t (id integer primary key, a text);\n";

const EDITS: [Edit; 30] = [
    // Guarded additions are made by running again.
    (
        T,
        "create table if not exists t (id integer primary key, a text);\ncreate table if not exists u (id integer);\n",
        true,
        false,
    ),
    (
        T,
        "create table if not exists t (id integer primary key, a text);\ncreate index if not exists t_a on t (a);\n",
        true,
        false,
    ),
    (
        T,
        "create table if not exists t (id integer primary key, a text);\ncreate unique index if not exists t_a on t (a);\n",
        true,
        false,
    ),
    (
        T,
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'x') on conflict (id) do nothing;\n",
        true,
        false,
    ),
    (
        T,
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'x') on conflict (id) do update set a = excluded.a;\n",
        true,
        false,
    ),
    (
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'x') on conflict (id) do update set a = excluded.a;\n",
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'y') on conflict (id) do update set a = excluded.a;\n",
        true,
        false,
    ),
    (
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'x') on conflict (id) do nothing;\n",
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'x') on conflict (id) do nothing;\ninsert into t values (2, 'y') on conflict (id) do nothing;\n",
        true,
        false,
    ),
    (
        T,
        "create table if not exists t (id integer primary key, a text);\n-- dbbuild: unless column t.b\nalter table t add column b text;\n",
        true,
        false,
    ),
    (T, "create table if not exists t (id integer primary key, a text);\ndrop index if exists nowhere;\n", true, true),
    (T, "drop table if exists u;\ncreate table if not exists t (id integer primary key, a text);\n", true, true),
    // A guard that lies: the old table stays.
    (T, "create table if not exists t (id integer primary key, a text, b text);\n", false, false),
    (T, "create table if not exists t (id integer primary key);\n", false, false),
    (T, "create table if not exists t (id integer primary key, a text not null);\n", false, false),
    (T, "create table if not exists t (id integer primary key, a text default 'x');\n", false, false),
    (T, "create table if not exists t (id integer primary key, a integer);\n", false, false),
    (
        T,
        "create table if not exists t (id integer primary key, a text, constraint t_a check (a <> ''));\n",
        false,
        false,
    ),
    (T, "create table if not exists t (id integer primary key, a text unique);\n", false, false),
    // What is taken out of a text stays in the database.
    (
        "create table if not exists t (id integer);\ncreate table if not exists u (id integer);\n",
        "create table if not exists t (id integer);\n",
        false,
        false,
    ),
    (
        "create table if not exists t (id integer);\ncreate index if not exists t_id on t (id);\n",
        "create table if not exists t (id integer);\n",
        false,
        false,
    ),
    (
        "create table if not exists t (id integer);\ncreate table if not exists u (id integer);\n",
        "create table if not exists t (id integer);\ndrop table if exists u;\n",
        true,
        false,
    ),
    (
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'x') on conflict (id) do nothing;\n",
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (2, 'x') on conflict (id) do nothing;\n",
        false,
        false,
    ),
    (
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'x') on conflict (id) do nothing;\n",
        "create table if not exists t (id integer primary key, a text);\n",
        false,
        false,
    ),
    (
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'x') on conflict (id) do nothing;\n",
        "create table if not exists t (id integer primary key, a text);\ninsert into t values (1, 'y') on conflict (id) do nothing;\n",
        false,
        false,
    ),
    // Without a guard a second run fails.
    ("create table t (id integer);\n", "create table t (id integer);\ncreate table u (id integer);\n", false, false),
    (
        "create table t (id integer primary key, a text);\n",
        "create table t (id integer primary key, a text);\ninsert into t values (1, 'x');\n",
        false,
        false,
    ),
    // Another spelling of the same: accepted; run again where that does no harm.
    ("create table t (id integer);\n", "create table if not exists t (id integer);\n", true, true),
    (
        "create table t (id integer);\ncreate index t_id on t (id);\n",
        "create table if not exists t (id integer);\ncreate index if not exists t_id on t (id);\n",
        true,
        true,
    ),
    (
        "create table t (id integer);\ninsert into t values (1);\n",
        "create table t (id integer);\ninsert into t (id) values (1);\n",
        false,
        true,
    ),
    (
        "create table t (id integer, a text);\n",
        "create table t (id integer);\nalter table t add column a text;\n",
        false,
        true,
    ),
    (
        "create table if not exists t (id integer primary key, at text);\ninsert into t values (1, 'x') on conflict (id) do nothing;\n",
        "create table if not exists t (id integer primary key, at text);\ninsert into t values (1, 'x') on conflict do nothing;\n",
        true,
        true,
    ),
];

fn judge(case: &Case, edits: impl Iterator<Item = (usize, &'static Edit)>) {
    case.write("db/1_first.sql", "create table if not exists first (id integer primary key);\ninsert into first values (1) on conflict (id) do nothing;\n");
    case.write("db/3_third.sql", "create table if not exists third (id integer);\n");
    for (number, (old, new, again, accepted)) in edits {
        let fresh = || {
            case.write("db/2_second.sql", old);
            if number > 0 {
                case.run(&["reset", "--yes"]);
            }
            case.build();
            case.write("db/2_second.sql", new);
        };
        fresh();
        if *accepted {
            case.run(&["accept", "2"]).exits(0).says("db/2_second.sql");
            let table = case.journal_table("journal");
            assert_eq!(
                case.ask(&format!("select count(distinct text) from {table} where key = '2'")),
                "2",
                "{number}: {new}"
            );
            case.build().says("nothing to do");
            fresh();
        } else {
            let output = case.unchanged(|| case.run(&["accept", "2"]).exits(3));
            output.says("accept/unproven").says("--unproven");
        }
        if *again {
            let output = case.run(&[]);
            assert_eq!(output.code, Some(0), "{number}: {new}\n{output}");
            output.says("proven");
            case.run(&["drift", "--strict"]).exits(0);
            case.build().says("nothing to do");
        } else {
            let output = case.unchanged(|| case.run(&[]));
            assert_eq!(output.code, Some(3), "{number}: {new}\n{output}");
            output.says("journal/altered").says("run again here").says("dbbuild reset").says("dbbuild accept");
        }
    }
}

#[test]
fn thirty_edits_on_sqlite() {
    judge(&Case::on_sqlite(), EDITS.iter().enumerate());
}

/// Each edit takes four builds in scratch databases.
#[test]
fn some_of_thirty_edits_on_postgres() {
    if let Some(case) = Case::on_postgres() {
        judge(&case, EDITS.iter().enumerate().step_by(5));
    }
}

#[test]
#[ignore = "takes minutes: `cargo nextest run --run-ignored only`"]
fn thirty_edits_on_postgres() {
    if let Some(case) = Case::on_postgres() {
        judge(&case, EDITS.iter().enumerate());
    }
}

cases! {
    fn a_protected_target_runs_nothing_again(case) {
        case.write("db/1_t.sql", T);
        case.build();
        case.run(&["mark", "production", "--protected", "--url", &case.url()]).exits(0);
        case.settings("environment = \"production\"\nprotected = true\n");
        case.write("db/1_t.sql", format!("{T}create table if not exists u (id integer);\n"));
        case.unchanged(|| case.run(&[]).exits(3).says("journal/altered").does_not_say("run again here"));
    }

    fn a_script_without_transaction_is_never_run_again(case) {
        let text = "-- dbbuild: no-transaction\ncreate table if not exists t (id integer);\n";
        case.write("db/1_t.sql", text);
        case.build();
        case.write("db/1_t.sql", format!("{text}create table if not exists u (id integer);\n"));
        case.unchanged(|| case.run(&[]).exits(3).says("not run again for a proof"));
    }

    fn ranges_are_accepted_and_belief_needs_a_word(case) {
        for version in 1..=4 {
            case.write(&format!("db/{version}_t.sql"), format!("create table t{version} (id integer);\n"));
        }
        case.build();
        for version in 2..=4 {
            case.write(&format!("db/{version}_t.sql"), format!("create table if not exists t{version} (id integer);\n"));
        }
        case.run(&["accept", "1"]).exits(3).says("accept/not-altered");
        case.run(&["accept", "4..2"]).exits(2);
        case.run(&["accept", "2..3"]).exits(0).says("db/2_t.sql").says("db/3_t.sql").does_not_say("db/4_t.sql");
        case.write("db/4_t.sql", "create table if not exists another (id integer);\n");
        case.unchanged(|| case.run(&["accept", "4"]).exits(3).says("another"));
        let document = case.run(&["accept", "4", "--unproven", "--format", "json"]).exits(0).document();
        assert_eq!(document["proven"], false);
        case.build().says("nothing to do");
    }

    fn values_that_change_with_each_build_prove_nothing(case) {
        let now = case.pick("strftime('%f', 'now')", "clock_timestamp()::text");
        let text = |more: &str| format!(
            "create table if not exists t (id integer primary key, at text);\ninsert into t values (1, {now}) on conflict (id) do nothing;\n{more}");
        case.write("db/1_t.sql", text(""));
        case.build();
        case.write("db/1_t.sql", text("create table if not exists u (id integer);\n"));
        case.build().says("proven");
        assert_ne!(case.ask("select count(*) from u"), "");
        case.write("db/1_t.sql", text("create table if not exists u (id integer);\ndrop table if exists nowhere;\n"));
        case.run(&["accept", "1"]).exits(0);
    }

    fn rows_that_are_somebodys_are_never_changed_lost_or_doubled(case) {
        let t = "create table if not exists t (id integer primary key, a text);\n";
        let u = "create table if not exists u (a text);\n";
        let mine = "insert into t values (7, 'mine')";
        let seed = "insert into t values (1, 'x') on conflict (id) do nothing;\n";
        let counted = case.pick(
            "create table if not exists t (id integer primary key autoincrement, a text);\n",
            "create table if not exists t (id integer generated by default as identity primary key, a text);\n");
        let back = case.pick("delete from sqlite_sequence;\n", "alter table t alter column id restart with 1;\n");
        let edits: Vec<(String, &str, String)> = vec![
            (t.into(), mine, format!("{t}delete from t;\n")),
            (t.into(), mine, format!("{t}delete from t where id > 5;\n")),
            (t.into(), mine, format!("{t}update t set a = upper(a);\n")),
            (t.into(), mine, format!("drop table if exists t;\n{t}")),
            (t.into(), mine, format!("{t}{}", case.pick("delete from t where 1;\n", "truncate t;\n"))),
            (t.into(), mine, "drop table if exists t;\n".into()),
            (format!("{t}{u}"), "insert into t values (7, 'mine'); insert into u select a from t",
                format!("{t}{u}insert into u select a from t;\n")),
            // A row that a text brought, and somebody changed.
            (format!("{t}{seed}"), "update t set a = 'mine'", format!("{t}{}", seed.replace("nothing", "update set a = excluded.a"))),
            (format!("{t}{seed}"), "update t set a = 'mine'", format!("{t}delete from t where id = 1;\n")),
            (format!("{t}{seed}"), mine, format!("{t}{seed}delete from t where id <> 1;\n")),
            (format!("{t}{seed}{u}"), "insert into u values ('mine')", format!("{t}{seed}{u}delete from u;\n")),
            // Rows that follow others.
            (format!("{t}{seed}create table if not exists c (t integer references t (id) on delete cascade);\n"),
                "insert into c values (1)",
                format!("{t}create table if not exists c (t integer references t (id) on delete cascade);\ndelete from t where id = 1;\n")),
            // Columns with values, and numbers that were given.
            (t.into(), mine, "create table if not exists t (id integer primary key, a text);\n-- dbbuild: if column t.a\nalter table t drop column a;\n".into()),
            (counted.into(), "insert into t (a) values ('mine'); delete from t", format!("{counted}{back}")),
        ];
        for (number, (old, rows, new)) in edits.iter().enumerate() {
            case.run(&["reset", "--yes"]);
            case.write("db/1_t.sql", old);
            case.build();
            case.execute(rows);
            case.write("db/1_t.sql", new);
            let output = case.unchanged(|| case.run(&[]));
            assert_eq!(output.code, Some(3), "{number}: {new}\n{output}");
            output.says("journal/altered").says("run again here");
        }
    }

    fn rows_that_are_somebodys_do_not_hinder_what_leaves_them_alone(case) {
        let t = "create table if not exists t (id integer primary key, a text);\n";
        let seed = |value: &str| format!("insert into t values (1, '{value}') on conflict (id) do update set a = excluded.a;\n");
        case.write("db/1_t.sql", format!("{t}{}", seed("x")));
        case.build();
        case.execute("insert into t values (7, 'mine'), (8, null)");
        let more = "create table if not exists u (id integer);\n-- dbbuild: unless column t.b\nalter table t add column b text default 'b';\n";
        case.write("db/1_t.sql", format!("{t}{}{more}", seed("y").replace("insert into t values", "insert into t (id, a) values")));
        case.build().says("proven");
        assert_eq!(case.ask("select id, coalesce(a, '-'), b from t order by id"), "1|y|b\n7|mine|b\n8|-|b");
    }

    fn an_object_that_is_somebodys_is_never_dropped_for_a_proof(case) {
        let t = "create table if not exists t (id integer primary key, a text);\n";
        case.write("db/1_t.sql", t);
        case.build();
        case.execute(&format!("create view {}mine as select a from t", case.pick("", "public.")));
        let cascade = case.pick("", " cascade");
        case.write("db/1_t.sql", format!("drop view if exists mine;\ndrop table if exists t{cascade};\n{t}"));
        case.unchanged(|| case.run(&[]).exits(3).says("mine"));
    }
}

#[test]
fn a_sequence_is_not_set_for_a_proof_on_postgres() {
    let Some(case) = Case::on_postgres() else { return };
    let t = "create table if not exists t (id serial primary key);\n";
    let back = "create or replace function back() returns bigint language plpgsql as $$ begin return setval('t_id_seq', 1); end $$;\n";
    case.write("db/0_back.sql", back);
    case.write("db/1_t.sql", t);
    case.build();
    case.execute("insert into t default values; insert into t default values");
    case.write("db/1_t.sql", format!("{t}select setval('t_id_seq', 1);\n"));
    case.unchanged(|| case.run(&[]).exits(3).says("setval"));
    assert_eq!(case.ask("select last_value from t_id_seq"), "2");
    // No text tells that this sets one; it is seen afterwards, and put back.
    case.write("db/1_t.sql", format!("{t}select back();\n"));
    case.unchanged(|| case.run(&[]).exits(3).says("t_id_seq counts from a number that it gave before"));
    assert_eq!(case.ask("select nextval('t_id_seq')"), "3");
    // What moves on by itself is not left further on either.
    case.write("db/1_t.sql", format!("{t}insert into t default values;\ninsert into t select nextval('t_id_seq');\n"));
    case.unchanged(|| case.run(&[]).exits(3).says("would not be what a fresh build makes"));
    assert_eq!(case.ask("select last_value, is_called from t_id_seq"), "3|t");
}

#[test]
fn a_row_that_another_session_writes_meanwhile_is_not_lost_on_postgres() {
    let Some(case) = Case::on_postgres() else { return };
    let t = "create table if not exists t (id integer);\n";
    case.write("db/1_t.sql", t);
    case.build();
    case.write("db/1_t.sql", format!("{t}select pg_sleep(0.7);\ndelete from t;\n"));
    let build = case.spawn(&[]);
    let runs = format!(
        "select count(*) from pg_stat_activity where datname = '{}' and query like '%pg_sleep%' and pid <> pg_backend_pid()",
        case.database()
    );
    while case.ask(&runs) == "0" {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    case.execute("insert into t values (1)");
    crate::support::Output::from(build.wait_with_output().unwrap()).exits(0).says("proven");
    assert_eq!(case.ask("select count(*) from t"), "1");
}
