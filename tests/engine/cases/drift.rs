//! A database that was built, or loaded from the baseline, is what a fresh build makes; whatever is changed by hand
//! is named, and nothing else.

use serde_json::Value;

use crate::postgres::Database;
use crate::support::Case;

const POSTGRES: &str = include_str!("../../catalog/postgres.sql");
const SQLITE: &str = include_str!("../../catalog/sqlite.sql");

const ROLES: &str = "roles = [\"reader\", \"app_owner\"]\n";

/// A project with every class of object.
fn everything(case: &Case) {
    if !case.is_sqlite() {
        for role in ["reader", "app_owner"] {
            let create = format!(
                "do $$ begin create role {role}; exception when duplicate_object or unique_violation then null; end $$"
            );
            case.execute(&create);
        }
    }
    case.settings(&format!("baseline = true\n{}", case.pick("", ROLES)));
    case.write("db/0001_everything.sql", case.pick(SQLITE, POSTGRES));
}

/// What is done to a database by hand, and what is different then.
const BY_HAND_POSTGRES: &[(&str, &[&str])] = &[
    ("create schema extra", &["added schema extra"]),
    ("alter schema \"Odd Schema\" owner to current_user", &["changed schema \"Odd Schema\""]),
    ("create extension hstore", &["added extension hstore"]),
    ("alter type mood add value 'mad'", &["changed type public.mood"]),
    ("comment on column pair.b is 'Another one'", &["changed type public.pair"]),
    ("create type span2 as range (subtype = int8)", &["added type public.span2"]),
    ("alter domain email set default 'x@y'", &["changed domain public.email"]),
    ("alter domain email add constraint short check (length(value) < 50)", &["added constraint public.email.short"]),
    ("create collation other (locale = 'POSIX')", &["added collation public.other"]),
    ("alter table customer set (fillfactor = 80)", &["changed table public.customer"]),
    ("alter table \"Odd Schema\".\"Ünï.%cöde\" set logged", &["changed table \"Odd Schema\".\"Ünï.%cöde\""]),
    ("alter table country alter name drop not null", &["changed column public.country.name"]),
    ("alter table no_columns add column a int default 3", &["added column public.no_columns.a"]),
    ("alter table customer alter mood set default 'sad'", &["changed column public.customer.mood"]),
    ("alter table customer alter full_name set storage main", &["changed column public.customer.full_name"]),
    ("comment on column country.code is 'Another'", &["changed column public.country.code"]),
    ("grant update (nick) on customer to reader", &["changed column public.customer.nick"]),
    ("alter table customer alter other_id set increment by 7", &["changed sequence public.customer_other_id_seq"]),
    ("alter sequence sales.invoice cache 7", &["changed sequence sales.invoice"]),
    ("alter table customer validate constraint not_valid_yet", &["changed constraint public.customer.not_valid_yet"]),
    ("alter table customer drop constraint positive", &["missing constraint public.customer.positive"]),
    (
        "alter table customer alter constraint customer_country_fkey not deferrable",
        &["changed constraint public.customer.customer_country_fkey"],
    ),
    ("alter table country set without cluster", &["changed constraint public.country.country_pkey"]),
    ("drop index customer_hash", &["missing index public.customer_hash"]),
    ("create index more on customer (mood)", &["added index public.more"]),
    (
        "update pg_index set indisvalid = false where indexrelid = 'customer_during'::regclass",
        &["changed index public.customer_during"],
    ),
    ("alter index measure_value_idx rename to measure_value_idx9", &["name index public.measure_value_idx"]),
    ("drop table ordered; create table ordered (b int, a int)", &["order table public.ordered"]),
    (
        "alter table \"Order \"\"x\"\"\" replica identity full",
        &["changed index public.order_customer", "changed table public.\"Order \"\"x\"\"\""],
    ),
    ("alter table measure detach partition measure_2024", &["changed table public.measure_2024"]),
    ("create table more_table (a int primary key, b int unique)", &["added table public.more_table"]),
    ("create or replace view checked as select * from country where code > 'B'", &["changed view public.checked"]),
    ("refresh materialized view not_filled", &["changed materialized view public.not_filled"]),
    ("alter table country enable trigger touch_off", &["changed trigger public.country.touch_off"]),
    ("alter table parent enable rule off", &["changed rule public.parent.off"]),
    ("alter policy all_rows on customer using (false)", &["changed policy public.customer.all_rows"]),
    (
        "alter function stored_total(bigint, int) immutable",
        &["changed function public.stored_total(n bigint, extra integer)"],
    ),
    ("alter procedure nothing(int) security definer", &["changed procedure public.nothing(INOUT a integer)"]),
    ("drop aggregate total_of (bigint)", &["missing aggregate public.total_of(bigint)"]),
    ("alter event trigger watch disable", &["changed event trigger watch"]),
    (
        "alter operator === (pair, pair) set (restrict = neqsel)",
        &["changed operator public.\"===\"(public.pair, public.pair)"],
    ),
    (
        "alter operator family odd_family using btree add operator 1 < (int4, int8)",
        &["changed operator family public.odd_family using btree"],
    ),
    ("comment on operator class odd_ops using btree is 'Odd'", &["changed operator class public.odd_ops using btree"]),
    ("drop cast (mood as text)", &["missing cast (public.mood as text)"]),
    ("drop conversion odd_conversion", &["missing conversion public.odd_conversion"]),
    ("drop transform for int language sql", &["missing transform (integer, sql)"]),
    ("revoke usage on language other from reader", &["changed language other"]),
    ("comment on access method heap2 is 'Second'", &["changed access method heap2"]),
    (
        "alter text search configuration sales.simple drop mapping for email",
        &["changed text search configuration sales.simple"],
    ),
    (
        "alter text search dictionary odd_words (stopwords = german)",
        &["changed text search dictionary public.odd_words"],
    ),
    ("comment on text search parser odd_parser is 'Odd'", &["changed text search parser public.odd_parser"]),
    ("comment on text search template odd_template is 'Odd'", &["changed text search template public.odd_template"]),
    ("alter statistics customer_stats set statistics 60", &["changed statistics public.customer_stats"]),
    ("alter publication published set (publish = 'insert')", &["changed publication published"]),
    ("alter foreign data wrapper nowhere options (set debug 'false')", &["changed foreign data wrapper nowhere"]),
    ("alter server far options (set host 'other')", &["changed server far"]),
    ("alter foreign table far_table alter a options (set column_name 'c')", &["changed column public.far_table.a"]),
    ("drop user mapping for reader server far", &["missing user mapping for reader server far"]),
    (
        "alter default privileges in schema sales grant insert on tables to reader",
        &["changed default privileges of the builder in schema sales on tables"],
    ),
    ("insert into country (code, name) values ('XX', 'what people add is theirs')", &[]),
    ("delete from country where code = 'DE'; update country set note = 'x' where code = 'FR'", &[]),
];

