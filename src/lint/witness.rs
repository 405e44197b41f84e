//! What says that a script was run: something that is there only behind it, or only before it.
//!
//! A script runs in one transaction, so either all of it happened or nothing, and one thing tells which. What the
//! history knows of a table just before and just behind the script is compared; nothing is replayed.

use super::context::Context;
use super::facts::dropped;
use super::fix::Fix;
use super::generated;
use super::guard::{self, Test};
use super::shape::{Column, Shape};
use super::statement::Statement;
use crate::sql::{ActionKind, Dialect, Kind, Name, Span, Tokens, Verb, quote_literal};

/// The rules whose findings a group around the script cures, where nothing else does.
pub const CURES: &[&str] = &[
    "unguarded-create-table",
    "unguarded-create",
    "create-without-replace",
    "create-without-drop",
    "create-without-test",
    "unguarded-drop",
    "unguarded-add-column",
    "unguarded-drop-column",
    "unguarded-rename",
    "unguarded-add-constraint",
    "unnamed-index",
    "unnamed-constraint",
    "unguarded-insert",
    "repeating-update",
    "repeating-call",
    "repeating-delete",
    "used-then-dropped",
    "needed-by-later",
    "conflict-without-key",
    "type-change-using",
    "table-rebuild",
];

/// A group around everything that the script does, with a test that is false once it was run; `None` where nothing
/// tells, or where the script does not run as a whole.
pub fn group(context: &Context<'_>) -> Option<Fix> {
    context.once.group.get_or_init(|| group_of(context)).clone()
}

fn group_of(context: &Context<'_>) -> Option<Fix> {
    let own = |statement: &&Statement<'_>| !statement.nested;
    if context.no_transaction || context.statements.iter().any(|statement| statement.has_data) {
        return None;
    }
    // What is set for the session, and the script's own transaction, stay around the group.
    let session = [Verb::Pragma, Verb::Set, Verb::Reset, Verb::Show];
    let ends = [Verb::Begin, Verb::Commit, Verb::End, Verb::Savepoint, Verb::Rollback, Verb::Start];
    let outside =
        |statement: &&Statement<'_>| session.contains(&statement.head.verb) || ends.contains(&statement.head.verb);
    let first = context.statements.iter().filter(own).find(|statement| !outside(statement))?;
    let last = context.statements.iter().filter(own).rfind(|statement| !outside(statement))?;
    let inside =
        |statement: &&Statement<'_>| first.span.start < statement.span.start && statement.span.start < last.span.start;
    if context.statements.iter().filter(own).filter(inside).any(|statement| ends.contains(&statement.head.verb)) {
        return None;
    }
    let guarded = context.statements.iter().filter(own).any(Statement::is_guarded);
    // Groups do not nest.
    if guarded {
        return None;
    }
    let span = Span::new(first.span.start, last.end.max(first.span.end));
    Some(guard::group(context.text, span, &test(context)?))
}

/// A test that lets the script run until it has.
pub fn test(context: &Context<'_>) -> Option<Test> {
    let (before, behind) = ((context.source, 0), (context.source + 1, 0));
    let mut weaker = None;
    for name in tables(context) {
        let (old, new) = (context.history.table(&name, before), context.history.table(&name, behind));
        match (old, new) {
            (None, Some(_)) if [Kind::Table, Kind::VirtualTable].iter().any(|kind| is_new(context, *kind, &name)) => {
                return Some(Test::relation(false, "table", &name));
            }
            (Some(old), Some(new)) if old.partitioned != new.partitioned => {
                let shown = quote_literal(context.dialect, &name.to_string());
                let query = format!("SELECT 1 FROM pg_partitioned_table WHERE partrelid = to_regclass({shown})");
                weaker = weaker.or_else(|| Some(Test::query(old.partitioned, &query)));
            }
            (Some(old), Some(new)) if !old.partly_known && !new.partly_known => {
                let only = |left: &Shape, right: &Shape| {
                    let columns = left.columns.iter().map(|column| column.name.clone());
                    columns.into_iter().find(|column| right.column_named(column).is_none())
                };
                if let Some(column) = only(new, old) {
                    return Some(Test::column(false, &name, &column));
                }
                weaker = weaker
                    .or_else(|| only(old, new).map(|column| Test::column(true, &name, &column)))
                    .or_else(|| retyped(context.dialect, &name, old, new));
            }
            (Some(_), None) => weaker = weaker.or_else(|| Some(Test::relation(true, "table", &name))),
            _ => {}
        }
    }
    weaker
        .or_else(|| index(context))
        .or_else(|| constraint(context))
        .or_else(|| label(context))
        .or_else(|| by_its_words(context))
}

