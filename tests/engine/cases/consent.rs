//! What cannot be taken back needs the database's own mark to allow it, or its name spelled out.

use crate::support::Case;

fn protected(case: &Case) {
    case.two_scripts();
    case.settings("environment = \"production\"\nprotected = true\n");
    case.build();
}

fn unmarked(case: &Case) {
    case.two_scripts();
    case.build();
    let environment = case.journal_table("environment");
    case.execute(&format!("update {environment} set environment = null, protected = null"));
}

cases! {
    fn reset_empties_a_development_database(case) {
        case.two_scripts();
        case.write("db/3_more.sql", "create view shown as select * from customer;\ncreate index on_name on customer (name);\n");
        case.build();
        case.run(&["reset"]).exits(3).says("error[consent/missing]");
        assert_eq!(case.tables(), "customer item");
        case.run(&["reset", "--yes"]).exits(0);
        assert_eq!(case.tables(), "");
        case.build();
        assert_eq!(case.tables(), "customer item");
        assert_eq!(case.journal(), "1 1 applied 1\n2 1 applied 1\n3 1 applied 2");
    }

    fn reset_of_a_protected_database_needs_its_name(case) {
        protected(case);
        case.unchanged(|| {
            case.run(&["reset", "--yes"]).exits(3).says("error[consent/protected]").says("--i-mean");
            case.run(&["reset", "--i-mean", "another"]).exits(3).says("error[consent/other-name]");
        });
        case.run(&["reset", "--i-mean", &case.database()]).exits(0);
        assert_eq!(case.tables(), "");
    }

    fn a_database_without_a_mark_is_protected(case) {
        unmarked(case);
        let url = case.url();
        case.unchanged(|| {
            case.run(&["reset", "--yes"]).exits(3).says("error[consent/protected]").says("no mark");
            case.run(&["drop", "--yes", "--url", &url]).exits(3).says("error[consent/protected]");
        });
    }

    fn drop_drops_a_development_database_and_create_makes_it_again(case) {
        case.two_scripts();
        case.build();
        case.run(&["drop"]).exits(3).says("error[consent/missing]");
        case.run(&["drop", "--yes"]).exits(0).says("dropped");
        case.run(&["drop", "--yes"]).exits(0).says("nothing was changed");
        case.run(&["wait", "--timeout", "0"]).exits(0);
        case.run(&["create"]).exits(0).says("created");
        case.run(&["create"]).exits(0).says("nothing was changed");
        case.build();
        assert_eq!(case.tables(), "customer item");
    }

    fn drop_of_a_protected_database_needs_its_name(case) {
        protected(case);
        case.unchanged(|| {
            case.run(&["drop", "--yes"]).exits(3).says("error[consent/protected]");
            case.run(&["drop", "--i-mean", "another"]).exits(3);
        });
        case.run(&["drop", "--i-mean", &case.database()]).exits(0);
    }

    fn test_data_loads_once_where_the_mark_allows_it(case) {
        case.two_scripts();
        case.write("seed/test/010_customer.csv", "id,name\n1,Ada\n2,Grace\n");
        case.write("seed/test/020_item.sql", "insert into item values (1, 1) on conflict do nothing;\n");
        case.build();
        assert_eq!(case.ask("select count(*) from customer"), "0", "a build loads no test data");
        case.run(&["test-data"]).exits(0).says("2 of 2 files loaded");
        assert_eq!(case.ask("select count(*) from customer"), "2");
        case.unchanged(|| case.run(&["test-data"]).exits(0).says("nothing to do"));
        case.build().says("nothing to do");
    }

    fn test_data_stays_out_of_a_protected_database(case) {
        protected(case);
        case.write("seed/test/010_customer.csv", "id,name\n1,Ada\n");
        case.unchanged(|| case.run(&["test-data"]).exits(3).says("error[test-data/protected]"));
    }

    fn test_data_stays_out_of_a_database_without_a_mark(case) {
        unmarked(case);
        case.write("seed/test/010_customer.csv", "id,name\n1,Ada\n");
        case.unchanged(|| case.run(&["test-data"]).exits(3).says("error[test-data/protected]").says("no mark"));
    }

    fn taking_the_protection_off_needs_the_name(case) {
        protected(case);
        let url = case.url();
        case.unchanged(|| {
            case.run(&["mark", "development", "--url", &url]).exits(3).says("error[mark/protected]").says("--i-mean");
            case.run(&["mark", "development", "--i-mean", "another", "--url", &url]).exits(3);
        });
        case.run(&["mark", "development", "--i-mean", &case.database(), "--url", &url]).exits(0);
        case.settings("");
        case.build().says("development");
    }
}
