//! Code objects: each kind, each change of it, each change under it, dependents of one and two levels. The end equals a
//! fresh build, or the build refuses and the target is untouched.

use crate::support::Case;

/// A state of the project: files and their texts, without those of the scripts.
type Files = &'static [(&'static str, &'static str)];

/// A change: of the code (files that change; an empty text takes the file away), and a script under it.
struct Change {
    name: &'static str,
    code: Files,
    script: &'static str,
}

const TABLES: &str = "create table if not exists customer (id integer primary key, name text, age integer);\n\
                      create table if not exists log (what text);\n";

const SQLITE: Files = &[
    ("base", "create view base as select id, name, age from customer;\n"),
    ("one", "create view one as select * from base;\n"),
    ("two", "create view two as select id, name from one;\n"),
    ("other", "create view other as select id from customer;\n"),
    ("note", "create trigger note after insert on customer begin insert into log select name from one; end;\n"),
    (
        "into",
        "create trigger into_base instead of insert on base begin insert into customer (id) values (new.id); end;\n",
    ),
];

const POSTGRES: Files = &[
    ("f", "create or replace function f(a integer) returns integer language sql immutable as 'select a + 1';\n"),
    ("base", "create or replace view base as select id, name, age, f(age) as next from customer;\n"),
    ("one", "create or replace view one as select * from base;\n"),
    ("two", "create or replace view two with (security_barrier) as select id, name from one;\n"),
    ("other", "create or replace view other as select id from customer;\n"),
    (
        "mat",
        "create materialized view if not exists mat as select id, name from one;\ncreate unique index if not exists mat_id on mat (id);\n",
    ),
    ("shape", "create or replace function shape() returns setof two language sql stable as 'select * from two';\n"),
    (
        "note",
        "create or replace function note() returns trigger language plpgsql security definer as $$ begin insert into log values (new.name); return new; end $$;\n\
              create trigger note after insert on customer for each row when (f(new.age) > 0) execute function note();\n",
    ),
    (
        "into",
        "create or replace function into_base() returns trigger language plpgsql as $$ begin return null; end $$;\n\
              create trigger into_base instead of insert on base for each row execute function into_base();\n",
    ),
    ("rule", "create or replace rule two_rule as on delete to two do instead nothing;\n"),
    ("proc", "create or replace procedure p(a integer) language sql as 'insert into log values (a::text)';\n"),
];

const COMMON: &[Change] = &[
    Change {
        name: "a column is added under a star",
        code: &[("base", "create view base as select id, name, age, extra from customer;\n")],
        script: "-- dbbuild: unless column customer.extra\nalter table customer add column extra text;\n",
    },
    Change {
        name: "a column is dropped",
        code: &[("base", "create view base as select id, name from customer;\n")],
        script: "-- dbbuild: suspend-code base, note\nalter table customer drop column age;\n",
    },
    Change {
        name: "a column is renamed",
        code: &[("base", "create view base as select id, label as name, age from customer;\n")],
        script: "-- dbbuild: suspend-code base, note\nalter table customer rename column name to label;\n",
    },
    Change {
        name: "the table is renamed",
        code: &[
            ("base", "create view base as select id, name, age from client;\n"),
            ("other", "create view other as select id from client;\n"),
        ],
        script: "-- dbbuild: suspend-code base, note, other, into\nalter table customer rename to client;\n",
    },
    Change {
        name: "the table is rebuilt",
        code: &[],
        script: "-- dbbuild: suspend-code base, note, other\n-- dbbuild: foreign-keys off\n\
                      create table customer_new (id integer primary key, name text not null, age integer);\n\
                      insert into customer_new select id, name, age from customer;\ndrop table customer;\nalter table customer_new rename to customer;\n",
    },
    Change {
        name: "a view loses a column",
        code: &[("base", "create view base as select id, name from customer;\n")],
        script: "",
    },
    Change {
        name: "a view's columns change places",
        code: &[("base", "create view base as select name, id, age from customer;\n")],
        script: "",
    },
    Change {
        name: "a view's column is retyped",
        code: &[("base", "create view base as select cast(id as text) as id, name, age from customer;\n")],
        script: "",
    },
    Change {
        name: "the second level changes",
        code: &[("two", "create view two as select id, name, 1 as more from one;\n")],
        script: "",
    },
    Change {
        name: "a view moves into another file",
        code: &[("two", ""), ("renamed", "create view two as select id, name from one;\n")],
        script: "",
    },
    Change { name: "a file is emptied", code: &[("other", "-- nothing\n")], script: "" },
];

