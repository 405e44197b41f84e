//! The roles that a target's settings say must be there before a build.

use super::link::{Link, column, rows};
use super::quote::literal;
use crate::engine::{EngineError, Result};

/// Refuses a server that lacks one of the target's `roles`, or its owner role.
pub(super) fn are_there(link: &mut Link) -> Result<()> {
    let target = &link.connector.target;
    let wanted: Vec<String> = target.roles.iter().chain(&target.owner_role).map(|role| literal(role)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let query = format!(
        "select wanted.role as role
           from pg_catalog.unnest(array[{}]::text[]) as wanted (role)
          where not exists (select from pg_catalog.pg_roles r where r.rolname = wanted.role)",
        wanted.join(", ")
    );
    let answers = link.own("looking for the roles that must be there", &query)?;
    let missing: Vec<&str> = rows(&answers).filter_map(|row| column(row, "role")).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    Err(EngineError::Refused {
        code: "engine/missing-role",
        message: format!("{} lacks roles that this target needs: {}", link.connector.shown(), missing.join(", ")),
        place: None,
        hint: Some(format!("create them (`create role {first};`), or mend `roles` and `owner-role` in dbbuild.toml")),
    })
}
