#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::engine::postgres::private_server::tests::{host, server};
use crate::event::Silent;
use crate::host::Host;

fn connector(url: &str, change: impl FnOnce(&mut Target), host: Host) -> Connector {
    let mut target = Target::at(Address::Postgres(Secret::new(url)), "shown");
    change(&mut target);
    Connector::new(&target, &host).unwrap()
}

fn cache() -> Option<Host> {
    host(&std::env::temp_dir().join("dbbuild-tests"))
}

/// A machine without the server's programs, where the target's own server is what is left.
fn bare() -> Host {
    Host { temporary: "/nowhere/at/all".into(), ..Host::default() }
}

fn databases(server: &PrivateServer) -> Vec<String> {
    let query = "select datname::text from pg_database where datname ~ '^dbbuild_scratch_' order by 1";
    server.connect("postgres").unwrap().query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

fn ask(made: &Made, query: &str) -> String {
    made.connector.connect().unwrap().client.query_one(query, &[]).unwrap().get(0)
}

#[test]
fn a_private_server_of_the_targets_major_serves_with_its_roles() {
    let (Some(target), Some(host)) = (server(), cache()) else { return };
    target.create_builder("shop owner").unwrap();
    target
        .connect("postgres")
        .unwrap()
        .batch_execute("create database shop template template0 lc_collate 'C' lc_ctype 'C.UTF-8'")
        .unwrap();
    let set = |settings: &mut Target| {
        settings.roles = vec!["reader".into()];
        settings.owner_role = Some("builders".into());
    };
    let mut with_variables = host.clone();
    with_variables.variables.insert("PGHOSTADDR".into(), "192.0.2.1".into());
    let mut at = connector(&target.url_as("shop owner", "shop"), set, host);
    at.host = with_variables;
    let servers = Servers::default();
    let one = make(&at, &servers, &ScratchWish::empty(true), &mut Silent).unwrap();
    let query = "select concat_ws(' ', current_user, current_setting('fsync'), datctype, pg_get_userbyid(datdba),
                     (select rolcanlogin from pg_roles where rolname = 'reader'), pg_encoding_to_char(encoding))
                 from pg_database where datname = current_database()";
    assert_eq!(ask(&one, query), "shop owner off C.UTF-8 builders f UTF8");
    assert!(databases(&target).is_empty());

    // A second one shares the server; its roles stay until both are gone.
    let two = make(&at, &servers, &ScratchWish::empty(false), &mut Silent).unwrap();
    assert_eq!(one.connector.conninfo.servers, two.connector.conninfo.servers);
    ask(&two, "with x as (select 1) select set_config('x.y', 'z', false) from x");
    two.connector.connect().unwrap().client.batch_execute("create role made_by_a_script").unwrap();
    let socket = two.connector.conninfo.servers[0].host.clone();
    drop(one);
    drop(two);
    let three = make(&at, &servers, &ScratchWish::empty(false), &mut Silent).unwrap();
    assert_eq!(ask(&three, "select count(*)::text from pg_roles where rolname = 'made_by_a_script'"), "0");
    assert_eq!(ask(&three, "select count(*)::text from pg_database where datname ~ '^dbbuild_scratch_'"), "1");
    drop(servers);
    assert!(Path::new(&socket).exists());
    drop(three);
    assert!(!Path::new(&socket).exists());
}

#[test]
fn nobody_builds_unless_the_texts_name_the_login() {
    let (Some(target), Some(host)) = (server(), cache()) else { return };
    let at = connector(&target.url_as("shop", "shop"), |_| {}, host);
    let names = |word: &str| word == "shop";
    let servers = Servers::default();
    let who = |builder, names: &dyn Fn(&str) -> bool| {
        let wish = ScratchWish { builder, names, ..ScratchWish::empty(true) };
        let made = make(&at, &servers, &wish, &mut Silent).unwrap();
        assert_eq!(made.named_builder.is_some(), ask(&made, "select current_user::text") == "shop");
        ask(&made, "select current_user || ' ' || exists (select from pg_roles where rolname = 'shop')")
    };
    assert_eq!(who(Builder::Nobody, &names), "dbbuild_builder false");
    assert_eq!(who(Builder::Another, &names), "dbbuild_builder_2 false");
    assert_eq!(who(Builder::Login, &names), "shop true");
    assert_eq!(who(Builder::Login, &|_| false), "dbbuild_builder false");
    assert_eq!(who(Builder::Login, &|word| word == "current_user"), "shop true");
}

