//! Code objects through change: they are what their files say, whatever scripts do to the tables below them.

use crate::support::Case;

const TABLE: &str = "create table if not exists customer (id integer primary key, name text, email text);\n";

/// Writes a view's file; SQLite knows no `or replace`.
fn view(case: &Case, name: &str, query: &str) {
    let create = case.pick("create view", "create or replace view");
    case.write(&format!("db/code/{name}.sql"), format!("{create} {name} as {query};\n"));
}

/// Wants the database to be what a fresh build is.
#[track_caller]
fn fresh(case: &Case) {
    case.run(&["drift", "--strict"]).exits(0);
}

cases! {
    fn a_view_over_a_view_gains_a_column(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "a_outer", "select * from z_inner");
        view(case, "z_inner", "select id from customer");
        case.build();
        case.execute("insert into customer values (1, 'Ada', 'a@x')");
        view(case, "z_inner", "select id, name from customer");
        case.build();
        assert_eq!(case.ask("select id, name from a_outer"), "1|Ada");
        fresh(case);
        case.build().says("nothing to do");
    }

    fn a_view_loses_and_retypes_a_column_under_another(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "a_top", "select id from b_middle");
        view(case, "b_middle", "select id, name from z_inner");
        view(case, "z_inner", "select id, name, email from customer");
        case.build();
        view(case, "z_inner", "select cast(id as text) as id, name from customer");
        case.build();
        fresh(case);
        case.build().says("nothing to do");
    }

    fn a_view_that_needs_what_went_is_named(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id, email from customer");
        case.build();
        case.write("db/2_less.sql", case.pick(
            "-- dbbuild: suspend-code shown\nalter table customer drop column email;\n",
            "-- dbbuild: suspend-code shown\nalter table customer drop column email;\n"));
        case.unchanged(|| case.run(&[]).exits(4).says("db/code/shown.sql:1:").says("email"));
        view(case, "shown", "select id from customer");
        case.build();
        fresh(case);
    }

    fn a_script_under_a_view_needs_suspend_code_and_is_told_so(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id, email from customer");
        view(case, "over", "select email from shown");
        case.build();
        case.write("db/2_less.sql", "alter table customer drop column email;\n");
        view(case, "shown", "select id, name as email from customer");
        case.unchanged(|| case.run(&[]).exits(4).says("-- dbbuild: suspend-code").says("shown"));
        case.write("db/2_less.sql", "-- dbbuild: suspend-code shown\nalter table customer drop column email;\n");
        case.build().says("over");
        fresh(case);
        case.build().says("nothing to do");
    }

    fn what_a_text_does_not_make_any_more_is_dropped(case) {
        case.write("db/1_customer.sql", TABLE);
        case.write("db/code/two.sql", "create view one as select id from customer;\ncreate view two as select id from customer;\n");
        case.build();
        view(case, "above", "select id from one");
        case.build();
        case.write("db/code/two.sql", "create view two as select id from customer;\n");
        case.unchanged(|| case.run(&[]).exits(4).says("db/code/above.sql:1:").says("one"));
        view(case, "above", "select id from customer");
        case.build().says("view").says("one");
        fresh(case);
        case.write("db/code/two.sql", "-- nothing left\n");
        case.build();
        fresh(case);
        case.build().says("nothing to do");
    }

    fn a_file_that_is_gone_is_reported_and_dropped_on_request(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id from customer");
        view(case, "kept", "select id from customer");
        case.build();
        case.remove("db/code/shown.sql");
        case.unchanged(|| case.build().says("db/code/shown.sql").says("--drop-code"));
        case.run(&["--drop-code"]).exits(0);
        fresh(case);
        case.build().says("nothing to do").does_not_say("shown");
        // One that was emptied first has left nothing behind.
        case.write("db/code/kept.sql", "");
        case.build();
        case.remove("db/code/kept.sql");
        fresh(case);
        case.build().says("nothing to do").does_not_say("kept");
    }

    fn a_file_that_is_renamed_keeps_its_objects(case) {
        case.write("db/1_customer.sql", TABLE);
        case.write("db/code/shown.sql", "create view shown as select id from customer;\n");
        case.build();
        case.rename("db/code/shown.sql", "db/code/renamed.sql");
        case.build();
        fresh(case);
        case.build().says("nothing to do").does_not_say("gone");
        case.rename("db/code/renamed.sql", "db/code/again.sql");
        view(case, "again", "select id, name from customer");
        case.write("db/code/again.sql", case.read("db/code/again.sql").replace("view again", "view shown"));
        case.build().says("if no other file makes it");
        fresh(case);
        case.build().says("nothing to do").does_not_say("gone");
    }

    fn a_table_that_a_view_hides_is_not_taken_for_made(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id from customer");
        case.build();
        case.remove("db/code/shown.sql");
        case.write("db/2_shown.sql", "create table if not exists shown (id integer);\n");
        for arguments in [&[][..], &["--drop-code"]] {
            case.unchanged(|| case.run(arguments).exits(3).says("code/in-the-place").says("db/2_shown.sql:1:").says("suspend-code shown"));
        }
        case.write("db/2_shown.sql", "-- dbbuild: suspend-code shown\ncreate table if not exists shown (id integer);\n");
        case.build();
        fresh(case);
        case.run(&["--drop-code"]).exits(0);
        fresh(case);
    }

    fn names_in_quotes_are_suspended(case) {
        case.write("db/1_customer.sql", TABLE);
        let name = case.pick("\"odd, name\"", "public.\"Odd, name\"");
        case.write("db/code/odd.sql", format!("create view {name} as select id, email from customer;\n"));
        case.build();
        case.write("db/2_less.sql", "alter table customer drop column email;\n");
        case.unchanged(|| case.run(&[]).exits(4).says(&format!("{name} is a code object: `-- dbbuild: suspend-code {name}`")));
        case.write("db/2_less.sql", format!("-- dbbuild: suspend-code {name}, other\nalter table customer drop column email;\n"));
        case.write("db/code/odd.sql", format!("create view {name} as select id, name from customer;\n"));
        case.build();
        fresh(case);
    }

    fn a_view_under_another_name_goes_when_its_file_makes_it_again(case) {
        if case.is_sqlite() {
            return;
        }
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id from customer");
        case.build();
        case.execute("alter view shown rename to renamed");
        case.write("db/2_more.sql", "create table if not exists more (id integer);\n");
        case.build().says("shown");
        fresh(case);
    }

    fn a_view_of_somebodys_is_not_broken(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id, name from customer");
        view(case, "over", "select id, name from shown");
        case.build();
        case.execute("create view by_hand as select name from over; create view above as select * from by_hand");
        view(case, "shown", "select id from customer");
        view(case, "over", "select id from shown");
        case.unchanged(|| case.run(&[]).exits(3).says("code/depended-on").says("by_hand"));
        case.execute("drop view above; drop view by_hand");
        case.build();
        fresh(case);
    }

    fn an_object_in_two_files_is_refused(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id from customer");
        case.write("db/code/other.sql", "create view shown as select name from customer;\n");
        case.run(&[]).exits(3).says("code/twice").says("db/code/other.sql").says(".sql:1:1");
    }

    fn a_table_in_a_code_file_is_refused(case) {
        case.write("db/1_customer.sql", TABLE);
        case.write("db/code/t.sql", "create table t (id integer);\n");
        case.run(&[]).exits(3).says("code/table").says("db/code/t.sql:1:");
        case.write("db/code/t.sql", "drop table if exists customer;\n");
        case.run(&[]).exits(3).says("code/table").says("db/code/t.sql:1:");
        case.write("db/code/t.sql", "-- dbbuild: no-transaction\ncreate view t as select 1;\n");
        case.run(&[]).exits(3).says("code/no-transaction");
        for temporary in ["create temporary view t as select 1", &format!("create view {}.t as select 1", case.pick("temp", "pg_temp"))] {
            case.write("db/code/t.sql", format!("{temporary};\n"));
            case.run(&[]).exits(3).says("code/temporary").says("db/code/t.sql:1:");
        }
    }

    fn what_hands_changed_is_put_right_when_something_runs(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id from customer");
        view(case, "other", "select name from customer");
        case.build();
        case.execute("drop view shown");
        case.build().says("nothing to do");
        case.write("db/2_more.sql", "create table if not exists more (id integer);\n");
        case.build().says("shown").says("put back").does_not_say("other");
        fresh(case);
        // Also where only a file runs that has nothing to do with it.
        case.execute("drop view shown");
        case.execute(&format!("create view {}.shown as select name as id from customer", case.pick("main", "public")));
        view(case, "other", "select name, id from customer");
        case.build().says("was another one");
        fresh(case);
    }

    fn a_rebuilt_table_gets_its_triggers_and_views_back(case) {
        case.write("db/1_customer.sql", TABLE);
        case.write("db/2_log.sql", "create table if not exists log (what text);\n");
        case.write("db/code/shown.sql", "create view shown as select id, name from customer;\n");
        case.write("db/code/note.sql", case.pick(
            "create trigger note after insert on customer begin insert into log values (new.name); end;\n",
            "create or replace function note() returns trigger language plpgsql as $$ begin insert into log values (new.name); return new; end $$;\n\
             create trigger note after insert on customer for each row execute function note();\n"));
        case.build();
        case.write("db/3_rebuild.sql",
            "-- dbbuild: suspend-code shown, note\n-- dbbuild: foreign-keys off\n\
             create table if not exists customer_new (id integer primary key, name text not null default '', email text);\n\
             insert into customer_new select id, name, email from customer;\n\
             drop table customer;\nalter table customer_new rename to customer;\n");
        case.build();
        case.execute("insert into customer (id, name) values (1, 'Ada')");
        assert_eq!(case.ask("select what from log"), "Ada");
        assert_eq!(case.ask("select name from shown"), "Ada");
        case.build().says("nothing to do");
    }

    fn no_transaction_after_suspend_code_is_warned_of_and_things_come_back(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id, name from customer");
        case.build();
        case.write("db/2_less.sql", "-- dbbuild: suspend-code shown\nalter table customer drop column email;\n");
        case.write("db/3_slow.sql", "-- dbbuild: no-transaction\ncreate table if not exists slow (id integer);\n");
        case.run(&["plan"]).exits(0).says("shown").says("away");
        case.build();
        assert_eq!(case.ask("select count(*) from shown"), "0");
        fresh(case);
        case.build().says("nothing to do");
    }

    fn an_interrupted_build_looks_after_the_code_the_next_time(case) {
        case.write("db/1_customer.sql", TABLE);
        view(case, "shown", "select id, name from customer");
        case.build();
        case.execute("drop view shown");
        case.write("db/2_more.sql", "create table if not exists more (id integer);\n");
        // As if a build had ended behind the script.
        case.run(&["--to", "2"]).exits(0);
        case.build().says("shown");
        fresh(case);
        case.build().says("nothing to do");
    }
}

