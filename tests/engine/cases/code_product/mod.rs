//! Code objects, the product: each kind of object × each change of it × each change under it × dependents of no, one
//! and two levels × grants and comments or none. Many cells share a database, each with objects of its own, so that one
//! build changes all of them. The end is a fresh build, what people said is kept, and a second connection sees nothing
//! in between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::Case;

mod postgres;
mod sqlite;

/// A change of the object's own text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    Stays,
    Body,
    Wider,
    Narrower,
    Retyped,
    Relabelled,
    Reordered,
    Options,
    /// It becomes an object of a kindred kind: a view a materialized one.
    OtherKind,
    Renamed,
    /// Its text moves into another file.
    Moved,
    Emptied,
}

const OWN: [Own; 12] = [
    Own::Stays,
    Own::Body,
    Own::Wider,
    Own::Narrower,
    Own::Retyped,
    Own::Relabelled,
    Own::Reordered,
    Own::Options,
    Own::OtherKind,
    Own::Renamed,
    Own::Moved,
    Own::Emptied,
];

/// A change that a script makes of the table `t (id, a, b)` under the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Under {
    Nothing,
    Added,
    ColumnRenamed,
    TableRenamed,
    Dropped,
    Retyped,
    Rebuilt,
    TableDropped,
}

/// Those that need nothing out of their way come first: from the first one that does, all is one transaction.
const UNDER: [Under; 8] = [
    Under::Nothing,
    Under::Added,
    Under::ColumnRenamed,
    Under::TableRenamed,
    Under::Dropped,
    Under::Retyped,
    Under::Rebuilt,
    Under::TableDropped,
];

impl Under {
    /// The table that a text can read then, and its column.
    fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::Nothing | Self::Added | Self::Retyped | Self::Rebuilt => ("t", "a"),
            Self::ColumnRenamed => ("t", "z"),
            Self::TableRenamed => ("t2", "a"),
            Self::Dropped => ("t", "id"),
            Self::TableDropped => ("u", "a"),
        }
    }
}

/// One cell: `kind` is the engine's.
#[derive(Debug, Clone, Copy)]
struct Cell<K> {
    kind: K,
    own: Own,
    under: Under,
    levels: usize,
    said: bool,
}

/// What a cell puts into the project. `{p}` is the cell's own prefix.
#[derive(Default)]
struct Texts {
    /// A script that makes the tables.
    tables: String,
    /// The code files before.
    before: BTreeMap<&'static str, String>,
    /// The script under them.
    script: String,
    /// The code files afterwards.
    after: BTreeMap<&'static str, String>,
}

/// An engine's half of the product.
trait Half {
    type Kind: std::fmt::Debug + Copy + 'static;
    const KINDS: &'static [Self::Kind];

    /// Returns a cell's texts, or nothing where the kind has no such change.
    fn texts(cell: &Cell<Self::Kind>) -> Option<Texts>;
    /// What separates a cell's prefix from a name.
    fn prefix(at: usize) -> String;
    /// Says something of the objects of a cell, by hand.
    fn say(case: &Case, cell: &Cell<Self::Kind>, prefix: &str, role: &str);
    /// What was said, by object; those that go or get another name left out.
    fn said(case: &Case, role: &str) -> BTreeMap<String, String>;
    /// A query whose answer changes when a code object does.
    const STATE: &'static str;
}

fn product<H: Half>() -> Vec<Cell<H::Kind>> {
    let mut cells = Vec::new();
    for kind in H::KINDS {
        for own in OWN {
            for under in UNDER {
                for levels in 0..3 {
                    for said in [false, true] {
                        let cell = Cell { kind: *kind, own, under, levels, said };
                        if H::texts(&cell).is_some() {
                            cells.push(cell);
                        }
                    }
                }
            }
        }
    }
    cells
}

/// Runs cells together in one database.
fn run<H: Half>(case: &Case, mut cells: Vec<Cell<H::Kind>>) {
    cells.sort_by_key(|cell| cell.under);
    let role = case.reader();
    let filled = |text: &str, prefix: &str| text.replace("{p}", prefix);
    let mut all = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        let prefix = H::prefix(at);
        let texts = H::texts(cell).unwrap();
        case.write(&format!("db/{}_tables.sql", at + 1), filled(&texts.tables, &prefix));
        for (name, text) in &texts.before {
            case.write(&format!("db/code/{at}/{name}.sql"), format!("-- {cell:?}\n{}", filled(text, &prefix)));
        }
        all.push((prefix, texts));
    }
    case.build();
    for (cell, (prefix, _)) in cells.iter().zip(&all).filter(|(cell, _)| cell.said) {
        H::say(case, cell, prefix, &role);
    }
    let said = H::said(case, &role);
    for (at, (prefix, texts)) in all.iter().enumerate() {
        for name in texts.before.keys().filter(|name| !texts.after.contains_key(*name)) {
            case.remove(&format!("db/code/{at}/{name}.sql"));
        }
        for (name, text) in &texts.after {
            case.write(&format!("db/code/{at}/{name}.sql"), format!("-- {:?}\n{}", cells[at], filled(text, prefix)));
        }
        if !texts.script.is_empty() {
            case.write(&format!("db/{}_change.sql", 1000 + at), filled(&texts.script, prefix));
        }
    }
    let began = std::time::Instant::now();
    let states = watched::<H>(case, || {
        let output = case.run(&[]);
        assert_eq!(output.code, Some(0), "{output}");
    });
    eprintln!("{} cells: {:?}", cells.len(), began.elapsed());
    assert!(states.len() <= 2, "a second connection saw {} states", states.len());
    is_fresh(case);
    let now = H::said(case, &role);
    for (object, was) in &said {
        if let Some(is) = now.get(object) {
            let at: usize = object.trim_start_matches('c').split(['.', '_']).next().unwrap().parse().unwrap();
            assert_eq!(is, was, "what was said of {object}, {:?}", cells[at]);
        }
    }
}

