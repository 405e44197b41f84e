//! CSV seeds in their four modes.

use super::fixture::{Database, applied, database, run, unit};
use crate::engine::{EngineError, Load, Loaded, RowSeed, RowSource, SeedMode, Session};
use crate::event::Silent;
use crate::journal::{Kind, NewEntry, Stored};
use crate::script::Checksum;

fn seed(text: &str, mode: SeedMode) -> RowSeed {
    RowSeed {
        entry: NewEntry {
            project: "test".into(),
            kind: Kind::Seed,
            key: "seed/010_country.csv".into(),
            order_key: "seed/010_country.csv".into(),
            attempt: 1,
            name: "010_country.csv".into(),
            checksum: Checksum::of_text(text),
            token_checksum: Checksum::of_text(text),
            text: None,
            state: Stored::Applied,
            statements: 0,
            objects: Vec::new(),
        },
        file: "seed/010_country.csv".into(),
        source: RowSource::Embedded(text.to_owned().leak().as_bytes()),
        table: "country".into(),
        key: Vec::new(),
        mode,
        null: None,
    }
}

/// Loads a file as the run after those before.
fn load(db: &Database, session: &mut dyn Session, text: &str, mode: SeedMode) -> Loaded {
    load_seed(db, session, seed(text, mode))
}

fn load_seed(db: &Database, session: &mut dyn Session, mut seed: RowSeed) -> Loaded {
    seed.entry.attempt = db.ask("select count(*) + 1 from dbbuild.journal where kind = 'seed'").parse().unwrap();
    session.load_rows(&seed, &run("r"), &mut Silent).unwrap().unwrap()
}

fn counts(loaded: &Loaded) -> (u64, u64, u64, u64, u64) {
    (loaded.rows, loaded.inserted, loaded.updated, loaded.deleted, loaded.overwritten)
}

fn table(db: &Database) -> String {
    db.ask("select code, name, area from public.country order by code")
}

fn prepared() -> Option<(Database, Box<dyn Session>)> {
    let db = database()?;
    let mut session = db.builder();
    let text = "create table country (code text primary key, name varchar(20) not null, area numeric(10, 2))";
    applied(&mut *session, &unit("1", text));
    Some((db, session))
}

#[test]
fn tracked_rows_follow_the_file_and_peoples_rows_stay() {
    let Some((db, mut session)) = prepared() else { return };
    db.ask("insert into public.country values ('de', 'Germania', 1), ('xx', 'Mine', 2)");
    let first =
        load(&db, &mut *session, "code,name,area\nde,Germany,357588\nfr,France,\nit,Italy,302073\n", SeedMode::Tracked);
    assert_eq!(counts(&first), (3, 2, 1, 0, 1));
    assert_eq!(table(&db), "de Germany 357588.00\nfr France ∅\nit Italy 302073.00\nxx Mine 2.00");
    // Edited by people, and unchanged in the file: it stays.
    db.ask("update public.country set name = 'La France' where code = 'fr'");
    let second =
        load(&db, &mut *session, "area,code,name\n357588,de,Germany\n,fr,France\n,at,Austria\n", SeedMode::Tracked);
    assert_eq!(counts(&second), (3, 1, 0, 1, 0));
    assert_eq!(table(&db), "at Austria ∅\nde Germany 357588.00\nfr La France ∅\nxx Mine 2.00");
    // Changed in the file: the file wins.
    let third = load(&db, &mut *session, "code,name\nfr,Frankreich\nde,Germany\n", SeedMode::Tracked);
    assert_eq!((third.updated, third.deleted), (1, 1), "{third:?}");
    assert_eq!(table(&db), "de Germany 357588.00\nfr Frankreich ∅\nxx Mine 2.00");
    assert_eq!(db.ask("select key from dbbuild.seed_row order by key"), "[\"de\"]\n[\"fr\"]");
    assert_eq!(
        db.ask(
            "select count(*) from dbbuild.journal where kind = 'seed' and state = 'applied' and finished_at is not null"
        ),
        "3"
    );
}

#[test]
fn a_row_that_others_refer_to_is_not_deleted() {
    let Some((db, mut session)) = prepared() else { return };
    load(&db, &mut *session, "code,name\nde,Germany\nfr,France\n", SeedMode::Tracked);
    db.ask("create table public.city (country text references public.country); insert into public.city values ('fr')");
    let mut next = seed("code,name\nde,Germany\n", SeedMode::Tracked);
    next.entry.attempt = 2;
    let error = session.load_rows(&next, &run("r"), &mut Silent).unwrap_err();
    assert_eq!(error.code(), "seed/foreign-key");
    let text = error.to_string();
    assert!(text.contains("(code)=(fr)") && text.contains("city") && text.contains("country"), "{text}");
    assert_eq!(db.ask("select count(*) from public.country"), "2");
    assert_eq!(db.ask("select count(*) from dbbuild.seed_row"), "2");
}