#[test]
fn sqlite_finds_a_view_and_a_trigger_over_what_is_missing() {
    let case = Case::on_sqlite();
    case.write("db/1_customer.sql", TABLE);
    case.write("db/code/shown.sql", "create view shown as select id from nowhere;\n");
    case.run(&[]).exits(4).says("db/code/shown.sql:1:").says("nowhere");
    assert_eq!(case.ask("select count(*) from sqlite_schema where type = 'view' and name = 'shown'"), "0");
    case.write(
        "db/code/shown.sql",
        "create trigger shown after update of name on customer begin delete from nowhere; end;\n",
    );
    case.run(&[]).exits(4).says("db/code/shown.sql:1:").says("nowhere");
    case.write("db/code/shown.sql", "create view shown as select id from customer;\ncreate trigger into_shown instead of insert on shown begin insert into customer (id) values (new.id); end;\n");
    case.build();
    case.execute("insert into shown (id) values (5)");
    assert_eq!(case.ask("select id from customer"), "5");
    case.build().says("nothing to do");
}

fn postgres() -> Option<Case> {
    Case::on_postgres()
}

#[test]
fn postgres_puts_grants_comments_and_options_back() {
    let Some(case) = postgres() else { return };
    case.reader();
    case.write("db/1_customer.sql", TABLE);
    case.write(
        "db/code/f.sql",
        "create or replace function f(a integer) returns integer language sql as 'select a + 1';\n",
    );
    case.write(
        "db/code/v.sql",
        "create or replace view v with (security_barrier) as select id, f(id) as next, name from customer;\n",
    );
    case.write("db/code/w.sql", "create or replace view w as select id, next from v;\n");
    case.write("db/code/t.sql", "create or replace function tf() returns trigger language plpgsql as $$ begin return new; end $$;\ncreate trigger t before insert on customer for each row when (f(new.id) > 0) execute function tf();\n");
    case.write(
        "db/code/r.sql",
        "create or replace rule r as on insert to customer where f(new.id) < 0 do also nothing;\n",
    );
    case.build();
    let role = case.reader();
    case.execute(&format!(
        "grant select on v to {role} with grant option; grant select (id) on w to {role}; comment on view w is 'It''s w';
         comment on column v.name is 'a name'; revoke execute on function f(integer) from public; grant execute on function f(integer) to {role};
         alter table customer disable trigger t, disable rule r; set role {role}; grant select on v to public"
    ));
    // Another signature: view, view above, and trigger depend on it.
    case.write(
        "db/code/f.sql",
        "create or replace function f(a bigint) returns bigint language sql as 'select a + 1';\n",
    );
    case.build();
    fresh_but_hands(&case);
    assert_eq!(case.ask("select count(*) from pg_proc where proname = 'f'"), "1");
    assert_eq!(case.ask(&format!("select has_table_privilege('{role}', 'v', 'select with grant option'), has_column_privilege('{role}', 'w', 'id', 'select'), has_table_privilege('{role}', 'w', 'select'), has_function_privilege('{role}', 'f(bigint)', 'execute')")), "t|t|f|t");
    assert_eq!(
        case.ask("select (select count(*) from aclexplode(proacl) where grantee = 0) from pg_proc where proname = 'f'"),
        "0"
    );
    assert_eq!(case.ask("select count(*) from pg_class, aclexplode(relacl) where relname = 'v' and grantee = 0"), "1");
    assert_eq!(case.ask("select obj_description('w'::regclass), col_description('v'::regclass, 3), (select reloptions::text from pg_class where relname = 'v')"), "It's w|a name|{security_barrier=true}");
    let switches = "select (select tgenabled from pg_trigger where tgname = 't'), (select ev_enabled from pg_rewrite where rulename = 'r')";
    assert_eq!(case.ask(switches), "D|D");
    case.build().says("nothing to do");
    // Both move into other files and onto another table at once.
    case.write("db/2_client.sql", "-- dbbuild: suspend-code public.t, r, v\nalter table customer rename to client;\n");
    for (file, moved) in [("v", "v"), ("t", "trigger"), ("r", "rule")] {
        let text = case.read(&format!("db/code/{file}.sql")).replace("customer", "client");
        case.remove(&format!("db/code/{file}.sql"));
        case.write(&format!("db/code/{moved}.sql"), text);
    }
    case.build();
    fresh_but_hands(&case);
    assert_eq!(case.ask(switches), "D|D");
    // What is granted by default since is for new objects.
    case.execute(&format!(
        "alter default privileges grant select on tables to {role}; alter default privileges grant execute on functions to {role};
         alter default privileges revoke execute on functions from public"
    ));
    case.write("db/code/plain.sql", "create function plain() returns integer language sql as 'select 1';\ncreate view plain as select plain() as a;\n");
    case.build();
    case.execute("update pg_proc set proacl = null where proname = 'plain'; update pg_class set relacl = null where relname = 'plain'");
    case.write("db/code/plain.sql", "create function plain() returns text language sql as 'select 1::text';\ncreate view plain as select plain() as a;\n");
    case.build();
    let granted = "select (select count(*) from pg_class, aclexplode(relacl) where relname = 'plain' and grantee <> relowner),
                          (select string_agg(grantee::text, ',') from pg_proc, aclexplode(proacl) where proname = 'plain' and grantee <> proowner)";
    assert_eq!(case.ask(granted), "0|0");
    case.execute(&format!(
        "alter default privileges revoke select on tables from {role}; alter default privileges revoke execute on functions from {role}"
    ));
}

