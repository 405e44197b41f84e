//! What a scratch database must have in common with the target.

use postgres::Client;

use crate::engine::postgres::connect::Connector;

/// What is known of the target; everything is unknown if it does not answer.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The server's major version.
    pub major: Option<u32>,
    /// What tells the server from every other.
    pub identity: Option<String>,
    /// A database of the server that lets us in.
    pub database: String,
}

impl Facts {
    /// Asks the target. The target's database may not be there yet; then the server's own is asked.
    pub fn of(connector: &Connector) -> Self {
        let own = &connector.conninfo.database;
        for database in [own.as_str(), "postgres", "template1"] {
            if let Ok(mut connection) = connector.with_database(database).connect() {
                let client = &mut connection.client;
                return Self { major: major(client), identity: identity(client), database: database.to_owned() };
            }
        }
        Self { database: own.clone(), ..Self::default() }
    }
}

fn major(client: &mut Client) -> Option<u32> {
    let row = client.query_one("select current_setting('server_version_num')::int4", &[]).ok()?;
    u32::try_from(row.get::<_, i32>(0) / 10_000).ok()
}

/// Returns the number that `initdb` gave the server; a copy of the whole server has the same one.
pub(super) fn identity(client: &mut Client) -> Option<String> {
    let row = client.query_one("select system_identifier::text from pg_catalog.pg_control_system()", &[]).ok()?;
    Some(row.get(0))
}
