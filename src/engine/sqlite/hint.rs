//! What to do about failures whose words, SQLite's own, do not lead to what is wrong.

use crate::engine::{Mode, SqlFailure, Unit};
use crate::sql::{ActionKind, Dialect, Head, Kind, Span, Tokens, Verb, actions};

/// Returns the hint for what SQLite said of a unit; `is_named` says whether the failing statement itself holds the
/// name that the message ends with.
pub(super) fn hint(unit: &Unit, failure: &SqlFailure, is_named: bool) -> Option<String> {
    let of_key = failure.code == "SQLITE_CONSTRAINT_FOREIGNKEY" || failure.message.starts_with("foreign key mismatch");
    let of_name = failure.message.starts_with("no such table: ") && !is_named;
    if (of_key || of_name) && unit.mode == Mode::Transaction && rebuilds(unit) {
        return Some(
            "foreign keys are on while tables are taken away and made again: `-- dbbuild: foreign-keys off` at the head \
             of the file switches them off around it, and checks them at its end"
                .to_owned(),
        );
    }
    // <https://sqlite.org/quirks.html#dblquote>
    if failure.message.ends_with("should this be a string literal in single-quotes?") {
        return Some(
            "text stands between single quotes: 'so'; a script that must not be edited has `directives = \
             [\"double-quoted-text\"]` under `[script.\"VERSION\"]` in dbbuild.toml"
                .to_owned(),
        );
    }
    // <https://sqlite.org/lang_upsert.html#parsing_ambiguity>
    if failure.message.eq_ignore_ascii_case("near \"do\": syntax error") {
        return Some(
            "behind `insert … select`, SQLite takes ON for a join's: write `where true` in front of it".to_owned(),
        );
    }
    of_name.then(|| "not this statement names it, but a foreign key, a trigger or a view that it meets".to_owned())
}

/// Returns true if a unit drops or renames a table: the steps of a rebuild.
fn rebuilds(unit: &Unit) -> bool {
    let takes_away = |span: Span| {
        let tokens = Tokens::new(unit.text.as_str(), span, Dialect::Sqlite);
        let head = Head::of(tokens);
        head.kind == Some(Kind::Table)
            && match head.verb {
                Verb::Drop => true,
                Verb::Alter => actions(tokens).iter().any(|action| action.kind == ActionKind::Rename),
                _ => false,
            }
    };
    unit.parts.iter().any(|part| takes_away(part.span))
}
