//! What the sessions of a target are set to, and how a server is told.

use std::time::Duration;

use super::connect::Connector;
use super::quote::{ident, literal};

/// What decides how a script's texts are read and what it makes, where a server, a database or a role may say
/// otherwise. The start-up message's word counts above theirs.
const PINNED: &[(&str, &str)] = &[
    ("timezone", "UTC"),
    ("datestyle", "ISO, MDY"),
    ("intervalstyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("xmlbinary", "base64"),
    ("xmloption", "content"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("array_nulls", "on"),
    ("backslash_quote", "safe_encoding"),
    ("transform_null_equals", "off"),
    ("quote_all_identifiers", "off"),
    ("default_text_search_config", "pg_catalog.english"),
    ("default_table_access_method", "heap"),
    ("default_tablespace", ""),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "off"),
    ("default_transaction_deferrable", "off"),
    ("timezone_abbreviations", "Default"),
    // `alter role … set role` makes somebody else the builder.
    ("role", "none"),
];

/// The same for those that only a superuser may set: nobody else can have said otherwise for themselves.
pub(super) const BY_SUPERUSERS: &[(&str, &str)] =
    &[("session_replication_role", "origin"), ("plpgsql.variable_conflict", "error")];

impl Connector {
    /// Returns the settings that every session of the tool has.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        let milliseconds = |limit: Duration| limit.as_millis().to_string();
        let mut settings = vec![
            ("lock_timeout", milliseconds(self.target.lock_timeout)),
            ("statement_timeout", milliseconds(self.target.statement_timeout)),
            ("standard_conforming_strings", "on".to_owned()),
            ("check_function_bodies", "on".to_owned()),
            ("row_security", "on".to_owned()),
        ];
        if self.pinned {
            settings.extend(PINNED.iter().map(|(name, value)| (*name, (*value).to_owned())));
        }
        if self.read_only {
            settings.push(("default_transaction_read_only", "on".to_owned()));
        }
        if !self.target.schemas.is_empty() {
            let path: Vec<String> = self.target.schemas.iter().map(|schema| ident(schema)).collect();
            settings.push(("search_path", path.join(", ")));
        } else if [Some(&self.conninfo.user), self.target.owner_role.as_ref(), self.path_user.as_ref()]
            .contains(&Some(&self.target.journal_name))
        {
            // The server's default begins with "$user": a role that is called like the journal would build into it.
            settings.push(("search_path", "public".to_owned()));
        } else if self.pinned {
            let user = self.path_user.as_deref().unwrap_or("$user");
            settings.push(("search_path", format!("{}, public", ident(user))));
        }
        settings
    }

    /// Returns whom `"$user"` means in the search path, if that is not the project's to say.
    pub(super) fn path_user(&self) -> Option<&str> {
        let is_said = !self.target.schemas.is_empty() || self.target.owner_role.is_some();
        (!is_said).then(|| self.path_user.as_deref().unwrap_or(&self.conninfo.user))
    }

    /// Returns this target as one whose server's own settings do not count.
    pub(super) fn pinned(self) -> Self {
        Self { pinned: true, ..self }
    }
}

/// Returns one setting as the start-up message's `options` take it: a blank or a `\` needs a `\` in front.
pub(super) fn option(name: &str, value: &str) -> String {
    let escaped: String =
        value.chars().flat_map(|c| (c == '\\' || c.is_whitespace()).then_some('\\').into_iter().chain([c])).collect();
    format!(" -c {name}={escaped}")
}

/// Returns one setting as a statement of the session.
pub(super) fn set(name: &str, value: &str) -> String {
    // A list of names, or a plain value; neither holds anything but what `settings` put there.
    match name {
        "search_path" => format!("set {name} = {value};\n"),
        _ => format!("set {name} = {};\n", literal(value)),
    }
}