#[test]
fn a_login_named_like_the_journal_does_not_build_into_it() {
    let (Some(target), Some(host)) = (server(), cache()) else { return };
    let at = connector(&target.url_as("dbbuild", "postgres"), |_| {}, host);
    let made = make(&at, &Servers::default(), &ScratchWish::empty(false), &mut Silent).unwrap();
    made.connector.connect().unwrap().client.batch_execute("create schema dbbuild; create table t ()").unwrap();
    assert_eq!(ask(&made, "select relnamespace::regnamespace::text from pg_class where relname = 't'"), "public");
}

#[test]
fn a_configured_server_comes_first_and_never_is_the_protected_one() {
    let (Some(target), Some(host)) = (server(), cache()) else { return };
    let playground = server().unwrap();
    let at = |scratch: &PrivateServer| {
        let url = scratch.url("postgres");
        connector(&target.url("postgres"), |target| target.scratch = Some(Secret::new(url)), host.clone())
    };
    let named = || BTreeSet::from(["made_by_a_script".to_owned(), "here_before".to_owned()]);
    // The target's own server may be named too, where it is not protected.
    for (server, protected) in [(&playground, true), (&target, false)] {
        let wish = ScratchWish { roles: &named, ..ScratchWish::empty(protected) };
        server.connect("postgres").unwrap().batch_execute("create role here_before").unwrap();
        let made = make(&at(server), &Servers::default(), &wish, &mut Silent).unwrap();
        assert_eq!(databases(server), std::slice::from_ref(&made.connector.conninfo.database));
        assert_eq!(made.connector.target.protected, Some(false));
        let build = "create role made_by_a_script; create role of_another_run; create table t ();
                     grant select on t to made_by_a_script";
        made.connector.connect().unwrap().client.batch_execute(build).unwrap();
        drop(made);
        assert!(databases(server).is_empty());
        // A role goes if it came with the build and the texts name it.
        let roles = "select string_agg(rolname::text, ' ' order by rolname) from pg_roles
                      where rolname in ('made_by_a_script', 'of_another_run', 'here_before')";
        let left: String = server.connect("postgres").unwrap().query_one(roles, &[]).unwrap().get(0);
        assert_eq!(left, "here_before of_another_run");
    }

    let error = make(&at(&target), &Servers::default(), &ScratchWish::empty(true), &mut Silent).err().unwrap();
    assert_eq!(error.code(), "scratch/protected");
    assert!(databases(&target).is_empty());
}

#[test]
fn the_targets_own_server_serves_only_if_it_may() {
    let Some(target) = server() else { return };
    let client = &mut target.connect("postgres").unwrap();
    client.batch_execute("create role maker login createdb; create role nobody login").unwrap();
    let made = on_own(&connector(&target.url_as("maker", "postgres"), |_| {}, bare()), &facts_of(&target)).unwrap();
    assert_eq!(databases(&target), std::slice::from_ref(&made.connector.conninfo.database));
    assert_eq!(ask(&made, "select current_user::text"), "maker");
    // Killing who is connected is part of dropping.
    let _connected = made.connector.connect().unwrap();
    drop(made);
    assert!(databases(&target).is_empty());

    // Nothing works: no programs (no folder for a private server), no right.
    let at = connector(&target.url_as("nobody", "postgres"), |_| {}, bare());
    let error = make(&at, &Servers::default(), &ScratchWish::empty(false), &mut Silent).err().unwrap();
    let words = format!("{error} / {}", error.hint().unwrap());
    for part in ["nobody may not make databases", "alter role \"nobody\" createdb", "`scratch`"] {
        assert!(words.contains(part), "{words}");
    }
    let reaching = ScratchWish { reaches: &|| Some("db/7.sql: alter system".into()), ..ScratchWish::empty(false) };
    for (own, why) in [(ScratchWish::empty(true), "protected"), (reaching, "db/7.sql")] {
        let at = connector(&target.url_as("maker", "postgres"), |_| {}, bare());
        let error = make(&at, &Servers::default(), &own, &mut Silent).err().unwrap();
        assert!(error.to_string().contains(why), "{error}");
        assert!(databases(&target).is_empty());
    }
}

