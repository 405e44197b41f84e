//! Makes and drops the database itself, from another database of the same server.

use super::connect::{Connection, Connector};
use super::error::Trouble;
use super::quote::{ident, literal};
use crate::engine::{EngineError, Result};

/// Connects to a database that every server has.
pub(super) fn maintenance(connector: &Connector) -> Result<Connection> {
    let mut first = None;
    for name in ["postgres", "template1"] {
        match connector.with_database(name).connect() {
            Ok(connection) => return Ok(connection),
            // Only where this one cannot be entered is the next one worth a try.
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| EngineError::NoDatabase { target: connector.shown() }))
}

/// Returns true if the database is there.
pub(super) fn exists(connector: &Connector) -> Result<bool> {
    match connector.connect() {
        Ok(_) => Ok(true),
        Err(EngineError::NoDatabase { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Creates the database; returns false if it was there.
pub(super) fn create(connector: &Connector) -> Result<bool> {
    let create = format!("create database {}", ident(&connector.conninfo.database));
    let mut connection = maintenance(connector)?;
    match connection.client.batch_execute(&create).map_err(|error| Trouble::of(&error, &connector.redactor)) {
        Ok(()) => Ok(true),
        // 23505: two at once, and the other one was faster.
        Err(trouble) if matches!(trouble.code(), "42P04" | "23505") => Ok(false),
        Err(trouble) => Err(trouble.own("creating the database", &connector.shown())),
    }
}

/// Drops the database and ends whatever is connected to it; returns false if it was not there.
pub(super) fn drop(connector: &Connector) -> Result<bool> {
    let name = &connector.conninfo.database;
    let mut connection = maintenance(connector)?;
    let own = |error: postgres::Error| {
        Trouble::of(&error, &connector.redactor).own("dropping the database", &connector.shown())
    };
    let query = format!("select 1 from pg_catalog.pg_database where datname = {}", literal(name));
    let found = connection.client.simple_query(&query).map_err(own)?;
    let is_there = super::link::rows(&found).next().is_some();
    let drop = format!("drop database if exists {} with (force)", ident(name));
    connection.client.batch_execute(&drop).map_err(own)?;
    Ok(is_there)
}
