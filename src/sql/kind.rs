//! The kinds of objects that statements create, change and drop.

use super::Tokens;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A table.
    Table,
    /// SQLite's virtual table.
    VirtualTable,
    /// An index.
    Index,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A function.
    Function,
    /// A procedure.
    Procedure,
    /// A function or procedure, where a statement leaves open which.
    Routine,
    /// An aggregate.
    Aggregate,
    /// A trigger.
    Trigger,
    /// An event trigger.
    EventTrigger,
    /// A rule.
    Rule,
    /// A policy.
    Policy,
    /// A type.
    Type,
    /// A domain.
    Domain,
    /// A sequence.
    Sequence,
    /// A schema.
    Schema,
    /// An extension.
    Extension,
    /// A role, also as `USER` or `GROUP`.
    Role,
    /// A publication.
    Publication,
    /// A subscription.
    Subscription,
    /// A cast.
    Cast,
    /// An operator class.
    OperatorClass,
    /// An operator family.
    OperatorFamily,
    /// An operator.
    Operator,
    /// A collation.
    Collation,
    /// A conversion.
    Conversion,
    /// Extended statistics.
    Statistics,
    /// A text search configuration.
    TextSearchConfiguration,
    /// A text search dictionary.
    TextSearchDictionary,
    /// A text search parser.
    TextSearchParser,
    /// A text search template.
    TextSearchTemplate,
    /// A server.
    Server,
    /// A foreign data wrapper.
    ForeignDataWrapper,
    /// A foreign table.
    ForeignTable,
    /// A user mapping.
    UserMapping,
    /// A language.
    Language,
    /// A transform.
    Transform,
    /// A database.
    Database,
    /// A tablespace.
    Tablespace,
    /// An access method.
    AccessMethod,
    /// A constraint, where it is named as an object: `COMMENT ON CONSTRAINT`.
    Constraint,
    /// A column, where it is named as an object: `COMMENT ON COLUMN`.
    Column,
    /// Privileges of objects to come.
    DefaultPrivileges,
    /// A large object.
    LargeObject,
    /// The server itself: `ALTER SYSTEM`, `REINDEX SYSTEM`.
    System,
    /// What roles own: `DROP OWNED`, `REASSIGN OWNED`.
    Owned,
}

/// Each kind with the words that name it. Longer ones stand before those that
/// they begin with.
const WORDS: &[(Kind, &[&str])] = &[
    (Kind::TextSearchConfiguration, &["text", "search", "configuration"]),
    (Kind::TextSearchDictionary, &["text", "search", "dictionary"]),
    (Kind::TextSearchParser, &["text", "search", "parser"]),
    (Kind::TextSearchTemplate, &["text", "search", "template"]),
    (Kind::ForeignDataWrapper, &["foreign", "data", "wrapper"]),
    (Kind::VirtualTable, &["virtual", "table"]),
    (Kind::MaterializedView, &["materialized", "view"]),
    (Kind::EventTrigger, &["event", "trigger"]),
    (Kind::OperatorClass, &["operator", "class"]),
    (Kind::OperatorFamily, &["operator", "family"]),
    (Kind::ForeignTable, &["foreign", "table"]),
    (Kind::UserMapping, &["user", "mapping"]),
    (Kind::AccessMethod, &["access", "method"]),
    (Kind::DefaultPrivileges, &["default", "privileges"]),
    (Kind::LargeObject, &["large", "object"]),
    (Kind::Table, &["table"]),
    (Kind::Index, &["index"]),
    (Kind::View, &["view"]),
    (Kind::Function, &["function"]),
    (Kind::Procedure, &["procedure"]),
    (Kind::Routine, &["routine"]),
    (Kind::Aggregate, &["aggregate"]),
    (Kind::Trigger, &["trigger"]),
    (Kind::Rule, &["rule"]),
    (Kind::Policy, &["policy"]),
    (Kind::Type, &["type"]),
    (Kind::Domain, &["domain"]),
    (Kind::Sequence, &["sequence"]),
    (Kind::Schema, &["schema"]),
    (Kind::Extension, &["extension"]),
    (Kind::Role, &["role"]),
    (Kind::Publication, &["publication"]),
    (Kind::Subscription, &["subscription"]),
    (Kind::Cast, &["cast"]),
    (Kind::Operator, &["operator"]),
    (Kind::Collation, &["collation"]),
    (Kind::Conversion, &["conversion"]),
    (Kind::Statistics, &["statistics"]),
    (Kind::Server, &["server"]),
    (Kind::Language, &["language"]),
    (Kind::Transform, &["transform"]),
    (Kind::Database, &["database"]),
    (Kind::Tablespace, &["tablespace"]),
    (Kind::Constraint, &["constraint"]),
    (Kind::Column, &["column"]),
    (Kind::System, &["system"]),
    (Kind::Owned, &["owned"]),
    // Other spellings.
    (Kind::Role, &["user"]),
    (Kind::Role, &["group"]),
];

impl Kind {
    /// Takes the words of a kind.
    pub fn read(tokens: &mut Tokens<'_>) -> Option<Self> {
        let found = WORDS.iter().find(|(_, words)| tokens.eat_words(words));
        found.map(|(kind, _)| *kind)
    }

    /// Its name in lower case, as SQL spells it: `materialized view`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::VirtualTable => "virtual table",
            Self::Index => "index",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Routine => "routine",
            Self::Aggregate => "aggregate",
            Self::Trigger => "trigger",
            Self::EventTrigger => "event trigger",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::Sequence => "sequence",
            Self::Schema => "schema",
            Self::Extension => "extension",
            Self::Role => "role",
            Self::Publication => "publication",
            Self::Subscription => "subscription",
            Self::Cast => "cast",
            Self::OperatorClass => "operator class",
            Self::OperatorFamily => "operator family",
            Self::Operator => "operator",
            Self::Collation => "collation",
            Self::Conversion => "conversion",
            Self::Statistics => "statistics",
            Self::TextSearchConfiguration => "text search configuration",
            Self::TextSearchDictionary => "text search dictionary",
            Self::TextSearchParser => "text search parser",
            Self::TextSearchTemplate => "text search template",
            Self::Server => "server",
            Self::ForeignDataWrapper => "foreign data wrapper",
            Self::ForeignTable => "foreign table",
            Self::UserMapping => "user mapping",
            Self::Language => "language",
            Self::Transform => "transform",
            Self::Database => "database",
            Self::Tablespace => "tablespace",
            Self::AccessMethod => "access method",
            Self::Constraint => "constraint",
            Self::Column => "column",
            Self::DefaultPrivileges => "default privileges",
            Self::LargeObject => "large object",
            Self::System => "system",
            Self::Owned => "owned",
        }
    }

    /// Whether its objects hang on a table and are unique within it only.
    #[must_use]
    pub const fn is_on_table(self) -> bool {
        matches!(self, Self::Trigger | Self::Policy | Self::Rule | Self::Constraint)
    }

    /// Whether a code file may keep its objects: they hold no data and can be made anew.
    #[must_use]
    pub const fn is_code(self) -> bool {
        matches!(
            self,
            Self::View
                | Self::MaterializedView
                | Self::Index
                | Self::Function
                | Self::Procedure
                | Self::Aggregate
                | Self::Trigger
                | Self::EventTrigger
                | Self::Rule
                | Self::Policy
        )
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