#[test]
fn upsert_insert_and_sync_do_as_they_say() {
    let Some((db, mut session)) = prepared() else { return };
    db.ask("insert into public.country values ('de', 'Germania', 1), ('xx', 'Mine', 2), ('at', 'Austria', null)");
    let file = "code,name,area\nde,Germany,1\nfr,France,3\nat,Austria,\n";
    assert_eq!(counts(&load(&db, &mut *session, file, SeedMode::Insert)), (3, 1, 0, 0, 0));
    assert_eq!(table(&db), "at Austria ∅\nde Germania 1.00\nfr France 3.00\nxx Mine 2.00");
    assert_eq!(counts(&load(&db, &mut *session, file, SeedMode::Upsert)), (3, 0, 1, 0, 0));
    assert_eq!(table(&db), "at Austria ∅\nde Germany 1.00\nfr France 3.00\nxx Mine 2.00");
    assert_eq!(counts(&load(&db, &mut *session, file, SeedMode::Sync)), (3, 0, 0, 1, 0));
    assert_eq!(table(&db), "at Austria ∅\nde Germany 1.00\nfr France 3.00");
    assert_eq!(db.ask("select count(*) from dbbuild.seed_row"), "0");
}

#[test]
fn empty_fields_are_null_and_quoted_ones_are_not() {
    let Some((db, mut session)) = prepared() else { return };
    load(&db, &mut *session, "code,name,area\na,\"\",\nb,\"x,\"\"y\"\"\n\tz\\N\",1\n", SeedMode::Tracked);
    assert_eq!(db.ask("select code, name = '', area is null from public.country where code = 'a'"), "a t t");
    assert_eq!(db.ask("select name = E'x,\"y\"\\n\\tz\\\\N' from public.country where code = 'b'"), "t");
    let mut other = seed("code,name,area\nc,,-\n", SeedMode::Upsert);
    other.null = Some("-".into());
    load_seed(&db, &mut *session, other);
    assert_eq!(db.ask("select name = '', area is null from public.country where code = 'c'"), "t t");
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line() {
    let Some((db, mut session)) = prepared() else { return };
    db.ask(
        "create table public.made (id int primary key, twice int generated always as (id * 2) stored);
         create table public.no_key (id int); create table public.parts (a int, b int, c int, primary key (a, b));
         create table public.checked (id int primary key, n int check (n > 0))",
    );
    let cases: [(&str, &str, &str, usize); 17] = [
        ("country", "", "seed/no-header", 1),
        ("country", "-- dbbuild: mode upsert\ncode,name\n", "seed/csv", 1),
        ("country", "code,nam\n", "seed/no-column", 1),
        ("country", "code,name,code\n", "seed/column-twice", 1),
        ("country", "code,name\nde,Germany,x\n", "seed/ragged-row", 2),
        ("country", "name\nGermany\n", "seed/key-not-in-file", 1),
        ("country", "code,name\nde,Germany\nfr,\"a\nb\"\nde,Again\n", "seed/key-twice", 5),
        ("country", "code,name\n,Germany\n", "seed/null-key", 2),
        ("country", "code,name\nde,\"Germany\n", "seed/csv", 2),
        ("country", "code,name,area\nde,Germany,1\nfr,France,much\nit,Italy,more\n", "sql/22P02", 3),
        ("country", "code,name\nde,Germany\nit,Italy\nfr,A name that is too long for it\n", "sql/22001", 4),
        ("country", "code,name\nde,\n", "sql/23502", 2),
        ("checked", "id,n\n1,1\n2,0\n3,1\n", "sql/23514", 3),
        ("made", "id,twice\n1,2\n", "seed/generated-column", 1),
        ("no_key", "id\n1\n", "seed/no-key", 1),
        ("nowhere", "id\n1\n", "seed/no-table", 1),
        ("parts", "a,b\n01,1\n1,1\n", "seed/key-twice", 3),
    ];
    for (table, text, code, line) in cases {
        let mut seed = seed(text, SeedMode::Tracked);
        seed.table = table.into();
        let error = session.load_rows(&seed, &run("r"), &mut Silent).unwrap_err();
        let place = error.place().unwrap_or_else(|| panic!("{error:?}"));
        assert_eq!((error.code().as_str(), place.line), (code, line), "{text}: {error}");
    }
    let mut seed = seed("code,name\nde,Germany\n", SeedMode::Tracked);
    seed.key = vec!["name".into()];
    assert_eq!(session.load_rows(&seed, &run("r"), &mut Silent).unwrap_err().code(), "seed/key-not-unique");
    assert_eq!(db.ask("select count(*) from public.country"), "0");
    assert_eq!(db.ask("select count(*) from dbbuild.journal"), "1");
}

#[test]
fn keys_of_several_columns_identities_and_odd_types_fit() {
    let Some((db, mut session)) = prepared() else { return };
    db.ask(
        "create type public.mood as enum ('sad', 'glad');
         create table public.\"Odd One\" (id int generated always as identity primary key, j json, p point, m public.mood, d date,
             t timestamptz, b bytea, a int[], ok bool)",
    );
    let text =
        "id,j,p,m,d,t,b,a,ok\n7,\"{\"\"a\"\": 1}\",\"(1,2)\",glad,2024-02-03,2024-02-03 04:05,\\x00ff,\"{1,2}\",yes\n";
    let mut odd = seed(text, SeedMode::Upsert);
    odd.table = "\"Odd One\"".into();
    assert_eq!(load_seed(&db, &mut *session, odd.clone()).inserted, 1);
    assert_eq!(load_seed(&db, &mut *session, odd.clone()).updated, 0);
    assert_eq!(
        db.ask("select id, j, p, m, d, t at time zone 'UTC', b, a, ok from public.\"Odd One\""),
        "7 {\"a\": 1} (1,2) glad 2024-02-03 2024-02-03 04:05:00 \\x00ff {1,2} t"
    );
    odd.source = RowSource::Embedded(b"id,m\n7,sad\n");
    assert_eq!(load_seed(&db, &mut *session, odd).updated, 1);
    db.ask("create table public.parts (a int, b text, c int, primary key (b, a))");
    let mut parts = seed("a,b,c\n1,x,1\n2,x,2\n", SeedMode::Tracked);
    parts.table = "public.parts".into();
    load_seed(&db, &mut *session, parts.clone());
    parts.source = RowSource::Embedded(b"c,b,a\n2,x,2\n3,y,1\n");
    let loaded = load_seed(&db, &mut *session, parts);
    assert_eq!((loaded.inserted, loaded.updated, loaded.deleted), (1, 0, 1));
}