const BY_HAND_SQLITE: &[(&str, &[&str])] = &[
    ("pragma user_version = 8", &["changed database user_version"]),
    ("create table more (a)", &["added table more"]),
    ("alter table customer add column more text", &["added column customer.more"]),
    ("drop index customer_added", &["missing index customer_added"]),
    ("create index by_kind on customer (kind)", &["added index by_kind"]),
    (
        "drop view customers; create view customers as select id, full_name from customer",
        &["changed view customers", "missing trigger into_view"],
    ),
    (
        "drop trigger stop; create trigger stop before delete on country begin select raise(abort, 'never'); end",
        &["changed trigger stop"],
    ),
    ("drop table boxes; create virtual table boxes using rtree (id, x0, x1, y0, y1)", &["changed virtual table boxes"]),
    // SQLite rewrites the references in quotes; that is no difference.
    ("alter table customer rename to someone; alter table someone rename to customer", &[]),
    ("drop table ordered; create table ordered (b int, /* moved */ a int)", &["order table ordered"]),
    ("insert into country values ('XX', 'what people add is theirs')", &[]),
    ("update country set name = 'Allemagne' where code = 'DE'", &[]),
    ("delete from customer where full_name = 'Bob'", &[]),
];

/// The differences as `change kind name`.
fn differences(document: &Value) -> Vec<String> {
    let word = |difference: &Value, name: &str| difference[name].as_str().unwrap().to_owned();
    document["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", word(one, "change"), word(one, "kind"), word(one, "name")))
        .collect()
}

