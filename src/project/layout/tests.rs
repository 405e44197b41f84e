#![allow(clippy::unwrap_used)]

use super::*;
use crate::script::Role;

fn script(layout: Layout, path: &str) -> (String, String, Role) {
    match layout.role(path) {
        PathRole::Script(name) => (name.version.to_string(), name.name, name.role),
        other => panic_with(path, &other),
    }
}

#[allow(clippy::panic)]
fn panic_with(path: &str, role: &PathRole) -> ! {
    panic!("{path} is {role:?}")
}

fn is(version: &str, name: &str, role: Role) -> (String, String, Role) {
    (version.into(), name.into(), role)
}

#[test]
fn plain_files_lie_in_one_folder() {
    assert_eq!(script(Layout::Plain, "1_create_tables.up.sql"), is("1", "create_tables", Role::Up));
    assert_eq!(script(Layout::Plain, "1_create_tables.down.sql"), is("1", "create_tables", Role::Down));
    assert_eq!(Layout::Plain.role("data/0001_sample.sql"), PathRole::Skip);
    assert!(matches!(Layout::Plain.role("LATEST.sql"), PathRole::Fault(_)));
}

#[test]
fn a_folder_per_change_carries_the_version() {
    let of = |path| script(Layout::FolderPerChange, path);
    assert_eq!(of("2019-09-12-100000_create_tables/up.sql"), is("2019.9.12.100000", "create_tables", Role::Up));
    assert_eq!(of("2019-09-12-100000_create_tables/down.sql"), is("2019.9.12.100000", "create_tables", Role::Down));
    assert_eq!(of("00000000000000_diesel_initial_setup/up.sql"), is("0", "diesel_initial_setup", Role::Up));
    assert_eq!(of("20210313140442_init/migration.sql"), is("20210313140442", "init", Role::Up));
    assert_eq!(Layout::FolderPerChange.role("2019-09-12-100000_x/notes.sql"), PathRole::Skip);
    assert_eq!(Layout::FolderPerChange.role("schema.sql"), PathRole::Skip);
    assert!(matches!(Layout::FolderPerChange.role("create_tables/up.sql"), PathRole::Fault(_)));
}

#[test]
fn dotted_folders_are_the_head_of_the_version() {
    let of = |path| script(Layout::DottedFolders, path);
    assert_eq!(of("0.10/03__tag.sql"), is("0.10.3", "tag", Role::Up));
    assert_eq!(of("v1/2/0001-x.down.sql"), is("1.2.1", "x", Role::Down));
    assert!(matches!(Layout::DottedFolders.role("LATEST.sql"), PathRole::Fault(_)));
    assert_eq!(Layout::DottedFolders.role("dev/00__x.sql"), PathRole::Skip);
}

#[test]
fn flyway_names_have_a_letter_and_two_underscores() {
    let of = |path| script(Layout::Flyway, path);
    assert_eq!(of("V1__create_person.sql"), is("1", "create_person", Role::Up));
    assert_eq!(of("2024/V1_2__x.sql"), is("1.2", "x", Role::Up));
    assert_eq!(of("V1.2__x_y__z.sql"), is("1.2", "x_y__z", Role::Up));
    assert_eq!(of("V20240102.1530__x.sql"), is("20240102.1530", "x", Role::Up));
    assert_eq!(of("U2__x.sql"), is("2", "x", Role::Down));
    assert_eq!(Layout::Flyway.role("views/R__customer_view.sql"), PathRole::Code(None));
    assert_eq!(Layout::Flyway.role("B5__state.sql"), PathRole::Skip);
    assert_eq!(Layout::Flyway.role("afterMigrate__grants.sql"), PathRole::Skip);
    for misspelt in ["v1__x.sql", "V1_x.sql", "V__x.sql", "VA__x.sql", "schema.sql", "R_x.sql", "after.sql"] {
        assert!(matches!(Layout::Flyway.role(misspelt), PathRole::Fault(_)), "{misspelt}");
    }
}

