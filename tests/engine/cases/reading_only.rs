//! Looking never writes: not a byte, and not with rights to nothing but reading.

use crate::support::{Case, Home, Output};

const READING: [&[&str]; 6] = [
    &["status"],
    &["status", "--format", "json"],
    &["status", "--all"],
    &["plan"],
    &["plan", "--format", "json"],
    &["build", "--dry-run"],
];

fn read(case: &Case, more: &[&str]) {
    for verb in READING {
        case.run(&[verb, more].concat()).exits(0);
    }
}

cases! {
    fn status_and_plan_create_no_database(case) {
        case.two_scripts();
        if let Home::Postgres(database) = &case.home {
            database.drop_database();
        }
        read(case, &[]);
        case.run(&["status"]).exits(0).says("there is no database yet").says("pending");
        match &case.home {
            Home::Sqlite(file) => assert!(!file.0.exists()),
            Home::Postgres(database) => {
                assert!(postgres::Client::connect(&database.url, postgres::NoTls).is_err());
                database.create();
            }
        }
    }

    fn status_and_plan_change_nothing_in_an_empty_database(case) {
        case.two_scripts();
        case.execute("select 1");
        let bytes = case.bytes();
        case.unchanged(|| read(case, &[]));
        assert_eq!(case.bytes(), bytes);
    }

    fn status_and_plan_change_nothing_in_a_database_that_is_behind(case) {
        case.two_scripts();
        case.build();
        case.write("db/3_extra.sql", "create table if not exists extra (id integer);\n");
        let bytes = case.bytes();
        case.unchanged(|| read(case, &[]));
        assert_eq!(case.bytes(), bytes);
    }

    fn status_and_plan_need_no_right_but_to_read(case) {
        case.two_scripts();
        case.build();
        case.write("db/3_extra.sql", "create table if not exists extra (id integer);\n");
        match &case.home {
            Home::Sqlite(file) => {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&file.0, std::fs::Permissions::from_mode(0o444)).unwrap();
                case.unchanged(|| read(case, &[]));
            }
            Home::Postgres(database) => {
                let url = database.reader();
                let role = url.split_once("://").unwrap().1.split(':').next().unwrap().to_owned();
                case.execute(&format!("grant usage on schema dbbuild to {role}; grant select on all tables in schema dbbuild to {role}"));
                case.unchanged(|| {
                    read(case, &["--url", &url]);
                    case.run(&["status", "--url", &url]).exits(0).says("3_extra");
                });
                case.execute(&format!("drop owned by {role}"));
            }
        }
    }

    fn status_tells_by_its_exit_code_if_asked(case) {
        case.two_scripts();
        case.run(&["status"]).exits(0);
        case.run(&["status", "--exit-code"]).exits(1);
        case.build();
        case.run(&["status", "--exit-code"]).exits(0).says("up to date");
        case.write("db/0002_create_item.sql", "select 1;\n");
        case.run(&["status", "--exit-code"]).exits(1).says("a build would refuse");
    }

    fn a_reading_verb_waits_for_no_builder(case) {
        case.two_scripts();
        case.build();
        match &case.home {
            Home::Sqlite(file) => {
                let connection = file.connect();
                connection.execute_batch("begin immediate; update customer set name = ''").unwrap();
                case.run(&["status"]).exits(0);
                connection.execute_batch("rollback").unwrap();
            }
            Home::Postgres(database) => {
                let mut client = database.connect();
                client.batch_execute("begin; lock table customer in access exclusive mode").unwrap();
                case.run(&["status"]).exits(0);
                client.batch_execute("rollback").unwrap();
            }
        }
    }

    fn an_output_that_nobody_reads_is_no_failure(case) {
        case.two_scripts();
        let mut command = std::process::Command::new("sh");
        command.arg("-c").arg(format!("'{}' status | true", env!("CARGO_BIN_EXE_dbbuild")));
        command.current_dir(case.path("."));
        let output = Output::of(command).exits(0);
        assert!(!output.stderr.contains("panicked"), "{output}");
    }
}