#[test]
fn postgres_puts_grants_back_across_a_script_without_transaction() {
    let Some(case) = postgres() else { return };
    case.write("db/1_customer.sql", TABLE);
    case.write("db/code/v.sql", "create view v as select id, name from customer;\n");
    case.build();
    let role = case.reader();
    case.execute(&format!("grant select on v to {role} with grant option; comment on view v is 'kept'"));
    case.write("db/2_less.sql", "-- dbbuild: suspend-code v\nalter table customer drop column email;\n");
    case.write("db/3_slow.sql", "-- dbbuild: no-transaction\nselect nothing;\n");
    case.run(&[]).exits(4).says("db/3_slow.sql");
    assert_eq!(case.ask("select count(*) from pg_views where viewname = 'v'"), "0");
    // The branch that brought the failing script is left: nothing is pending, and the view is away still.
    case.remove("db/3_slow.sql");
    case.execute("delete from dbbuild.journal where key = '3'");
    case.run(&["status", "--exit-code"]).exits(1);
    case.build().says("put back");
    assert_eq!(
        case.ask(&format!(
            "select has_table_privilege('{role}', 'v', 'select with grant option'), obj_description('v'::regclass)"
        )),
        "t|kept"
    );
    case.build().says("nothing to do");
}

/// What the case granted by hand is drift; nothing else is.
#[track_caller]
fn fresh_but_hands(case: &Case) {
    let drift = case.run(&["drift", "--format", "json"]).document();
    for difference in drift["differences"].as_array().unwrap() {
        let name = difference["name"].as_str().unwrap();
        assert_eq!(difference["change"], "changed", "{difference:#}");
        let definition = |side: &str| difference[side].as_str().unwrap().lines().next().unwrap().to_owned();
        assert_eq!(definition("expected"), definition("found"), "{name}");
    }
}

