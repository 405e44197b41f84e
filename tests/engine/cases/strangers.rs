//! Databases that are not this project's, not this program's, or not what the settings say.

cases! {
    fn objects_without_a_journal_are_refused_and_untouched(case) {
        case.execute("create table somebodys (id integer)");
        case.two_scripts();
        case.unchanged(|| {
            case.run(&[]).exits(3).says("error[journal/none]").says("somebodys");
        });
        assert_eq!(case.tables(), "somebodys");
    }

    fn another_projects_journal_is_refused(case) {
        case.two_scripts();
        case.build();
        let settings = case.read("dbbuild.toml").replace("name = \"shop\"", "name = \"bank\"");
        case.write("dbbuild.toml", settings);
        case.unchanged(|| {
            let output = case.run(&[]).exits(3).says("error[journal/other-project]");
            output.says("shop").says("this project is `bank`");
        });
    }

    fn a_journal_of_a_newer_format_is_refused(case) {
        case.two_scripts();
        case.build();
        let environment = case.journal_table("environment");
        case.execute(&format!("update {environment} set format = 99"));
        case.unchanged(|| {
            case.run(&[]).exits(3).says("error[journal/unusable]").says("by a newer dbbuild: its format is 99");
            case.run(&["status"]).exits(3).says("newer dbbuild");
        });
    }

    fn a_mark_and_a_target_that_disagree_are_refused_by_every_writing_verb(case) {
        case.two_scripts();
        case.build();
        case.settings("environment = \"staging\"\n");
        case.write("db/0003_extra.sql", "create table if not exists extra (id integer);\n");
        case.write("seed/test/010_customer.sql", "insert into customer values (1, 'Ada');\n");
        case.unchanged(|| {
            let output = case.run(&[]).exits(3).says("error[mark/disagrees]");
            output.says("is marked development").says("says staging").says("dbbuild mark staging");
            case.run(&["test-data"]).exits(3).says("mark/disagrees");
            case.run(&["reset", "--yes"]).exits(3).says("mark/disagrees");
            case.run(&["drop", "--yes"]).exits(3).says("mark/disagrees");
        });
        case.run(&["mark", "staging"]).exits(0);
        case.build().says("staging");
        assert_eq!(case.tables(), "customer extra item");
    }

    fn a_bare_local_url_makes_a_development_database(case) {
        case.two_scripts();
        case.run(&["--url", &case.url(), "--no-baseline"]).exits(0);
        let environment = case.journal_table("environment");
        let mark = case.ask(&format!("select environment, protected from {environment}"));
        assert_eq!(mark, case.pick("development|0", "development|f"));
    }

    fn a_production_target_is_protected_from_the_first_build_on(case) {
        case.two_scripts();
        case.settings("environment = \"production\"\n");
        case.build();
        let environment = case.journal_table("environment");
        let mark = case.ask(&format!("select environment, protected from {environment}"));
        assert_eq!(mark, case.pick("production|1", "production|t"));
        case.build().says("production (protected)");
    }

    fn journals_of_other_names_stand_side_by_side(case) {
        case.two_scripts();
        case.settings("[journal]\nname = \"ledger\"\n");
        case.build();
        let table = case.pick("ledger_journal", "ledger.journal");
        assert_eq!(case.ask(&format!("select count(*) from {table}")), "2");
    }
}
