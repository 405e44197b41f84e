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
        case.unchanged(|| case.run(&["adopt", "--to", "2", "--dry-run"]).exits(0).says("is what the scripts up to 2 make"));
        case.run(&["adopt", "--to", "3", "--yes"]).exits(0).says("missing").does_not_say("shown").does_not_say("over");
        case.build().says("over");
        case.build().says("nothing to do");
        case.run(&["drift", "--strict"]).exits(1).says("more").does_not_say("shown");
    }

    fn what_stands_where_a_code_object_would_and_is_another_one_stays(case) {
        by_hand(case);
        let schema = case.pick("", "public.");
        case.write("db/code/shown.sql", format!("create view {schema}shown as select name from customer;\n"));
        case.execute(&format!("create view {schema}shown as select id from customer"));
        case.run(&["adopt", "--to", "3", "--yes"]).exits(0).says("changed   view");
        case.unchanged(|| case.run(&[]).exits(4).says("already exists").says("shown is there, and no code file made it"));
        if !case.is_sqlite() {
            case.remove("db/code/shown.sql");
            case.execute("create function public.f(x integer) returns integer language sql as 'select x'");
            case.write("db/code/f.sql", "create or replace function f(x integer) returns text language sql as 'select x::text';\n");
            case.unchanged(|| case.run(&[]).exits(4).says("function public.f(integer) is there, and no code file made it"));
        }
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

    fn each_tools_own_tables_are_read_and_no_difference(case) {
        by_hand(case);
        let time = case.pick("current_timestamp", "now()");
        let newest = case.pick(
            "create table schema_migrations (version uint64, dirty bool); create unique index version_unique on schema_migrations (version);",
            "create table schema_migrations (version bigint not null primary key, dirty boolean not null);",
        );
        let number = case.pick("integer primary key autoincrement", "integer primary key generated by default as identity");
        let journals = [
            ("flyway", format!(
                "create table flyway_schema_history (installed_rank integer not null, version varchar(50), description varchar(200) not null,
                     type varchar(20) not null, script varchar(1000) not null, checksum integer, installed_by varchar(100) not null,
                     installed_on timestamp not null default {time}, execution_time integer not null, success boolean not null,
                     constraint flyway_schema_history_pk primary key (installed_rank));
                 create index flyway_schema_history_s_idx on flyway_schema_history (success);
                 insert into flyway_schema_history values
                     (1, '1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', null, 'me', {time}, 0, true),
                     (2, '2', 'create item', 'SQL', 'V2__create_item.sql', 1, 'me', {time}, 0, true),
                     (3, '3', 'more', 'SQL', 'V3__more.sql', 1, 'me', {time}, 0, true),
                     (4, '3', 'more', 'UNDO_SQL', 'U3__more.sql', 1, 'me', {time}, 0, true),
                     (5, null, 'again', 'SQL', 'R__again.sql', 1, 'me', {time}, 0, true)"), "flyway_schema_history"),
            ("golang-migrate", format!("{newest} insert into schema_migrations values (2, false)"), "schema_migrations"),
            ("dbmate", "create table schema_migrations (version varchar(128) primary key); insert into schema_migrations values ('0001'), ('0002')".to_owned(),
             "schema_migrations"),
            ("rails", "create table schema_migrations (version varchar not null primary key);
                 create table ar_internal_metadata (key varchar not null primary key, value varchar, created_at timestamp, updated_at timestamp);
                 insert into schema_migrations values ('1'), ('2')".to_owned(), "schema_migrations"),
            ("goose", format!(
                "create table goose_db_version (id {number}, version_id bigint not null, is_applied boolean not null, tstamp timestamp default {time});
                 insert into goose_db_version (version_id, is_applied) values (0, true), (1, true), (2, true), (3, true), (3, false)"), "goose_db_version"),
            ("sqlx", format!(
                "create table _sqlx_migrations (version bigint primary key, description text not null, installed_on timestamp not null default {time},
                     success boolean not null, checksum text not null, execution_time bigint not null);
                 insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (1, 'a', true, 'x', 1), (2, 'b', true, 'y', 1)"),
             "_sqlx_migrations"),
            ("diesel", format!(
                "create table __diesel_schema_migrations (version varchar(50) primary key not null, run_on timestamp not null default {time});
                 insert into __diesel_schema_migrations (version) values ('1'), ('2')"), "__diesel_schema_migrations"),
            ("refinery", "create table refinery_schema_history (version integer primary key, name varchar(255), applied_on varchar(255), checksum varchar(255));
                 insert into refinery_schema_history (version, name) values (1, 'a'), (2, 'b')".to_owned(), "refinery_schema_history"),
        ];
        for (tool, sql, table) in journals {
            case.execute(&sql);
            case.run(&["adopt", "--tool", tool, "--dry-run"]).exits(0).says("is what the scripts up to 2 make");
            case.execute(&format!("drop table {table}"));
        }
    }

    fn a_tool_that_keeps_names_of_files_says_the_version(case) {
        by_hand(case);
        let grate = case.pick("grate_ScriptsRun", "grate.\"ScriptsRun\"");
        let schema = case.pick("", "create schema grate;");
        let number = case.pick("integer primary key autoincrement", "bigint generated by default as identity not null primary key");
        let dbup = case.pick(
            "create table SchemaVersions (SchemaVersionID integer constraint \"PK_SchemaVersions_Id\" primary key autoincrement not null,
                 ScriptName text not null, Applied datetime not null);",
            "create table schemaversions (schemaversionsid serial not null, scriptname character varying(255) not null,
                 applied timestamp without time zone not null, constraint pk_schemaversions_id primary key (schemaversionsid));",
        );
        let more_of_grate = case.pick(
            "create table grate_GrateScriptsRun (id integer primary key autoincrement, script_name nvarchar(255)); create table grate_Version (id integer primary key);",
            "create table grate.\"GrateScriptsRun\" (id bigint generated always as identity primary key, script_name varchar(255));",
        );
        case.write("db/0002_create_item.sql", format!("--liquibase formatted sql\n--changeset ada:1\n{ITEM}--changeset ada:2\nselect 1;\n"));
        case.execute(&format!(
            "create table databasechangelog (id varchar(255) not null, author varchar(255) not null, filename varchar(255) not null,
                 dateexecuted timestamp not null, orderexecuted integer not null, exectype varchar(10) not null, md5sum varchar(35),
                 description varchar(255), comments varchar(255), tag varchar(255), liquibase varchar(20), contexts varchar(255),
                 labels varchar(255), deployment_id varchar(10));
             insert into databasechangelog (id, author, filename, dateexecuted, orderexecuted, exectype)
             values ('1', 'ada', 'db/0001_create_customer.sql', current_timestamp, 1, 'EXECUTED'),
                    ('1', 'ada', 'db/0002_create_item.sql', current_timestamp, 2, 'EXECUTED');
             create table databasechangeloglock (id integer not null primary key, locked boolean not null, lockgranted timestamp, lockedby varchar(255));
             {dbup}
             insert into schemaversions (scriptname, applied) values ('Shop.Scripts.0002_create_item.sql', current_timestamp);
             {schema} create table {grate} (id {number}, version_id bigint, script_name varchar(255), text_of_script text, text_hash varchar(512),
                 one_time_script boolean, entry_date timestamp, modified_date timestamp, entered_by varchar(50));
             {more_of_grate}
             insert into {grate} (script_name, one_time_script) values ('0001_create_customer.sql', true), ('grants.sql', false)"
        ));
        case.unchanged(|| case.run(&["adopt", "--tool", "liquibase"]).exits(3).says("adopt/tool-gap").says("db/0002_create_item.sql"));
        case.execute("insert into databasechangelog (id, author, filename, dateexecuted, orderexecuted, exectype)
             values ('2', 'ada', 'db/0002_create_item.sql', current_timestamp, 3, 'RERAN')");
        case.run(&["adopt", "--tool", "liquibase", "--dry-run"]).exits(0).says("up to 2");
        case.unchanged(|| case.run(&["adopt", "--tool", "dbup"]).exits(3).says("adopt/tool-gap").says("db/0001_create_customer.sql"));
        case.execute("insert into schemaversions (scriptname, applied) values ('Shop.Scripts.0001_create_customer.sql', current_timestamp)");
        case.run(&["adopt", "--tool", "dbup", "--dry-run"]).exits(0).says("up to 2");
        case.execute("insert into schemaversions (scriptname, applied) values ('Shop.Scripts.0009_other.sql', current_timestamp)");
        case.unchanged(|| case.run(&["adopt", "--tool", "dbup"]).exits(3).says("adopt/tool-ahead").says("0009_other"));
        case.run(&["adopt", "--tool", "grate", "--dry-run"]).exits(1).says("up to 1");
        case.execute(&format!("insert into {grate} (script_name, one_time_script) values ('0002_create_item.sql', true)"));
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
