//! A failure leaves a valid prefix of the scripts and says what, where and what to do; a refusal leaves nothing.

cases! {
    fn a_script_that_takes_its_own_entry_out_of_the_journal_is_undone(case) {
        let delete = format!("create table gone (id integer);\ndelete from {};\n", case.journal_table("journal"));
        case.two_scripts();
        case.build();
        for head in ["", "-- dbbuild: no-transaction\n"] {
            case.write("db/3_delete.sql", format!("{head}{delete}"));
            case.run(&[]).exits(4).says("took its entry out of the journal").says("db/3_delete.sql:");
            assert_eq!(case.applied(), "1 2");
            case.run(&["status"]).exits(0).says("version 2");
        }
    }

    fn a_statement_that_fails_in_mid_script_keeps_nothing_of_it(case) {
        case.two_scripts();
        let text = "create table if not exists before (id integer);\n\ninsert into custmer (id)\nvalues (1);\n";
        case.write("db/0003_bad.sql", text);
        case.write("db/0004_after.sql", "create table if not exists after (id integer);\n");
        let output = case.run(&[]).exits(4);
        let output = output.says("0002_create_item").says("custmer").says("db/0003_bad.sql:3:13");
        let output = output.says("3 | insert into custmer (id)\n").says("|             ^^^^^^^");
        output.says("nothing of it was kept").says("mend it and run `dbbuild` again").says(case.pick("error[sql/", "error[sql/42P01]"));
        assert_eq!(case.tables(), "customer item");
        assert_eq!(case.journal(), "1 1 applied 1\n2 1 applied 1");
        case.write("db/0003_bad.sql", text.replace("custmer (id)", "customer (id, name)").replace("(1)", "(1, 'Ada')"));
        case.build().says("version 4 · 2 steps");
        assert_eq!(case.tables(), "after before customer item");
        assert_eq!(case.ask("select name from customer"), "Ada");
    }

    fn a_failure_on_a_fresh_database_keeps_the_scripts_before_it(case) {
        case.two_scripts();
        case.write("db/0003_bad.sql", "insert into customer values (1, 'Ada');\ninsert into customer values (1, 'Ada');\n");
        case.run(&[]).exits(4).says("db/0003_bad.sql:2:").says("0001_create_customer").says("0002_create_item");
        assert_eq!(case.journal(), "1 1 applied 1\n2 1 applied 1");
        assert_eq!(case.ask("select count(*) from customer"), "0");
    }

    fn a_code_object_and_a_seed_that_fail_exit_with_4(case) {
        case.two_scripts();
        case.write("db/code/bad.sql", "create view bad as select nothing from customer;\n");
        case.run(&[]).exits(4).says("db/code/bad.sql:1:").says("nothing");
        case.remove("db/code/bad.sql");
        case.write("seed/010_bad.sql", "insert into customer (id, nome) values (1, 'Ada');\n");
        case.run(&[]).exits(4).says("seed/010_bad.sql:1:").says("nome");
        assert_eq!(case.applied(), "1 2");
    }

    fn a_scripts_own_commit_is_refused_before_anything_runs(case) {
        case.two_scripts();
        for (number, text) in [
            "create table if not exists a (id integer);\ncommit;\ncreate table if not exists b (id integer);\n",
            "begin;\ncreate table if not exists a (id integer);\n",
            "create table if not exists a (id integer);\nrollback;\n",
            "begin;\ncreate table if not exists a (id integer);\nrollback;\n",
        ].into_iter().enumerate() {
            case.write("db/0003_own.sql", text);
            case.run(&[]).exits(3).says("error[script/own-transaction]").says("db/0003_own.sql:");
            assert_eq!(case.content(), case.pick("no database", ""), "case {number} changed something");
        }
        // A step out of a runner's transaction for good, said twice.
        let out = "create table if not exists a (id integer);\ncommit;\ncreate table if not exists b (id integer); commit;\n";
        case.write("db/0003_own.sql", format!("-- dbbuild: no-transaction\n{out}create table if not exists c (id integer);\n"));
        case.run(&[]).exits(0);
        assert_eq!(case.ask("select count(*) from a, b, c"), "0");
    }

    fn one_pair_of_begin_and_commit_around_a_script_is_the_tools_own(case) {
        case.write("db/1_pair.sql", "BEGIN;\ncreate table if not exists a (id integer);\ninsert into a values (1);\nCOMMIT;\n");
        let rows = "insert into a values (2);\ninsert into a values (3);\n";
        let (off, on) = case.pick(("PRAGMA foreign_keys=off;\n", "PRAGMA foreign_keys=on;\n"), ("", ""));
        case.write("db/2_out.sql", format!("commit;\n{off}begin;\n{rows}commit;\n{on}begin;\n"));
        case.write("db/3_bad.sql", "begin transaction;\ninsert into a values (4);\ninsert into nowhere values (1);\ncommit;\n");
        case.run(&[]).exits(4).says("db/3_bad.sql:3:13");
        assert_eq!(case.applied(), "1 2");
        assert_eq!(case.ask("select count(*) from a"), "3");
    }

    fn what_refuses_a_transaction_is_told_before_anything_runs(case) {
        case.two_scripts();
        case.write("db/0003_vacuum.sql", "create table if not exists a (id integer);\nvacuum;\n");
        let output = case.run(&[]).exits(3).says("error[script/needs-no-transaction]").says("db/0003_vacuum.sql:2:1");
        output.says("no-transaction");
        assert_eq!(case.content(), case.pick("no database", ""));
    }

    fn every_fault_of_every_file_is_told_at_once(case) {
        case.write("db/1_a.sql", "select 'open;\n");
        case.write("db/2_b.sql", "select 1;\ncommit;\n");
        case.run(&[]).exits(3).says("db/1_a.sql:1:8").says("db/2_b.sql:2:1");
    }

    fn wrong_usage_and_wrong_settings_exit_with_2(case) {
        case.run(&["--no-such-flag"]).exits(2);
        case.run(&["--target", "nowhere"]).exits(2).says("nowhere").says("dev");
        case.run(&["--to", "x"]).exits(2);
        case.settings("unknown-key = true\n");
        case.run(&[]).exits(2).says("dbbuild.toml:").says("unknown-key");
        case.run(&["--url", "mysql://localhost/x"]).exits(2);
    }

    fn what_cannot_be_reached_exits_with_5(case) {
        case.two_scripts();
        let url = case.pick("sqlite:no/such/folder/x.db", "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=3");
        case.run(&["--url", url]).exits(5);
        if !case.is_sqlite() {
            case.run(&["wait", "--timeout", "0", "--url", url]).exits(5);
        }
    }

    fn a_failed_build_goes_on_where_it_stopped(case) {
        for number in 1..=20 {
            let text = if number % 7 == 0 { "select * from not_yet;\n".to_owned() } else {
                format!("create table if not exists t{number} (id integer);\ninsert into t{number} values ({number});\n")
            };
            case.write(&format!("db/{number}_s.sql"), text);
        }
        let applied = |count: usize| (1..=count).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        case.run(&[]).exits(4).says("db/7_s.sql:1:15");
        assert_eq!(case.applied(), applied(6));
        case.write("db/7_s.sql", "select 1;\n");
        case.run(&[]).exits(4).says("db/14_s.sql");
        assert_eq!(case.applied(), applied(13));
        case.write("db/14_s.sql", "");
        case.build();
        assert_eq!(case.applied(), applied(20));
        assert_eq!(case.ask("select count(*) from t20"), "1");
    }
}
