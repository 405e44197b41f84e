//! CSV seeds: each mode against each edit.

use super::*;
use crate::engine::{Loaded, RowSeed, RowSource, SeedMode};

/// A table and a file that can be edited and loaded again.
struct Seed {
    place: Place,
    session: Box<dyn Session>,
    mode: SeedMode,
    key: Vec<String>,
    null: Option<String>,
    table: String,
    attempt: i32,
}

impl Seed {
    fn new(mode: SeedMode, schema: &str) -> Self {
        let place = Place::new();
        let mut session = place.prepared();
        applied(&mut *session, "1", schema);
        Self { place, session, mode, key: Vec::new(), null: None, table: "country".into(), attempt: 0 }
    }

    fn try_load(&mut self, csv: &str) -> Result<Option<Loaded>> {
        let path = self.place.folder.path().join("country.csv");
        std::fs::write(&path, csv).unwrap();
        let seed = RowSeed {
            entry: NewEntry { text: None, ..entry(Kind::Seed, "seed/010_country.csv", self.attempt + 1, csv, 0) },
            file: "seed/010_country.csv".into(),
            source: RowSource::File(path),
            table: self.table.clone(),
            key: self.key.clone(),
            mode: self.mode,
            null: self.null.clone(),
        };
        let loaded = self.session.load_rows(&seed, &run(), &mut Silent)?;
        self.attempt += 1;
        Ok(loaded)
    }

    /// Rows in the file, inserted, updated, deleted, overwritten.
    fn load(&mut self, csv: &str) -> [u64; 5] {
        let loaded = self.try_load(csv).unwrap().unwrap();
        [loaded.rows, loaded.inserted, loaded.updated, loaded.deleted, loaded.overwritten]
    }

    fn refusal(&mut self, csv: &str) -> (String, usize, String) {
        let before = self.rows();
        let error = self.try_load(csv).unwrap_err();
        assert_eq!(self.rows(), before);
        assert!(self.place.ask("select 1 from dbbuild_journal where kind = 'seed' and state = 'running'").is_empty());
        (code(&error), error.place().unwrap().line, error.to_string())
    }

    fn edit(&self, sql: &str) {
        self.place.raw().execute_batch(sql).unwrap();
    }

    fn rows(&self) -> Vec<String> {
        self.place.ask("select concat_ws('|', code, coalesce(name, 'NULL')) from country order by code")
    }
}

const COUNTRY: &str = "create table country (code text primary key, name text);";

#[test]
fn tracked_writes_what_changed_in_the_file_and_nothing_else() {
    let mut seed = Seed::new(SeedMode::Tracked, COUNTRY);
    assert_eq!(seed.load("code,name\nde,Germany\nfr,France\nit,Italy\n"), [3, 3, 0, 0, 0]);
    // People add, edit and delete rows.
    seed.edit("insert into country values ('xx', 'ours'); update country set name = 'Frankreich' where code = 'fr'; delete from country where code = 'it'");
    assert_eq!(seed.load("code,name\nde,Deutschland\nfr,France\nit,Italy\nes,Spain\n"), [4, 1, 1, 0, 0]);
    assert_eq!(seed.rows(), ["de|Deutschland", "es|Spain", "fr|Frankreich", "xx|ours"]);
    // The same in another order of columns and rows is the same.
    assert_eq!(seed.load("name,code\nSpain,es\nItaly,it\nFrance,fr\nDeutschland,de\n"), [4, 0, 0, 0, 0]);
    // A row that left goes, edited or not; ours stays.
    assert_eq!(seed.load("code,name\nde,Deutschland\nes,Spain\n"), [2, 0, 0, 1, 0]);
    assert_eq!(seed.rows(), ["de|Deutschland", "es|Spain", "xx|ours"]);
    // A row of ours that enters the file is the file's from then on.
    assert_eq!(seed.load("code,name\nde,Deutschland\nes,Spain\nxx,theirs\n"), [3, 0, 1, 0, 0]);
    assert_eq!(seed.place.ask("select count(*) from dbbuild_seed_row"), ["3"]);
    assert_eq!(seed.load("code,name\n"), [0, 0, 0, 3, 0]);
    assert!(seed.rows().is_empty());
    assert!(seed.place.ask("select key from dbbuild_seed_row").is_empty());
}

#[test]
fn the_first_run_over_existing_rows_says_how_mnameit_overwrote() {
    let mut seed = Seed::new(SeedMode::Tracked, COUNTRY);
    seed.edit("insert into country values ('de', 'D'), ('fr', 'France'), ('xx', 'ours')");
    assert_eq!(seed.load("code,name\nde,Germany\nfr,France\nit,Italy\n"), [3, 1, 1, 0, 1]);
    assert_eq!(seed.rows(), ["de|Germany", "fr|France", "it|Italy", "xx|ours"]);
}