#[test]
fn postgres_refuses_to_drop_what_is_no_code_object() {
    let Some(case) = postgres() else { return };
    case.write("db/1_customer.sql", TABLE);
    case.write(
        "db/code/f.sql",
        "create or replace function f(a integer) returns integer language sql immutable as 'select a + 1';\n",
    );
    case.write("db/code/v.sql", "create view v as select id, name from customer;\n");
    case.build();
    case.execute("create view public.by_hand as select id from v; create table public.used (id integer default f(1), check (f(id) > 0))");
    case.write("db/code/v.sql", "create view v as select name from customer;\n");
    case.unchanged(|| case.run(&[]).exits(3).says("code/depended-on").says("by_hand"));
    case.execute("drop view public.by_hand");
    case.build();
    case.write(
        "db/code/f.sql",
        "create or replace function f(a integer) returns integer language sql immutable as 'select a + 2';\n",
    );
    case.build();
    case.write(
        "db/code/f.sql",
        "create or replace function f(a integer) returns bigint language sql immutable as 'select a + 2::bigint';\n",
    );
    case.unchanged(|| case.run(&[]).exits(3).says("code/depended-on").says("public.used"));
}

#[test]
fn postgres_leaves_materialized_views_alone_unless_they_change() {
    let Some(case) = postgres() else { return };
    case.write("db/1_customer.sql", TABLE);
    case.write("db/code/v.sql", "create or replace view v as select id from customer;\n");
    case.write("db/code/m.sql", "create materialized view if not exists m as select id from v;\ncreate unique index if not exists m_id on m (id);\n");
    case.write("db/code/star.sql", "create materialized view star as select * from v;\n");
    case.build();
    let oid = || case.ask("select 'm'::regclass::oid");
    let (before, star) = (oid(), case.ask("select 'star'::regclass::oid"));
    case.write("db/code/v.sql", "create or replace view v as select id, name from customer;\n");
    case.build();
    assert_eq!(oid(), before);
    assert_ne!(case.ask("select 'star'::regclass::oid"), star, "a `select *` over a widened view is another one");
    fresh(&case);
    case.write("db/2_more.sql", "create table if not exists more (id integer);\n");
    case.build();
    assert_eq!(oid(), before);
    case.write("db/code/m.sql", "create materialized view if not exists m as select id, 1 as one from v;\ncreate unique index if not exists m_id on m (id);\n");
    case.build();
    assert_ne!(oid(), before);
    fresh(&case);
    case.build().says("nothing to do");
}

