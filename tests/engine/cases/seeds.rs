//! Seeds run when their text changed; each mode treats the rows of people and of the file in its own way.

use crate::support::Case;

const TABLE: &str = "create table country (code text primary key, name text, area integer);\n";
const FILE: &str = "seed/010_country.csv";

/// Builds a table and a seed of a mode.
fn seeded(case: &Case, mode: &str, rows: &str) {
    case.write("db/1_country.sql", TABLE);
    case.write(FILE, format!("code,name,area\n{rows}"));
    if mode != "tracked" {
        case.write("seed/010_country.toml", format!("mode = \"{mode}\"\n"));
    }
    case.build();
}

fn rows(case: &Case) -> String {
    case.ask("select code, name, area from country order by code").replace('\n', " ")
}

fn change(case: &Case, rows: &str) -> crate::support::Output {
    case.write(FILE, format!("code,name,area\n{rows}"));
    case.build()
}

cases! {
    fn a_file_that_changes_while_the_build_runs_is_not_loaded_as_the_old_one(case) {
        case.write("db/1_country.sql", TABLE);
        case.build();
        let slow = "with recursive s (i) as (select 1 union all select i + 1 from s where i < 3000000) \
                    select count(*) from s;\n";
        case.write("db/2_slow.sql", case.pick(slow, "select pg_sleep(2);\n"));
        case.write(FILE, "code,name,area\nDE,Germany,1\n");
        let child = case.spawn(&[]);
        std::thread::sleep(std::time::Duration::from_millis(500));
        case.write(FILE, "code,name,area\nFR,France,1\n");
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            // The machine was slow to begin, or fast to end: nothing changed meanwhile.
            return;
        }
        assert_eq!(output.status.code(), Some(4));
        assert_eq!(rows(case), "");
        case.build();
        assert_eq!(rows(case), "FR|France|1");
    }

    fn what_stops_a_build_after_steps_that_are_done_is_no_refusal(case) {
        case.write("db/1_country.sql", TABLE);
        case.write(FILE, "code,nothing\nDE,1\n");
        case.run(&[]).exits(4).says("error[seed/no-column]").says("the steps before it are done and stay");
        case.run(&[]).exits(3).says("error[seed/no-column]").does_not_say("the steps before");
    }

    fn a_csv_seed_fills_a_table_with_types_and_nulls(case) {
        seeded(case, "tracked", "DE,\"Germany, \"\"D\"\"\",357\nFR,,\nES,\"two\nlines\",505\n");
        assert_eq!(case.ask("select code, name, area, name is null from country order by code"),
            case.pick("DE|Germany, \"D\"|357|0\nES|two\nlines|505|0\nFR|||1", "DE|Germany, \"D\"|357|f\nES|two\nlines|505|f\nFR|||t"));
        case.build().says("nothing to do");
    }

    fn tracked_writes_only_what_changed_in_the_file(case) {
        seeded(case, "tracked", "DE,Germany,357\nFR,France,551\nES,Spain,505\n");
        case.execute("update country set name = 'Deutschland' where code = 'DE'");
        case.execute("update country set name = 'Gaul' where code = 'FR'");
        case.execute("insert into country values ('XX', 'own', 1)");
        change(case, "DE,Germany,357\nFR,France,552\nIT,Italy,301\n").says("1 new, 1 changed, 1 deleted");
        assert_eq!(rows(case), "DE|Deutschland|357 FR|France|552 IT|Italy|301 XX|own|1");
    }

    fn tracked_lets_the_file_win_on_the_first_run_and_says_how_often(case) {
        case.write("db/1_country.sql", format!("{TABLE}insert into country values ('DE', 'old', 1), ('XX', 'own', 1);\n"));
        case.write(FILE, "code,name,area\nDE,Germany,357\nFR,France,551\n");
        case.build().says("1 were there with other values");
        assert_eq!(rows(case), "DE|Germany|357 FR|France|551 XX|own|1");
    }

    fn tracked_rows_that_are_deleted_by_people_stay_deleted_until_the_file_changes_them(case) {
        seeded(case, "tracked", "DE,Germany,357\nFR,France,551\n");
        case.execute("delete from country where code = 'FR'");
        change(case, "DE,Germany,358\nFR,France,551\n");
        assert_eq!(rows(case), "DE|Germany|358");
        change(case, "DE,Germany,358\nFR,France,552\n");
        assert_eq!(rows(case), "DE|Germany|358 FR|France|552");
    }

    fn upsert_writes_every_row_of_the_file_and_deletes_none(case) {
        seeded(case, "upsert", "DE,Germany,357\nFR,France,551\n");
        case.execute("update country set name = 'Deutschland' where code = 'DE'");
        case.execute("insert into country values ('XX', 'own', 1)");
        change(case, "DE,Germany,357\nIT,Italy,301\n");
        assert_eq!(rows(case), "DE|Germany|357 FR|France|551 IT|Italy|301 XX|own|1");
    }

    fn insert_adds_rows_and_changes_none(case) {
        seeded(case, "insert", "DE,Germany,357\n");
        case.execute("update country set name = 'Deutschland' where code = 'DE'");
        change(case, "DE,Germany,999\nIT,Italy,301\n");
        assert_eq!(rows(case), "DE|Deutschland|357 IT|Italy|301");
    }

    fn sync_makes_the_table_exactly_the_file(case) {
        seeded(case, "sync", "DE,Germany,357\nFR,France,551\n");
        case.execute("update country set name = 'Deutschland' where code = 'DE'");
        case.execute("insert into country values ('XX', 'own', 1)");
        change(case, "DE,Germany,357\nIT,Italy,301\n");
        assert_eq!(rows(case), "DE|Germany|357 IT|Italy|301");
        // A scratch database is nobody's: no file need be named for it.
        case.run(&["drift"]).exits(0);
    }

    fn sync_is_refused_on_a_protected_target_unless_named(case) {
        case.settings("environment = \"production\"\n");
        case.write("db/1_country.sql", TABLE);
        case.build();
        case.write("seed/010_country.toml", "mode = \"sync\"\n");
        case.write(FILE, "code,name,area\nDE,Germany,357\n");
        case.unchanged(|| case.run(&[]).exits(3).says("sync").says("seed/010_country.csv"));
        case.settings("environment = \"production\"\nsync-seeds = [\"seed/010_country.csv\"]\n");
        case.build();
        assert_eq!(rows(case), "DE|Germany|357");
    }

    fn a_sidecar_names_table_key_and_null(case) {
        case.write("db/1_country.sql", TABLE);
        case.write("seed/010_lands.csv", "code,name,area\nDE,-,357\nFR,\"\",551\n");
        case.write("seed/010_lands.toml", "table = \"country\"\nkey = \"code\"\nnull = \"-\"\n");
        case.build();
        assert_eq!(case.ask("select count(*) from country where name is null"), "1");
        assert_eq!(case.ask("select count(*) from country where name = ''"), "1");
    }

    fn a_changed_sidecar_is_a_change(case) {
        seeded(case, "tracked", "DE,Germany,357\n");
        case.write("seed/010_country.toml", "mode = \"upsert\"\n");
        case.build().says("010_country.csv").does_not_say("nothing to do");
        case.build().says("nothing to do");
    }

    fn a_row_in_use_is_a_named_refusal(case) {
        case.write("db/2_city.sql", "create table city (id integer primary key, country text not null references country (code));\n");
        seeded(case, "tracked", "DE,Germany,357\nFR,France,551\n");
        case.execute("insert into city values (1, 'FR')");
        case.write(FILE, "code,name,area\nDE,Germany,357\n");
        case.unchanged(|| case.run(&[]).exits(3).says("error[seed/foreign-key]").says("city").says("FR"));
    }

    fn files_that_do_not_fit_are_refused_with_their_place(case) {
        seeded(case, "tracked", "DE,Germany,357\n");
        for (text, code) in [
            ("code,name,area,shape\nDE,Germany,357,round\n", "seed/no-column"),
            ("code,name,area\nDE,Germany\n", "seed/ragged-row"),
            ("code,name,area\nDE,a,1\nDE,b,2\n", "seed/key-twice"),
            ("name,area\na,1\n", "seed/key-not-in-file"),
            ("", "seed/no-header"),
            ("code,code,area\nDE,a,1\n", "seed/column-twice"),
        ] {
            case.write(FILE, text);
            case.unchanged(|| case.run(&[]).exits(3).says(code).says(FILE));
        }
        case.write(FILE, "code,name,area\nDE,\"Germany,357\nFR,France,1\n");
        case.unchanged(|| case.run(&[]).exits(3).says("never closed").says("2 | DE,\"Germany,357"));
        case.write("seed/020_none.csv", "id\n1\n");
        case.write(FILE, "code,name,area\nDE,Germany,357\n");
        case.run(&[]).exits(3).says("error[seed/no-table]");
    }

    fn rows_can_trade_a_unique_value(case) {
        for mode in ["tracked", "upsert", "sync"] {
            case.write("db/1_country.sql", "create table country (code text primary key, name text unique, area integer, own text default 'none');
                create table city (name text primary key, country text not null references country (code));\n");
            case.write("seed/010_country.toml", format!("mode = \"{mode}\"\n"));
            case.write(FILE, "code,name,area\nDE,one,1\nFR,two,2\nIT,three,3\n");
            case.build();
            case.execute("update country set own = code; insert into city values ('Paris', 'FR')");
            change(case, "DE,two,1\nFR,three,2\nIT,one,4\nES,new,5\n")
                .says("1 new, 3 changed");
            assert_eq!(
                case.ask("select code, name, area, own from country order by code").replace('\n', " "),
                "DE|two|1|DE ES|new|5|none FR|three|2|FR IT|one|4|IT"
            );
            case.build().says("nothing to do");
            // Two rows with one value are no trade.
            case.write(FILE, "code,name,area\nDE,one,1\nFR,three,2\nIT,one,4\nES,new,5\n");
            case.run(&[]).exits(4).says("seed/010_country.csv:");
            assert_eq!(case.ask("select count(*) from country"), "4");
            case.run(&["reset", "--yes"]).exits(0);
            case.remove(FILE);
        }
        case.remove("seed/010_country.toml");
        // What would go with the rows that are put aside is not put at risk.
        case.write("db/1_country.sql", "create table country (code text primary key, name text unique, area integer);
            create table city (name text primary key, country text references country (code) on delete cascade);\n");
        case.write(FILE, "code,name,area\nDE,one,1\nFR,two,2\n");
        case.build();
        case.execute("insert into city values ('Paris', 'FR')");
        case.write(FILE, "code,name,area\nDE,two,1\nFR,one,2\n");
        case.run(&[]).exits(3).says("error[seed/traded]").says("city").says("by way of a third one");
        assert_eq!(rows(case), "DE|one|1 FR|two|2");
        assert_eq!(case.ask("select count(*) from city"), "1");
    }

    fn environment_seeds_run_in_their_environment_only(case) {
        case.write("db/1_country.sql", TABLE);
        case.write("seed/@staging/010_s.sql", "insert into country values ('ST', 'staging', 0) on conflict do nothing;\n");
        case.write("seed/@development/010_d.sql", "-- dbbuild: variables who\ninsert into country values ('DV', :'who', 0) on conflict do nothing;\n");
        case.settings("variables = { who = \"me\" }\n");
        case.build();
        assert_eq!(rows(case), "DV|me|0");
    }

    fn sql_seeds_run_again_when_their_text_changes(case) {
        case.write("db/1_country.sql", TABLE);
        case.write("seed/010_c.sql", "insert into country values ('DE', 'Germany', 1) on conflict do nothing;\n");
        case.build();
        case.build().says("nothing to do");
        case.write("seed/010_c.sql", "insert into country values ('FR', 'France', 1) on conflict do nothing;\n");
        case.build().says("010_c");
        assert_eq!(rows(case), "DE|Germany|1 FR|France|1");
        case.run(&["--no-seed"]).exits(0).says("nothing to do");
    }

    fn seeds_run_in_the_order_of_their_numbers(case) {
        case.write("db/1_country.sql", TABLE);
        case.write("seed/10_b.sql", "update country set area = 10 * area + 2;\n");
        case.write("seed/9_a.sql", "insert into country values ('DE', 'Germany', 1);\n");
        case.write("seed/100_c.sql", "update country set area = 10 * area + 3;\n");
        case.build();
        assert_eq!(rows(case), "DE|Germany|123");
    }
}
