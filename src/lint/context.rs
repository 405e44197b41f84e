//! What a rule sees: a script, its statements, and what came before it.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::facts::dropped;
use super::fix::Fix;
use super::history::{History, Moment};
use super::rebuild::Rebuild;
use super::routine::{has_arguments, same_arguments};
use super::shape::{Column, Shape, flat, names};
use super::statement::Statement;
use super::swap::Swap;
use crate::script::{Object, RunIf, Test};
use crate::sql::{Dialect, Kind, Name, Span, Token, TokenKind, Tokens, Verb};

/// What a rule sees.
#[derive(Debug)]
pub struct Context<'a> {
    /// The script's text.
    pub text: &'a str,
    /// The grammar.
    pub dialect: Dialect,
    /// The statements, those inside `DO` blocks behind their block.
    pub statements: &'a [Statement<'a>],
    /// Those of them that make, change, drop or empty something: few, however many rows a script inserts.
    pub structure: &'a [&'a Statement<'a>],
    /// What came before.
    pub history: &'a History,
    /// Which of the sources this is.
    pub source: usize,
    /// What kind of file it is.
    pub role: Role,
    /// True if the script runs outside a transaction.
    pub no_transaction: bool,
    /// True if SQLite's foreign keys are off around it.
    pub foreign_keys_off: bool,
    /// The oldest major version of PostgreSQL that must be served.
    pub postgres_from: u32,
    /// The newer script of the main branch that this one is behind.
    pub late: Option<&'a str>,
    /// What there is to say about another script of the same version.
    pub twin: Option<&'a str>,
    /// The table rebuilds of the script.
    pub rebuild: Option<Rebuild>,
    /// The column that the script replaces by a copy.
    pub swap: Option<Swap>,
    /// The names of code objects.
    pub code: &'a [Name],
    /// The columns that the script declares, once a rule has asked.
    pub(super) columns: OnceCell<Vec<(Span, Column)>>,
    /// What else is worked out once for all statements.
    pub(super) once: Once,
}

/// What rules ask of a script for each of its statements, worked out when the first one asks.
#[derive(Debug, Default)]
pub(super) struct Once {
    /// Which statements of the structure drop something, by the last part of its name.
    drops: OnceCell<HashMap<String, Vec<usize>>>,
    /// The group around the whole script.
    pub(super) group: OnceCell<Option<Fix>>,
    /// Where the last statement begins that asks for a key which another one made.
    pub(super) key_asked_at: OnceCell<usize>,
}

/// What kind of file a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// A versioned script.
    #[default]
    Script,
    /// A code object.
    Code,
    /// A seed.
    Seed,
}

impl<'a> Context<'a> {
    /// Returns the moment of a statement.
    pub fn moment(&self, statement: &Statement<'_>) -> Moment {
        (self.source, statement.span.start)
    }

    /// Returns what is known of a table just before a statement.
    pub fn table(&self, name: &Name, statement: &Statement<'_>) -> Option<&Arc<Shape>> {
        self.history.table(name, self.moment(statement))
    }

