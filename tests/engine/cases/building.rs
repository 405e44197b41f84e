//! One command after a pull: only what is missing runs, and with nothing to do nothing is written.

cases! {
    fn a_fresh_build_runs_every_script_in_order(case) {
        case.two_scripts();
        case.write("db/0010_ten.sql", "create table if not exists ten (id integer);\n");
        case.write("db/0009_nine.sql", "create table if not exists nine (id integer);\n");
        case.build().says("apply     0001_create_customer").says("version 10 · 4 steps");
        assert_eq!(case.tables(), "customer item nine ten");
        assert_eq!(case.journal(), "1 1 applied 1\n2 1 applied 1\n9 1 applied 1\n10 1 applied 1");
    }

    fn an_entry_holds_what_the_contract_says(case) {
        case.write("db/0001_create_customer.sql", crate::support::CUSTOMER);
        case.build();
        let journal = case.journal_table("journal");
        let entry = case.ask(&format!(
            "select project, kind, key, attempt, name, state, statements, text, tool_version, error from {journal}"
        ));
        let text = crate::support::CUSTOMER;
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(entry, format!("shop|script|1|1|create_customer|applied|1|{text}|{version}|"));
        let checksums = case.ask(&format!("select checksum, token_checksum from {journal}"));
        let digest = blake3::hash(text.as_bytes()).to_hex();
        assert!(checksums.starts_with(&format!("blake3-lf-1:{digest}|blake3-tokens-1:")), "{checksums}");
        let times = case.ask(&format!(
            "select finished_at >= started_at, duration_ms >= 0, run <> '' from {journal}"
        ));
        assert_eq!(times, case.pick("1|1|1", "t|t|t"));
        let version = case.ask(&format!("select project, version, name from {}", case.journal_table("version")));
        assert_eq!(version, "shop|1|create_customer");
    }

    fn with_nothing_to_do_nothing_is_written(case) {
        case.two_scripts();
        case.build();
        let (bytes, times) = (case.bytes(), case.times());
        case.unchanged(|| {
            let output = case.build().says("version 2 · nothing to do");
            assert_eq!(output.stdout.lines().count(), 1, "{output}");
            assert_eq!(output.stderr, "");
        });
        assert_eq!((case.bytes(), case.times()), (bytes, times));
    }

    fn a_pull_runs_only_what_it_brought(case) {
        case.write("db/0001_create_customer.sql", crate::support::CUSTOMER);
        case.build();
        case.write("db/0002_create_item.sql", crate::support::ITEM);
        case.build().says("0002_create_item").does_not_say("0001_create_customer").says("version 2 · 1 step");
        assert_eq!(case.applied(), "1 2");
    }

    fn to_stops_behind_a_version_and_leaves_seeds_alone(case) {
        case.two_scripts();
        case.write("seed/010_customer.sql", "insert into customer values (1, 'Ada') on conflict do nothing;\n");
        let other = case.pick("db/0005_other.postgres.sql", "db/0005_other.sqlite.sql");
        case.write(other, "this is no sql at all;\n");
        case.run(&["--to", "3"]).exits(3).says("error[plan/no-version]").says("`--to 2` or `--to 5`");
        case.run(&["plan", "--to", "6"]).exits(3).says("the newest one is 5");
        case.run(&["plan", "--sql", "--from", "4"]).exits(3).says("`--from 2` or `--from 5`");
        case.run(&["plan", "--sql", "--from", "2", "--to", "1"]).exits(3).says("error[plan/backwards]");
        case.run(&["build", "--to", "1"]).exits(0).says("version 1 · 1 step");
        assert_eq!(case.tables(), "customer");
        assert_eq!(case.ask("select count(*) from customer"), "0");
        case.run(&["--to", "1"]).exits(0).says("nothing to do");
        case.run(&["--to", "5"]).exits(0).says("version 2 · 1 step");
        case.run(&["--to", "1"]).exits(0).says("is at 2, past 1").says("nothing to do");
        case.build();
        assert_eq!(case.tables(), "customer item");
        assert_eq!(case.ask("select count(*) from customer"), "1");
    }

    fn a_dry_run_shows_the_steps_and_does_nothing(case) {
        case.two_scripts();
        let output = case.run(&["build", "--dry-run"]).exits(0);
        assert!(output.stdout.contains("db/0001_create_customer.sql"), "{output}");
        assert!(output.stdout.contains("nothing was run"), "{output}");
        assert_eq!(case.content(), case.pick("no database", "").to_owned());
    }

    fn an_empty_project_builds_to_no_version(case) {
        case.build();
        assert_eq!(case.tables(), "");
        case.build().says("nothing to do");
    }

    fn empty_and_comment_only_scripts_and_a_missing_semicolon_are_fine(case) {
        case.write("db/1_empty.sql", "");
        case.write("db/2_comment.sql", "-- nothing\n/* at all */\n");
        case.write("db/3_open.sql", "create table if not exists open_end (id integer)");
        case.build();
        assert_eq!(case.tables(), "open_end");
        assert_eq!(case.applied(), "1 2 3");
    }

    fn versions_compare_number_by_number(case) {
        for version in ["1.10", "1.9", "2", "0.10", "0.9", "10"] {
            let table = version.replace('.', "_");
            case.write(&format!("db/{version}_v.sql"), format!("create table if not exists v{table} (id integer);\n"));
        }
        case.build();
        assert_eq!(case.applied(), "0.9 0.10 1.9 1.10 2 10");
    }

    fn a_script_of_the_other_engine_is_not_run(case) {
        case.write("db/1_a.sqlite.sql", "create table if not exists on_sqlite (id integer);\n");
        case.write("db/1_a.postgres.sql", "create table if not exists on_postgres (id integer);\n");
        case.write(case.pick("db/2_b.postgres.sql", "db/2_b.sqlite.sql"), "this is no sql at all;\n");
        case.build();
        assert_eq!(case.tables(), case.pick("on_sqlite", "on_postgres"));
    }

    fn code_objects_run_after_scripts_and_again_when_their_text_changes(case) {
        case.write("db/0001_create_customer.sql", crate::support::CUSTOMER);
        let view = |column: &str| {
            format!("{}create view customer_view as select {column} as shown from customer;\n", case.pick("drop view if exists customer_view;\n", "drop view if exists customer_view;\n"))
        };
        case.write("db/code/customer_view.sql", view("id"));
        case.build().says("code");
        case.execute("insert into customer values (7, 'Ada')");
        assert_eq!(case.ask("select shown from customer_view"), "7");
        case.build().says("nothing to do");
        case.write("db/code/customer_view.sql", view("name"));
        case.build().says("customer_view");
        assert_eq!(case.ask("select shown from customer_view"), "Ada");
    }

    fn code_objects_run_in_the_order_of_their_references(case) {
        case.write("db/0001_create_customer.sql", crate::support::CUSTOMER);
        case.write("db/code/a_last.sql", "drop view if exists a_last;\ncreate view a_last as select * from m_middle;\n");
        case.write("db/code/m_middle.sql", "drop view if exists m_middle;\ncreate view m_middle as select * from z_first;\n");
        case.write("db/code/z_first.sql", "drop view if exists z_first;\ncreate view z_first as select * from customer;\n");
        case.build();
        assert_eq!(case.ask("select count(*) from a_last"), "0");
    }

    fn a_target_without_settings_is_named_by_a_flag_or_a_variable(case) {
        case.two_scripts();
        let url = case.url();
        case.remove("dbbuild.toml");
        case.run(&[]).exits(2).says("no target").says("--url");
        case.run(&["--url", &url, "--no-baseline"]).exits(0);
        assert_eq!(case.tables(), "customer item");
        let mut by_variable = case.program(&["--no-baseline"]);
        by_variable.env("DATABASE_URL", &url);
        crate::support::Output::of(by_variable).exits(0).says("nothing to do");
    }

    fn a_stray_database_url_does_not_deploy(case) {
        case.two_scripts();
        let mut command = case.program(&[]);
        command.env("DATABASE_URL", "sqlite:stray.db");
        crate::support::Output::of(command).exits(0);
        assert!(!case.path("stray.db").exists());
        assert_eq!(case.tables(), "customer item");
    }
}
