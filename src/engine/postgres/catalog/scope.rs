//! What a query is about: everything of the project's schemas, or one object, or some relations and routines and the
//! rest.

/// Conditions that the queries put in, each on the alias that the query uses.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The server's major version.
    pub major: u32,
    /// The schemas' numbers as an array literal.
    schemas: String,
    /// The number of the one object that is asked for.
    one: Option<u32>,
    /// True if of the relations and routines only those are asked for that settings name.
    near: bool,
}

/// The settings with the numbers of relations and of routines, as arrays.
pub(in crate::engine::postgres) const NEAR: &str = "dbbuild.near";
pub(in crate::engine::postgres) const NEAR_ROUTINES: &str = "dbbuild.near_routines";

impl Scope {
    pub(super) fn of_schemas(major: u32, schemas: &[u32], near: bool) -> Self {
        let numbers: Vec<String> = schemas.iter().map(u32::to_string).collect();
        Self { major, schemas: format!("'{{{}}}'::oid[]", numbers.join(",")), one: None, near }
    }

    pub(super) fn of_one(major: u32, oid: u32) -> Self {
        Self { major, schemas: "null::oid[]".to_owned(), one: Some(oid), near: false }
    }

    /// Objects in a schema, named by its column: `c`, `relnamespace`.
    pub(super) fn within(&self, alias: &str, schema: &str) -> String {
        match self.one {
            Some(oid) => format!("{alias}.oid = {oid}"),
            None => format!("{alias}.{schema} = any ({}) and {}", self.schemas, no_member(alias)),
        }
    }

    /// Relations `c`, which may be only some.
    pub(super) fn relations(&self) -> String {
        format!("{}{}", self.within("c", "relnamespace"), self.only_near("c", NEAR))
    }

    /// Routines `p`, which may be only some.
    pub(super) fn routines(&self) -> String {
        format!("{}{}", self.within("p", "pronamespace"), self.only_near("p", NEAR_ROUTINES))
    }

    /// Parts of a relation `c`, named by their own alias.
    pub(super) fn on_relation(&self, alias: &str) -> String {
        format!("{}{}", self.on(alias, "relnamespace"), self.only_near("c", NEAR))
    }

    /// Parts of a type `c`, named by their own alias.
    pub(super) fn on_type(&self, alias: &str) -> String {
        self.on(alias, "typnamespace")
    }

    fn on(&self, alias: &str, schema: &str) -> String {
        match self.one {
            Some(oid) => format!("{alias}.oid = {oid}"),
            None => self.within("c", schema),
        }
    }

    fn only_near(&self, alias: &str, setting: &str) -> String {
        match self.near {
            true => format!(" and {alias}.oid = any (pg_catalog.current_setting('{setting}')::oid[])"),
            false => String::new(),
        }
    }

    /// Objects that are in no schema. Numbers below 16384 are initdb's
    /// (<https://www.postgresql.org/docs/current/system-catalog-initial-data.html>).
    pub(super) fn beside(&self, alias: &str) -> String {
        format!("{alias}.oid >= 16384 and {}", no_member(alias))
    }

    /// Schemas.
    pub(super) fn schema(&self, alias: &str) -> String {
        format!("{alias}.oid = any ({})", self.schemas)
    }

    /// Something that only servers from a version on have, and what stands in its place before.
    pub(super) fn since<'a>(&self, major: u32, text: &'a str, before: &'a str) -> &'a str {
        if self.major >= major { text } else { before }
    }
}

/// Members of extensions are the extension's business.
fn no_member(alias: &str) -> String {
    format!(
        "not exists (
            select from pg_depend e
             where e.deptype = 'e' and e.classid = {alias}.tableoid and e.objid = {alias}.oid
        )"
    )
}