/// A column that a rebuild gave another type, which PostgreSQL tells as it writes types itself.
fn retyped(dialect: Dialect, table: &Name, old: &Shape, new: &Shape) -> Option<Test> {
    let written = |shape: &Shape, column: &str| shape.column_named(column).and_then(Column::formatted_type);
    let (column, now) = new.columns.iter().filter(|_| dialect == Dialect::Postgres).find_map(|column| {
        let (before, now) = (written(old, &column.name)?, written(new, &column.name)?);
        (before != now).then_some((&column.name, now))
    })?;
    let literal = |text: &str| quote_literal(dialect, text);
    Some(Test::query(
        false,
        &format!(
            "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass({}) AND attname = {} AND format_type(atttypid, atttypmod) = {}",
            literal(&table.to_string()),
            literal(column),
            literal(&now)
        ),
    ))
}

/// A named constraint that the script adds; with one of that name there the first run would have failed.
fn constraint(context: &Context<'_>) -> Option<Test> {
    let altered = context
        .structure
        .iter()
        .filter(|statement| statement.head.verb == Verb::Alter && statement.head.kind == Some(Kind::Table));
    let all: Vec<_> =
        altered.flat_map(|statement| statement.actions.iter().map(move |action| (statement, action))).collect();
    let drops = |name: &Name| {
        all.iter().any(|(_, action)| action.kind == ActionKind::DropConstraint && action.name.as_ref() == Some(name))
    };
    all.iter().filter(|(_, action)| action.kind == ActionKind::AddConstraint).find_map(|(statement, action)| {
        let (table, name) = (statement.head.name.as_ref()?, action.name.as_ref()?);
        (!drops(name)).then(|| Test::constraint(false, table, name))
    })
}

/// A label that an enum loses, or gets, when it is made anew.
fn label(context: &Context<'_>) -> Option<Test> {
    remade_types(context).find_map(|remade| {
        let (present, label) = match (remade.lost.first(), remade.gained.first()) {
            (Some(lost), _) => (true, lost),
            (None, Some(gained)) => (false, gained),
            (None, None) => return None,
        };
        let shown = quote_literal(context.dialect, &remade.name.to_string());
        let query = format!("SELECT 1 FROM pg_enum WHERE enumtypid = to_regtype({shown}) AND enumlabel = {label}");
        Some(Test::query(present, &query))
    })
}

/// An enum that a script makes anew.
pub struct Remade {
    /// What it is called behind the script, and was before.
    pub name: Name,
    /// The labels that it loses, as literals.
    pub lost: Vec<String>,
    gained: Vec<String>,
}

/// The enums that a script makes anew, under their own name or under another that it changes then.
pub fn remade_types<'c>(context: &'c Context<'_>) -> impl Iterator<Item = Remade> + use<'c> {
    context.structure.iter().filter(|statement| statement.head.creates(Kind::Type)).filter_map(|statement| {
        let made = statement.head.name.as_ref()?;
        let takes = |other: &Statement<'_>| {
            let own =
                other.head.kind == Some(Kind::Type) && other.head.name.as_ref().is_some_and(|name| name.matches(made));
            let mut renames = other.actions.iter().filter(|action| own && action.kind == ActionKind::Rename);
            renames.find_map(|action| action.name.clone())
        };
        let name = context.behind(statement).find_map(takes).unwrap_or_else(|| made.clone());
        let old = context.history.other(Kind::Type, &name, (context.source, 0))?;
        let labels = |text: &str| -> Vec<String> {
            let tokens = Tokens::of(text, context.dialect).filter(|token| token.kind.is_string());
            tokens.map(|token| token.text(text).to_owned()).collect()
        };
        let behind_name = Span::new(statement.tokens_behind_name().start(), statement.span.end);
        let (old, new) = (labels(old), labels(behind_name.text(statement.text)));
        let only =
            |left: &[String], right: &[String]| left.iter().filter(|label| !right.contains(label)).cloned().collect();
        Some(Remade { lost: only(&old, &new), gained: only(&new, &old), name })
    })
}