#[test]
fn dbmate_divides_a_file_and_has_options() {
    let text = "-- dbbuild: lock-timeout 1s\n-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON t (a);\n\n-- migrate:down\nDROP INDEX i;\n";
    let sections = Layout::Dbmate.divide(text).unwrap();
    assert_eq!(sections.up, (1, &text[..text.find("-- migrate:down").unwrap()]));
    assert_eq!(sections.down, Some((6, "DROP INDEX i;\n")));
    assert!(sections.no_transaction && !sections.down_no_transaction);
    assert_eq!(Layout::Dbmate.divide("create table t ();").unwrap_err().line, 1);
    assert_eq!(Layout::Dbmate.divide("select 1;\n-- migrate:up\n").unwrap_err().line, 1);
    assert_eq!(Layout::Dbmate.divide("-- migrate:down\n-- migrate:up\n").unwrap_err().line, 1);
    assert_eq!(Layout::Dbmate.divide("-- migrate:up\n-- migrate:down\n-- migrate:up\n").unwrap_err().line, 3);
}

#[test]
fn goose_annotations_come_in_any_case() {
    let text = "-- +goose NO TRANSACTION\n-- +goose up\n-- +goose StatementBegin\nDO $$ BEGIN END $$;\n-- +goose StatementEnd\n-- +goose Down\nSELECT 1;";
    let sections = Layout::Goose.divide(text).unwrap();
    assert_eq!(sections.down, Some((7, "SELECT 1;")));
    assert!(sections.no_transaction && sections.down_no_transaction);
    assert!(sections.up.1.ends_with("-- +goose StatementEnd\n"));
    let fault = Layout::Goose.divide("-- +goose Up\n-- +goose ENVSUB ON\nselect '${A}';").unwrap_err();
    assert_eq!(fault.line, 2);
    assert!(fault.message.contains("ENVSUB"));
    assert_eq!(Layout::Goose.divide("-- +goose Upp\nselect 1;").unwrap_err().line, 1);
    assert_eq!(Layout::Goose.divide("-- +goose Up\nselect 1;").unwrap().down, None);
    assert_eq!(Layout::Goose.divide("select 1;").unwrap_err().message, "there is no line `-- +goose Up`");
}

#[test]
fn sql_migrate_may_repeat_its_markers() {
    let up = "-- +migrate Up\ncreate table a (id int);\n-- +migrate Up notransaction\ncreate index concurrently i on a (id);\n";
    let down = "drop index concurrently i;\n-- +migrate Down\ndrop table a;\n";
    let text = format!("{up}-- +migrate Down notransaction\n{down}");
    let sections = Layout::SqlMigrate.divide(&text).unwrap();
    assert_eq!((sections.up, sections.down), ((1, up), Some((6, down))));
    assert!(sections.no_transaction && sections.down_no_transaction);
    let error = Layout::SqlMigrate.divide(&format!("{text}-- +migrate Up\nselect 1;\n")).unwrap_err();
    assert_eq!((error.line, error.message.as_str()), (9, "a second up marker; the first is on line 1"));
}

#[test]
fn sql_migrate_may_go_down_first() {
    let (down, up) = ("-- +migrate Down\ndrop table a;\n", "-- +migrate Up\ncreate table a (b int);\n");
    let text = format!("-- a licence\n{down}{up}");
    let sections = Layout::SqlMigrate.divide(&text).unwrap();
    assert_eq!((sections.up, sections.down), ((4, up), Some((3, "drop table a;\n"))));
    assert!(Layout::SqlMigrate.divide(&format!("{text}{down}")).is_err());
    assert!(Layout::SqlMigrate.divide(&format!("select 1;\n{text}")).is_err());
    assert!(Layout::Goose.divide("-- +goose Down\n-- +goose Up\n").is_err());
}