#[test]
fn a_table_s_triggers_see_the_first_rows_and_its_rules_are_not_passed_over() {
    let Some((db, mut session)) = prepared() else { return };
    let text = "
        create table heard (code text);
        create function hear() returns trigger language plpgsql as $$
            begin insert into heard values (new.code); return case when new.code <> 'xx' then new end; end $$;
        create trigger hear before insert on country for each row execute function hear();";
    applied(&mut *session, &unit("2", text));
    let loaded = load(&db, &mut *session, "code,name\nde,Germany\nxx,Nowhere\nfr,France\n", SeedMode::Tracked);
    assert_eq!(counts(&loaded), (3, 2, 0, 0, 0));
    assert_eq!(db.ask("select code from heard"), "de\nxx\nfr");

    let text = "delete from country; create rule hear as on insert to country do also delete from heard";
    applied(&mut *session, &unit("3", text));
    let mut later = seed("code,name\nit,Italy\n", SeedMode::Sync);
    later.entry.attempt = 2;
    // PostgreSQL takes no upsert into such a table, so neither its first rows nor later ones go in.
    assert_eq!(session.load_rows(&later, &run("r"), &mut Silent).unwrap_err().code(), "sql/0A000");
    assert_eq!(db.ask("select count(*) from country"), "0");
}

#[test]
fn rows_may_refer_to_rows_that_follow() {
    let Some((db, mut session)) = prepared() else { return };
    db.ask("create table public.tree (id int primary key, parent int references public.tree deferrable)");
    let mut tree = seed("id,parent\n1,2\n2,3\n3,\n", SeedMode::Tracked);
    tree.table = "tree".into();
    assert_eq!(load_seed(&db, &mut *session, tree.clone()).inserted, 3);
    tree.source = RowSource::Embedded(b"id,parent\n3,\n");
    assert_eq!(load_seed(&db, &mut *session, tree.clone()).deleted, 2);
    tree.source = RowSource::Embedded(b"id,parent\n3,9\n");
    tree.entry.attempt = 3;
    let error = session.load_rows(&tree, &run("r"), &mut Silent).unwrap_err();
    assert_eq!(error.code(), "sql/23503");
}