#[test]
fn postgres_drops_overloads_and_follows_changes_of_kind() {
    let Some(case) = postgres() else { return };
    case.write("db/1_customer.sql", TABLE);
    let function = |arguments: &str| {
        case.write(
            "db/code/f.sql",
            format!("create or replace function f({arguments}) returns integer language sql as 'select 1';\n"),
        )
    };
    case.write("db/code/v.sql", "create or replace view v as select f(id) as one from customer;\n");
    function("a integer");
    case.build();
    function("a integer, b text default ''");
    case.build();
    function("b integer, a text default ''");
    case.build();
    assert_eq!(case.ask("select count(*) from pg_proc where proname = 'f'"), "1");
    fresh(&case);
    case.write("db/code/v.sql", "create materialized view v as select f(id) as one from customer;\n");
    case.build();
    fresh(&case);
    case.write("db/code/v.sql", "create view v as select f(id) as one from customer;\n");
    case.build();
    fresh(&case);
}

#[test]
fn postgres_never_shows_a_half_done_state() {
    let Some(case) = postgres() else { return };
    case.write("db/1_customer.sql", TABLE);
    case.write("db/code/a.sql", "create view a as select id, name from customer;\n");
    case.write("db/code/b.sql", "create view b as select id, name from a;\n");
    case.build();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (url, flag) = (case.url(), stop.clone());
    let watcher = std::thread::spawn(move || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        let mut seen = 0;
        while !flag.load(std::sync::atomic::Ordering::Relaxed) {
            let there: i64 =
                client.query_one("select count(*) from pg_views where viewname in ('a', 'b')", &[]).unwrap().get(0);
            assert_eq!(there, 2);
            seen += 1;
        }
        seen
    });
    for round in 0..3 {
        case.write(
            "db/code/a.sql",
            format!("create view a as select id::text || '{round}' as id, name from customer;\n"),
        );
        case.build();
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(watcher.join().unwrap() > 10);
    fresh(&case);
}

