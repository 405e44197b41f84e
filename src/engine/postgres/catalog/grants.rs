//! Grants as lines that do not depend on the order in which they were made, nor on who builds here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use postgres::Row;

use super::{Reader, attached, database};
use crate::engine::Result;
use crate::engine::catalog::Object;
use crate::engine::postgres::connect::Connector;
use crate::engine::postgres::dump::own;
use crate::engine::postgres::journal::Journal;
use crate::sql::{Kind, Name};

/// One privilege of one grantee.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grant {
    grantee: u32,
    privilege: String,
    is_grantable: bool,
    is_default: bool,
}

impl Grant {
    pub(super) fn of(row: &Row) -> Self {
        Self {
            grantee: row.get("grantee"),
            privilege: row.get("privilege"),
            is_grantable: row.get("is_grantable"),
            is_default: row.get("is_default"),
        }
    }
}

/// The server's roles.
pub(super) struct Roles {
    names: HashMap<u32, String>,
    builders: BTreeSet<u32>,
}

impl Roles {
    pub(super) fn read(reader: &mut Reader<'_>, connector: &Connector, journal: &Journal) -> Result<Self> {
        let sql = own(connector, "reading the roles");
        let owner = connector.target.owner_role.as_deref().unwrap_or_default();
        let rows = reader.query(&attached::roles(owner, &journal.name)).map_err(&sql)?;
        let (mut names, mut builders) = (HashMap::new(), BTreeSet::new());
        for row in rows {
            let (oid, name, builds): (u32, String, bool) = (row.get(0), row.get(1), row.get(2));
            names.insert(oid, name);
            if builds {
                builders.insert(oid);
            }
        }
        Ok(Self { names, builders })
    }

    /// Returns an owner who is not one of those who build here.
    pub(super) fn foreign(&self, role: u32) -> Option<String> {
        (!self.builders.contains(&role)).then(|| self.name(role))
    }

    /// Returns a role's name; those who build here have one name.
    pub(super) fn name(&self, role: u32) -> String {
        match (role, self.builders.contains(&role)) {
            (0, _) => "public".to_owned(),
            (_, true) => "the builder".to_owned(),
            (_, false) => self.names.get(&role).map_or_else(|| role.to_string(), |name| Name::new([name]).to_string()),
        }
    }
}

/// Returns what is granted beyond the default and what is taken away from it, a line for each grantee.
pub(super) fn lines(grants: &[Grant], owner: u32, roles: &Roles) -> Vec<String> {
    let of = |is_default: bool| -> BTreeSet<(u32, &str, bool)> {
        let those = grants.iter().filter(|grant| grant.is_default == is_default);
        // The owner can grant everything, whether it is written down or not.
        those
            .map(|grant| (grant.grantee, grant.privilege.as_str(), grant.is_grantable && grant.grantee != owner))
            .collect()
    };
    let (now, default) = (of(false), of(true));
    let mut lines: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (verb, one, other) in [("grant", &now, &default), ("revoke", &default, &now)] {
        for (grantee, privilege, is_grantable) in one.difference(other) {
            let who = if *grantee == owner { "its owner".to_owned() } else { roles.name(*grantee) };
            let link = if verb == "grant" { "to" } else { "from" };
            let option = if *is_grantable { " with grant option" } else { "" };
            lines.entry(format!("{verb}\n {link} {who}{option}")).or_default().insert(privilege);
        }
    }
    let line = |(frame, privileges): (String, BTreeSet<&str>)| {
        let list = privileges.into_iter().collect::<Vec<_>>().join(", ");
        frame.replacen('\n', &format!(" {list}"), 1)
    };
    lines.into_iter().map(line).collect()
}

/// Reads what is granted on things to come.
pub(super) fn default_privileges(
    reader: &mut Reader<'_>,
    connector: &Connector,
    schemas: &str,
    roles: &Roles,
) -> Result<Vec<Object>> {
    let rows =
        reader.query(&database::default_privileges(schemas)).map_err(own(connector, "reading default privileges"))?;
    let mut sets: BTreeMap<(u32, Option<String>, String), Vec<Grant>> = BTreeMap::new();
    for row in &rows {
        sets.entry((row.get("owner"), row.get("schema"), row.get("objects"))).or_default().push(Grant::of(row));
    }
    let object = |((owner, schema, objects), grants): ((u32, Option<String>, String), Vec<Grant>)| {
        let place = schema.map(|schema| format!(" in schema {}", Name::new([schema]))).unwrap_or_default();
        let signature = format!("of {}{place} on {objects}", roles.name(owner));
        let lines = lines(&grants, owner, roles);
        let definition = format!("default privileges {signature}\n    {}", lines.join("\n    "));
        (!lines.is_empty()).then(|| Object {
            signature,
            ..Object::new(Kind::DefaultPrivileges, Name::new(Vec::<String>::new()), definition)
        })
    };
    Ok(sets.into_iter().filter_map(object).collect())
}
