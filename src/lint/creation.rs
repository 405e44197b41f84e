//! How each kind of object is created so that a second run changes nothing, and what the server raises if not.
//!
//! The conditions were seen on PostgreSQL 15; their names are those of appendix A of its manual.

use super::context::{Context, Role};
use super::statement::Statement;
use crate::sql::{Dialect, Head, Kind, Verb};

/// The form that can be run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `CREATE … IF NOT EXISTS`.
    IfNotExists,
    /// `CREATE OR REPLACE …`.
    OrReplace,
    /// `DROP … IF EXISTS` in front.
    DropFirst,
    /// An exception clause around it.
    Catch,
    /// Nothing that SQL has: a directive with this catalog query, up to the name.
    Query(&'static str),
}

/// How a kind is created again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// The form to write.
    pub form: Form,
    /// What a second run raises.
    pub raises: &'static [&'static str],
}

/// Returns how the object of a `CREATE` is created again; `None` for what is no `CREATE` or not known.
pub fn creation(head: &Head, dialect: Dialect, postgres_from: u32) -> Option<Creation> {
    if head.verb != Verb::Create {
        return None;
    }
    let kind = head.kind?;
    let (form, raises): (Form, &'static [&'static str]) = match (dialect, kind) {
        (Dialect::Sqlite, Kind::Table | Kind::VirtualTable | Kind::Index | Kind::View | Kind::Trigger) => {
            (Form::IfNotExists, &[])
        }
        (Dialect::Sqlite, _) => return None,
        (_, Kind::Table | Kind::ForeignTable | Kind::Index | Kind::MaterializedView | Kind::Sequence) => {
            (Form::IfNotExists, &["duplicate_table"])
        }
        (_, Kind::Schema) => (Form::IfNotExists, &["duplicate_schema"]),
        (_, Kind::Extension | Kind::Collation | Kind::Statistics | Kind::Server | Kind::UserMapping) => {
            (Form::IfNotExists, &["duplicate_object"])
        }
        (_, Kind::View) => (Form::OrReplace, &["duplicate_table"]),
        (_, Kind::Function | Kind::Procedure | Kind::Aggregate) => (Form::OrReplace, &["duplicate_function"]),
        (_, Kind::Trigger) if head.constraint || postgres_from < 14 => (Form::DropFirst, &["duplicate_object"]),
        (_, Kind::Trigger | Kind::Rule | Kind::Language | Kind::Transform) => (Form::OrReplace, &["duplicate_object"]),
        (_, Kind::EventTrigger | Kind::Policy) => (Form::DropFirst, &["duplicate_object"]),
        (
            _,
            Kind::TextSearchConfiguration
            | Kind::TextSearchDictionary
            | Kind::TextSearchParser
            | Kind::TextSearchTemplate,
        ) => (Form::Catch, &["unique_violation"]),
        (
            _,
            Kind::Type
            | Kind::Domain
            | Kind::Role
            | Kind::ForeignDataWrapper
            | Kind::Publication
            | Kind::Cast
            | Kind::Conversion
            | Kind::OperatorClass
            | Kind::OperatorFamily
            | Kind::AccessMethod,
        ) => (Form::Catch, &["duplicate_object"]),
        (_, Kind::Operator) => (Form::Catch, &["duplicate_function"]),
        (_, Kind::Subscription) => {
            (Form::Query("SELECT 1 FROM pg_subscription WHERE subname = "), &["duplicate_object"])
        }
        (_, Kind::Database) => (Form::Query("SELECT 1 FROM pg_database WHERE datname = "), &["duplicate_database"]),
        (_, Kind::Tablespace) => (Form::Query("SELECT 1 FROM pg_tablespace WHERE spcname = "), &["duplicate_object"]),
        _ => return None,
    };
    Some(Creation { form, raises })
}

/// Returns how a statement creates its object, if nothing makes it safe to run again.
pub fn unguarded(context: &Context<'_>, statement: &Statement<'_>) -> Option<Creation> {
    let head = &statement.head;
    // What a code file makes is made anew by the build, which puts the old one out of its way.
    if context.role == Role::Code && head.kind.is_some_and(Kind::is_code) {
        return None;
    }
    let creation = creation(head, context.dialect, context.postgres_from)?;
    // OR REPLACE is in the grammar of a constraint trigger, and the server refuses it.
    let replaces = head.or_replace && !(head.kind == Some(Kind::Trigger) && head.constraint);
    let safe = replaces
        || head.if_not_exists
        || head.temporary && goes_by_itself(context, statement)
        || statement.is_guarded()
        || statement.catches(creation.raises)
        || context.dropped_before(statement)
        || context.dropped_behind(statement)
        || !super::tree::agrees(statement);
    // A clause that catches something else is another rule's finding.
    (!safe && statement.caught().is_none()).then_some(creation)
}

/// A temporary table that is dropped with its transaction. All others stay as long as the session does.
fn goes_by_itself(context: &Context<'_>, statement: &Statement<'_>) -> bool {
    let is_table = statement.head.kind == Some(Kind::Table);
    !is_table || context.dialect == Dialect::Postgres && statement.has_words(&["on", "commit", "drop"])
}
