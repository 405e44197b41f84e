use super::*;

fn table(columns: &[&str]) -> Vec<Object> {
    let name = Name::new(["public", "t"]);
    let mut table = Object::new(Kind::Table, name.clone(), "create table public.t\nwith (fillfactor=70)");
    table.columns = columns.iter().map(|column| (*column).to_owned()).collect();
    let part = |kind: Kind, own: &str, text: &str| Object {
        table: Some(name.clone()),
        ..Object::new(kind, Name::new(["public", "t", own]), text)
    };
    let mut objects: Vec<Object> =
        columns.iter().map(|column| part(Kind::Column, column, &format!("{column} integer"))).collect();
    objects.push(part(Kind::Constraint, "known", "CHECK (a > 0)"));
    objects.push(table);
    objects
}

#[test]
fn the_order_of_columns_is_in_the_fingerprint_and_in_no_digest() {
    let (one, other) = (Catalog::new(table(&["a", "b"])), Catalog::new(table(&["b", "a"])));
    assert_eq!(one.digests(), other.digests());
    assert_ne!(one.fingerprint(), other.fingerprint());
    let mut backwards = table(&["a", "b"]);
    backwards.reverse();
    assert_eq!(one.fingerprint(), Catalog::new(backwards).fingerprint());
}

#[test]
fn everything_that_is_said_of_an_object_is_in_its_digest() {
    let plain = Object::new(Kind::View, Name::new(["v"]), "create view v as select 1");
    let changes: [fn(&mut Object); 5] = [
        |object| object.definition.push('1'),
        |object| object.states.push("with no data".into()),
        |object| object.owner = Some("else".into()),
        |object| object.grants.push("grant select to reader".into()),
        |object| object.comment = Some(String::new()),
    ];
    for change in changes {
        let mut changed = plain.clone();
        change(&mut changed);
        assert_ne!(changed.digest(), plain.digest(), "{}", changed.block());
    }
    let mut spelt = plain.clone();
    spelt.essence = Some(plain.definition.clone());
    spelt.definition = "CREATE VIEW v AS SELECT 1".into();
    assert_eq!(spelt.digest(), plain.digest());
}

#[test]
fn a_whole_table_reads_as_somebody_would_write_it() {
    let catalog = Catalog::new(table(&["b", "a"]));
    let whole = catalog.get("table public.t").map(|table| catalog.whole(table));
    let expected = "create table public.t (\n    b integer,\n    a integer,\n    constraint known CHECK (a > 0)\n)\n\
                    with (fillfactor=70)";
    assert_eq!(whole.as_deref(), Some(expected));
}

#[test]
fn what_goes_with_a_table_is_counted_and_not_listed() {
    let empty = Catalog::new([]);
    let full = Catalog::new(table(&["a"]));
    let same = |_: &[(&Object, &Object)]| Ok::<_, ()>(Vec::new());
    let found = differences(&full, &empty, &Patterns::default(), same);
    let found = found.map(|all| all.into_iter().map(|one| (one.change, one.name, one.parts)).collect::<Vec<_>>());
    assert_eq!(found, Ok(vec![(Change::Missing, "public.t".to_owned(), 2)]));
}
