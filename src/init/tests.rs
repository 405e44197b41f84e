#![allow(clippy::unwrap_used)]

use super::*;
use crate::build::discover;
use crate::project::{Layout, Project, Selection};
use crate::sql::Dialect;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let file = folder.path().join("shop").join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

/// Initialises a repository with scripts, and returns what was recognised and the project as it opens.
fn recognised(files: &[(&str, &str)]) -> (Recognised, Project, String, tempfile::TempDir) {
    let folder = folder(files);
    let root = folder.path().join("shop");
    let done = init(&root, &Wish::default()).unwrap();
    assert_eq!(done.files, [Written { path: "dbbuild.toml".into(), created: true }]);
    let text = std::fs::read_to_string(root.join("dbbuild.toml")).unwrap();
    let recognised = done.recognised.unwrap();
    let project = Project::open(&root).unwrap();
    for engine in &recognised.engines {
        // What init promises is what a build finds.
        if recognised
            .notes
            .iter()
            .all(|note| !note.starts_with("a build refuses") && !note.contains("under [variables]"))
        {
            let checkout = discover(&project, (*engine).into()).unwrap();
            let found: Vec<&str> = checkout.scripts.iter().map(|script| script.file.as_str()).collect();
            let told: Vec<&str> = recognised.scripts[engine].iter().map(|script| script.file.as_str()).collect();
            assert_eq!(found, told);
        }
    }
    (recognised, project, text, folder)
}

#[test]
fn an_empty_folder_becomes_a_project_that_discovers() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("my shop");
    let done = init(&root, &Wish::default()).unwrap();
    let paths: Vec<&str> = done.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["dbbuild.toml", "db/templates/new.sql", "seed/.gitkeep", "baseline/.gitkeep", ".gitignore"]);
    assert!(done.recognised.is_none());
    assert_eq!(std::fs::read_to_string(root.join(".gitignore")).unwrap(), "/my-shop.db*\n");
    let project = Project::open(&root).unwrap();
    assert_eq!(project.name, "my shop");
    let host = crate::host::Host { temporary: std::env::temp_dir(), ..Default::default() };
    let (target, _) = project.target(&Selection::default(), &host).unwrap();
    assert_eq!(target.shown, "sqlite:my-shop.db");
    assert!(discover(&project, Dialect::Sqlite).unwrap().scripts.is_empty());
}

#[test]
fn what_is_there_is_kept() {
    let folder = folder(&[(".gitignore", "/x"), ("db/templates/new.sql", "mine")]);
    let root = folder.path().join("shop");
    let done = init(&root, &Wish { engine: None, name: Some("other".into()) }).unwrap();
    assert_eq!(std::fs::read_to_string(root.join("db/templates/new.sql")).unwrap(), "mine");
    assert_eq!(std::fs::read_to_string(root.join(".gitignore")).unwrap(), "/x\n/other.db*\n");
    assert_eq!(done.files.last(), Some(&Written { path: ".gitignore".into(), created: false }));
    let before = std::fs::read_to_string(root.join("dbbuild.toml")).unwrap();
    let again = init(&root, &Wish::default()).unwrap_err();
    assert!(matches!(again, Error::Refusal(refusal) if refusal.code == "init/exists"));
    assert_eq!(std::fs::read_to_string(root.join("dbbuild.toml")).unwrap(), before);
}

#[test]
fn a_postgres_project_takes_its_url_from_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path(), &Wish { engine: Some(EngineName::Postgres), name: None }).unwrap();
    assert!(
        std::fs::read_to_string(folder.path().join("dbbuild.toml"))
            .unwrap()
            .contains("url = { env = \"DATABASE_URL\" }")
    );
    assert!(!folder.path().join(".gitignore").exists());
}

