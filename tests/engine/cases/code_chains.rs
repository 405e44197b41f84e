//! Views in chains, edited at random: each time the database is what a fresh build makes.

use proptest::prelude::*;

use crate::support::Case;

/// One view of the chains: what it reads, which columns it shows, and whether it asks for all of them.
#[derive(Debug, Clone)]
struct View {
    below: Option<usize>,
    columns: Vec<usize>,
    star: bool,
}

fn text(views: &[View], at: usize, replace: bool) -> String {
    let view = &views[at];
    let create = if replace { "create or replace view" } else { "create view" };
    let from = view.below.map_or("base".to_owned(), |below| format!("v{below}"));
    let own: Vec<String> = view.columns.iter().map(|column| format!("{} as c{at}_{column}", column + 1)).collect();
    let below = if view.star { format!("{from}.*") } else { "id".to_owned() };
    let shown: Vec<String> = std::iter::once(below).chain(own).collect();
    format!("{create} v{at} as select {} from {from};\n", shown.join(", "))
}

fn write(case: &Case, views: &[View], at: usize) {
    case.write(&format!("db/code/{}/v{at}.sql", at % 7), text(views, at, !case.is_sqlite() && at.is_multiple_of(2)));
}

fn run(count: usize, edits: &[(usize, u8, usize)], case: &Case, compares_each: bool) {
    case.write("db/1_base.sql", "create table if not exists base (id integer primary key);\n");
    let mut views: Vec<View> = (0..count)
        .map(|at| View { below: (at % 6 != 0).then(|| at - 1), columns: vec![0], star: at % 3 == 0 })
        .collect();
    for at in 0..count {
        write(case, &views, at);
    }
    case.build();
    for (at, what, column) in edits {
        let at = at % count;
        let view = &mut views[at];
        match what % 4 {
            0 => {
                let column = view.columns.len() + column;
                view.columns.retain(|known| *known != column);
                view.columns.push(column);
            }
            1 => drop(view.columns.pop()),
            2 => view.columns.reverse(),
            _ => view.star = !view.star,
        }
        write(case, &views, at);
        let output = case.run(&[]);
        assert_eq!(output.code, Some(0), "{at} {what} {column}: {output}");
        if compares_each {
            case.run(&["drift", "--strict"]).exits(0);
        }
    }
    case.run(&["drift", "--strict"]).exits(0);
    assert!(case.run(&[]).stdout.contains("nothing to do"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn on_sqlite(edits in prop::collection::vec((any::<usize>(), any::<u8>(), 0..50_usize), 1..8)) {
        run(24, &edits, &Case::on_sqlite(), true);
    }

    #[test]
    fn on_postgres(edits in prop::collection::vec((any::<usize>(), any::<u8>(), 0..50_usize), 1..6)) {
        if let Some(case) = Case::on_postgres() {
            run(24, &edits, &case, false);
        }
    }
}

/// The large one: 300 views, a hundred edits, each compared.
#[test]
#[ignore = "takes minutes: `cargo nextest run --run-ignored only`"]
fn three_hundred_views_and_a_hundred_edits() {
    let Some(case) = Case::on_postgres() else { return };
    let edits: Vec<(usize, u8, usize)> =
        (0..100).map(|_| (fastrand::usize(..), fastrand::u8(..), fastrand::usize(0..50))).collect();
    run(300, &edits, &case, true);
}