const ON_POSTGRES: &[Change] = &[
    Change {
        name: "a column is retyped",
        code: &[],
        script: "-- dbbuild: suspend-code base, note\nalter table customer alter column age type smallint;\n",
    },
    Change {
        name: "a function's body",
        code: &[(
            "f",
            "create or replace function f(a integer) returns integer language sql immutable as 'select a + 2';\n",
        )],
        script: "",
    },
    Change {
        name: "a function's result",
        code: &[(
            "f",
            "create or replace function f(a integer) returns bigint language sql immutable as 'select a + 2::bigint';\n",
        )],
        script: "",
    },
    Change {
        name: "a function's arguments",
        code: &[(
            "f",
            "create or replace function f(a integer, b integer default 1) returns integer language sql immutable as 'select a + b';\n",
        )],
        script: "",
    },
    Change {
        name: "an argument's name",
        code: &[(
            "f",
            "create or replace function f(b integer) returns integer language sql immutable as 'select b + 1';\n",
        )],
        script: "",
    },
    Change {
        name: "an argument's type",
        code: &[(
            "f",
            "create or replace function f(a bigint) returns bigint language sql immutable as 'select a + 1';\n",
        )],
        script: "",
    },
    Change {
        name: "a procedure's arguments",
        code: &[(
            "proc",
            "create or replace procedure p(a bigint) language sql as 'insert into log values (a::text)';\n",
        )],
        script: "",
    },
    Change {
        name: "a trigger",
        code: &[(
            "note",
            "create or replace function note() returns trigger language plpgsql as $$ begin return new; end $$;\n\
              create trigger note before insert on customer for each row execute function note();\n",
        )],
        script: "",
    },
    Change {
        name: "a trigger's name",
        code: &[(
            "note",
            "create or replace function note() returns trigger language plpgsql as $$ begin return new; end $$;\n\
              create trigger another before insert on customer for each row execute function note();\n",
        )],
        script: "",
    },
    Change {
        name: "options",
        code: &[("two", "create or replace view two with (security_barrier = false) as select id, name from one;\n")],
        script: "",
    },
    Change {
        name: "a materialized view",
        code: &[(
            "mat",
            "create materialized view if not exists mat as select id, name, age from one;\ncreate unique index if not exists mat_id on mat (id);\n",
        )],
        script: "",
    },
    Change {
        name: "a view becomes a materialized one",
        code: &[("other", "create materialized view other as select id from customer;\n")],
        script: "",
    },
    Change {
        name: "a rule",
        code: &[("rule", "create or replace rule two_rule as on update to two do instead nothing;\n")],
        script: "",
    },
];

const ON_SQLITE: &[Change] = &[
    Change {
        name: "a trigger",
        code: &[("note", "create trigger note before insert on customer begin insert into log values ('x'); end;\n")],
        script: "",
    },
    Change {
        name: "a trigger's name",
        code: &[(
            "note",
            "create trigger another after insert on customer begin insert into log select name from one; end;\n",
        )],
        script: "",
    },
];

fn set_up(case: &Case, files: Files) {
    case.write("db/1_tables.sql", TABLES);
    for (name, text) in files {
        case.write(&format!("db/code/{name}.sql"), text);
    }
}