/// Wants the database to be a fresh build, but for what people granted and said, and the next build to have nothing
/// to do.
fn is_fresh(case: &Case) {
    let drift = case.run(&["drift", "--strict", "--format", "json"]).document();
    // What was granted and said by hand is no part of a fresh build; definitions are.
    let is_definition = |line: &&str| {
        let own = line.strip_prefix("column ").and_then(|rest| rest.split_once(": ")).map_or(*line, |(_, rest)| rest);
        !["grant ", "revoke ", "comment: "].iter().any(|start| own.starts_with(start))
    };
    let definition = |side: &serde_json::Value| -> Vec<String> {
        side.as_str().unwrap_or_default().lines().filter(is_definition).map(str::to_owned).collect()
    };
    for one in drift["differences"].as_array().unwrap() {
        assert!(one["change"] == "changed" && definition(&one["expected"]) == definition(&one["found"]), "{one:#}");
    }
    assert_eq!(drift["rows"], serde_json::json!([]));
    case.build().says("nothing to do");
}

/// Does some work while a second connection looks at the code objects; returns the states that it saw.
fn watched<H: Half>(case: &Case, work: impl FnOnce()) -> Vec<String> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut states = vec![case.ask(H::STATE)];
    std::thread::scope(|scope| {
        let (flag, watched) = (stop.clone(), &*case);
        let watcher = scope.spawn(move || {
            let mut seen: Vec<String> = Vec::new();
            let mut looks = 0;
            while !flag.load(Ordering::Relaxed) {
                let state = watched.ask(H::STATE);
                if seen.last() != Some(&state) {
                    seen.push(state);
                }
                looks += 1;
            }
            assert!(looks > 3, "looked {looks} times");
            seen
        });
        // The watcher ends also if the work fails.
        struct End(Arc<AtomicBool>);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let end = End(stop);
        work();
        drop(end);
        states.extend(watcher.join().unwrap());
    });
    states.push(case.ask(H::STATE));
    states.dedup();
    states
}

/// Takes cells from all over the product, as many as are wanted.
fn sample<K: Copy>(cells: &[Cell<K>], count: usize) -> Vec<Cell<K>> {
    // A step without a common divisor with the sizes of the table reaches every value of each of its sides.
    let step = (cells.len() / count).max(1) | 1;
    cells.iter().step_by(step).copied().collect()
}

/// Returns the cells that a case's server can have: bodies without quotes came with 14.
fn on_server(case: &Case) -> Vec<Cell<postgres::Kind>> {
    let mut cells = product::<postgres::Postgres>();
    if case.major() < 14 {
        cells.retain(|cell| cell.kind != postgres::Kind::Atomic);
    }
    cells
}

#[test]
fn a_sample_on_sqlite() {
    run::<sqlite::Sqlite>(&Case::on_sqlite(), sample(&product::<sqlite::Sqlite>(), 60));
}

#[test]
fn a_sample_on_postgres() {
    if let Some(case) = Case::on_postgres() {
        run::<postgres::Postgres>(&case, sample(&on_server(&case), 40));
    }
}

/// Runs all cells, 96 cells to a database. `DBBUILD_TEST_SHARD=2/4` runs the second quarter of the databases.
fn run_all<H: Half>(cells: &[Cell<H::Kind>], new: impl Fn() -> Option<Case>) {
    let shard = std::env::var("DBBUILD_TEST_SHARD").unwrap_or_else(|_| "1/1".to_owned());
    let (mine, shards) = shard.split_once('/').unwrap();
    let (mine, shards): (usize, usize) = (mine.parse().unwrap(), shards.parse().unwrap());
    let mut failed = 0;
    for (at, chunk) in cells.chunks(96).enumerate().rev().filter(|(at, _)| at % shards == mine - 1) {
        let Some(case) = new() else { return };
        let run = || run::<H>(&case, chunk.to_vec());
        let is_well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_ok();
        failed += usize::from(!is_well);
        let how = if is_well { "well" } else { "FAILED" };
        eprintln!("cells {} to {} of {}: {how}", at * 96 + 1, at * 96 + chunk.len(), cells.len());
    }
    assert_eq!(failed, 0, "databases with a cell that failed");
}

#[test]
#[ignore = "takes minutes: `cargo nextest run --test engine --run-ignored only the_whole_product_on_sqlite`"]
fn the_whole_product_on_sqlite() {
    run_all::<sqlite::Sqlite>(&product::<sqlite::Sqlite>(), || Some(Case::on_sqlite()));
}

#[test]
#[ignore = "takes many minutes: `cargo nextest run --test engine --run-ignored only the_whole_product_on_postgres`"]
fn the_whole_product_on_postgres() {
    let Some(case) = Case::on_postgres() else { return };
    run_all::<postgres::Postgres>(&on_server(&case), Case::on_postgres);
}
