//! Loads what `dump` wrote into an empty database, over the protocol and never through psql.
//!
//! Promises: it runs within the caller's transaction and leaves no setting behind; commands of psql are refused,
//! whatever the files hold; an error names file and line.

use std::path::Path;

use postgres::Client;

use super::connect::Connector;
use super::dump::{POST_DATA, PRE_DATA, SEQUENCES, STEP, own};
use crate::engine::Result;
use crate::event::{Event, Observer};
use crate::interrupt::Interrupt;

mod rows;
mod statements;

/// How much is done and of how much, where both are known.
type Counted = Option<(u64, u64)>;

/// `search_path` stays the project's: functions that a default or an index needs may name things without their
/// schema, and with `pg_dump`'s empty path some real dumps do not load.
const SETTINGS: &str = "
    set local check_function_bodies = off;
    set local row_security = off;
    set local client_min_messages = warning;
    set local datestyle = 'ISO, MDY';
    set local intervalstyle = 'postgres';
    set local timezone = 'UTC';
    set local xmloption = 'content';
    set local lc_monetary = 'C';
    set local lc_numeric = 'C';
    set local standard_conforming_strings = on;
    set local transform_null_equals = off;
    set local default_tablespace = '';
    select pg_catalog.set_config(name, '0', true)
    from pg_catalog.pg_settings
    where name in ('statement_timeout', 'lock_timeout', 'transaction_timeout')";

/// Settings of the caller's that are different while loading: read before, put back after.
const SAVED: &str = "
    select name, pg_catalog.current_setting(name)
    from pg_catalog.pg_settings
    where name in (
        'check_function_bodies', 'row_security', 'client_min_messages', 'DateStyle', 'IntervalStyle', 'TimeZone',
        'xmloption', 'lc_monetary', 'lc_numeric', 'standard_conforming_strings', 'transform_null_equals',
        'default_tablespace', 'default_table_access_method', 'search_path', 'statement_timeout', 'lock_timeout',
        'transaction_timeout'
    )";

/// Loads a folder. The caller has begun a transaction, on an empty database, and will commit it; on an error it
/// must roll back, and after `Lost` drop the connection. `shown` is the folder's path as messages name it.
pub(super) fn load_into(
    client: &mut Client,
    connector: &Connector,
    interrupt: &Interrupt,
    folder: &Path,
    shown: &str,
    observer: &mut dyn Observer,
) -> Result<()> {
    let sql = own(connector, "preparing to load");
    let saved: Vec<(String, String)> =
        client.query(SAVED, &[]).map_err(&sql)?.iter().map(|row| (row.get(0), row.get(1))).collect();
    client.batch_execute(SETTINGS).map_err(&sql)?;
    let mut tell = |message: &str, done: Counted| {
        observer.event(Event::Progress { name: STEP.into(), message: message.to_owned(), done });
    };
    for (file, is_needed) in [(PRE_DATA, true), (SEQUENCES, false), (POST_DATA, true)] {
        if file == POST_DATA {
            rows::load(client, connector, interrupt, folder, shown, &mut tell)?;
        }
        let path = folder.join(file);
        if is_needed || path.exists() {
            statements::load(client, connector, interrupt, &path, &format!("{shown}/{file}"), &mut tell)?;
        }
    }
    // Not only for this transaction: the files set some for good (`SET default_table_access_method`).
    let restore = "select pg_catalog.set_config($1, $2, false)";
    saved.iter().try_for_each(|(name, value)| client.query(restore, &[name, value]).map(drop)).map_err(sql)
}