    /// Returns the statements in front of one.
    pub fn before(&self, statement: &Statement<'_>) -> impl Iterator<Item = &'a Statement<'a>> + use<'a> {
        let start = statement.span.start;
        self.statements.iter().take_while(move |other| other.span.start < start)
    }

    /// Returns the statements in front of one that are no rows.
    pub fn structure_before(&self, statement: &Statement<'_>) -> impl Iterator<Item = &'a Statement<'a>> + use<'a> {
        let start = statement.span.start;
        self.structure.iter().copied().take_while(move |other| other.span.start < start)
    }

    /// Returns the statements behind one.
    pub fn behind(&self, statement: &Statement<'_>) -> impl Iterator<Item = &'a Statement<'a>> + use<'a> {
        let start = statement.span.start;
        self.statements.iter().filter(move |other| other.span.start > start)
    }

    /// Returns the statements that drop an object of this name, in their order.
    pub fn drops_of(&self, name: &Name) -> impl Iterator<Item = &'a Statement<'a>> + use<'_, 'a> {
        let drops = self.once.drops.get_or_init(|| {
            let mut found: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, drop) in self.structure.iter().enumerate().filter(|(_, other)| other.head.verb == Verb::Drop) {
                for name in dropped(drop) {
                    found.entry(name.object().to_owned()).or_default().push(at);
                }
            }
            found
        });
        let structure = self.structure;
        drops.get(name.object()).into_iter().flatten().filter_map(|at| structure.get(*at).copied())
    }

    /// Returns the statements behind one that create or drop an object of a name.
    pub fn made_or_dropped_behind(
        &self,
        name: &Name,
        statement: &Statement<'_>,
    ) -> impl Iterator<Item = &'a Statement<'a>> {
        let start = statement.span.start;
        let makes = move |other: &&Statement<'_>| {
            other.head.verb == Verb::Create && other.head.name.as_ref().is_some_and(|made| made.matches(name))
        };
        let drops = move |other: &&Statement<'_>| dropped(other).iter().any(|dropped| dropped.matches(name));
        let made = self.structure.iter().copied().filter(makes);
        made.chain(self.drops_of(name).filter(drops)).filter(move |other| other.span.start > start)
    }

    /// Returns true if this script makes the table before a statement.
    pub fn made_here(&self, table: &Name, statement: &Statement<'_>) -> bool {
        self.structure_before(statement).any(|other| {
            let makes = other.head.verb == Verb::Create && other.head.kind.is_some_and(is_table);
            makes && other.head.name.as_ref().is_some_and(|name| name.matches(table))
        })
    }

    /// Returns true if this script makes an object of this name further down, so that a second run finds one.
    pub fn made_behind(&self, statement: &Statement<'_>, kind: Kind, name: &Name) -> bool {
        self.behind(statement).any(|other| {
            let makes = other.head.verb == Verb::Create && other.head.kind == Some(kind);
            makes && other.head.name.as_ref().is_some_and(|made| made.matches(name))
        })
    }

    /// Returns true if a name is of a temporary table that this script makes.
    pub fn is_temporary(&self, table: &Name) -> bool {
        self.structure.iter().any(|other| {
            other.head.temporary && other.head.name.as_ref().is_some_and(|name| name.object() == table.object())
        })
    }

    /// Returns true if this script drops such an object before a statement creates it.
    pub fn dropped_before(&self, statement: &Statement<'_>) -> bool {
        let head = &statement.head;
        if let Some(kind @ (Kind::Cast | Kind::Operator | Kind::Transform)) = head.kind {
            let signature = |of: &Statement<'_>| {
                let list = of.tokens_behind_name().eat_parens().map(|list| flat(of.part(list)));
                (of.head.name.clone(), list.filter(|_| kind != Kind::Operator))
            };
            let own = signature(statement);
            let drops = |other: &Statement<'_>| {
                other.head.verb == Verb::Drop && other.head.kind == Some(kind) && signature(other) == own
            };
            return self.structure_before(statement).any(drops);
        }
        if self.goes_with_another(statement) {
            return true;
        }
        let (Some(kind), Some(name)) = (head.kind, &head.name) else { return false };
        self.drops_of(name).any(|other| {
            other.span.start < statement.span.start
                && other.head.kind.is_some_and(|dropped| same_kind(dropped, kind))
                && dropped(other).iter().any(|dropped| dropped.matches(name) && !self.is_elsewhere(statement, dropped))
                && (!has_arguments(kind) || dropped(other).len() > 1 || same_arguments(other, statement))
                && match (&other.head.table, &head.table) {
                    (Some(left), Some(right)) if kind.is_on_table() => left.matches(right),
                    _ => true,
                }
        })
    }

    /// An index is made in its table's schema; a name without one is not looked for there, unless a script says so.
    pub fn is_elsewhere(&self, create: &Statement<'_>, dropped: &Name) -> bool {
        let schema =
            create.head.table.as_ref().filter(|_| create.head.kind == Some(Kind::Index)).and_then(Name::schema);
        let is_other = schema.is_some_and(|schema| schema != "public" && self.dialect == Dialect::Postgres);
        is_other && !dropped.is_qualified() && !self.history.sets_path()
    }

    /// Returns true if this script drops again what a statement creates, so that a second run finds nothing there.
    pub fn dropped_behind(&self, statement: &Statement<'_>) -> bool {
        let head = &statement.head;
        let (Some(kind), Some(name)) = (head.kind, &head.name) else { return false };
        self.drops_of(name).any(|other| {
            other.span.start > statement.span.start
                && !other.is_guarded()
                && other.head.kind.is_some_and(|dropped| same_kind(dropped, kind))
                && dropped(other).iter().any(|dropped| dropped.matches(name))
                && (!kind.is_on_table() || other.head.table == head.table)
                && (!has_arguments(kind) || dropped(other).len() > 1 || same_arguments(other, statement))
        })
    }

    /// An object goes when this script drops what it is on or in: its table (or materialized view), its schema, the
    /// trigger's function, the server.
    fn goes_with_another(&self, statement: &Statement<'_>) -> bool {
        let head = &statement.head;
        let on_table = matches!(head.kind, Some(Kind::Index | Kind::Trigger | Kind::Policy | Kind::Rule));
        let table = head.table.as_ref().filter(|_| on_table);
        let schema = head.name.iter().chain(table).find_map(Name::schema).map(|schema| Name::new([schema]));
        let named_behind = |words: &[&str]| {
            let mut tokens = statement.tokens_behind_name();
            (tokens.skip_to_any(words) && tokens.next().is_some()).then(|| tokens.eat_name()).flatten()
        };
        let function = (head.kind == Some(Kind::Trigger)).then(|| named_behind(&["function", "procedure"])).flatten();
        let on_server = matches!(head.kind, Some(Kind::UserMapping | Kind::ForeignTable));
        let server = on_server.then(|| named_behind(&["server"])).flatten();
        self.structure_before(statement).any(|other| {
            if other.head.verb != Verb::Drop || other.is_guarded() {
                return false;
            }
            let takes = |owner: Option<&Name>| {
                owner.is_some_and(|owner| dropped(other).iter().any(|dropped| dropped.matches(owner)))
            };
            let cascades = || other.tokens().has_word("cascade");
            match other.head.kind {
                Some(Kind::Table | Kind::MaterializedView) => takes(table),
                Some(Kind::Schema) if cascades() => takes(schema.as_ref()),
                Some(Kind::Function) if cascades() => takes(function.as_ref().map(|(name, _)| name)),
                Some(Kind::Server) if cascades() => takes(server.as_ref().map(|(name, _)| name)),
                _ => false,
            }
        })
    }

    /// Returns true if this script empties the table before a statement.
    pub fn emptied_before(&self, table: &Name, statement: &Statement<'_>) -> bool {
        let names_it = |name: &Name| name.matches(table);
        let drops = |other: &Statement<'_>| {
            other.span.start < statement.span.start
                && other.head.kind == Some(Kind::Table)
                && dropped(other).iter().any(names_it)
        };
        self.drops_of(table).any(drops)
            || self.structure_before(statement).any(|other| match other.head.verb {
                Verb::Truncate => other
                    .head
                    .name_span
                    .is_some_and(|span| names(other.part(Span::new(span.start, other.span.end))).iter().any(names_it)),
                Verb::Delete => other.head.name.as_ref().is_some_and(names_it) && takes_them_out(other, statement),
                _ => false,
            })
    }

    /// Returns true if a directive in front of a statement asks for exactly this.
    pub fn asks(statement: &Statement<'_>, object: Object, run: RunIf) -> bool {
        statement.guards.iter().any(|guard| match guard {
            super::statement::Guarding::Directive(guard) => {
                guard.run == run && matches!(&guard.test, Test::Object(kind, _) if *kind == object)
            }
            _ => false,
        })
    }
}