#[test]
fn digests_can_be_known_without_touching_the_table() {
    let Some((db, mut session)) = prepared() else { return };
    db.ask("insert into public.country values ('de', 'Edited', 1)");
    let known = seed("code,name,area\nde,Germany,1\n", SeedMode::Tracked);
    session.record(std::slice::from_ref(&known.entry), std::slice::from_ref(&known), &run("r")).unwrap();
    assert_eq!(table(&db), "de Edited 1.00");
    let loaded = load(&db, &mut *session, "code,name,area\nde,Germany,1\nfr,France,2\n", SeedMode::Tracked);
    assert_eq!(counts(&loaded), (2, 1, 0, 0, 0));
    assert_eq!(table(&db), "de Edited 1.00\nfr France 2.00");
}

#[test]
fn the_owner_role_writes_the_rows_and_needs_no_right_to_the_journal() {
    let Some(mut db) = database() else { return };
    let role = format!("owner_{}", db.name);
    db.ask(&format!("create role {role}; grant all on schema public to {role}"));
    db.target.owner_role = Some(role.clone());
    let mut session = db.builder();
    applied(
        &mut *session,
        &unit("1", "create table country (code text primary key, name text, area int, who text default current_user)"),
    );
    for text in ["code,name\nde,Germany\nfr,France\n", "code,name\nde,Deutschland\nit,Italy\n"] {
        load(&db, &mut *session, text, SeedMode::Tracked);
    }
    assert_eq!(
        db.ask("select code, name, who from public.country order by 1"),
        format!("de Deutschland {role}\nit Italy {role}")
    );
    drop(session);
    db.ask(&format!("drop owned by {role}; drop role {role}"));
}

#[test]
fn a_large_file_is_streamed() {
    let Some((db, mut session)) = prepared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("country.csv");
    let rows: String = (0..200_000).map(|n| format!("c{n},name {n},{n}\n")).collect();
    std::fs::write(&file, format!("code,name,area\n{rows}")).unwrap();
    let mut large = seed("", SeedMode::Tracked);
    large.source = RowSource::File(file.clone());
    assert_eq!(load_seed(&db, &mut *session, large.clone()).inserted, 200_000);
    std::fs::write(&file, format!("code,name,area\n{}", rows.replace("name 77777,", "other,"))).unwrap();
    let again = load_seed(&db, &mut *session, large);
    assert_eq!((again.inserted, again.updated, again.deleted), (0, 1, 0));
}

#[test]
fn a_seed_that_somebody_else_loaded_is_left_alone() {
    let Some((db, mut session)) = prepared() else { return };
    load(&db, &mut *session, "code,name\nde,Germany\n", SeedMode::Tracked);
    let again = seed("code,name\nfr,France\n", SeedMode::Tracked);
    assert!(matches!(session.load_rows(&again, &run("r"), &mut Silent), Ok(None)));
    assert!(matches!(session.load_rows(&again, &run("r"), &mut Silent), Ok::<_, EngineError>(None)));
    assert_eq!(db.ask("select count(*) from public.country"), "1");
}

#[test]
fn a_loaded_baseline_knows_the_digests_of_its_files() {
    let Some((db, mut session)) = prepared() else { return };
    load(&db, &mut *session, "code,name,area\nde,Germany,1\n", SeedMode::Tracked);
    let folder = tempfile::tempdir().unwrap();
    match session.dump(folder.path(), &mut Silent) {
        Ok(_) => {}
        Err(EngineError::Tool { .. }) if std::env::var_os("CI").is_none() => return,
        Err(error) => panic!("{error}"),
    }
    let Some(copy) = database() else { return };
    let mut session = copy.builder();
    let known = seed("code,name,area\nde,Germany,1\n", SeedMode::Tracked);
    let entries = [unit("1", "select 1").entry, known.entry.clone()];
    let whole = Load::new(folder.path(), "shop", "baseline", Checksum::default());
    let whole = Load { entries: &entries, tracked: std::slice::from_ref(&known), ..whole };
    session.load(&whole, &run("r"), &mut Silent).unwrap();
    assert_eq!(copy.ask("select key from dbbuild.seed_row"), "[\"de\"]");
    copy.ask("update public.country set name = 'Edited'");
    let loaded = load(&copy, &mut *session, "code,name,area\nde,Germany,1\nfr,France,2\n", SeedMode::Tracked);
    assert_eq!(counts(&loaded), (2, 1, 0, 0, 0));
    assert_eq!(table(&copy), "de Edited 1.00\nfr France 2.00");
}