fn facts_of(target: &PrivateServer) -> Facts {
    Facts::of(&connector(&target.url("postgres"), |_| {}, bare()))
}

#[test]
fn what_killed_runs_left_is_collected_and_what_is_in_use_is_not() {
    let Some(target) = server() else { return };
    let at = connector(&target.url("postgres"), |_| {}, bare());
    let facts = facts_of(&target);
    let old = |name: &str| format!("dbbuild_scratch_1000_{name}");
    let client = &mut target.connect("postgres").unwrap();
    for name in ["left", "used", "kept"] {
        client.batch_execute(&format!("create database {}", old(name))).unwrap();
    }
    client.batch_execute("create database dbbuild_scratch_mine").unwrap();
    let young = leftover::new_name(client, &at).unwrap();
    client.batch_execute(&format!("create database {young}")).unwrap();
    let _used = target.connect(&old("used")).unwrap();
    client.batch_execute(&format!("set application_name = '{}'", old("kept"))).unwrap();

    let made = on_own(&at, &facts).unwrap();
    let mut expected =
        vec![old("kept"), old("used"), "dbbuild_scratch_mine".into(), young, made.connector.conninfo.database.clone()];
    expected.sort();
    assert_eq!(databases(&target), expected);
}

#[test]
fn the_locale_is_the_settings_or_none_in_particular() {
    let Some(target) = server() else { return };
    let facts = facts_of(&target);
    let made = |locale: Option<&str>| {
        on_own(&connector(&target.url("postgres"), |target| target.locale = locale.map(str::to_owned), bare()), &facts)
    };
    let collate = "select datcollate::text from pg_database where datname = current_database()";
    assert_eq!(ask(&made(None).unwrap(), collate), "C");
    assert_eq!(ask(&made(Some("C.UTF-8")).unwrap(), collate), "C.UTF-8");
    let error = made(Some("xx_XX.UTF-8")).err().unwrap();
    assert!(error.to_string().contains("xx_XX.UTF-8"), "{error}");
    assert!(error.hint().unwrap().contains("`locale`"), "{error:?}");
}

/// A host with a server's data of its own.
fn own_cache() -> Option<(tempfile::TempDir, Host)> {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let host = host(folder.path())?;
    Some((folder, host))
}

fn execute(made: &Made, sql: &str) {
    made.connector.connect().unwrap().client.batch_execute(sql).unwrap();
}

#[test]
fn a_template_comes_with_its_roles_and_nobody_else_meets_them() {
    let (Some(target), Some((_folder, host))) = (server(), own_cache()) else { return };
    target.create_builder("shop").unwrap();
    let at = connector(&target.url_as("shop", "postgres"), |_| {}, host);
    let wish = |template| ScratchWish { template: Some(template), ..ScratchWish::empty(true) };
    let count = "select count(*)::text from pg_roles where rolname ~ '^(app|group)$'";
    let script = "create role app login connection limit 3; create role \"group\"; grant \"group\" to app;
        alter role app set work_mem = '7MB'; comment on role app is 'made by a script';
        create table t as select 1 as a; grant select on t to app";

    let servers = Servers::default();
    let mut made = make(&at, &servers, &wish("one"), &mut Silent).unwrap();
    assert_eq!(ask(&made, "select (to_regclass('t') is null)::text"), "true");
    execute(&made, script);
    made.database.keep();
    drop(made);
    // Another build makes roles of the same names.
    let mut other = make(&at, &servers, &wish("two"), &mut Silent).unwrap();
    assert_eq!(ask(&other, count), "0");
    execute(&other, "create role app; create table u (); alter table u owner to app");
    other.database.keep();
    // As long as they are there, the first cannot have its own.
    let built_again = make(&at, &servers, &wish("one"), &mut Silent).unwrap();
    assert_eq!(ask(&built_again, "select (to_regclass('t') is null)::text"), "true");
    drop((built_again, other));

    // Also in another run, and as often as one likes.
    for servers in [servers, Servers::default()] {
        let made = make(&at, &servers, &wish("one"), &mut Silent).unwrap();
        assert_eq!(ask(&made, count), "2");
        let facts = "select concat_ws(' ', rolconnlimit, rolconfig, shobj_description(r.oid, 'pg_authid'),
                            pg_has_role('app', 'group', 'member'), has_table_privilege('app', 't', 'select'))
                     from pg_roles r where rolname = 'app'";
        assert_eq!(ask(&made, facts), "3 {work_mem=7MB} made by a script t t");
        assert_eq!(ask(&made, "select tableowner::text from pg_tables where tablename = 't'"), "shop");
        let mut copied = made.database;
        let copy = Made::new(copied.copy().unwrap().unwrap());
        execute(&copy, "insert into t values (2)");
        let second = Made::new(copied.copy().unwrap().unwrap());
        assert_eq!(ask(&second, "select count(*)::text from t"), "1");
    }
}