/// Whether a `DELETE` takes out what an `INSERT` puts in: all rows, or by values that the insert gives.
fn takes_them_out(delete: &Statement<'_>, insert: &Statement<'_>) -> bool {
    let mut condition = delete.tokens_behind_name();
    if !condition.skip_past("where") {
        return true;
    }
    let is_value = |token: &Token| token.kind.is_string() || token.kind == TokenKind::Number;
    let mut values = condition.filter(is_value).peekable();
    let taken = |given: Token| {
        let given = given.text(insert.text);
        condition.filter(is_value).any(|value| is_like(given, value.text(delete.text))) || is_in_range(given, condition)
    };
    // Each row has to be among those that go.
    let rows = super::insert::read(insert).rows;
    let goes = |row: &Span| insert.part(*row).filter(is_value).any(taken);
    values.peek().is_none() || insert.tokens().filter(is_value).any(taken) && rows.iter().all(goes)
}

/// Whether a literal is another one, or begins as a pattern does: `'a%'`.
fn is_like(given: &str, asked: &str) -> bool {
    given == asked || asked.strip_suffix("%'").is_some_and(|begin| begin.len() > 1 && given.starts_with(begin))
}

/// Whether a number is in the range that a condition asks for: `id BETWEEN 1 AND 9`, `id >= 100`.
fn is_in_range(given: &str, mut condition: Tokens<'_>) -> bool {
    let text = condition.text();
    condition.eat_name();
    let number = |token: Option<Token>| token.and_then(|token| token.text(text).parse::<f64>().ok());
    let Ok(given) = given.parse::<f64>() else { return false };
    let operator = condition.next().map_or("", |token| token.text(text));
    let Some(bound) = number(condition.next()) else { return false };
    let behind = if condition.eat_word("and") { number(condition.next()) } else { None };
    let is_whole = condition.peek().is_none();
    is_whole
        && match (operator.to_ascii_lowercase().as_str(), behind) {
            ("between", Some(last)) => bound <= given && given <= last,
            (">=", None) => given >= bound,
            (">", None) => given > bound,
            ("<=", None) => given <= bound,
            ("<", None) => given < bound,
            _ => false,
        }
}

/// Whether a kind holds rows.
pub const fn is_table(kind: Kind) -> bool {
    matches!(kind, Kind::Table | Kind::ForeignTable | Kind::VirtualTable)
}

fn same_kind(dropped: Kind, created: Kind) -> bool {
    dropped == created
        || is_table(dropped) && is_table(created)
        || matches!((dropped, created), (Kind::Routine, Kind::Function | Kind::Procedure | Kind::Aggregate))
        || matches!((dropped, created), (Kind::Type, Kind::Domain) | (Kind::Function, Kind::Procedure))
}
