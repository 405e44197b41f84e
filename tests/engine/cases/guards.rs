//! Guards let their statement run only where it is needed; a group is tested once.

use crate::support::Case;

fn columns(case: &Case, table: &str) -> String {
    let query = case.pick(
        format!("select name from pragma_table_info('{table}') order by cid"),
        format!(
            "select column_name from information_schema.columns where table_name = '{table}' order by ordinal_position"
        ),
    );
    case.ask(&query).replace('\n', " ")
}

cases! {
    fn a_guard_that_cannot_be_asked_is_refused_before_any_script_runs(case) {
        case.write("db/1_a.sql", "create table if not exists a (id integer);\n");
        case.write("db/2_b.sql", "-- dbbuild: unless column id\nselect 1;\n");
        case.unchanged(|| case.run(&[]).exits(3).says("error[guard/name]").says("db/2_b.sql:1:1"));
        assert_eq!(case.tables(), "");
    }

    fn unless_column_leaves_its_statement_out_where_the_column_is(case) {
        case.write("db/1_a.sql", "create table if not exists customer (id integer, email text);\n");
        case.write("db/2_b.sql", "\
-- dbbuild: unless column customer.email
alter table customer add column email text;
-- dbbuild: unless column customer.phone
alter table customer add column phone text;
");
        case.build().says("2 statements, 1 skipped by its guard");
        assert_eq!(columns(case, "customer"), "id email phone");
    }

    fn if_runs_its_statement_only_where_the_object_is(case) {
        case.write("db/1_a.sql", "create table if not exists old_name (id integer);\n");
        case.write("db/2_b.sql", "\
-- dbbuild: if table old_name
alter table old_name rename to new_name;
-- dbbuild: if table never_there
alter table never_there rename to new_name;
");
        case.build();
        assert_eq!(case.tables(), "new_name");
    }

    fn each_kind_of_object_is_found(case) {
        case.write("db/1_a.sql", "\
create table t (id integer primary key, a text, constraint a_short check (length(a) < 9));
create index t_a on t (a);
create view v as select a from t;
");
        case.write("db/1.5_trigger.sqlite.sql", "create trigger g after insert on t begin update t set a = 'x'; end;\n");
        case.write("db/1.5_trigger.postgres.sql", "\
create function f() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger g before insert on t for each row execute function f();
create type mood as enum ('fine');
create sequence s;
create schema extra;
");
        case.write("db/2_b.sql", "\
-- dbbuild: unless table t
create table t (id integer);
-- dbbuild: unless column t.a
alter table t add column a text;
-- dbbuild: unless index t_a
create index t_a on t (a);
-- dbbuild: unless view v
create view v as select 1;
");
        case.write("db/3_c.sqlite.sql", "\
-- dbbuild: unless trigger g
create trigger g after insert on t begin select 1; end;
");
        case.write("db/3_c.postgres.sql", "\
-- dbbuild: unless trigger t.g
create trigger g before insert on t for each row execute function f();
-- dbbuild: unless constraint t.a_short
alter table t add constraint a_short check (length(a) < 9);
-- dbbuild: unless type mood
create type mood as enum ('fine');
-- dbbuild: unless sequence s
create sequence s;
-- dbbuild: unless schema extra
create schema extra;
-- dbbuild: unless function f
create function f() returns trigger language plpgsql as $$ begin return new; end $$;
-- dbbuild: unless extension plpgsql
create extension plpgsql;
-- dbbuild: unless role pg_monitor
create role pg_monitor;
");
        let output = case.build();
        let skipped = case.pick("", "8 statements, 8 skipped by guards");
        output.says("4 statements, 4 skipped by guards").says(skipped);
    }

    fn a_query_guards(case) {
        case.write("db/1_a.sql", "create table if not exists setting (name text, value text);\n");
        case.write("db/2_b.sql", "\
-- dbbuild: unless query select 1 from setting where name = 'colour'
insert into setting values ('colour', 'red');
-- dbbuild: unless query select 1 from setting where name = 'colour'
insert into setting values ('colour', 'blue');
-- dbbuild: if query select count(*) from setting
insert into setting values ('counted', 'yes');
-- dbbuild: if query select count(*) from setting where name = 'none'
insert into setting values ('never', 'no');
");
        case.build();
        assert_eq!(case.ask("select name, value from setting order by 1"), "colour|red\ncounted|yes");
    }

    fn a_group_is_tested_once(case) {
        case.write("db/1_a.sql", "create table if not exists t (id integer);\ninsert into t values (1);\n");
        case.write("db/2_b.sql", "\
-- dbbuild: unless column t.doubled begin
alter table t add column doubled integer;
update t set doubled = 2 * id;
-- dbbuild: end
insert into t values (5, 10);
");
        case.build();
        assert_eq!(case.ask("select id, doubled from t order by 1"), "1|2\n5|10");
        case.write("db/3_c.sql", "\
-- dbbuild: unless column t.doubled begin
alter table t add column doubled integer;
update t set doubled = 0;
-- dbbuild: end
");
        case.build().says("2 statements, 2 skipped by guards");
        assert_eq!(case.ask("select id, doubled from t order by 1"), "1|2\n5|10");
    }

    fn guards_that_stand_wrong_are_refused(case) {
        for (text, code) in [
            ("-- dbbuild: unless table t begin\nselect 1;\n", "script/group-without-end"),
            ("select 1;\n-- dbbuild: end\n", "script/end-of-nothing"),
            ("select 1;\n-- dbbuild: unless table t\n", "script/guard-of-nothing"),
            ("-- dbbuild: unles table t\nselect 1;\n", "script/directive"),
            ("select\n-- dbbuild: unless table t\n1;\n", "script/directive-inside"),
            ("select 1;\n-- dbbuild: no-transaction\nselect 2;\n", "script/directive-not-at-head"),
        ] {
            case.write("db/1_a.sql", text);
            case.run(&[]).exits(3).says(code).says("db/1_a.sql:");
        }
        assert_eq!(case.content(), case.pick("no database", ""));
    }

    fn foreign_keys_off_lets_a_table_be_rebuilt_and_checks_it(case) {
        if !case.is_sqlite() {
            return;
        }
        case.two_scripts();
        case.write("db/3_rows.sql", "insert into customer values (1, 'Ada');\ninsert into item values (1, 1);\n");
        let rebuild = "\
create table customer_new (id integer primary key, name text not null, email text);
insert into customer_new (id, name) select id, name from customer;
drop table customer;
alter table customer_new rename to customer;
";
        case.write("db/4_rebuild.sql", format!("-- dbbuild: foreign-keys off\n{rebuild}"));
        case.build();
        assert_eq!(columns(case, "customer"), "id name email");
        assert_eq!(case.ask("select count(*) from item join customer on customer.id = customer_id"), "1");
        case.write("db/5_break.sql", "-- dbbuild: foreign-keys off\ndelete from customer;\n");
        case.run(&[]).exits(4).says("item");
        assert_eq!(case.ask("select count(*) from customer"), "1");
        case.write("db/5_break.sql", format!("PRAGMA foreign_keys=off;\n{rebuild}PRAGMA foreign_keys=on;\n").replace(", email text", ""));
        case.build();
        assert_eq!(columns(case, "customer"), "id name");
    }
}
