//! Taking over databases that have objects and no journal.

use crate::support::{CUSTOMER, Case, ITEM};

/// A database that somebody made by hand.
fn by_hand(case: &Case) {
    case.two_scripts();
    case.write("db/0003_more.sql", "create table if not exists more (id integer);\n");
    case.execute(CUSTOMER);
    case.execute(ITEM);
}

cases! {
    fn a_clean_database_is_adopted_and_built_on(case) {
        by_hand(case);
        case.unchanged(|| case.run(&[]).exits(3).says("dbbuild adopt --to"));
        case.unchanged(|| case.run(&["adopt", "--to", "2", "--dry-run"]).exits(0).says("is what the scripts up to 2 make"));
        case.unchanged(|| case.run(&["adopt", "--to", "2"]).exits(3).says("consent/missing"));
        case.run(&["adopt", "--to", "2", "--yes"]).exits(0).says("adopted at version 2: 2 scripts journaled, marked development");
        assert!(case.read("dbbuild.toml").contains("history = \"2\""));
        assert_eq!(case.journal(), "1 1 adopted 1\n2 1 adopted 1");
        case.build().says("3_more");
        case.run(&["drift"]).exits(0);
        case.unchanged(|| case.run(&["adopt", "--to", "2"]).exits(3).says("adopt/has-journal"));
    }

    fn what_differs_is_shown_and_needs_consent(case) {
        by_hand(case);
        case.execute("create table by_hand (id integer); alter table customer add column extra text; drop table item");
        let document = case.unchanged(|| case.run(&["adopt", "--to", "2", "--dry-run", "--format", "json"]).exits(1).document());
        let found: Vec<String> = document["differences"].as_array().unwrap().iter()
            .map(|one| format!("{} {}", one["change"].as_str().unwrap(), one["name"].as_str().unwrap().rsplit('.').next().unwrap())).collect();
        for expected in ["missing item", "added by_hand", "added extra"] {
            assert!(found.contains(&expected.to_owned()), "{expected} in {found:?}");
        }
        assert_eq!(document["clean"], false);
        case.run(&["adopt", "--to", "2", "--yes"]).exits(0).says("by_hand").says("3 differences");
        case.run(&["drift"]).exits(1);
    }

    fn code_objects_that_are_there_already_are_taken_over_as_they_are(case) {
        by_hand(case);
        let schema = case.pick("", "public.");
        let view = |column: &str| format!("create view {schema}shown as select {column} from customer;\n");
        case.write("db/code/shown.sql", view("name"));
        case.write("db/code/over.sql", format!("create view {schema}over as select * from {schema}shown;\n"));
        case.execute(&view("name"));
        case.run(&["adopt", "--to", "3", "--yes"]).exits(0);
        case.build().says("over");
        case.build().says("nothing to do");
        case.run(&["drift", "--strict"]).exits(1).says("more").does_not_say("shown");
    }

    fn what_stands_where_a_code_object_would_and_is_another_one_stays(case) {
        by_hand(case);
        let schema = case.pick("", "public.");
        case.write("db/code/shown.sql", format!("create view {schema}shown as select name from customer;\n"));
        case.execute(&format!("create view {schema}shown as select id from customer"));
        case.run(&["adopt", "--to", "3", "--yes"]).exits(0);
        case.unchanged(|| case.run(&[]).exits(4).says("already exists"));
    }

    fn what_cannot_be_adopted_is_refused(case) {
        by_hand(case);
        case.unchanged(|| case.run(&["adopt", "--to", "7"]).exits(3).says("adopt/no-such-version").says("db/0003_more.sql"));
        case.unchanged(|| case.run(&["adopt"]).exits(3).says("--to VERSION"));
        case.unchanged(|| case.run(&["adopt", "--tool", "goose"]).exits(3).says("goose_db_version"));
        case.run(&["adopt", "--tool", "nothing"]).exits(2).says("golang-migrate");
        case.run(&["reset", "--i-mean", &case.database(), "--yes"]).exits(0);
        case.run(&["adopt", "--to", "2"]).exits(3).says("adopt/empty");
    }

    fn another_tools_journal_says_the_version(case) {
        by_hand(case);
        case.execute("create table schema_migrations (version bigint primary key, dirty boolean not null); insert into schema_migrations values (2, true)");
        case.unchanged(|| case.run(&["adopt", "--tool", "golang-migrate"]).exits(3).says("half-done"));
        case.execute("update schema_migrations set dirty = false");
        case.run(&["adopt", "--tool", "golang-migrate", "--yes"]).exits(0).says("adopted at version 2");
        case.build().says("3_more");
    }

    fn a_tools_gap_and_what_it_has_more_are_refused(case) {
        by_hand(case);
        case.execute("create table _sqlx_migrations (version bigint primary key, success boolean not null); insert into _sqlx_migrations values (2, true)");
        case.unchanged(|| case.run(&["adopt", "--tool", "sqlx"]).exits(3).says("adopt/tool-gap").says("db/0001_create_customer.sql"));
        case.execute("insert into _sqlx_migrations values (1, true), (9, true)");
        case.unchanged(|| case.run(&["adopt", "--tool", "sqlx"]).exits(3).says("adopt/tool-ahead").says("9"));
        case.execute("delete from _sqlx_migrations where version = 9");
        case.run(&["adopt", "--tool", "sqlx", "--yes"]).exits(0).says("adopted at version 2");
    }
}