/// What a statement without a guard says by itself: what it adds was not there, what it takes away was.
fn by_its_words(context: &Context<'_>) -> Option<Test> {
    let alters = || {
        context.structure.iter().filter(|statement| {
            statement.head.verb == Verb::Alter && statement.head.kind == Some(Kind::Table) && !statement.is_guarded()
        })
    };
    let moved = |table: &Name| {
        let renamed = alters().any(|other| {
            other.actions.iter().any(|action| {
                let to = action.name.as_ref().is_some_and(|to| to.matches(table));
                action.kind == ActionKind::Rename
                    && (to || other.head.name.as_ref().is_some_and(|from| from.matches(table)))
            })
        });
        renamed
            || context.structure.iter().any(|other| {
                matches!(other.head.verb, Verb::Drop | Verb::Create)
                    && other.head.kind == Some(Kind::Table)
                    && (other.head.name.as_ref().is_some_and(|name| name.matches(table))
                        || dropped(other).contains(table))
            })
    };
    // How often the script speaks of a column of the table.
    let spoken = |table: &Name, column: &str| {
        let of_table = alters().filter(|other| other.head.name.as_ref() == Some(table));
        let names = of_table.flat_map(|other| {
            other.actions.iter().filter(|action| action.kind != ActionKind::AlterColumn).flat_map(|action| {
                let renames = action.kind == ActionKind::RenameColumn;
                let to = if renames { generated::new_name(other, action) } else { None };
                to.into_iter().chain(action.name.as_ref().map(|name| name.object().to_owned()))
            })
        });
        names.filter(|name| name == column).count()
    };
    alters().find_map(|statement| {
        let table = statement.head.name.as_ref().filter(|table| !moved(table))?;
        statement.actions.iter().find_map(|action| {
            let column = action.name.as_ref()?.object();
            let present = match action.kind {
                ActionKind::AddColumn if !action.if_not_exists => false,
                ActionKind::DropColumn if !action.if_exists => true,
                ActionKind::RenameColumn => true,
                _ => return None,
            };
            (spoken(table, column) == 1).then(|| Test::column(present, table, column))
        })
    })
}

/// The tables that the script makes, changes or drops, under each of their names.
fn tables(context: &Context<'_>) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    let mut add = |name: &Name| {
        if !found.contains(name) {
            found.push(name.clone());
        }
    };
    for statement in context
        .structure
        .iter()
        .filter(|statement| matches!(statement.head.kind, Some(Kind::Table | Kind::VirtualTable)))
        .filter(|statement| !statement.head.temporary)
    {
        if matches!(statement.head.verb, Verb::Create | Verb::Alter | Verb::Drop) {
            statement.head.name.iter().for_each(&mut add);
            for action in statement.actions.iter().filter(|action| action.kind == ActionKind::Rename) {
                action.name.iter().for_each(&mut add);
            }
        }
    }
    found
}

/// Whether a second run of the script would meet what the first one made, at more than one place: a rebuild, or a
/// table that is renamed and made again.
pub fn is_one_change(context: &Context<'_>) -> bool {
    context.rebuild.is_some()
        || renames_what_it_adds(context)
        || retypes_what_it_reads(context)
        || attaches_what_it_alters(context)
        || context.structure.iter().filter(|statement| !statement.nested && statement.head.verb == Verb::Alter).any(
            |statement| {
                let renames = statement.actions.iter().any(|action| action.kind == ActionKind::Rename);
                renames
                    && statement.head.kind.is_some_and(|kind| {
                        matches!(kind, Kind::Table | Kind::Type)
                            && context
                                .behind(statement)
                                .any(|other| other.head.creates(kind) && other.head.name == statement.head.name)
                    })
            },
        )
}

