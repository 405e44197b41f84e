//! The baseline is made from the scripts alone: a fresh build and a load of it are one database, and its bytes
//! are the same each time.

use crate::support::Case;

fn project(case: &Case) {
    case.settings("baseline = true\n");
    case.two_scripts();
    case.write(
        "db/3_more.sql",
        "\
create view customer_names as select name from customer;
create index item_customer on item (customer_id);
insert into customer (id, name) values (1, 'It''s \\ \"quoted\"'), (2, 'two
lines');
",
    );
    case.write("seed/010_customer.csv", "id,name\n7,\"Ada, Countess\"\n8,\"\"\"\"\n");
    case.write(
        "db/code/item_count.sql",
        "drop view if exists item_count;\ncreate view item_count as select count(*) as items from item;\n",
    );
}

fn folder(case: &Case) -> &'static str {
    case.pick("baseline/sqlite", "baseline/postgres")
}

/// Everything but the journal's own rows, which differ in time.
fn data(case: &Case) -> String {
    case.ask("select * from customer order by id")
        + &case.ask("select * from item_count")
        + &case.ask(case.pick(
            "select type, name, tbl_name from sqlite_schema where name not like 'dbbuild%' order by 2",
            "select relkind, relname from pg_class where relnamespace = 'public'::regnamespace order by 2",
        ))
}

cases! {
    fn a_file_that_the_manifest_does_not_list_is_a_merge_by_hand(case) {
        case.settings("baseline = true\n");
        case.write("db/1_a.sql", "create table if not exists a (id integer primary key);\ninsert into a values (1);\n");
        case.run(&["build"]).exits(0);
        let manifest = format!("{}/manifest.toml", folder(case));
        let text = case.read(&manifest);
        let shorter: Vec<&str> = text.lines().filter(|line| !line.starts_with("\"data/")).collect();
        assert!(shorter.len() < text.lines().count(), "{text}");
        case.write(&manifest, shorter.join("\n") + "\n");
        case.run(&["reset", "--yes"]).exits(0);
        case.run(&["build", "--no-baseline"]).exits(0).says("a merge by hand").says("apply     1_a");
    }

    fn a_build_writes_the_baseline_and_a_second_one_nothing(case) {
        project(case);
        case.build().says(folder(case)).says("written");
        let files = case.files(folder(case));
        assert!(files.contains_key("manifest.toml"), "{:?}", files.keys());
        case.build().says("nothing to do");
        assert_eq!(case.files(folder(case)), files);
    }

    fn the_same_inputs_make_the_same_bytes(case) {
        project(case);
        case.build();
        let files = case.files(folder(case));
        std::fs::remove_dir_all(case.path(folder(case))).unwrap();
        case.build().says("written");
        assert_eq!(case.files(folder(case)), files);
    }

    fn a_working_databases_rows_never_reach_it(case) {
        project(case);
        case.run(&["--no-baseline"]).exits(0);
        case.execute("insert into customer values (99, 'Secret Person'); create table mine (id integer)");
        case.build();
        for (path, bytes) in case.files(folder(case)) {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("Secret Person") && !text.contains("mine"), "{path}");
        }
    }

    fn a_fresh_build_loads_it_and_is_the_same_database(case) {
        project(case);
        case.run(&["build", "--from-scripts"]).exits(0).says("0001_create_customer");
        let (from_scripts, journal) = (data(case), case.applied());
        case.run(&["reset", "--yes"]).exits(0);
        let output = case.build().says(folder(case));
        assert!(!output.stdout.contains("0001_create_customer"), "{output}");
        assert_eq!(data(case), from_scripts);
        assert_eq!(case.applied(), journal);
        case.build().says("nothing to do");
        case.write("seed/010_customer.csv", "id,name\n7,Ada\n");
        case.run(&["--no-baseline"]).exits(0).says("1 changed, 1 deleted");
        assert_eq!(case.ask("select name from customer where id > 2"), "Ada");
    }

    fn it_goes_stale_with_its_inputs(case) {
        project(case);
        case.build();
        case.write("db/4_next.sql", "create table next (id integer);\n");
        case.run(&["reset", "--yes"]).exits(0);
        case.build().says("0001_create_customer").says("written");
        assert!(case.read(&format!("{}/manifest.toml", folder(case))).contains("db/4_next.sql"));
    }

    fn files_that_are_not_its_manifests_are_not_trusted(case) {
        project(case);
        case.build();
        let schema = format!("{}/{}", folder(case), case.pick("schema.sql", "pre-data.sql"));
        case.write(&schema, case.read(&schema) + "\ncreate table sneaked_in (id integer);\n");
        case.run(&["reset", "--yes"]).exits(0);
        case.run(&["--no-baseline"]).exits(0).says("a merge by hand?").says("0001_create_customer");
        assert_eq!(case.tables(), "customer item");
    }

    fn a_checkout_with_crlf_makes_the_same_bytes(case) {
        project(case);
        case.build();
        let files = case.files(folder(case));
        case.write("db/0001_create_customer.sql", crate::support::CUSTOMER.replace('\n', "\r\n"));
        case.run(&["reset", "--yes"]).exits(0);
        case.build();
        assert_eq!(case.files(folder(case)), files);
    }
}