/// Grants and comments that somebody gave by hand.
fn said_by_hand(case: &Case, role: &str) -> Vec<String> {
    let grants = format!(
        "select has_table_privilege('{role}', 'one', 'select with grant option'), has_table_privilege('{role}', 'two', 'insert'),
                (select max(d.description) from pg_description d where d.objoid = 'one'::regclass and d.objsubid = 0),
                (select bool_or(has_function_privilege('{role}', oid, 'execute')) from pg_proc where proname = 'f'),
                (select max(obj_description(oid, 'pg_proc')) from pg_proc where proname = 'f')"
    );
    case.ask(&grants).split('|').map(str::to_owned).collect()
}

fn apply(case: &Case, change: &Change) {
    for (name, text) in change.code {
        let path = format!("db/code/{name}.sql");
        if text.is_empty() { case.remove(&path) } else { case.write(&path, text) }
    }
    if !change.script.is_empty() {
        case.write("db/2_change.sql", change.script);
    }
}

#[test]
fn sqlite() {
    for change in COMMON.iter().chain(ON_SQLITE) {
        let case = Case::on_sqlite();
        set_up(&case, SQLITE);
        case.build();
        case.execute("insert into customer values (1, 'Ada', 36)");
        apply(&case, change);
        if change.name.starts_with("the table is renamed") {
            // The triggers go with their table, so they follow it.
            case.write(
                "db/code/note.sql",
                "create trigger note after insert on client begin insert into log select name from one; end;\n",
            );
            case.write("db/code/into.sql", "create trigger into_base instead of insert on base begin insert into client (id) values (new.id); end;\n");
        }
        finish(&case, change);
    }
}

fn finish(case: &Case, change: &Change) {
    let output = case.run(&[]);
    assert_eq!(output.code, Some(0), "{}: {output}", change.name);
    let drift = case.run(&["drift", "--strict", "--format", "json"]).document();
    let differences: Vec<String> = drift["differences"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| {
            // What was granted and said by hand is no part of a fresh build; definitions are.
            let definition = |side: &str| {
                one[side]
                    .as_str()
                    .unwrap_or_default()
                    .split("\ngrant ")
                    .next()
                    .unwrap_or_default()
                    .split("\ncomment: ")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            };
            one["change"] != "changed" || definition("expected") != definition("found")
        })
        .map(|one| format!("{one:#}"))
        .collect();
    assert!(differences.is_empty(), "{}: {}", change.name, differences.join("\n"));
    let rows = drift["rows"].as_array().unwrap();
    assert!(rows.is_empty(), "{}: {rows:?}", change.name);
    let output = case.run(&[]);
    assert!(output.stdout.contains("nothing to do"), "{}: {output}", change.name);
}

#[test]
fn postgres() {
    let Some(first) = Case::on_postgres() else { return };
    drop(first);
    for change in COMMON.iter().chain(ON_POSTGRES) {
        let Some(case) = Case::on_postgres() else { return };
        set_up(&case, POSTGRES);
        case.build();
        let role = case.reader();
        case.execute(&format!(
            "insert into customer values (1, 'Ada', 36);
             grant select on one to {role} with grant option; grant insert on two to {role}; comment on view one is 'it''s {{spec}}';
             revoke execute on function f(integer) from public; grant execute on function f(integer) to {role}; comment on function f(integer) is 'adds'"
        ));
        let before = said_by_hand(&case, &role);
        assert_eq!(before[..2], ["t", "t"]);
        apply(&case, change);
        if change.name.starts_with("the table is renamed") {
            let note = POSTGRES.iter().find(|(name, _)| *name == "note").unwrap().1;
            case.write("db/code/note.sql", note.replace("on customer", "on client"));
        }
        // The views of the common changes are written for both engines.
        if change.code.iter().any(|(name, text)| *name == "base" && !text.contains("next"))
            && change.name.starts_with("a column is dropped")
        {
            case.write(
                "db/code/note.sql",
                POSTGRES.iter().find(|(name, _)| *name == "note").unwrap().1.replace("f(new.age) > 0", "f(new.id) > 0"),
            );
        }
        finish(&case, change);
        assert_eq!(said_by_hand(&case, &role), before, "{}", change.name);
    }
}