/// Whether the script itself says that there was none before: its CREATE has no guard, and no DROP is in front.
fn is_new(context: &Context<'_>, kind: Kind, name: &Name) -> bool {
    let takes = |other: &&Statement<'_>| {
        let mut renames = other.actions.iter().filter(|action| action.kind == ActionKind::Rename);
        !other.is_guarded()
            && other.head.kind == Some(kind)
            && renames.any(|action| action.name.as_ref().is_some_and(|to| to.matches(name)))
    };
    if context.structure.iter().copied().any(|other| takes(&other)) {
        return true;
    }
    let mut about = context.structure.iter().filter(|other| {
        other.head.kind == Some(kind) && other.head.name.as_ref().is_some_and(|made| made.matches(name))
    });
    about
        .next()
        .is_some_and(|first| first.head.verb == Verb::Create && !first.head.is_guarded() && !first.head.temporary)
}

/// An index that the script makes and leaves.
fn index(context: &Context<'_>) -> Option<Test> {
    let behind = (context.source + 1, 0);
    let made = context.structure.iter().filter(|statement| statement.head.creates(Kind::Index));
    made.filter_map(|statement| statement.head.name.as_ref()).find_map(|name| {
        let stays = context.history.other(Kind::Index, name, behind).is_some();
        let fresh = context.history.other(Kind::Index, name, (context.source, 0)).is_none();
        (stays && fresh && is_new(context, Kind::Index, name)).then(|| Test::relation(false, "index", name))
    })
}

/// `UPDATE t SET a = b; ALTER TABLE t ALTER COLUMN b TYPE …  USING …`: a second run reads the new type.
fn retypes_what_it_reads(context: &Context<'_>) -> bool {
    context.structure.iter().filter(|statement| !statement.actions.is_empty()).any(|statement| {
        let retyped = statement.actions.iter().filter(|action| {
            let tokens = statement.part(action.span);
            action.kind == ActionKind::AlterColumn && tokens.has_word("type") && tokens.has_word("using")
        });
        let names: Vec<&str> = retyped.filter_map(|action| action.name.as_ref().map(Name::object)).collect();
        let reads = |other: &Statement<'_>| {
            let mut tokens = other.tokens_behind_name();
            other.head.verb == Verb::Update
                && other.head.name == statement.head.name
                && tokens.any(|token| {
                    let written = Name::part(token.text(context.text), token.kind, context.dialect);
                    token.kind.is_identifier() && names.contains(&written.object())
                })
        };
        !names.is_empty() && context.before(statement).any(reads)
    })
}

/// `ALTER TABLE t ADD COLUMN …; ALTER TABLE p ATTACH PARTITION t …`: a partition takes no columns.
fn attaches_what_it_alters(context: &Context<'_>) -> bool {
    let kinds = [ActionKind::AddColumn, ActionKind::DropColumn];
    context.structure.iter().any(|statement| {
        let alters = statement.actions.iter().any(|action| kinds.contains(&action.kind)) && !statement.is_guarded();
        let table = statement.head.name.as_ref().filter(|_| alters);
        table.is_some_and(|table| becomes_partition(context, statement, table))
    })
}

/// Whether a table is attached as a partition behind a statement, and was none before.
pub fn becomes_partition(context: &Context<'_>, statement: &Statement<'_>, table: &Name) -> bool {
    let does = |other: &Statement<'_>, kind: ActionKind| {
        let mut actions = other.actions.iter().filter(|action| action.kind == kind);
        actions.any(|action| action.name.as_ref().is_some_and(|child| child.matches(table)))
    };
    context.behind(statement).any(|other| does(other, ActionKind::AttachPartition))
        && !context.before(statement).any(|other| does(other, ActionKind::DetachPartition))
}

/// `ADD COLUMN a …; RENAME COLUMN a TO b`: a second run adds it again.
fn renames_what_it_adds(context: &Context<'_>) -> bool {
    let on = |kind: ActionKind| {
        let alters =
            context.structure.iter().filter(|statement| !statement.nested && statement.head.verb == Verb::Alter);
        alters.flat_map(move |statement| {
            let actions = statement.actions.iter().filter(move |action| action.kind == kind);
            actions.map(|action| (statement.span.start, statement.head.name.as_ref(), action.name.as_ref()))
        })
    };
    on(ActionKind::RenameColumn).any(|(at, table, column)| {
        column.is_some()
            && on(ActionKind::AddColumn).any(|(before, of, added)| before < at && of == table && added == column)
    })
}
