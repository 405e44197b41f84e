//! A plan is a value: saved, looked at, and executed later if files and database still match it.

cases! {
    fn a_saved_plan_is_executed(case) {
        case.two_scripts();
        case.run(&["plan", "--save", "build.plan"]).exits(0).says("written to build.plan");
        assert_eq!(case.content(), case.pick("no database", ""));
        case.run(&["build", "--plan", "build.plan"]).exits(0);
        assert_eq!(case.tables(), "customer item");
    }

    fn a_saved_plan_knows_what_was_asked_for(case) {
        case.two_scripts();
        case.run(&["plan", "--to", "1", "--save", "build.plan"]).exits(0);
        case.run(&["build", "--plan", "build.plan"]).exits(0).says("version 1");
        assert_eq!(case.tables(), "customer");
        case.run(&["plan", "--no-baseline", "--save", "build.plan"]).exits(0);
        case.run(&["build", "--plan", "build.plan", "--to", "1"]).exits(2);
        case.run(&["build", "--plan", "build.plan"]).exits(0).says("version 2");
        assert!(!case.path("baseline").exists());
    }

    fn a_plan_whose_scripts_changed_is_refused(case) {
        case.two_scripts();
        case.run(&["plan", "--save", "build.plan"]).exits(0);
        case.write("db/0003_extra.sql", "create table if not exists extra (id integer);\n");
        case.run(&["build", "--plan", "build.plan"]).exits(3).says("error[plan/outdated]").says("changed since");
        assert_eq!(case.content(), case.pick("no database", ""));
    }

    fn a_plan_whose_database_moved_on_is_refused(case) {
        case.two_scripts();
        case.run(&["plan", "--save", "build.plan"]).exits(0);
        case.build();
        case.unchanged(|| {
            let output = case.run(&["build", "--plan", "build.plan"]).exits(3).says("error[plan/outdated]");
            output.says("the database's journal changed since");
        });
    }

    fn a_plan_that_is_none_is_a_wrong_usage(case) {
        case.write("build.plan", "{}");
        case.run(&["build", "--plan", "build.plan"]).exits(2).says("build.plan");
        case.run(&["build", "--plan", "none.plan"]).exits(5).says("none.plan");
    }

    fn a_plan_of_another_format_is_refused(case) {
        case.two_scripts();
        case.run(&["plan", "--save", "build.plan"]).exits(0);
        let text = case.read("build.plan").replace("\"format\": 1", "\"format\": 99");
        case.write("build.plan", text);
        case.run(&["build", "--plan", "build.plan"]).exits(3).says("error[plan/format]");
    }

    fn a_script_that_no_build_would_run_is_in_no_plan(case) {
        case.two_scripts();
        case.write("db/0003_step.sql", "create table step (id integer);\n-- dbbuild: stpe\n");
        for arguments in [&["plan"][..], &["build", "--dry-run"], &["plan", "--save", "build.plan"], &["plan", "--sql"], &["build"]] {
            let output = case.run(arguments).exits(3).says("db/0003_step.sql:2:");
            assert_eq!(output.stdout, "", "{output}");
        }
        assert!(!case.path("build.plan").exists());
        case.run(&["plan", "--to", "2"]).exits(0).says("db/0002_create_item.sql");
    }

    fn a_plan_says_each_step_and_why(case) {
        case.two_scripts();
        case.write("seed/010_customer.sql", "insert into customer values (1, 'Ada') on conflict do nothing;\n");
        case.build();
        case.write("db/0001.5_late.sql", "select 1;\n");
        case.write("db/0003_next.sql", "select 1;\n");
        case.write("seed/010_customer.sql", "insert into customer values (2, 'Bob') on conflict do nothing;\n");
        case.write("seed/020_item.sql", "insert into item values (1, 1) on conflict do nothing;\n");
        let plan = case.run(&["plan", "--format", "json"]).exits(0).document();
        let steps: Vec<String> = plan["plan"]["steps"].as_array().unwrap().iter().map(|step| {
            let file = step["script"]["file"].as_str().or(step["file"].as_str()).unwrap_or_default();
            format!("{} {file} {}", step["step"].as_str().unwrap(), step["why"].as_str().unwrap_or_default())
        }).collect();
        assert_eq!(steps, [
            "apply db/0001.5_late.sql late",
            "apply db/0003_next.sql pending",
            "seed seed/010_customer.sql changed",
            "seed seed/020_item.sql new",
        ]);
    }
}
