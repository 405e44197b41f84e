//! What files may be and hold: the text that is summed is the text that runs.

use crate::support::{CUSTOMER, ITEM, Output};

cases! {
    fn an_include_is_framed_in_and_enters_the_checksum(case) {
        case.write("db/1_a.sql", "-- dbbuild: include sql/customer.sql\n-- dbbuild: include sql/item.sql\n");
        case.write("sql/customer.sql", CUSTOMER);
        case.write("sql/item.sql", ITEM);
        case.build();
        assert_eq!(case.tables(), "customer item");
        case.write("sql/item.sql", ITEM.replace("item", "thing"));
        case.run(&[]).exits(3).says("error[journal/altered]");
    }

    fn a_failure_inside_an_include_is_placed_there(case) {
        case.write("db/1_a.sql", "select 1;\n-- dbbuild: include sql/deep.sql\n");
        case.write("sql/deep.sql", "select 2;\n-- dbbuild: include sql/deeper.sql\n");
        case.write("sql/deeper.sql", "\n\nselect * from nowhere;\n");
        case.run(&[]).exits(4).says("sql/deeper.sql:3:15");
    }

    fn include_loops_and_ways_out_are_refused(case) {
        case.write("sql/a.sql", "-- dbbuild: include sql/b.sql\n");
        case.write("sql/b.sql", "-- dbbuild: include sql/a.sql\n");
        for (path, code) in [
            ("sql/a.sql", "script/include-loop"),
            ("db/1_a.sql", "script/include-loop"),
            ("../elsewhere.sql", "script/include-outside"),
            ("/etc/hosts", "script/include-outside"),
            ("sql/none.sql", "script/include-missing"),
        ] {
            case.write("db/1_a.sql", format!("select 1;\n-- dbbuild: include {path}\n"));
            case.run(&[]).exits(3).says(code);
        }
        assert_eq!(case.content(), case.pick("no database", ""));
    }

    fn variables_have_pinned_values_and_enter_the_checksum(case) {
        case.settings("[variables]\nowner = \"O'Hara\"\nledger = \"my \\\"table\"\n");
        case.write("db/1_a.sql", "\
-- dbbuild: variables owner, ledger
create table :\"ledger\" (name text default ':''owner''');
insert into :\"ledger\" values (:'owner');
");
        case.build();
        assert_eq!(case.ask("select name from \"my \"\"table\""), "O'Hara");
        case.settings("[variables]\nowner = \"Ann\"\nledger = \"my \\\"table\"\n");
        case.run(&[]).exits(3).says("error[journal/altered]");
    }

    fn a_variable_without_a_value_is_refused(case) {
        case.write("db/1_a.sql", "-- dbbuild: variables owner\nselect :'owner';\n");
        case.run(&[]).exits(3).says("error[script/variable]").says("db/1_a.sql:2:8");
        case.settings("[variables]\nowner = \"Ann\"\n");
        case.write("db/1_a.sql", "-- dbbuild: variables owner\nselect :'other';\n");
        case.run(&[]).exits(3).says("error[script/variable]").says("not declared");
        case.write("db/1_a.sql", "select :'owner';\n");
        case.run(&[]).exits(4).says("`-- dbbuild: variables owner` at the head");
    }

    fn nul_and_invalid_utf_8_are_refused_with_their_place(case) {
        case.write("db/1_a.sql", b"select 1;\nselect '\0';\n");
        case.run(&[]).exits(3).says("error[script/nul]").says("db/1_a.sql:2:9");
        case.write("db/1_a.sql", b"select 1;\nselect 'caf\xe9';\n");
        case.run(&[]).exits(3).says("error[script/encoding]").says("db/1_a.sql:2:12");
        case.write("db/1_a.sql", b"\xff\xfes\0e\0l\0");
        case.run(&[]).exits(3).says("db/1_a.sql");
        assert_eq!(case.content(), case.pick("no database", ""));
    }

    fn a_bom_and_crlf_are_no_change(case) {
        case.write("db/1_a.sql", "create table if not exists a (\n  name text default 'x\ny'\n);\n");
        case.build();
        case.write("db/1_a.sql", "\u{feff}create table if not exists a (\r\n  name text default 'x\r\ny'\r\n);\r\n");
        case.build().says("nothing to do");
        case.write("db/2_b.sql", "\u{feff}insert into a (name) values ('1\r\n2');\r\n");
        case.build();
        assert_eq!(case.ask("select length(name) from a"), "3");
    }

    fn unterminated_texts_are_refused_with_their_place(case) {
        for (text, place) in [
            ("select 1;\nselect 'open;\n", "db/1_a.sql:2:8"),
            ("select 1; /* open\n", "db/1_a.sql:1:11"),
            ("select \"open;\n", "db/1_a.sql:1:8"),
        ] {
            case.write("db/1_a.sql", text);
            case.run(&[]).exits(3).says("error[script/unterminated]").says(place);
        }
        if !case.is_sqlite() {
            case.write("db/1_a.sql", "do $do$ begin end $d$;\n");
            case.run(&[]).exits(3).says("error[script/unterminated]").says("db/1_a.sql:1:4");
        }
    }

    fn a_symbolic_link_inside_is_followed_and_one_outside_refused(case) {
        case.write("shared/customer.sql", CUSTOMER);
        std::os::unix::fs::symlink(case.path("shared/customer.sql"), case.path("db/1_a.sql")).unwrap();
        case.build();
        assert_eq!(case.tables(), "customer");
        std::os::unix::fs::symlink("/etc/hosts", case.path("db/2_b.sql")).unwrap();
        case.run(&[]).exits(3).says("error[script/outside]").says("db/2_b.sql");
        case.remove("db/2_b.sql");
        std::os::unix::fs::symlink("nowhere.sql", case.path("db/2_b.sql")).unwrap();
        case.run(&[]).exits(3).says("error[script/outside]");
    }

    fn a_folder_with_the_name_of_a_script_is_refused(case) {
        std::fs::create_dir(case.path("db/1_a.sql")).unwrap();
        case.run(&[]).exits(3).says("error[script/folder]").says("db/1_a.sql");
    }

    fn what_is_no_file_is_refused_and_not_waited_for(case) {
        let made = std::process::Command::new("mkfifo").arg(case.path("db/1_a.sql")).status().unwrap();
        assert!(made.success());
        case.run(&[]).exits(3).says("error[script/special]").says("db/1_a.sql");
    }

    fn an_unreadable_script_is_refused(case) {
        use std::os::unix::fs::PermissionsExt;
        case.write("db/1_a.sql", CUSTOMER);
        let path = case.path("db/1_a.sql");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
        if std::fs::read(&path).is_ok() {
            eprintln!("skipped: this user reads every file");
            return;
        }
        case.run(&[]).exits(3).says("error[script/unreadable]").says("db/1_a.sql");
    }

    fn meta_commands_are_refused_by_name(case) {
        case.write("db/1_a.sql", case.pick("select 1;\n.tables\n", "select 1;\n\\dt\n"));
        case.run(&[]).exits(3).says("error[script/meta-command]").says("db/1_a.sql:2:1");
    }

    fn the_project_is_found_from_a_folder_below_it(case) {
        case.write("db/1_a.sql", CUSTOMER);
        case.write("src/deep/x.txt", "");
        let mut command = case.program(&[]);
        command.current_dir(case.path("src/deep"));
        Output::of(command).exits(0);
        assert_eq!(case.tables(), "customer");
    }
}
