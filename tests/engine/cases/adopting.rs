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

    fn a_tool_that_keeps_names_of_files_says_the_version(case) {
        by_hand(case);
        let grate = case.pick("grate_ScriptsRun", "grate.\"ScriptsRun\"");
        let schema = case.pick("", "create schema grate;");
        case.write("db/0002_create_item.sql", format!("--liquibase formatted sql\n--changeset ada:1\n{ITEM}--changeset ada:2\nselect 1;\n"));
        case.execute(&format!(
            "create table databasechangelog (id text, author text, filename text, orderexecuted integer, exectype text);
             insert into databasechangelog values ('1', 'ada', 'db/0001_create_customer.sql', 1, 'EXECUTED'), ('1', 'ada', 'db/0002_create_item.sql', 2, 'EXECUTED');
             create table databasechangeloglock (id integer primary key, locked boolean);
             create table schemaversions (schemaversionsid integer primary key, scriptname text);
             insert into schemaversions values (1, 'Shop.Scripts.0002_create_item.sql');
             {schema} create table {grate} (id integer primary key, script_name text, one_time_script boolean);
             insert into {grate} values (1, '0001_create_customer.sql', true), (2, 'grants.sql', false)"
        ));
        case.unchanged(|| case.run(&["adopt", "--tool", "liquibase"]).exits(3).says("adopt/tool-gap").says("db/0002_create_item.sql"));
        case.execute("insert into databasechangelog values ('2', 'ada', 'db/0002_create_item.sql', 3, 'RERAN')");
        case.run(&["adopt", "--tool", "liquibase", "--dry-run"]).exits(0).says("up to 2");
        case.unchanged(|| case.run(&["adopt", "--tool", "dbup"]).exits(3).says("adopt/tool-gap").says("db/0001_create_customer.sql"));
        case.execute("insert into schemaversions values (0, 'Shop.Scripts.0001_create_customer.sql')");
        case.run(&["adopt", "--tool", "dbup", "--dry-run"]).exits(0).says("up to 2");
        case.execute("insert into schemaversions values (3, 'Shop.Scripts.0009_other.sql')");
        case.unchanged(|| case.run(&["adopt", "--tool", "dbup"]).exits(3).says("adopt/tool-ahead").says("0009_other"));
        case.run(&["adopt", "--tool", "grate", "--dry-run"]).exits(1).says("up to 1");
        case.execute(&format!("insert into {grate} values (3, '0002_create_item.sql', true)"));
        case.run(&["adopt", "--tool", "grate", "--yes"]).exits(0).says("adopted at version 2");
        case.build().says("3_more");
    }

    fn alembic_has_a_revision_and_a_script_says_where_it_leads(case) {
        by_hand(case);
        case.execute("create table alembic_version (version_num varchar(32) primary key); insert into alembic_version values ('9717cfb201ed')");
        case.unchanged(|| case.run(&["adopt", "--tool", "alembic"]).exits(3).says("9717cfb201ed").says("alembic upgrade FROM:TO --sql"));
        case.write("db/0002_create_item.sql", format!("-- Running upgrade de88cdacc14f -> 9717cfb201ed\n\n{ITEM}"));
        case.run(&["adopt", "--tool", "alembic", "--dry-run"]).exits(0).says("up to 2");
        case.execute("update alembic_version set version_num = 'de88cdacc14f'");
        case.rename("db/0001_create_customer.sql", "db/0001_de88cdacc14f_create_customer.sql");
        case.run(&["adopt", "--tool", "alembic", "--dry-run"]).exits(1).says("up to 1");
        case.execute("insert into alembic_version values ('9717cfb201ed')");
        case.unchanged(|| case.run(&["adopt", "--tool", "alembic"]).exits(3).says("adopt/tool-heads"));
    }
}
