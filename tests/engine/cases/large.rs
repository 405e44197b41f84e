//! Baselines of many rows and many tables: in a stream, and within a server's default locks.

use std::collections::HashSet;

use crate::support::Case;

/// Peak memory of the program itself, in MB. What `time` says is that of its largest child, which may be a server.
#[cfg(target_os = "linux")]
fn peak(mut child: std::process::Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(now.unwrap_or_default() / 1_000);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(child.wait().unwrap().success());
    peak
}

/// A table whose rows have the time of their build in them.
fn rows(case: &Case, count: u32, text: &str) {
    case.write("db/1_big.sql", case.pick(
        "create table if not exists big (id integer primary key, text text not null, at text);\n",
        "create table if not exists big (id integer primary key, text text not null, at timestamptz default now());\n",
    ));
    let insert = case.pick(
        format!("with recursive n (i) as (select 1 union all select i + 1 from n where i < {count})\ninsert into big select i, {text}, strftime('%Y-%m-%d %H:%M:%f', 'now') from n;\n"),
        format!("insert into big (id, text) select i, {text} from generate_series(1, {count}) i;\n"),
    );
    case.write("db/2_rows.sql", insert);
}

cases! {
    fn values_that_change_are_kept_in_tables_that_are_not_held_in_memory(case) {
        rows(case, 150, case.pick("i || replace(hex(zeroblob(6000)), '00', 'it''s')", "i || repeat('it''s', 8000)"));
        case.run(&["baseline"]).exits(0).says("big: at is another value each time");
        let file = case.pick("baseline/sqlite/data/big.sql", "baseline/postgres/data/public.big.copy");
        let before = case.read(file);
        assert!(before.len() > 4 << 20, "{}", before.len());
        case.write("db/3_more.sql", "delete from big where id = 7;\ninsert into big (id, text) values (1000, 'new');\n");
        case.run(&["baseline"]).exits(0).says("149 rows keep what is committed");
        let after = case.read(file);
        let there: HashSet<&str> = after.lines().collect();
        let common = before.lines().filter(|line| there.contains(line)).count();
        assert_eq!(common, before.lines().count() - 1);
    }
}

#[cfg(target_os = "linux")]
fn a_million_rows(case: &Case) {
    rows(case, 1_000_000, case.pick("hex(i * 7919)", "md5(i::text)"));
    let first = peak(case.spawn(&["baseline"]));
    case.write("db/3_more.sql", "insert into big (id, text) values (2000000, 'new');\n");
    let again = peak(case.spawn(&["baseline"]));
    let loaded = peak(case.spawn(&["build"]));
    assert_eq!(case.ask("select count(*) from big"), "1000001");
    eprintln!("MB: written {first}, with committed values {again}, loaded {loaded}");
    assert!(first < 64 && again < 64 && loaded < 64, "{first} {again} {loaded}");
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "takes minutes: `cargo nextest run --test engine --run-ignored only a_million_rows`"]
fn a_million_rows_are_written_and_loaded_in_a_stream_on_sqlite() {
    a_million_rows(&Case::on_sqlite());
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "takes minutes: `cargo nextest run --test engine --run-ignored only a_million_rows`"]
fn a_million_rows_are_written_and_loaded_in_a_stream_on_postgres() {
    if let Some(case) = Case::on_postgres() {
        a_million_rows(&case);
    }
}

/// On a server with default settings one transaction can have some 6,400 locks; this takes five times as many.
#[test]
#[ignore = "takes minutes: `cargo nextest run --test engine --run-ignored only five_thousand_tables`, with DBBUILD_TEST_POSTGRES naming a server with default settings"]
fn five_thousand_tables_with_three_indexes_each_are_dumped_and_loaded() {
    let Some(case) = Case::on_postgres() else { return };
    let other = Case::on_postgres().unwrap();
    case.settings(&format!(
        "baseline = true\n[targets.other]\nurl = \"{}\"\nenvironment = \"development\"\n",
        other.url()
    ));
    for script in 1..=50 {
        let table = |n: u32| {
            format!(
                "create table t{script}_{n} (id bigint primary key, a text, b integer);\n\
                 create index t{script}_{n}_a on t{script}_{n} (a);\ncreate index t{script}_{n}_b on t{script}_{n} (b);\n"
            )
        };
        case.write(&format!("db/{script}_tables.sql"), (0..100).map(table).collect::<String>());
    }
    eprintln!("max_locks_per_transaction is {}", case.ask("show max_locks_per_transaction"));
    case.build().says("baseline/postgres");
    case.run(&["dump", "--output", "dump.sql"]).exits(0);
    case.run(&["--target", "other"]).exits(0).says("  load ");
    case.run(&["drift", "--strict", "--target", "other"]).exits(0).says("no drift");
    assert_eq!(other.ask("select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid and c.relnamespace = 'public'::regnamespace"), "15000");
}
