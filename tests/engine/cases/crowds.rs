//! Many builders, killed builders, interrupted builders: exactly once, or safe again.

use std::time::Duration;

use crate::support::{Case, Home, Output, signal};

/// Writes scripts that each leave exactly one row if they ran exactly once.
fn countable(case: &Case, scripts: usize) {
    case.write("db/0_ran.sql", "create table ran (script integer);\n");
    for number in 1..=scripts {
        let text = format!("create table t{number} (id integer);\ninsert into ran values ({number});\n");
        case.write(&format!("db/{number}_s.sql"), text);
    }
}

fn exactly_once(case: &Case, scripts: usize) {
    assert_eq!(case.ask("select count(*), count(distinct script) from ran"), format!("{scripts}|{scripts}"));
    let journal = case.journal_table("journal");
    let counted = case.ask(&format!("select count(*), count(distinct key) from {journal} where state = 'applied'"));
    assert_eq!(counted, format!("{0}|{0}", scripts + 1));
}

cases! {
    fn thirty_two_builders_at_once_build_once(case) {
        countable(case, 5);
        let builders: Vec<_> = (0..32).map(|_| case.spawn(&[])).collect();
        for builder in builders {
            let output = Output::from(builder.wait_with_output().unwrap()).exits(0);
            assert_eq!(output.stdout.lines().last().map(|line| line.contains("version 5")), Some(true), "{output}");
        }
        exactly_once(case, 5);
    }

    fn a_killed_builder_leaves_a_prefix_and_the_next_one_converges(case) {
        const SCRIPTS: usize = 40;
        countable(case, SCRIPTS);
        for script in ["10", "20", "30"] {
            let text = format!("-- dbbuild: no-transaction\ncreate table n{script} (id integer);\ninsert into n{script} values (1);\ninsert into ran values ({script});\n");
            case.write(&format!("db/{script}_s.sql"), text);
        }
        for _ in 0..12 {
            let mut builder = case.spawn(&[]);
            std::thread::sleep(Duration::from_millis(fastrand::u64(1..120)));
            builder.kill().ok();
            builder.wait().unwrap();
        }
        case.build();
        exactly_once(case, SCRIPTS);
        assert_eq!(case.ask("select count(*) from n20"), "1");
    }

    fn a_builder_killed_in_the_middle_of_a_script_leaves_nothing_of_it(case) {
        case.write("db/1_a.sql", "create table a (id integer);\n");
        case.write("db/2_long.sql", case.pick(
            "create table b (x text);
insert into b with recursive n (x) as (select 1 union all select x + 1 from n) select hex(randomblob(500)) from n;\n",
            // Before 14 a server does not notice that its client is gone until it has an answer for it.
            if !case.is_sqlite() && case.major() < 14 {
                "create table b (id integer);\nselect pg_sleep(15);\n"
            } else {
                "create table b (id integer);\nselect pg_sleep(120);\n"
            },
        ));
        let mut builder = case.spawn(&[]);
        match &case.home {
            // So much was written that SQLite's journal is needed to take it back.
            Home::Sqlite(file) => while std::fs::metadata(&file.0).map_or(0, |file| file.len()) < 20_000_000 {
                std::thread::sleep(Duration::from_millis(20));
            },
            Home::Postgres(_) => std::thread::sleep(Duration::from_millis(1500)),
        }
        builder.kill().unwrap();
        builder.wait().unwrap();
        assert!(!case.is_sqlite() || case.path("shop.db-journal").exists());
        case.write("db/2_long.sql", "create table b (id integer);\n");
        let started = std::time::Instant::now();
        let output = case.build();
        assert!(started.elapsed() < Duration::from_secs(60), "{output}");
        assert_eq!(case.tables(), "a b");
        assert_eq!(case.applied(), "1 2");
    }

    fn an_interrupted_build_rolls_back_and_exits_with_130(case) {
        case.write("db/1_a.sql", "create table a (id integer);\n");
        case.write("db/2_long.sql", case.pick(
            "create table b as with recursive n (x) as (select 1 union all select x + 1 from n) select max(x) from n;\n",
            "create table b (id integer);\nselect pg_sleep(60);\n",
        ));
        let started = std::time::Instant::now();
        let builder = case.spawn(&["build", "--from-scripts"]);
        std::thread::sleep(Duration::from_millis(1500));
        signal(&builder, "INT");
        let output = Output::from(builder.wait_with_output().unwrap()).exits(130).says("interrupted");
        assert!(started.elapsed() < Duration::from_secs(20), "{output}");
        let there = case.tables();
        assert!(there.is_empty() || there == "a", "{there}");
        case.write("db/2_long.sql", "create table b (id integer);\n");
        case.build();
        assert_eq!(case.tables(), "a b");
        assert_eq!(case.applied(), "1 2");
    }

    fn an_interrupted_build_ends_its_events(case) {
        case.write("db/1_long.sql", case.pick(
            "create table b as with recursive n (x) as (select 1 union all select x + 1 from n) select max(x) from n;\n",
            "create table b (id integer);\nselect pg_sleep(60);\n",
        ));
        let builder = case.spawn(&["--format", "json"]);
        std::thread::sleep(Duration::from_millis(1500));
        signal(&builder, "INT");
        let output = Output::from(builder.wait_with_output().unwrap()).exits(130);
        assert_eq!(output.events().last().unwrap()["exit_code"], 130);
    }

    fn a_builder_that_waits_says_for_whom_and_gives_up_after_its_limit(case) {
        case.settings("lock-wait = \"1s\"\n");
        case.write("db/1_a.sql", case.pick(
            "create table b as with recursive n (x) as (select 1 union all select x + 1 from n) select max(x) from n;\n",
            "create table b (id integer);\nselect pg_sleep(60);\n",
        ));
        let mut first = case.spawn(&[]);
        std::thread::sleep(Duration::from_millis(1500));
        let output = case.run(&[]);
        signal(&first, "INT");
        first.wait().unwrap();
        output.exits(5).says("waiting for the build lock").says("error[engine/locked]");
    }
}