/// No provider of labels comes with the server's packages, so a label can be in the catalog and not be said again: then
/// the build refuses, by name.
#[test]
fn a_security_label_is_not_lost_on_postgres() {
    let Some(case) = Case::on_postgres() else { return };
    case.write("db/1_customer.sql", TABLE);
    view(&case, "shown", "select id, name from customer");
    case.build();
    case.execute(
        "set allow_system_table_mods = on;
         insert into pg_seclabel values ('public.shown'::regclass, 'pg_class'::regclass, 1, 'anon', 'MASKED')",
    );
    view(&case, "shown", "select id from customer");
    case.unchanged(|| case.run(&[]).says("view public.shown").says("security label provider \"anon\" is not loaded"));
    case.execute("set allow_system_table_mods = on; delete from pg_seclabel");
    case.build();
}

/// The login may take on the owner's role, and not the one that granted.
#[test]
fn a_grant_of_a_role_that_may_not_be_taken_on_becomes_the_owners() {
    let Some(case) = Case::on_postgres() else { return };
    let (login, database) = (case.reader(), case.database());
    let (owner, other) = (format!("owner_{database}"), format!("other_{database}"));
    case.execute(&format!(
        "create role {owner}; create role {other}; grant {owner} to {login}; alter role {login} noinherit;
         grant create on database {database} to {login}; grant all on schema public to {owner}"
    ));
    let url = case.url();
    let rest = url.split_once('@').map_or("", |(_, rest)| rest);
    case.write(
        "dbbuild.toml",
        format!(
            "[project]\nname = \"shop\"\n\n[targets.dev]\nurl = \"postgresql://{login}:reader@{rest}\"\n\
             environment = \"development\"\nbaseline = false\nowner-role = \"{owner}\"\n"
        ),
    );
    case.write("db/1_customer.sql", TABLE);
    view(&case, "shown", "select id from customer");
    case.build();
    case.execute(&format!(
        "grant select on public.shown to {other} with grant option; set role {other};
         grant select on public.shown to {login}; reset role"
    ));
    case.write("db/code/shown.sql", "create view shown as select name, id from customer;\n");
    case.build();
    assert_eq!(case.ask(&format!("select has_table_privilege('{login}', 'public.shown', 'select')")), "t");
    case.build().says("nothing to do");
    case.execute(&format!("drop owned by {owner}, {other}; drop owned by {login}; drop role {owner}, {other}"));
}
