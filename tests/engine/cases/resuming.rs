//! A script outside a transaction goes on after its last finished statement, also after it was mended.

use crate::support::Case;

const STATEMENTS: [&str; 5] = [
    "create table one (id integer)",
    "insert into one values (1)",
    "create table two (id integer)",
    "insert into two values (2)",
    "create index two_id on two (id)",
];

/// Returns the script with statement `broken` wrong.
fn script(broken: Option<usize>) -> String {
    let mut text = String::from("-- dbbuild: no-transaction\n");
    for (number, statement) in STATEMENTS.iter().enumerate() {
        let wrong = if broken == Some(number) { " wrong" } else { "" };
        text += &format!("{statement}{wrong};\n");
    }
    text
}

fn rows(case: &Case) -> String {
    case.ask("select (select count(*) from one), (select count(*) from two)")
}

cases! {
    fn it_resumes_after_each_statement_once_mended(case) {
        for broken in 0..STATEMENTS.len() {
            case.write("db/1_long.sql", script(Some(broken)));
            let output = case.run(&[]).exits(4).says(&format!("db/1_long.sql:{}:", broken + 2));
            if broken > 0 {
                output.says("the rest was not run");
                assert_eq!(case.journal(), format!("1 1 running {broken}"));
                case.run(&["status"]).exits(0).says("running");
                case.run(&[]).exits(4).says(&format!("db/1_long.sql:{}:", broken + 2));
                assert_eq!(case.journal(), format!("1 1 running {broken}"));
            }
            case.write("db/1_long.sql", script(None));
            let output = case.build();
            if broken > 0 {
                output.says("resume    1_long");
            }
            assert_eq!(rows(case), "1|1", "statement {broken}");
            assert_eq!(case.journal(), "1 1 applied 5");
            case.build().says("nothing to do");
            case.run(&["reset", "--yes"]).exits(0);
        }
    }

    fn what_is_finished_stays_finished_when_the_directive_is_taken_out(case) {
        case.write("db/1_long.sql", script(Some(3)));
        case.run(&[]).exits(4);
        case.write("db/1_long.sql", script(None).replace("-- dbbuild: no-transaction\n", ""));
        case.build().says("resume    1_long");
        assert_eq!(rows(case), "1|1");
        assert_eq!(case.journal(), "1 1 applied 5");
    }

    fn foreign_keys_are_not_left_on_without_a_word(case) {
        if !case.is_sqlite() {
            return;
        }
        let refused = |case: &Case, file: &str| {
            case.run(&[]).exits(3).says("error[script/foreign-keys-without-transaction]").says(file);
        };
        case.write("db/1_long.sql", "-- dbbuild: foreign-keys off\n-- dbbuild: no-transaction\nselect 1;\n");
        refused(case, "db/1_long.sql:1:1");
        case.write("db/1_long.sql", script(Some(3)));
        case.run(&[]).exits(4);
        case.write("db/1_long.sql", script(None).replace("no-transaction", "foreign-keys off"));
        refused(case, "db/1_long.sql:1:1");
    }

    fn what_is_half_way_does_not_begin_again_under_another_version(case) {
        case.write("db/1_one.sql", "create table one (id integer);\n");
        let text = "-- dbbuild: no-transaction\ninsert into one values (1);\ninsert into later values (1);\n";
        case.write("db/2_long.sql", text);
        case.run(&[]).exits(4);
        // The server's user has the name of the journal's schema, in which its own tables land.
        case.execute(case.pick("create table later (id integer)", "create table public.later (id integer)"));
        case.rename("db/2_long.sql", "db/3_long.sql");
        case.unchanged(|| case.run(&[]).exits(3).says("error[journal/moved-half-way]").says("version 2 back"));
        case.rename("db/3_long.sql", "db/2_long.sql");
        case.build().says("resume    2_long");
        case.rename("db/2_long.sql", "db/3_long.sql");
        case.build().says("3 long was applied as 2 long");
        assert_eq!(case.ask("select count(*) from one"), "1");
    }

    fn what_is_half_way_and_has_no_file_is_refused_by_name(case) {
        case.write("db/1_long.sql", script(Some(3)));
        case.run(&[]).exits(4);
        case.write("db/2_next.sql", "create table next (id integer);\n");
        case.remove("db/1_long.sql");
        case.unchanged(|| {
            let output = case.run(&[]).exits(3).says("error[journal/half-way-gone]").says("1 long is half-way");
            output.says("statements are done").says("put the file back");
            case.run(&["status"]).exits(0).says("missing   1 long").says(" of ").says("a build would refuse");
        });
        case.write("db/1_long.sql", script(None));
        case.build().says("resume    1_long");
    }

    fn a_changed_finished_part_is_refused(case) {
        case.write("db/1_long.sql", script(Some(3)));
        case.run(&[]).exits(4);
        case.write("db/1_long.sql", script(None).replace("insert into one values (1)", "insert into one values (11)"));
        case.unchanged(|| {
            let output = case.run(&[]).exits(3).says("error[script/finished-part-changed]");
            output.says("db/1_long.sql:3:1");
        });
        case.write("db/1_long.sql", script(None).replace("create table one", "create table  one -- more room\n"));
        case.build();
        assert_eq!(rows(case), "1|1");
    }

    fn statements_may_be_added_and_taken_out_behind_the_finished_part(case) {
        case.write("db/1_long.sql", script(Some(2)));
        case.run(&[]).exits(4);
        case.write("db/1_long.sql", script(None).replace("insert into two values (2);\n", "insert into two values (3), (4);\ninsert into one values (5);\n"));
        case.build();
        assert_eq!(rows(case), "2|2");
    }

    fn repeat_runs_until_no_row_is_changed(case) {
        case.write("db/1_a.sql", "create table job (id integer primary key, done integer not null default 0);\n");
        let numbers: Vec<String> = (1..=25).map(|n| format!("({n})")).collect();
        case.write("db/2_b.sql", format!("insert into job (id) values {};\n", numbers.join(", ")));
        case.write("db/3_c.sql", "\
-- dbbuild: no-transaction
-- dbbuild: repeat until 0 rows
update job set done = 1 where id in (select id from job where done = 0 order by id limit 10);
insert into job values (100, 2);
");
        case.build().says("4 passes");
        assert_eq!(case.ask("select count(*) from job where done = 1"), "25");
        assert_eq!(case.ask("select count(*) from job where done = 2"), "1");
    }

    fn settings_of_the_finished_part_hold_after_a_resume(case) {
        if case.is_sqlite() {
            return;
        }
        case.write("db/1_a.sql", "create schema if not exists other;\n");
        let text = "\
-- dbbuild: no-transaction
set search_path = other;
create table here (id integer);
create index concurrently here_id on here (idd);
";
        case.write("db/2_b.sql", text);
        case.run(&[]).exits(4).says("db/2_b.sql:4:");
        case.write("db/2_b.sql", text.replace("idd", "id"));
        case.build();
        assert_eq!(case.ask("select schemaname from pg_indexes where indexname = 'here_id'"), "other");
    }

    fn an_invalid_index_of_the_interrupted_statement_is_dropped(case) {
        if case.is_sqlite() {
            return;
        }
        case.write("db/1_a.sql", "create table t (id integer);\ninsert into t values (1), (1);\n");
        let text = "-- dbbuild: no-transaction\ncreate unique index concurrently if not exists t_id on t (id);\n";
        case.write("db/2_b.sql", text);
        let output = case.run(&[]).exits(4).says("db/2_b.sql:2:1");
        output.says("none of its statements is done").says("INVALID, is dropped when the script runs again");
        case.execute("delete from t where ctid = (select min(ctid) from t)");
        case.build();
        assert_eq!(case.ask("select indisvalid from pg_index where indexrelid = 't_id'::regclass"), "t");
    }

    fn directives_of_the_settings_serve_a_script_that_must_not_be_edited(case) {
        case.write("db/1_a.sql", "create table if not exists t (id integer);\n");
        case.write("db/2_b.sql", "vacuum;\n");
        case.run(&[]).exits(3);
        case.settings("[script.\"2\"]\ndirectives = [\"no-transaction\"]\n");
        case.build();
        assert_eq!(case.applied(), "1 2");
    }
}