fn drift(case: &Case, code: i32) -> Value {
    case.run(&["drift", "--strict", "--format", "json"]).exits(code).document()
}

/// What `pg_dump` says of a database, but for the tokens that it makes up, the journal and the rows.
fn pg_dump(url: &str) -> Vec<String> {
    let output = std::process::Command::new("pg_dump")
        .args(["-d", url, "--exclude-schema=dbbuild", "--schema-only"])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.contains("restrict ")).map(str::to_owned).collect()
}

cases! {
    fn a_loaded_baseline_is_a_fresh_build_to_the_last_object(case) {
        everything(case);
        case.build();
        let built = drift(case, 0);
        assert_eq!(differences(&built), Vec::<String>::new());
        let least = case.pick(26, 160);
        assert!(built["objects"].as_u64().unwrap() > least, "{}", built["objects"]);

        let other = (!case.is_sqlite()).then(|| Database::new().unwrap());
        let url = other.as_ref().map_or_else(|| "sqlite:loaded.db".to_owned(), |other| other.url.clone());
        let roles = case.pick("", ROLES);
        case.settings(&format!("baseline = true\n{roles}[targets.other]\nurl = \"{url}\"\n{roles}"));
        case.run(&["--target", "other"]).exits(0).says("  load ");
        case.run(&["drift", "--strict", "--target", "other"]).exits(0).says("no drift");
        if other.is_some() {
            assert_eq!(pg_dump(&case.url()), pg_dump(&url));
        }
    }

    fn what_is_changed_by_hand_is_named_and_nothing_else(case) {
        everything(case);
        case.run(&["--no-baseline"]).exits(0);
        let mut expected = Vec::new();
        for (sql, differences) in case.pick(BY_HAND_SQLITE, BY_HAND_POSTGRES) {
            // The role is called like the journal's schema, which `"$user"` would lead to.
            let path = case.pick("", "set search_path = public; ");
            case.execute(&format!("{path}{sql}"));
            expected.extend(differences.iter().map(|difference| (*difference).to_owned()));
        }
        let document = drift(case, 1);
        let mut found = differences(&document);
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        let rows: Vec<String> = document["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| format!("{} {} {}", row["table"], row["key"][0]["value"], row["columns"][0]["column"]))
            .collect();
        let rows_expected = case.pick(
            [r#""country" "'DE'" "name""#, r#""customer" "2" null"#],
            [r#""public.country" "DE" null"#, r#""public.country" "FR" "note""#],
        );
        assert_eq!(rows, rows_expected);
    }

    fn definitions_that_only_read_differently_are_equal(case) {
        let condition = "(kind in ('person', 'company') and (amount > 1 or (amount < 0 or amount is null)))";
        let trigger = condition.replace("kind", "new.kind").replace("amount", "new.amount");
        let function = case.pick("begin select 1; end", "execute function nothing()");
        let policy = case.pick(String::new(), format!("create policy known on \"order\" using ({condition});"));
        case.write(
            "db/0001_order.sql",
            format!(
                "{}create table \"order\" (id integer primary key, kind varchar(20), amount integer,
                     half integer generated always as (case when {condition} then 1 end) stored,
                     constraint known check {condition});
                 create index by_amount on \"order\" (amount) where {condition};
                 create view \"user\" as select id, kind from \"order\" where {condition};
                 create trigger \"check\" after update on \"order\" for each row when ({trigger}) {function};
                 {policy}",
                case.pick("", "create function nothing() returns trigger language plpgsql as 'begin return null; end';")
            ),
        );
        case.build();
        if case.is_sqlite() {
            case.execute("alter table \"order\" rename to other; alter table other rename to \"order\"");
        } else {
            // In the server's own words, as a dump has them; they are read in other words again.
            let constraint = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'known'";
            let before = case.ask(constraint);
            let index = case.ask("select pg_get_indexdef('public.by_amount'::regclass)");
            let view = case.ask("select pg_get_viewdef('public.user'::regclass)");
            let trigger = case.ask("select pg_get_triggerdef(oid) from pg_trigger where tgname = 'check' and not tgisinternal");
            let column = case.ask("select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'public.order'::regclass");
            let policy = case.ask("select pg_get_expr(polqual, polrelid) from pg_policy");
            case.execute(&format!(
                "set search_path = public;
                 alter table \"order\" drop constraint known, add constraint known {before}, drop half,
                     add half integer generated always as ({column}) stored;
                 drop index by_amount; {index}; drop view \"user\"; create view \"user\" as {view}
                 drop trigger \"check\" on \"order\"; {trigger};
                 drop policy known on \"order\"; create policy known on \"order\" using ({policy})"
            ));
            assert_ne!(case.ask(constraint), before);
        }
        case.run(&["drift", "--strict"]).exits(0).says("no drift");
    }

    fn what_the_settings_leave_out_does_not_count(case) {
        case.two_scripts();
        case.build();
        case.run(&["drift"]).exits(0).says("no drift");
        let schema = case.pick("", "public.");
        case.execute(&format!(
            "create table {schema}tmp_one (id integer primary key); create index tmp_index on {schema}tmp_one (id);
             create view {schema}people as select 1 as one"
        ));
        let output = case.run(&["drift"]).exits(1).says("tmp_one").says("people").says("2 differences");
        assert!(output.stdout.contains("+ create table"), "{output}");
        case.run(&["drift", "--ignore", "*tmp_*"]).exits(1).says("people").does_not_say("tmp_one");
        case.settings("\n[drift]\nignore = [\"table *tmp_*\", \"view *people\"]\n");
        case.run(&["drift"]).exits(0).says("no drift");
        case.run(&["drift", "--ignore", "a{b"]).exits(2).says("settings/drift");
    }

    fn what_is_another_value_in_each_build_is_no_drift(case) {
        let now = case.pick("strftime('%Y-%m-%d %H:%M:%f', 'now')", "clock_timestamp()::text");
        let random = case.pick("hex(randomblob(8))", "gen_random_uuid()::text");
        case.write("db/1_a.sql", format!(
            "create table a (id integer primary key, name text, at text);
             insert into a values (1, 'one', {now}), (2, 'two', {now});
             create table b (id text primary key, name text);
             insert into b values ({random}, 'made');\n"));
        case.build();
        case.run(&["drift"]).exits(0).says("no drift").says("at is another value in each build").says("id is another value in each build");
        case.execute("update a set name = 'other' where id = 2");
        case.run(&["drift"]).exits(1).says("other").says("1 difference").does_not_say("name is another value");
        case.execute("delete from a where id = 1");
        case.run(&["drift"]).exits(1).says("2 differences");
    }

    fn rows_without_a_key_are_compared_in_one_go(case) {
        // Each held against each of the others, they would take minutes on a quiet machine.
        let numbers = case.pick(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < 40000) select i",
            "select i",
        );
        let from = case.pick("n", "generate_series(1, 40000) i");
        case.write("db/1_a.sql", format!(
            "create table a (name text, note text);\ninsert into a {numbers} || ' of many', null from {from};\n"));
        case.build();
        case.execute("delete from a where name = '7 of many'; update a set note = 'mine' where name = '9 of many'");
        case.run(&["drift"]).exits(1).says("7 of many").says("9 of many").says("2 differences");
    }

    fn looking_for_drift_changes_nothing(case) {
        case.two_scripts();
        case.build();
        case.write("db/0003_more.sql", "create table more (id integer primary key);");
        case.unchanged(|| case.run(&["drift"]).exits(1).says("missing   table").says("a build has something to do"));
        let tables = case.unchanged(|| case.run(&["show", "tables", "--format", "json"]).exits(0).document());
        assert_eq!(tables["tables"].as_array().unwrap().len(), 2);
    }

    fn an_object_tells_where_it_comes_from(case) {
        case.write("db/0001_create_client.sql", "create table client (\n    id integer primary key,\n    name text\n);");
        case.write("db/0002_other.sql", "create table other (id integer primary key);\ncreate index by_name on client (name);");
        case.write("db/0003_rename.sql", "-- a rename\nalter table client rename to customer;");
        case.write("db/0004_email.sql", "alter table customer add column email text;");
        case.build();
        let origins = |name: &str| -> Vec<String> {
            let document = case.run(&["show", "object", name, "--format", "json"]).exits(0).document();
            let object = &document["objects"][0];
            assert!(object["definition"].as_str().unwrap().contains("email"), "{document}");
            object["origins"]
                .as_array()
                .unwrap()
                .iter()
                .map(|origin| {
                    let word = if origin["made"].as_bool().unwrap() { "made" } else { "changed" };
                    format!("{word} {}:{}", origin["file"].as_str().unwrap(), origin["line"])
                })
                .collect()
        };
        assert_eq!(
            origins("customer"),
            [
                "made db/0001_create_client.sql:1",
                "changed db/0002_other.sql:2",
                "changed db/0003_rename.sql:2",
                "changed db/0004_email.sql:1"
            ]
        );
        assert_eq!(origins("customer.email"), ["made db/0004_email.sql:1"]);
        case.run(&["show", "object", "nobody"]).exits(3).says("show/unknown");
        case.run(&["show", "tables"]).exits(0).says("3 columns, 1 index");
        if case.is_sqlite() {
            case.run(&["show", "comments"]).exits(3).says("show/comments");
        } else {
            case.execute("comment on table public.customer is 'Who buys'; comment on column public.customer.id is 'Key'");
            case.run(&["show", "comments"])
                .exits(0)
                .says("public.customer.email")
                .says("4 of 6 tables and columns")
                .does_not_say("public.customer.id");
        }
    }

    fn a_protected_server_makes_no_scratch_database(case) {
        if case.is_sqlite() {
            return;
        }
        case.settings(&format!("scratch = \"{}\"\n", case.url()));
        case.two_scripts();
        case.build();
        case.run(&["drift"]).exits(0).says("no drift");
        case.run(&["mark", "production", "--protected", "--yes"]).exits(0);
        case.unchanged(|| case.run(&["drift"]).exits(3).says("scratch/protected"));
    }

    fn names_of_a_partitions_own_constraints_are_names(case) {
        if case.is_sqlite() {
            return;
        }
        case.write(
            "db/0001_measure.sql",
            "create table measure (at int not null, value int, primary key (at)) partition by range (at);
             create table measure_1 partition of measure for values from (1) to (2);
             create table renamed (id serial primary key, value int check (value > 0));",
        );
        case.build();
        case.execute(
            "set search_path = public;
             drop table measure_1;
             create table measure_1 (at int not null constraint mine primary key, value int);
             alter table measure attach partition measure_1 for values from (1) to (2);
             drop table renamed;
             create table before (id serial primary key, value int check (value > 0));
             alter table before rename to renamed",
        );
        let output = case.run(&["drift"]).exits(0).says("no drift · 4 in order or names only");
        let output = output.says("constraint public.measure_1.measure_1_pkey   is public.measure_1.mine here");
        output.says("sequence public.renamed_id_seq   is public.before_id_seq here");
        case.run(&["drift", "--strict"]).exits(1);
    }
}