#[test]
fn upsert_insert_and_sync() {
    let edited = "insert into country values ('de', 'D'), ('xx', 'ours')";
    let file = "code,name\nde,Germany\nfr,France\n";
    let mut seed = Seed::new(SeedMode::Upsert, COUNTRY);
    seed.edit(edited);
    assert_eq!(seed.load(file), [2, 1, 1, 0, 1]);
    assert_eq!(seed.rows(), ["de|Germany", "fr|France", "xx|ours"]);
    assert_eq!(seed.load("code,name\nde,Germany\n"), [1, 0, 0, 0, 0]);
    let mut seed = Seed::new(SeedMode::Insert, COUNTRY);
    seed.edit(edited);
    assert_eq!(seed.load(file), [2, 1, 0, 0, 0]);
    assert_eq!(seed.rows(), ["de|D", "fr|France", "xx|ours"]);
    let mut seed = Seed::new(SeedMode::Sync, COUNTRY);
    seed.edit(edited);
    assert_eq!(seed.load(file), [2, 1, 1, 1, 1]);
    assert_eq!(seed.rows(), ["de|Germany", "fr|France"]);
    // Back to tracked: nothing stale hides what happened in between.
    seed.mode = SeedMode::Tracked;
    seed.load(file);
    seed.mode = SeedMode::Upsert;
    seed.load("code,name\nde,Allemagne\n");
    seed.mode = SeedMode::Tracked;
    seed.load(file);
    assert_eq!(seed.rows(), ["de|Germany", "fr|France"]);
}

#[test]
fn empty_is_null_and_quoted_empty_is_not() {
    let mut seed = Seed::new(SeedMode::Tracked, COUNTRY);
    seed.load("code,name\na,\nb,\"\"\nc,\"x, \"\"y\"\"\nz\"\n");
    assert_eq!(seed.rows(), ["a|NULL", "b|", "c|x, \"y\"\nz"]);
    seed.null = Some("-".into());
    seed.load("code,name\na,\nb,-\nc,\"-\"\n");
    assert_eq!(seed.rows(), ["a|", "b|NULL", "c|-"]);
}

#[test]
fn types_come_from_the_columns() {
    let mut seed = Seed::new(
        SeedMode::Tracked,
        "create table country (id integer primary key, code text, n numeric, r real, flag boolean, name, twice as (id * 2));",
    );
    seed.load("id,code,n,r,flag,name\n007,007,1.50,3,true,5\n8,x,text,1e3,FALSE,y\n");
    let types = "select concat_ws(' ', typeof(id), id, typeof(code), code, typeof(n), n, typeof(r), r, typeof(flag), flag, typeof(name)) from country";
    assert_eq!(
        seed.place.ask(types),
        [
            "integer 7 text 007 real 1.5 real 3.0 integer 1 text",
            "integer 8 text x text text real 1000.0 integer 0 text",
        ]
    );
    // 7 and 007 are one key: nothing is deleted, nothing inserted.
    assert_eq!(seed.load("id,code,n,r,flag,name\n7,007,1.5,3,true,5\n8,x,text,1e3,FALSE,y\n"), [2, 0, 0, 0, 0]);
    assert_eq!(seed.refusal("id,code,n,r,flag,name\n7,a,,,,\n07,b,,,,\n").0, "seed/key-twice");
    assert_eq!(seed.refusal("id,twice\n1,2\n").0, "seed/generated-column");
    seed.mode = SeedMode::Sync;
    assert_eq!(seed.load("id,code,n,r,flag,name\n0007,007,1.5,3,true,5\n"), [1, 0, 0, 1, 0]);
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let mut seed =
        Seed::new(SeedMode::Tracked, "create table country (code text primary key, name text not null, rank integer);");
    seed.load("code,name\na,A\n");
    let mut is = |csv: &str, code: &str, line: usize, words: &str| {
        let (found, at, message) = seed.refusal(csv);
        assert_eq!((found.as_str(), at), (code, line), "{message}");
        assert!(message.contains(words), "{message}");
    };
    is("code,nmae\nb,B\n", "seed/no-column", 1, "no column \"nmae\"");
    is("-- dbbuild: mode upsert\ncode,name\nb,B\n", "seed/csv", 1, "neither comments nor directives");
    is("name,rank\nB,1\n", "seed/key-not-in-file", 1, "\"code\"");
    is("code,name,code\nb,B,b\n", "seed/column-twice", 1, "twice");
    is("code,name\nb,B\n\nc,C,3\n", "seed/ragged-row", 4, "2 fields, this row has 3");
    is("code,name\nb,B\nc,\"C\nC\"\nb,D\n", "seed/key-twice", 5, "line 2 and line 5");
    is("code,name\n,B\n", "seed/null-key", 2, "is NULL");
    is("code,name\nb,\"B\n", "seed/csv", 2, "never closed");
    is("", "seed/no-header", 1, "empty");
    is("code,name\nb,B\nc,\n", "sql/SQLITE_CONSTRAINT_NOTNULL", 3, "country.name");
    let error = seed.try_load("code,nmae\n").unwrap_err();
    assert_eq!((error.hint().unwrap().as_str(), error.place().unwrap().column), ("did you mean `name`?", 6));
    seed.key = vec!["name".into()];
    assert_eq!(seed.refusal("code,name\nb,B\n").0, "seed/key-not-unique");
    seed.edit("create unique index by_name on country (name) where rank > 1");
    assert_eq!(seed.refusal("code,name\nb,B\n").0, "seed/key-not-unique");
    seed.edit("drop index by_name; create unique index by_name on country (name)");
    assert_eq!(seed.load("code,name\nz,A\n"), [1, 0, 1, 0, 0]);
    assert_eq!(seed.place.ask("select code from country"), ["z"]);
    seed.table = "nowhere".into();
    assert_eq!(seed.refusal("code\n").0, "seed/no-table");
}

