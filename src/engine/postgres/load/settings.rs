//! The settings under which a dump is loaded, and those that were there before.

use super::Way;
use crate::engine::Result;
use crate::engine::postgres::dump::own;

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

/// What `pg_dump` sets in its text for the rest of a session.
const OF_THE_TEXT: &str = "reset default_tablespace; reset default_table_access_method";

/// What was set before.
pub(super) enum Saved {
    /// These, in a session of our own.
    Values(Vec<(String, String)>),
    /// Whatever the server begins with: behind a transaction pooler the session is somebody else's a moment later.
    Pooled,
}

/// Sets what a load needs, to the end of the transaction.
pub(super) fn begin(way: &mut Way<'_>, is_pooled: bool) -> Result<Saved> {
    let sql = own(way.connector, "preparing to load");
    let saved = if is_pooled {
        Saved::Pooled
    } else {
        let rows = way.client.query(SAVED, &[]).map_err(&sql)?;
        Saved::Values(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    };
    way.client.batch_execute(SETTINGS).map_err(&sql)?;
    Ok(saved)
}

impl Saved {
    /// Puts back what was set. Not only for this transaction: the files set some for good.
    pub fn put_back(self, way: &mut Way<'_>) -> Result<()> {
        match self {
            Self::Pooled => way.run(OF_THE_TEXT),
            Self::Values(values) => {
                let restore = "select pg_catalog.set_config($1, $2, false)";
                let mut put = |(name, value): &(String, String)| way.client.query(restore, &[name, value]).map(drop);
                values.iter().try_for_each(&mut put).map_err(own(way.connector, "loading"))
            }
        }
    }
}