#[test]
fn pairs_are_plain_and_their_needs_are_written_down() {
    let (recognised, project, text, _folder) = recognised(&[
        (".env", "PORT=1\nSHOP_DATABASE_URL=postgresql://me:secret@host/shop\n"),
        ("server/migrations/1_create.up.sql", "create table t (id bigserial);"),
        ("server/migrations/1_create.down.sql", "drop table t;"),
        ("server/migrations/2_index.up.sql", "create index concurrently i on t (id);"),
        ("server/migrations/10_more.up.sql", "begin;\nalter table t add a jsonb;\ncommit;"),
        ("server/migrations/schema.sql", "-- the whole"),
    ]);
    assert_eq!(recognised.layout, Layout::Plain);
    assert_eq!(recognised.engines, [EngineName::Postgres]);
    assert_eq!(recognised.newest, "10".parse().ok());
    assert_eq!(project.script_directives(&"2".parse().unwrap()), [crate::script::Directive::NoTransaction]);
    assert_eq!(recognised.directives.len(), 1);
    assert_eq!(recognised.ignore, ["server/migrations/schema.sql"]);
    assert!(text.contains("url = { env = \"SHOP_DATABASE_URL\" }"));
    assert!(!text.contains("secret"));
    assert_eq!(project.settings.project.history.as_deref(), Some("10"));
}