#[test]
fn a_foreign_key_in_the_way_is_named() {
    let schema = "create table country (code text primary key, name text);
                  create table city (id integer primary key, in_country text references country);";
    let mut seed = Seed::new(SeedMode::Tracked, schema);
    seed.load("code,name\nde,Germany\nfr,France\n");
    seed.edit("insert into city values (1, 'fr'), (2, 'fr')");
    let (found, _, message) = seed.refusal("code,name\nde,Deutschland\n");
    assert_eq!(found, "seed/foreign-key");
    assert_eq!(
        message,
        "the row code (fr) is no longer in the file, but cannot be deleted from country: 2 rows of city refer to it"
    );
    assert_eq!(seed.rows(), ["de|Germany", "fr|France"]);
    seed.edit("delete from city");
    assert_eq!(seed.load("code,name\nde,Deutschland\n"), [1, 0, 1, 1, 0]);
}

#[test]
fn rows_that_refer_to_each_other_come_in_nameorder() {
    let schema = "create table country (code text primary key, name text, part_of text references country);";
    let mut seed = Seed::new(SeedMode::Tracked, schema);
    assert_eq!(seed.load("code,part_of\na,b\nb,\nc,a\n")[1], 3);
    assert_eq!(seed.load("code,part_of\nb,\nd,b\n"), [2, 1, 0, 2, 0]);
    let (found, _, _) = seed.refusal("code,part_of\nb,\nd,q\n");
    assert!(found.starts_with("sql/SQLITE_CONSTRAINT"), "{found}");
}

#[test]
fn a_value_may_move_from_a_row_that_goes_to_one_that_comes() {
    let mut seed = Seed::new(SeedMode::Tracked, "create table country (code integer primary key, name text unique);");
    seed.load("code,name\n1,A\n2,B\n");
    assert_eq!(seed.load("code,name\n2,B\n3,A\n"), [2, 1, 0, 1, 0]);
}

#[test]
fn a_composite_key_and_a_second_builder() {
    let mut seed = Seed::new(
        SeedMode::Tracked,
        "create table country (code text, lang text, name text, primary key (code, lang)) without rowid;",
    );
    seed.load("lang,code,name\nde,de,Deutschland\nen,de,Germany\n");
    assert_eq!(seed.load("lang,code,name\nde,de,BRD\nfr,de,Allemagne\n"), [2, 1, 1, 1, 0]);
    seed.attempt -= 1;
    assert_eq!(seed.try_load("lang,code,name\n").unwrap(), None);
    assert_eq!(seed.rows().len(), 2);
}

#[test]
fn recorded_digests_are_those_of_a_load() {
    let csv = "code,name\nde,Germany\nfr,\n";
    let mut seed = Seed::new(SeedMode::Tracked, COUNTRY);
    seed.load(csv);
    let all = "select hex(digest) || key || file from dbbuild_seed_row order by key";
    let loaded = seed.place.ask(all);
    seed.edit("delete from dbbuild_seed_row; insert into dbbuild_seed_row values ('shop', 'seed/010_country.csv', 'stale', x'00')");
    let tracked = RowSeed {
        entry: entry(Kind::Seed, "seed/010_country.csv", 2, csv, 0),
        file: "seed/010_country.csv".into(),
        source: RowSource::Embedded(csv.as_bytes()),
        table: "country".into(),
        key: Vec::new(),
        mode: SeedMode::Tracked,
        null: None,
    };
    seed.session.record(&[], &[tracked], &run()).unwrap();
    assert_eq!((loaded.len(), seed.place.ask(all)), (2, loaded));
}
