//! Which tables have rows to dump, and in which order their rows are written.

use postgres::Client;

/// A table whose rows are dumped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// The file of its rows.
    pub file: String,
    /// Its schema.
    pub schema: String,
    /// Its name within the schema.
    pub relation: String,
    /// Its name as SQL, qualified.
    pub name: String,
    /// `COPY public.country (code, name)`'s list, with its parentheses; empty for a table without columns.
    pub columns: String,
    /// The query that yields the rows.
    pub query: String,
}

struct Column {
    name: String,
    is_generated: bool,
    /// Its place in the primary key.
    key: Option<i32>,
    /// True if its own order is the same on every server.
    is_ordered: bool,
    has_collation: bool,
}

/// Returns the tables in the order of their files. `excluded` schemas are left out.
pub(super) fn read(client: &mut Client, excluded: &[String]) -> Result<Vec<Table>, postgres::Error> {
    let rows = client.query(TABLES, &[&excluded])?;
    let mut tables = Vec::new();
    let same = |one: &postgres::Row, other: &postgres::Row| one.get::<_, u32>("oid") == other.get::<_, u32>("oid");
    for group in rows.chunk_by(same) {
        let Some(first) = group.first() else { continue };
        let columns: Vec<Column> = group.iter().filter_map(column).collect();
        tables.push(table(first, &columns));
    }
    tables.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(tables)
}

fn column(row: &postgres::Row) -> Option<Column> {
    Some(Column {
        name: row.get::<_, Option<String>>("column_name")?,
        is_generated: row.get("is_generated"),
        key: row.get("key"),
        is_ordered: row.get("is_ordered"),
        has_collation: row.get("has_collation"),
    })
}

fn table(row: &postgres::Row, columns: &[Column]) -> Table {
    let (schema, relation): (String, String) = (row.get("schema"), row.get("name"));
    let file = super::file_name::of(&schema, &relation);
    let name: String = row.get("qualified");
    let condition: String = row.get("condition");
    let stored: Vec<&str> =
        columns.iter().filter(|column| !column.is_generated).map(|column| column.name.as_str()).collect();
    let stored = stored.join(", ");
    let order = order(columns);
    let order = if order.is_empty() { order } else { format!(" order by {order}") };
    let query = format!("select {stored} from only {name} {condition}{order}");
    let columns = if columns.is_empty() { String::new() } else { format!(" ({stored})") };
    Table { file, schema, relation, name, columns, query }
}

/// By the primary key; without one by everything, as text.
fn order(columns: &[Column]) -> String {
    let mut key: Vec<&Column> = columns.iter().filter(|column| column.key.is_some()).collect();
    key.sort_by_key(|column| column.key);
    let has_key = !key.is_empty();
    let by: Vec<&Column> = if has_key { key } else { columns.iter().filter(|column| !column.is_generated).collect() };
    let term = |column: &Column| match (has_key && column.is_ordered, column.has_collation) {
        (true, false) => column.name.clone(),
        (true, true) => format!("{} collate \"C\"", column.name),
        (false, _) => format!("{}::text collate \"C\"", column.name),
    };
    by.into_iter().map(term).collect::<Vec<_>>().join(", ")
}

/// One row for each column. Partitioned parents, views and foreign tables have no rows of their own. Of an
/// extension's tables only those that it calls configuration, with its condition, which begins with `WHERE`.
/// (<https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-CONFIG-TABLES>)
/// The `reg…` types sort by numbers that differ from server to server.
const TABLES: &str = r"
    with recursive base (oid, base) as (
        select oid, oid
        from pg_type
        where typtype <> 'd'
        union all
        select t.oid, b.base
        from pg_type t
        join base b on t.typbasetype = b.oid
        where t.typtype = 'd'
    ), wanted as (
        select c.oid, ''::text as condition
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r'
          and c.relpersistence in ('p', 'u')
          and n.nspname !~ '^pg_'
          and n.nspname <> 'information_schema'
          and n.nspname <> all ($1::text[])
          and not exists (
              select
              from pg_depend d
              where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
          )
        union all
        select c.oid, coalesce(x.condition, '')
        from pg_extension e
        cross join lateral unnest(e.extconfig, e.extcondition) as x (config, condition)
        join pg_class c on c.oid = x.config and c.relkind = 'r'
    )
    select
        c.oid,
        n.nspname::text as schema,
        c.relname::text as name,
        format('%I.%I', n.nspname, c.relname) as qualified,
        w.condition,
        quote_ident(a.attname) as column_name,
        a.attgenerated <> '' as is_generated,
        array_position(i.indkey::int2[], a.attnum) as key,
        t.typtype = 'e' or (
            t.typnamespace = 'pg_catalog'::regnamespace
            and (t.typcategory in ('N', 'B', 'D', 'T', 'S', 'I', 'V') or t.typname in ('uuid', 'bytea'))
            and t.typname !~ '^reg'
        ) as is_ordered,
        a.attcollation <> 0 as has_collation
    from wanted w
    join pg_class c on c.oid = w.oid
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join base b on b.oid = a.atttypid
    left join pg_type t on t.oid = b.base
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
    order by c.oid, a.attnum";