#[test]
fn drizzles_list_says_what_ran_and_in_which_order() {
    let entries = ["0000_a", "0002_c", "0001_b", "0003_d"].map(|tag| format!(r#"{{ "idx": 0, "tag": "{tag}" }}"#));
    let (recognised, project, ..) = recognised(&[
        ("drizzle/0000_a.sql", "create table a (id serial);"),
        ("drizzle/0001_b.sql", "alter table a add column c jsonb;"),
        ("drizzle/0001_left.sql", "alter table a add column c jsonb;"),
        ("drizzle/0002_c.sql", "alter table a add column b jsonb;"),
        ("drizzle/0003_d.sql", "alter table a drop column b;"),
        ("drizzle/meta/_journal.json", &format!(r#"{{ "version": "5", "entries": [{}] }}"#, entries.join(", "))),
    ]);
    let order: Vec<&str> =
        recognised.scripts[&EngineName::Postgres].iter().map(|script| script.file.as_str()).collect();
    assert_eq!(order, ["0000_a", "0002_c", "0001_b", "0003_d"].map(|tag| format!("drizzle/{tag}.sql")));
    assert_eq!(recognised.ignore, ["drizzle/0001_left.sql"]);
    assert!(recognised.notes.iter().any(|note| note.contains("so ignored: drizzle/0001_left.sql")));
    let given: Vec<(&str, &str)> =
        project.settings.layout.versions.iter().map(|(file, version)| (file.as_str(), version.as_str())).collect();
    assert_eq!(given, [("drizzle/0002_c.sql", "0.1")]);
}

#[test]
fn a_folder_per_change_for_several_engines() {
    let (recognised, project, _, _folder) = recognised(&[
        ("migrations/mysql/2024-01-01-000000_a/up.sql", "create table t (id int auto_increment);"),
        ("migrations/postgresql/2024-01-01-000000_a/up.sql", "create table t (id serial);"),
        ("migrations/postgresql/2024-01-02-000000_i/up.sql", "create index concurrently i on t (id);"),
        ("migrations/postgresql/2024-01-02-000000_i/metadata.toml", "run_in_transaction = false"),
        ("migrations/sqlite/2024-01-01-000000_a/up.sql", "create table t (id integer primary key autoincrement);"),
        ("migrations/sqlite/2024-01-01-000000_a/down.sql", "drop table t;"),
    ]);
    assert_eq!(recognised.layout, Layout::FolderPerChange);
    assert_eq!(recognised.engines, [EngineName::Postgres, EngineName::Sqlite]);
    assert_eq!(project.scripts_folder(Dialect::Postgres), "migrations/postgresql");
    assert_eq!(project.scripts_folder(Dialect::Sqlite), "migrations/sqlite");
    // The option file says it already.
    assert!(recognised.directives.is_empty());
    assert!(recognised.notes.iter().any(|note| note.starts_with("migrations/mysql is for an engine")));
}

#[test]
fn releases_in_dotted_folders() {
    let (recognised, _, text, _folder) = recognised(&[
        ("store/migration/0.9/00__a.sql", "pragma foreign_keys = on;"),
        ("store/migration/0.10/00__b.sql", "create table b (id integer primary key autoincrement);"),
        ("store/migration/LATEST.sql", ""),
    ]);
    assert_eq!(recognised.layout, Layout::DottedFolders);
    assert_eq!(recognised.engines, [EngineName::Sqlite]);
    assert_eq!(recognised.newest, "0.10.0".parse().ok());
    assert!(text.contains("style = \"dotted-folders\"") && text.contains("\"store/migration/LATEST.sql\""));
}

#[test]
fn flyway_with_its_code_objects() {
    let (recognised, project, _, _folder) = recognised(&[
        ("src/main/resources/db/migration/V1__a.sql", "create table a (id bigserial);"),
        ("src/main/resources/db/migration/V1_1__b.sql", "create index concurrently i on a (id);"),
        ("src/main/resources/db/migration/V1_1__b.sql.conf", "executeInTransaction=false"),
        ("src/main/resources/db/migration/views/R__v.sql", "create or replace view v as select 1;"),
        ("src/main/resources/db/migration/V2__c.sql", "insert into a values (${value});"),
        ("build/resources/main/db/migration/V1__a.sql", "create table a (id bigserial);"),
    ]);
    assert_eq!(recognised.layout, Layout::Flyway);
    assert_eq!(recognised.newest, "2".parse().ok());
    let code = discover(&project, Dialect::Postgres).unwrap().code;
    assert_eq!(code.len(), 1);
    assert!(code[0].file.ends_with("views/R__v.sql"));
    assert!(recognised.notes.iter().any(|note| note.contains("placeholders") && note.contains("V2__c.sql")));
    assert!(recognised.directives.is_empty());
}

#[test]
fn files_with_sections_are_told_by_their_markers() {
    for (layout, first, second) in [
        (
            Layout::Dbmate,
            "-- migrate:up\ncreate table a (id serial);\n-- migrate:down\ndrop table a;",
            "-- migrate:up\n-- migrate:down",
        ),
        (Layout::Goose, "-- +goose Up\ncreate table a (id serial);\n-- +goose Down\ndrop table a;", "-- +goose Up\n"),
        (
            Layout::SqlMigrate,
            "-- +migrate Up\ncreate table a (id serial);\n-- +migrate Down\ndrop table a;",
            "-- +migrate Up\n",
        ),
        (Layout::Tern, "create table a (id serial);\n---- create above / drop below ----\ndrop table a;", "select 1;"),
    ] {
        let (recognised, _, text, _folder) =
            recognised(&[("db/migrations/001_a.sql", first), ("db/migrations/002_b.sql", second)]);
        assert_eq!(recognised.layout, layout);
        assert!(text.contains(&format!("style = \"{}\"", layout.name())));
        assert_eq!(recognised.scripts[&EngineName::Postgres].len(), 2);
    }
}

#[test]
fn what_a_build_would_refuse_is_told() {
    let (recognised, _, _, _folder) = recognised(&[
        ("sql/001_a.sql", "create table a (id serial);\n---- create above / drop below ----\n"),
        ("sql/002_b.sql", "{{ template \"x\" . }}\n---- create above / drop below ----\n"),
        ("sql/004_d.sql", "{{ if eq .sample \"true\" }}select 1;{{ end }}\n"),
        ("sql/003_c.sql", "select 1;\nrollback;\n"),
    ]);
    let refused: Vec<&String> = recognised.notes.iter().filter(|note| note.starts_with("a build refuses")).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[0].contains("sql/002_b.sql:1:1") || refused[1].contains("sql/002_b.sql:1:1"));
    assert!(recognised.notes.iter().any(|note| note.ends_with("under [variables] in dbbuild.toml: sample")));
}

#[test]
fn templates_are_filled_in_where_their_values_are_said() {
    let (recognised, _, text, folder) = recognised(&[
        ("migrations/1_a.up.sql", "create table {{ index .Options \"Namespace\" }}.t (id serial);"),
        ("migrations/2_b.up.sql", "create index concurrently i on {{ index .Options \"Namespace\" }}.t (id);"),
    ]);
    assert_eq!(recognised.notes.len(), 1, "{:?}", recognised.notes);
    assert!(recognised.notes[0].ends_with("Namespace"));
    assert!(text.contains("templates = true") && text.contains("no-transaction"));
    let root = folder.path().join("shop");
    std::fs::write(root.join("dbbuild.toml"), format!("{text}[variables]\nNamespace = \"auth\"\n")).unwrap();
    let project = Project::open(&root).unwrap();
    assert_eq!(discover(&project, Dialect::Postgres).unwrap().scripts.len(), 2);
}

#[test]
fn names_of_pop_have_an_engine_or_serve_those_that_have_no_file_of_their_own() {
    let (recognised, project, text, _folder) = recognised(&[
        ("sql/20150101000001000000_a.cockroach.up.sql", ""),
        ("sql/20150101000001000000_a.mysql.up.sql", ""),
        ("sql/20150101000001000000_a.down.sql", ""),
        ("sql/20150101000001000000_a.sqlite3.up.sql", "pragma x;"),
        ("sql/20150101000001000000_a.up.sql", ""),
        ("sql/20150101000002000000_b.up.sql", ""),
        ("sql/20150101000003000000_c.postgres.autocommit.up.sql", ""),
    ]);
    assert_eq!(recognised.layout, Layout::Pop);
    assert_eq!(recognised.engines, [EngineName::Postgres, EngineName::Sqlite]);
    assert!(!text.contains("dates"));
    let files = |dialect| {
        let scripts = discover(&project, dialect).unwrap().scripts;
        scripts.into_iter().map(|script| (script.file, script.down.is_some())).collect::<Vec<_>>()
    };
    let path = |rest: &str| format!("sql/2015010100000{rest}");
    assert_eq!(
        files(Dialect::Postgres),
        [
            (path("1000000_a.up.sql"), true),
            (path("2000000_b.up.sql"), false),
            (path("3000000_c.postgres.autocommit.up.sql"), false)
        ]
    );
    assert_eq!(files(Dialect::Sqlite), [(path("1000000_a.sqlite3.up.sql"), true), (path("2000000_b.up.sql"), false)]);
    let reading = crate::build::Reading { dialect: Dialect::Postgres, layout: Some(Layout::Pop), variables: None };
    assert!(
        crate::build::load(&project, &path("3000000_c.postgres.autocommit.up.sql"), reading).unwrap().no_transaction
    );
}

#[test]
fn several_scripts_of_one_number_run_in_the_order_of_their_names() {
    let (recognised, project, _, _folder) = recognised(&[
        ("db/0001_b.up.sql", "create table b (id serial);"),
        ("db/0001_a.up.sql", "create table a (id serial);"),
        ("db/0001_b.down.sql", "drop table b;"),
        ("db/0001_a.down.sql", "drop table a;"),
        ("db/0002_c_up.sql", "create table c (id serial);"),
        ("db/0002_c_down.sql", "drop table c;"),
        ("db/0003_slow_down.sql", "select 1;"),
    ]);
    assert_eq!(recognised.versions["db/0001_b.up.sql"], "1.1");
    assert_eq!(recognised.versions.len(), 1);
    let scripts = discover(&project, Dialect::Postgres).unwrap().scripts;
    let found: Vec<(String, &str, Option<&str>)> = scripts
        .iter()
        .map(|script| (script.version.to_string(), script.file.as_str(), script.down.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("1".into(), "db/0001_a.up.sql", Some("db/0001_a.down.sql")),
            ("1.1".into(), "db/0001_b.up.sql", Some("db/0001_b.down.sql")),
            ("2".into(), "db/0002_c_up.sql", Some("db/0002_c_down.sql")),
            ("3".into(), "db/0003_slow_down.sql", None)
        ]
    );
}

#[test]
fn dates_in_several_spellings_are_dates() {
    let (recognised, _, text, _folder) = recognised(&[
        ("migrations/20140924113530_a/up.sql", "create table a (id serial);"),
        ("migrations/20170101_b.sql/migration.sql", "create table b (id serial);"),
        ("migrations/2026-07-30-140000-0000_c/up.sql", "create table c (id serial);"),
        ("migrations/00000000000000_setup/up.sql", ""),
    ]);
    assert!(recognised.dates && text.contains("dates = true"));
    let order: Vec<String> =
        recognised.scripts[&EngineName::Postgres].iter().map(|script| script.version.to_string()).collect();
    assert_eq!(order, ["0", "20140924.113530", "20170101", "20260730.140000.0"]);
}

#[test]
fn a_letter_in_front_of_the_version_is_none_of_it() {
    let (recognised, project, _, _folder) = recognised(&[
        ("storage/migrations/postgres/V0001.Initial_Schema.up.sql", "create table a (id serial);"),
        ("storage/migrations/postgres/V0001.Initial_Schema.down.sql", "drop table a;"),
        ("storage/migrations/sqlite/V0001.Initial_Schema.up.sql", "create table a (id integer);"),
        ("storage/migrations/mysql/V0001.Initial_Schema.up.sql", ""),
    ]);
    assert_eq!(recognised.layout, Layout::Plain);
    assert_eq!(recognised.engines, [EngineName::Postgres, EngineName::Sqlite]);
    let next = crate::numbering::here(&project).unwrap();
    assert_eq!((next[0].parts.folder.as_str(), next[0].parts.raw.as_str()), ("V", "0001"));
}

#[test]
fn scripts_with_engine_suffixes_serve_both() {
    let (recognised, _, _, _folder) =
        recognised(&[("db/1_a.postgres.sql", ""), ("db/1_a.sqlite.sql", ""), ("db/2_b.sql", "")]);
    assert_eq!(recognised.engines, [EngineName::Postgres, EngineName::Sqlite]);
    assert_eq!(recognised.scripts[&EngineName::Sqlite].len(), 2);
}

#[test]
fn a_foreign_seed_folder_is_no_seed() {
    let (_, project, _, _folder) =
        recognised(&[("db/1_a.sql", "pragma x;"), ("db/2_a.sql", ""), ("seed/demo.sql", "drop table x;")]);
    assert_eq!(project.seed_folder(), "dbbuild-seed");
}

#[test]
fn files_without_numbers_in_folders_that_are_versions_get_theirs_from_the_settings() {
    let (recognised, project, text, _folder) = recognised(&[
        ("schema/postgresql/v12/versioned/v1.0/schema.sql", "create table a (id serial);"),
        ("schema/postgresql/v12/versioned/v1.10/tasks.sql", "create table d (id serial);"),
        ("schema/postgresql/v12/versioned/v1.2/queue.sql", "create table c (id serial);"),
        ("schema/postgresql/v12/versioned/v1.2/event.sql", "create table b (id serial);"),
        ("schema/mysql/v8/versioned/v1.0/schema.sql", ""),
    ]);
    assert_eq!(recognised.layout, Layout::DottedFolders);
    assert!(text.contains("\"schema/postgresql/v12/versioned/v1.2/queue.sql\" = \"1.2.2\""), "{text}");
    let order: Vec<String> = recognised.scripts[&EngineName::Postgres]
        .iter()
        .map(|script| format!("{} {}", script.version, script.name))
        .collect();
    assert_eq!(order, ["1.0 schema", "1.2.1 event", "1.2.2 queue", "1.10 tasks"]);
    let known = crate::numbering::here(&project).unwrap();
    assert!(known.iter().any(|known| known.version().to_string() == "1.10" && known.parts.folder == "v1.10/"));
}

#[test]
fn of_a_folders_name_only_an_engines_tells_the_engine() {
    let engine = |folder: &str| {
        let [first, second] = ["1.0.0.sql", "1.0.1.sql"].map(|file| format!("{folder}/{file}"));
        let (recognised, ..) = recognised(&[(&first, "create table a (id int);"), (&second, "select 1;")]);
        recognised.scripts.into_keys().next()
    };
    assert_eq!(engine("schema"), Some(EngineName::Sqlite));
    assert_eq!(engine("postgres-schema"), Some(EngineName::Postgres));
}

#[test]
fn files_that_no_layout_fits_are_told_of() {
    let folder = folder(&[("queries/customers.sql", "select 1;"), ("queries/orders.sql", "select 2;")]);
    let done = init(&folder.path().join("shop"), &Wish::default()).unwrap();
    assert!(done.recognised.is_none());
    assert!(done.notes[0].contains("2 .sql files are here, most in queries"), "{:?}", done.notes);
}

#[test]
fn a_file_without_a_version_may_be_given_one() {
    let folder = folder(&[("schema/migration-2-1.sql", "select 2;"), ("schema/migration-10-1.sql", "select 10;")]);
    let root = folder.path().join("shop");
    let versions = "\"schema/migration-2-1.sql\" = \"2.1\"\n\"schema/migration-10-1.sql\" = \"10.1\"";
    let text = format!("[project]\nname = \"shop\"\n[layout]\nscripts = \"schema\"\n[layout.versions]\n{versions}\n");
    std::fs::write(root.join("dbbuild.toml"), text).unwrap();
    let project = Project::open(&root).unwrap();
    let checkout = discover(&project, Dialect::Sqlite).unwrap();
    let files: Vec<&str> = checkout.scripts.iter().map(|script| script.file.as_str()).collect();
    assert_eq!(files, ["schema/migration-2-1.sql", "schema/migration-10-1.sql"]);
    assert_eq!(crate::numbering::here(&project).unwrap().len(), 2);
}

#[test]
fn a_flyway_history_may_begin_with_its_baseline() {
    let all = "create table a (id serial);";
    let scripts = [("m/V1_20_1__b.sql", all), ("m/V1_20_2__c.sql", "")];
    let (own, _, text, _folder) =
        recognised(&[("m/B1__old.sql", ""), ("m/B1_20_0__all.sql", all), scripts[0], scripts[1]]);
    assert!(text.contains("\"m/B1_20_0__all.sql\" = \"1.20.0\""), "{text}");
    assert_eq!(own.scripts[&EngineName::Postgres].len(), 3);
    let (own, ..) = recognised(&[("m/B1_20_1__all.sql", all), scripts[0], scripts[1]]);
    assert_eq!(own.scripts[&EngineName::Postgres].len(), 2);
}

#[test]
fn who_says_the_engine_is_believed_and_programs_are_told_of() {
    let text = "create table t (id int unsigned, at timestamp with time zone) engine=x charset=y;";
    let folder = folder(&[("db/1_a.up.sql", text), ("db/1_a.down.sql", ""), ("db/2_b.go", ""), ("db/2_b_test.go", "")]);
    let root = folder.path().join("shop");
    let done = init(&root, &Wish { engine: Some(EngineName::Postgres), name: None }).unwrap();
    let recognised = done.recognised.unwrap();
    assert_eq!(recognised.engines, [EngineName::Postgres]);
    assert!(recognised.notes.iter().any(|note| note.contains("db/2_b.go is a program")), "{:?}", recognised.notes);
}

#[test]
fn a_step_out_of_the_transaction_for_good_asks_for_none() {
    let text = "alter type mood add value 'x';\nCOMMIT;\nupdate t set mood = 'x'::mood;\n";
    let (recognised, ..) = recognised(&[("m/1_a.sql", "create type mood as enum ();"), ("m/2_b.sql", text)]);
    assert_eq!(recognised.directives.values().collect::<Vec<_>>(), [&["no-transaction".to_owned()]]);
}

#[test]
fn text_between_double_quotes_gets_its_directive() {
    let files = [("db/1_a.sql", "create table t (a text); pragma x;"), ("db/2_b.sql", "update t set a = \"\";")];
    let (recognised, _, text, _folder) = recognised(&files);
    assert_eq!(recognised.directives.values().collect::<Vec<_>>(), [&["double-quoted-text".to_owned()]], "{text}");
}
