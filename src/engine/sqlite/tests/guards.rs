//! Guards, against a catalog with awkward names.

use super::*;

fn ran(session: &mut dyn Session, version: &mut i32, guard: &str) -> bool {
    *version += 1;
    let done = applied(session, &version.to_string(), &format!("-- dbbuild: {guard}\nselect 1;"));
    assert_eq!(done.statements + done.skipped, 1);
    done.statements == 1
}

#[test]
fn each_kind_of_object_is_found_by_its_own_kind() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(
        &mut *session,
        "1",
        "create table Customer (id integer primary key, email text, twice as (id * 2));
         create table \"Order line\" (\"a.b\" text);
         create index by_email on customer (email);
         create view everyone as select email as mail from customer;
         create trigger watch after insert on customer begin select 1; end;",
    );
    let mut version = 1;
    let mut present = |guard: &str| {
        let there = ran(&mut *session, &mut version, &format!("if {guard}"));
        assert_eq!(there, !ran(&mut *session, &mut version, &format!("unless {guard}")), "{guard}");
        there
    };
    for guard in [
        "table customer",
        "table main.CUSTOMER",
        "table \"Order line\"",
        "table [order LINE]",
        "column customer.email",
        "column customer.twice",
        "column main.\"Customer\".ID",
        "column \"Order line\".\"a.b\"",
        "column everyone.mail",
        "index by_email",
        "view everyone",
        "trigger watch",
        "query select 2 from customer union select 1",
        "query select 'text'",
    ] {
        assert!(present(guard), "{guard}");
    }
    for guard in [
        "table everyone",
        "table temp.customer",
        "table elsewhere.customer",
        "column customer.phone",
        "column nobody.email",
        "index customer",
        "view customer",
        "trigger by_email",
        "query select 1 where 0",
        "query select null",
        "query select 0.0",
        "query select ''",
    ] {
        assert!(!present(guard), "{guard}");
    }
}

#[test]
fn a_guard_makes_add_column_idempotent() {
    let place = Place::new();
    let mut session = place.prepared();
    applied(&mut *session, "1", "create table c (id integer primary key);");
    let sql = "-- dbbuild: unless column c.email begin\nalter table c add column email text;\nupdate c set email = 'x';\n-- dbbuild: end\ninsert into c (id) values (1);";
    assert_eq!(applied(&mut *session, "2", sql).skipped, 0);
    // The column is there, so the group is left out as a whole, though its own first statement made it the first time.
    assert_eq!(applied(&mut *session, "3", &sql.replace("(1)", "(2)")).skipped, 2);
    assert_eq!(place.ask("select email from c"), ["NULL", "NULL"]);
}

#[test]
fn what_sqlite_cannot_answer_is_refused_before_anything_runs() {
    let place = Place::new();
    let mut session = place.prepared();
    for kind in ["type", "constraint", "role", "schema", "sequence", "function", "extension", "policy"] {
        let sql = format!("create table a (x);\n-- dbbuild: unless {kind} foo\nselect 1;");
        let error = apply(&mut *session, script("1", &sql)).unwrap_err();
        assert_eq!((code(&error).as_str(), error.place().unwrap().line), ("guard/unanswerable", 2));
        assert!(error.hint().is_some());
    }
    let error = apply(&mut *session, script("1", "-- dbbuild: unless column foo\nselect 1;")).unwrap_err();
    assert_eq!(code(&error), "guard/name");
    let error = apply(&mut *session, script("1", "-- dbbuild: unless query delete from dbbuild_journal\nselect 1;"))
        .unwrap_err();
    assert!(error.to_string().contains("changes something"), "{error}");
    let error =
        apply(&mut *session, script("1", "select 1;\n-- dbbuild: if query select nope\nselect 1;")).unwrap_err();
    assert_eq!(error.place().unwrap().to_string(), "db/1.sql:2:29");
    assert!(place.ask("select name from sqlite_schema where name = 'a'").is_empty());
}