#[test]
fn sql_migrate_has_its_option_behind_the_marker() {
    let text = "-- +migrate Up notransaction\nCREATE UNIQUE INDEX CONCURRENTLY i ON people (id);\n\n-- +migrate Down\nDROP INDEX i;\n";
    let sections = Layout::SqlMigrate.divide(text).unwrap();
    assert_eq!(sections.down, Some((5, "DROP INDEX i;\n")));
    assert!(sections.no_transaction && !sections.down_no_transaction);
    assert!(Layout::SqlMigrate.divide(&format!("/*\n * a licence\n */\n\n{text}")).is_ok());
    let error = Layout::SqlMigrate.divide(&format!("/*\n */ select 1;\n{text}")).unwrap_err();
    assert_eq!((error.line, error.message.as_str()), (2, "a statement in front of `-- +migrate Up`"));
}

#[test]
fn tern_has_one_line() {
    let text = "alter table snapshot add column recommendations jsonb;\n\n---- create above / drop below ----\n\nalter table snapshot drop column recommendations;\n";
    let sections = Layout::Tern.divide(text).unwrap();
    assert_eq!(sections.up, (1, "alter table snapshot add column recommendations jsonb;\n\n"));
    assert_eq!(sections.down.unwrap().0, 4);
    let text = "alter table t add a int;\n\n ---- create above / drop below ----\n\nalter table t drop a;\n";
    let sections = Layout::Tern.divide(text).unwrap();
    assert_eq!((sections.up.1.trim(), sections.down.unwrap().0), ("alter table t add a int;", 4));
    assert!(Layout::Tern.divide("---- tern: disable-tx ----\nselect 1;").unwrap().no_transaction);
}

#[test]
fn options_beside_a_script_are_found() {
    let sidecar = Layout::FolderPerChange.sidecar("2024-01-01-000000_x/up.sql").unwrap();
    assert_eq!(sidecar.path, "2024-01-01-000000_x/metadata.toml");
    assert!(sidecar.asks_no_transaction("run_in_transaction = false # index\n"));
    assert!(!sidecar.asks_no_transaction("run_in_transaction = true\n"));
    let sidecar = Layout::Flyway.sidecar("db/V1__x.sql").unwrap();
    assert_eq!(sidecar.path, "db/V1__x.sql.conf");
    assert!(sidecar.asks_no_transaction("executeInTransaction=false"));
    assert!(sidecar.asks_no_transaction(&sidecar.no_transaction_text()));
}

#[test]
fn a_sqlx_script_says_so_on_its_first_line() {
    assert!(Layout::Plain.divide("-- no-transaction\nvacuum;").unwrap().no_transaction);
    assert!(!Layout::Plain.divide("vacuum;\n-- no-transaction\n").unwrap().no_transaction);
}

#[test]
fn another_version_can_be_put_into_a_path() {
    let moved =
        |layout, path: &str, folder: &str, raw: &str| Parts::of(layout, path).unwrap().with_version(folder, raw);
    assert_eq!(moved(Layout::Plain, "0007_search.postgres.down.sql", "", "0008"), "0008_search.postgres.down.sql");
    assert_eq!(moved(Layout::Plain, "sqlite/0007_search.sql", "", "0008"), "sqlite/0008_search.sql");
    assert_eq!(
        moved(Layout::FolderPerChange, "2024-01-01-000000_x/up.sql", "", "2024-01-02-000000"),
        "2024-01-02-000000_x/up.sql"
    );
    assert_eq!(moved(Layout::DottedFolders, "0.9/03__x.sql", "0.10/", "00"), "0.10/00__x.sql");
    assert_eq!(moved(Layout::Flyway, "a/V1_2__x.sql", "", "1_3"), "a/V1_3__x.sql");
    assert_eq!(moved(Layout::Flyway, "U1_2__x.sql", "", "1_3"), "U1_3__x.sql");
    assert_eq!(Parts::of(Layout::Plain, "templates/0001_new.sql"), None);
    let parts = Parts::of(Layout::DottedFolders, "0.10/03__x.sql").unwrap();
    assert_eq!((parts.separator(), parts.folder_version()), ("__", "0.10".parse().ok()));
}
