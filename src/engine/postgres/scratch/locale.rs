//! How a database compares and classifies characters, as `CREATE DATABASE` says it.

use postgres::Client;
use serde::Deserialize;

use crate::engine::postgres::quote::literal;

/// The locale of a database. Which columns the catalog has depends on the server's version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Locale {
    encoding: String,
    datcollate: String,
    datctype: String,
    /// From 15: `c`, `i` for ICU, from 17 `b` for built in.
    datlocprovider: Option<String>,
    /// 15 and 16.
    daticulocale: Option<String>,
    /// From 17.
    datlocale: Option<String>,
    /// From 16.
    daticurules: Option<String>,
}

impl Locale {
    /// Reads that of the database one is connected to.
    pub fn read(client: &mut Client) -> Option<Self> {
        let row = client
            .query_one(
                "select (
                     to_jsonb(d) || jsonb_build_object('encoding', pg_catalog.pg_encoding_to_char(d.encoding))
                 )::text
                 from pg_catalog.pg_database d
                 where d.datname = current_database()",
                &[],
            )
            .ok()?;
        serde_json::from_str(row.get(0)).ok()
    }

    /// Returns it as options of `CREATE DATABASE`. Where every text must fit, the encoding is UTF-8.
    pub fn options(&self, is_utf8: bool) -> String {
        let encoding = if is_utf8 { "UTF8" } else { &self.encoding };
        let mut options = format!(
            "encoding {} lc_collate {} lc_ctype {}",
            literal(encoding),
            literal(&self.datcollate),
            literal(&self.datctype)
        );
        let name = self.datlocale.as_deref().or(self.daticulocale.as_deref());
        match (self.datlocprovider.as_deref(), name) {
            (Some("i"), Some(name)) => options.push_str(&format!(" locale_provider icu icu_locale {}", literal(name))),
            (Some("b"), Some(name)) => {
                options.push_str(&format!(" locale_provider builtin builtin_locale {}", literal(name)));
            }
            (Some(_), _) => options.push_str(" locale_provider libc"),
            (None, _) => {}
        }
        if let Some(rules) = &self.daticurules {
            options.push_str(&format!(" icu_rules {}", literal(rules)));
        }
        options
    }
}

/// What serves where the target's locale is unknown or not installed: the same everywhere, best first.
pub(super) const NEUTRAL: [&str; 2] =
    ["encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'", "encoding 'UTF8' lc_collate 'C' lc_ctype 'C'"];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_version_has_its_words() {
        let locale = |json: &str| serde_json::from_str::<Locale>(json).unwrap();
        let old = locale(r#"{"encoding": "LATIN1", "datcollate": "de_DE", "datctype": "de_DE", "datname": "x"}"#);
        assert_eq!(old.options(false), "encoding 'LATIN1' lc_collate 'de_DE' lc_ctype 'de_DE'");
        assert_eq!(old.options(true), "encoding 'UTF8' lc_collate 'de_DE' lc_ctype 'de_DE'");
        let icu = locale(
            r#"{"encoding": "UTF8", "datcollate": "C", "datctype": "C", "datlocprovider": "i", "daticulocale": "de",
                "daticurules": "&a < b"}"#,
        );
        assert_eq!(
            icu.options(true),
            "encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider icu icu_locale 'de' icu_rules '&a < b'"
        );
        let builtin = locale(
            r#"{"encoding": "UTF8", "datcollate": "C", "datctype": "C", "datlocprovider": "b", "datlocale": "C.UTF-8"}"#,
        );
        assert!(builtin.options(true).ends_with(" locale_provider builtin builtin_locale 'C.UTF-8'"));
    }
}
