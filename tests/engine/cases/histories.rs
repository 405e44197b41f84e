//! A journal and a checkout that went different ways: each state has its one answer.

use crate::support::{CUSTOMER, Case, ITEM};

/// Builds two scripts.
fn built(case: &Case) {
    case.two_scripts();
    case.build();
}

/// Marks the database as protected, and the target with it.
fn protect(case: &Case) {
    case.run(&["mark", "production", "--protected", "--url", &case.url()]).exits(0);
    case.settings("environment = \"production\"\nprotected = true\n");
}

const EXTRA: &str = "create table if not exists extra (id integer);\n";

cases! {
    fn a_late_script_runs_and_is_reported(case) {
        built(case);
        case.write("db/0001.5_extra.sql", EXTRA);
        case.run(&["status"]).exits(0).says("late").says("db/0001.5_extra.sql");
        case.build().says("1.5 extra is late: it runs although 2 is applied");
        assert_eq!(case.applied(), "1 2 1.5");
    }

    fn a_late_script_runs_on_a_protected_target_too(case) {
        built(case);
        protect(case);
        case.write("db/0001.5_extra.sql", EXTRA);
        case.build().says("is late");
        assert_eq!(case.tables(), "customer extra item");
    }

    fn late_can_be_refused_and_allowed_by_version(case) {
        built(case);
        case.settings("[policy]\nlate = \"refuse\"\n");
        case.write("db/0001.5_extra.sql", EXTRA);
        case.unchanged(|| {
            case.run(&[]).exits(3).says("error[journal/late]").says("1.5 extra is older than 2").says("--allow-late 1.5");
        });
        case.run(&["--allow-late", "1.5"]).exits(0);
        assert_eq!(case.tables(), "customer extra item");
    }

    fn an_altered_script_is_refused_with_names_and_choices(case) {
        built(case);
        case.write("db/0002_create_item.sql", ITEM.replace("id integer primary key,", "id integer primary key,\n    sneaked_in text,"));
        case.write("db/0003_extra.sql", EXTRA);
        case.run(&["status"]).exits(0).says("altered").says("db/0002_create_item.sql");
        case.unchanged(|| {
            let output = case.run(&[]).exits(3).says("error[journal/altered]").says("2 create_item");
            output.says("db/0002_create_item.sql").says("new script").says("dbbuild reset");
        });
        case.write("db/0002_create_item.sql", ITEM);
        case.build();
        assert_eq!(case.tables(), "customer extra item");
    }

    fn an_altered_script_on_a_protected_target_does_not_propose_a_reset(case) {
        built(case);
        protect(case);
        case.write("db/0002_create_item.sql", format!("{ITEM}select 1;\n"));
        case.unchanged(|| case.run(&[]).exits(3).says("error[journal/altered]").does_not_say("reset"));
    }

    fn a_reworded_script_is_journaled_and_not_run(case) {
        built(case);
        case.write("db/0001_create_customer.sql", format!("-- Who buys.\n{}", CUSTOMER.replace("    ", "\t")));
        case.execute("drop table item");
        case.execute("drop table customer");
        case.build().says("1 create_customer changed in comments or white space only");
        assert_eq!(case.tables(), "", "it was run");
        assert_eq!(case.journal(), "1 1 applied 1\n2 1 applied 1\n1 2 applied 1");
        case.build().says("nothing to do");
    }

    fn renumbered_scripts_move_and_what_took_their_place_runs(case) {
        case.write("db/1_counter.sql", "create table if not exists counter (name text);\n");
        let insert = |name: &str| format!("insert into counter values ('{name}');\n");
        case.write("db/2_mine.sql", insert("mine"));
        case.write("db/3_also_mine.sql", insert("also mine"));
        case.build();
        case.rename("db/3_also_mine.sql", "db/4_also_mine.sql");
        case.rename("db/2_mine.sql", "db/3_mine.sql");
        case.write("db/2_theirs.sql", insert("theirs"));
        case.run(&["status"]).exits(0).says("late      db/2_theirs.sql").says("moved     db/3_mine.sql");
        // A build that is cut short between the two leaves nothing that looks altered, or as if it had never run.
        case.write("db/2_theirs.sql", "insert into nowhere values (1);\n");
        case.run(&[]).exits(4).says("db/2_theirs.sql:1");
        case.write("db/2_theirs.sql", insert("theirs"));
        case.build().says("version 4 · 1 step");
        assert_eq!(case.ask("select name from counter order by name"), "also mine\nmine\ntheirs");
        case.run(&["status"]).exits(0).does_not_say("altered").does_not_say("late");
        case.build().says("nothing to do");
    }

    fn a_directive_is_no_comment(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer);\n");
        case.build();
        case.write("db/1_a.sql", "-- dbbuild: unless table a\ncreate table if not exists a (id integer);\n");
        case.run(&["status"]).exits(0).says("altered");
    }

    fn a_renamed_script_is_journaled_and_not_run(case) {
        built(case);
        case.rename("db/0002_create_item.sql", "db/0002_create_article.sql");
        case.execute("drop table item");
        case.build().says("2 create_article was applied as 2 create_item; its text is the same");
        assert_eq!(case.tables(), "customer");
        case.build().says("nothing to do");
    }

    fn a_script_with_another_version_is_journaled_and_not_run(case) {
        built(case);
        case.rename("db/0002_create_item.sql", "db/0007_create_item.sql");
        case.execute("drop table item");
        case.build().says("7 create_item was applied as 2 create_item");
        assert_eq!(case.tables(), "customer");
        case.build().says("version 7 · nothing to do");
    }

    fn a_missing_script_is_reported_on_an_unprotected_target(case) {
        built(case);
        case.remove("db/0001_create_customer.sql");
        case.build().says("applied here, and not in this checkout: 1 create_customer");
        case.run(&["status"]).exits(0).says("missing").says("1 create_customer");
    }

    fn a_missing_script_is_refused_on_a_protected_target(case) {
        built(case);
        protect(case);
        case.remove("db/0001_create_customer.sql");
        case.unchanged(|| case.run(&[]).exits(3).says("error[journal/missing]").says("1 create_customer"));
    }

    fn an_older_checkout_runs_nothing_and_says_so(case) {
        built(case);
        case.remove("db/0002_create_item.sql");
        case.write("seed/010_customer.sql", "insert into customer values (1, 'Ada');\n");
        case.write("db/code/v.sql", "create view v as select * from customer;\n");
        case.unchanged(|| {
            case.build().says("is newer than this checkout: it has 2 create_item; nothing is run");
        });
        case.settings("[policy]\nahead = \"refuse\"\n");
        case.unchanged(|| case.run(&[]).exits(3).says("error[journal/ahead]").says("2 create_item"));
    }

    fn branches_are_joined_on_an_unprotected_target(case) {
        built(case);
        case.remove("db/0002_create_item.sql");
        case.write("db/0003_extra.sql", EXTRA);
        case.build().says("applied here, and not in this checkout: 2 create_item");
        assert_eq!(case.tables(), "customer extra item");
    }

    fn branches_are_refused_on_a_protected_target(case) {
        built(case);
        protect(case);
        case.remove("db/0002_create_item.sql");
        case.write("db/0003_extra.sql", EXTRA);
        case.unchanged(|| {
            let output = case.run(&[]).exits(3).says("error[journal/branches]");
            output.says("only in the database: 2 create_item").says("only in this checkout: 3 extra");
        });
    }

    fn two_scripts_of_one_version_are_refused(case) {
        case.write("db/1_a.sql", EXTRA);
        case.write("db/001_b.sql", CUSTOMER);
        case.run(&[]).exits(3).says("error[script/two-of-one-version]").says("db/1_a.sql").says("db/001_b.sql");
        assert_eq!(case.content(), case.pick("no database", ""));
    }

    fn a_suffixed_and_an_unsuffixed_script_of_one_version_are_refused(case) {
        case.write("db/1_a.sql", EXTRA);
        case.write(case.pick("db/1_a.sqlite.sql", "db/1_a.postgres.sql"), EXTRA);
        case.run(&[]).exits(3).says("error[script/two-of-one-version]").says("one for each");
    }

    fn a_script_without_a_version_is_refused(case) {
        case.write("db/create_customer.sql", CUSTOMER);
        case.run(&[]).exits(3).says("error[script/name]").says("db/create_customer.sql");
        case.settings("[layout]\nignore = [\"db/create_*.sql\"]\n");
        case.build();
    }

    fn what_a_past_algorithm_summed_is_not_altered(case) {
        built(case);
        let journal = case.journal_table("journal");
        case.execute(&format!("update {journal} set checksum = 'sha1-0:00', token_checksum = 'sha1-0:00'"));
        case.build().says("nothing to do");
    }
}
