//! Tests of PostgreSQL's catalogs, by kind of object.

use super::guard::{self, Test};
use super::statement::Statement;
use crate::sql::{Dialect, Kind, Name, quote_literal};

/// A literal of PostgreSQL.
pub fn literal(text: &str) -> String {
    quote_literal(Dialect::Postgres, text)
}

/// Lets a statement run while a catalog has such a row, or while it has none.
pub fn row(present: bool, catalog: &str, columns: &[(&str, &str)]) -> Test {
    let conditions: Vec<String> = columns.iter().map(|(column, value)| format!("{column} = {value}")).collect();
    Test::query(present, &format!("SELECT 1 FROM {catalog} WHERE {}", conditions.join(" AND ")))
}

/// Lets a statement run while an object that is no relation is there, or while it is not; `None` for a kind that
/// has no catalog here. A trigger, policy or rule is one of the statement's table.
pub fn object(present: bool, statement: &Statement<'_>, kind: Kind, name: &Name) -> Option<Test> {
    let shown = literal(&name.to_string());
    let (catalog, column) = match kind {
        Kind::Type | Kind::Domain => {
            let (not, word) = if present { ("NOT ", "if") } else { ("", "unless") };
            return Some(Test::new(format!("to_regtype({shown}) IS {not}NULL"), format!("{word} type {name}")));
        }
        Kind::Trigger | Kind::Policy | Kind::Rule => {
            let table = format!("to_regclass({})", literal(&statement.head.table.as_ref()?.to_string()));
            let (catalog, on, column) = match kind {
                Kind::Trigger => ("pg_trigger", "tgrelid", "tgname"),
                Kind::Policy => ("pg_policy", "polrelid", "polname"),
                _ => ("pg_rewrite", "ev_class", "rulename"),
            };
            return Some(row(present, catalog, &[(on, &table), (column, &literal(name.object()))]));
        }
        Kind::Function | Kind::Procedure | Kind::Aggregate | Kind::Routine => {
            if let Some(signature) = guard::signature(statement) {
                let shown = literal(&format!("{name}{signature}"));
                return Some(Test::query(present, &format!("SELECT 1 WHERE to_regprocedure({shown}) IS NOT NULL")));
            }
            ("pg_proc", "proname")
        }
        Kind::Schema => ("pg_namespace", "nspname"),
        Kind::Role => ("pg_roles", "rolname"),
        Kind::EventTrigger => ("pg_event_trigger", "evtname"),
        Kind::Publication => ("pg_publication", "pubname"),
        Kind::Subscription => ("pg_subscription", "subname"),
        Kind::Server => ("pg_foreign_server", "srvname"),
        Kind::ForeignDataWrapper => ("pg_foreign_data_wrapper", "fdwname"),
        Kind::Collation => ("pg_collation", "collname"),
        Kind::Conversion => ("pg_conversion", "conname"),
        Kind::Language => ("pg_language", "lanname"),
        Kind::Statistics => ("pg_statistic_ext", "stxname"),
        Kind::TextSearchConfiguration => ("pg_ts_config", "cfgname"),
        Kind::TextSearchDictionary => ("pg_ts_dict", "dictname"),
        Kind::OperatorClass => ("pg_opclass", "opcname"),
        Kind::OperatorFamily => ("pg_opfamily", "opfname"),
        Kind::Database => ("pg_database", "datname"),
        Kind::Tablespace => ("pg_tablespace", "spcname"),
        _ => return None,
    };
    Some(row(present, catalog, &[(column, &literal(name.object()))]))
}