#[test]
fn what_a_copy_would_lack_is_built_each_time() {
    let (Some(target), Some((_folder, host))) = (server(), own_cache()) else { return };
    let at = connector(&target.url("postgres"), |_| {}, host);
    let servers = Servers::default();
    let scripts = [
        "do $$ begin execute format('alter database %I set work_mem = 5000', current_database()); end $$",
        "do $$ begin execute format('revoke connect on database %I from public', current_database()); end $$",
        "do $$ begin execute format('comment on database %I is $_$x$_$', current_database()); end $$",
        "alter role all set work_mem = '6MB'",
    ];
    for (number, script) in scripts.into_iter().enumerate() {
        let number = number.to_string();
        let wish = ScratchWish { template: Some(&number), ..ScratchWish::empty(true) };
        let mut made = make(&at, &servers, &wish, &mut Silent).unwrap();
        execute(&made, &format!("create table t (); {script}"));
        made.database.keep();
        assert_eq!(made.database.copy().unwrap().is_none(), number != "3");
        drop(made);
        let made = make(&at, &servers, &wish, &mut Silent).unwrap();
        assert_eq!(ask(&made, "select (to_regclass('t') is null)::text"), "true", "{script}");
    }
}

#[test]
fn few_templates_are_kept_and_none_on_the_targets_own_server() {
    let (Some(target), Some((_folder, host))) = (server(), own_cache()) else { return };
    let playground = server().unwrap();
    let kept = |server: &PrivateServer| -> i64 {
        let query = "select count(*) from pg_database where datname ~ '^dbbuild_template_' and not datallowconn";
        server.connect("postgres").unwrap().query_one(query, &[]).unwrap().get(0)
    };
    let (before, most) = (kept(&playground), 12);
    let url = playground.url("postgres");
    let at = connector(&target.url("postgres"), |target| target.scratch = Some(Secret::new(url)), host);
    for number in 0..14 {
        let number = format!("{number} {}", fastrand::u64(..));
        let wish = ScratchWish { template: Some(&number), ..ScratchWish::empty(false) };
        let mut made = make(&at, &Servers::default(), &wish, &mut Silent).unwrap();
        execute(&made, "create table t ()");
        made.database.keep();
        drop(made);
        let again = make(&at, &Servers::default(), &wish, &mut Silent).unwrap();
        assert_eq!(ask(&again, "select (to_regclass('t') is null)::text"), "false");
    }
    assert_eq!(kept(&playground), most.min(before + 14));

    // Roles that were made there stay there, and a copy would meet them: such a build is not kept.
    let name = format!("roles {}", fastrand::u64(..));
    let wish = ScratchWish { template: Some(&name), ..ScratchWish::empty(false) };
    let mut made = make(&at, &Servers::default(), &wish, &mut Silent).unwrap();
    execute(&made, "create table t (); create role made_here");
    made.database.keep();
    drop(made);
    let again = make(&at, &Servers::default(), &wish, &mut Silent).unwrap();
    assert_eq!(ask(&again, "select (to_regclass('t') is null)::text"), "true");
    execute(&again, "drop role made_here");

    let before = kept(&target);
    let own = connector(&target.url("postgres"), |_| {}, bare());
    let mut made = make(&own, &Servers::default(), &wish, &mut Silent).unwrap();
    made.database.keep();
    assert_eq!(kept(&target), before);
    // The same server under another name is the target's own.
    let url = target.url("template1");
    let own = connector(&target.url("postgres"), |target| target.scratch = Some(Secret::new(url)), bare());
    let mut made = make(&own, &Servers::default(), &wish, &mut Silent).unwrap();
    made.database.keep();
    assert_eq!(kept(&target), before);
}
