//! What one script does to its session is gone before the next one.

cases! {
    fn session_settings_do_not_reach_the_next_script(case) {
        if case.is_sqlite() {
            return;
        }
        case.write("db/1_a.sql", "create schema other;\ncreate role app nologin;\n".replace("app", &format!("app_{}", case.database())));
        let role = format!("app_{}", case.database());
        case.write("db/2_b.sql", format!("\
grant all on schema other, public to {role};
set search_path = other;
set statement_timeout = '1h';
set role {role};
create temporary table scratch (id integer);
prepare p as select 1;
listen news;
create table there (id integer);
"));
        case.write("db/3_c.sql", "\
create table here (
    id integer,
    search_path text default current_setting('search_path'),
    statement_timeout text default current_setting('statement_timeout'),
    made_by text default current_user,
    listening bigint default (select 0)
);
".replace(",\n    listening bigint default (select 0)", ""));
        case.write("db/4_d.sql", "\
insert into here (id) values (1);
create table probe as
select (select count(*) from pg_prepared_statements) as prepared,
       (select count(*) from pg_listening_channels()) as listening,
       (select count(*) from pg_class where relname = 'scratch') as temporary;
");
        case.build();
        let made = case.ask("select schemaname, tablename from pg_tables where tablename in ('here', 'there') order by 2");
        assert_eq!(made, "public|here\nother|there");
        assert_eq!(case.ask("select statement_timeout, made_by = session_user from here"), "0|t");
        assert_eq!(case.ask("select * from probe"), "0|0|0");
        case.execute(&format!("drop owned by {role}; drop role {role}"));
    }

    fn a_script_has_the_isolation_that_it_asks_for(case) {
        if case.is_sqlite() {
            return;
        }
        let level = "select current_setting('transaction_isolation')";
        case.write("db/1_a.sql", "create table seen (id integer, level text);\n");
        case.write("db/2_b.sql", format!("-- One snapshot.\nBEGIN;\nSET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\ninsert into seen select 2, ({level});\nCOMMIT;\n"));
        case.write("db/3_c.sql", format!("begin isolation level serializable;\ninsert into seen select 3, ({level});\ncommit;\n"));
        case.write("db/4_d.sql", format!("set transaction isolation level serializable;\ninsert into seen select 4, ({level});\n"));
        case.write("db/5_e.sql", format!("insert into seen select 5, ({level});\n"));
        case.build();
        let seen = case.ask("select id, level from seen order by id");
        assert_eq!(seen, "2|repeatable read\n3|serializable\n4|serializable\n5|read committed");
        // What commits inside a block is told before anything runs.
        case.write("db/6_f.sql", "do $$ begin insert into seen values (6); commit; end $$;\n");
        case.run(&[]).exits(3).says("a DO block that commits").says("db/6_f.sql:1:1").says("no-transaction");
        case.write("db/6_f.sql", "-- dbbuild: no-transaction\ndo $$ begin insert into seen values (6); commit; end $$;\n");
        case.build();
        // A routine's own text says nothing of it here: the server does.
        case.write("db/7_g.sql", "create procedure ends() language plpgsql as 'begin commit; end';\n");
        case.write("db/8_h.sql", "call ends();\n");
        case.run(&[]).exits(4).says("sql/2D000").says("no-transaction");
        case.write("db/8_h.sql", "select 1;\n");
        // The journal's table has no constraint that a script which renames them all would rename.
        assert_eq!(case.ask("select count(*) from pg_constraint where contype = 'u' and conrelid = 'dbbuild.journal'::regclass"), "0");
        case.build();
    }

    fn foreign_keys_are_on_for_every_script(case) {
        if !case.is_sqlite() {
            return;
        }
        case.two_scripts();
        case.write("db/3_pragma.sql", "PRAGMA foreign_keys=off;\nselect 1;\n");
        case.write("db/4_orphan.sql", "insert into item values (1, 99);\n");
        case.run(&[]).exits(4).says("db/4_orphan.sql:1:1");
        assert_eq!(case.applied(), "1 2 3");
    }

    fn scripts_run_as_the_owner_role_and_the_journal_is_the_login_roles(case) {
        if case.is_sqlite() {
            return;
        }
        let owner = format!("owner_{}", case.database());
        case.execute(&format!("create role {owner} nologin; grant all on schema public to {owner}"));
        case.settings(&format!("owner-role = \"{owner}\"\n"));
        case.two_scripts();
        case.build();
        assert_eq!(case.ask("select distinct tableowner from pg_tables where schemaname = 'public'"), owner);
        // Code objects too: the owner has no right to the journal.
        case.write("db/code/shown.sql", "create view shown as select id, name from customer;\n");
        case.write("db/code/over.sql", "create view over as select id from shown;\n");
        case.build();
        case.write("db/code/shown.sql", "create view shown as select name, id from customer;\n");
        case.build().says("over");
        assert_eq!(case.ask("select distinct viewowner from pg_views where schemaname = 'public'"), owner);
        case.build().says("nothing to do");
        assert_eq!(case.ask("select distinct applied_by = session_user from dbbuild.journal"), "t");
        case.execute(&format!("drop owned by {owner}; drop role {owner}"));
    }
}
