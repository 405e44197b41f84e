//! How a scratch database compares and classifies characters: not as the target does, but the same on every machine,
//! so that rows which depend on it (`insert … select … order by name`) are the same in every baseline.

use crate::engine::postgres::quote::literal;

/// What a locale of ICU begins with in the settings.
const ICU: &str = "icu:";

/// Returns options of `CREATE DATABASE` for the locale that the settings name, else for none in particular: bytes
/// in their order, and Unicode's letters where the server knows them. Best first; each stands for the one before it.
pub(super) fn options(wanted: Option<&str>, server: u32) -> Vec<String> {
    let libc = |collate: &str, ctype: &str| format!("lc_collate {} lc_ctype {}", literal(collate), literal(ctype));
    let provided = |provider: &str, name: &str| {
        format!("{} locale_provider {provider} {provider}_locale {}", libc("C", "C"), literal(name))
    };
    let options = match wanted {
        Some(name) => match name.strip_prefix(ICU) {
            Some(name) => vec![provided("icu", name)],
            None => vec![libc(name, name)],
        },
        // The server's own came with 17. (<https://www.postgresql.org/docs/17/locale.html#LOCALE-PROVIDERS>)
        None if server >= 17 => vec![provided("builtin", "C.UTF-8")],
        None => vec![libc("C", "C.UTF-8"), libc("C", "C")],
    };
    // A database's provider is otherwise that of `template0`.
    let provider = if server >= 15 { " locale_provider libc" } else { "" };
    let whole = |options: String| {
        let provider = if options.contains(" locale_provider ") { "" } else { provider };
        format!("encoding 'UTF8' {options}{provider}")
    };
    options.into_iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::options;

    #[test]
    fn every_version_has_its_words() {
        assert_eq!(
            options(None, 14),
            ["encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'", "encoding 'UTF8' lc_collate 'C' lc_ctype 'C'"]
        );
        assert_eq!(options(None, 15)[1], "encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider libc");
        assert_eq!(
            options(None, 17),
            ["encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider builtin builtin_locale 'C.UTF-8'"]
        );
        assert_eq!(options(Some("de_DE"), 14), ["encoding 'UTF8' lc_collate 'de_DE' lc_ctype 'de_DE'"]);
        assert_eq!(
            options(Some("icu:de"), 15),
            ["encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider icu icu_locale 'de'"]
        );
    }
}
