//! What statements do to names, read from each source by itself.

use super::generated;
use super::shape::{self, PartialKey, Shape};
use super::statement::Statement;
use crate::sql::{ActionKind, Kind, Name, Verb};

/// What a statement does to names.
#[derive(Debug, Clone)]
pub struct Fact {
    pub(super) at: usize,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Table(Name, Shape, bool),
    Item(Name, String, crate::sql::Dialect),
    Key(Name, Key),
    DropColumn(Name, String),
    RenameColumn(Name, String, String),
    RenameTable(Name, Name),
    DropConstraint(Name, String),
    Drop(Kind, Name),
    Other(Kind, Name, String),
    /// An index without a name: what PostgreSQL calls it, if that is free.
    Unnamed(String, String),
    RenameOther(Kind, Name, Name),
    Label(Name, String),
    SearchPath,
}

/// What a unique index makes a key.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// Columns, and whether NULL is a value like another one in them.
    Columns(Vec<String>, bool),
    /// Columns, of a part of the rows.
    Partial(PartialKey),
    /// What is not followed here.
    Other,
}

/// Reads the facts of a script.
pub fn facts(statements: &[Statement<'_>]) -> Vec<Fact> {
    let mut found = Vec::new();
    for statement in statements {
        let head = &statement.head;
        if matches!(head.verb, Verb::Set | Verb::Alter) && statement.tokens().has_word("search_path") {
            found.push(Fact { at: statement.span.start, what: What::SearchPath });
        }
        let (Some(name), Some(kind)) = (&head.name, head.kind) else {
            unnamed_index(statement, &mut found);
            continue;
        };
        if head.temporary {
            continue;
        }
        let mut add = |what| found.push(Fact { at: statement.span.start, what });
        match head.verb {
            Verb::Create if matches!(kind, Kind::Table | Kind::ForeignTable | Kind::VirtualTable) => {
                add(What::Table(name.clone(), Shape::read(statement.tokens_behind_name()), head.if_not_exists));
            }
            Verb::Create => {
                add(What::Other(kind, name.clone(), shape::flat(statement.tokens_behind_name())));
                if kind == Kind::Index && head.unique {
                    unique_index(statement, &mut found);
                }
            }
            Verb::Drop => {
                for name in dropped(statement) {
                    add(What::Drop(kind, name));
                }
            }
            Verb::Alter if matches!(kind, Kind::Table | Kind::ForeignTable) => alter(statement, name, &mut found),
            Verb::Alter => {
                for action in &statement.actions {
                    let label = || statement.part(action.span).find(|token| token.kind.is_string());
                    match (action.kind, &action.name) {
                        (ActionKind::Rename, Some(to)) => add(What::RenameOther(kind, name.clone(), to.clone())),
                        (ActionKind::AddValue, _) => {
                            let label = label().map(|token| token.text(statement.text).to_owned());
                            label.into_iter().for_each(|label| add(What::Label(name.clone(), label)));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The names that a `DROP` drops.
pub fn dropped(statement: &Statement<'_>) -> Vec<Name> {
    let Some(span) = statement.head.name_span else { return Vec::new() };
    shape::names(statement.part(crate::sql::Span::new(span.start, statement.span.end)))
}

fn unnamed_index(statement: &Statement<'_>, found: &mut Vec<Fact>) {
    if !statement.head.creates(Kind::Index) {
        return;
    }
    if let Some(name) = generated::of_index(statement) {
        let what = What::Unnamed(name, shape::flat(statement.tokens_behind_name()));
        found.push(Fact { at: statement.span.start, what });
    }
    if statement.head.unique {
        unique_index(statement, found);
    }
}

fn unique_index(statement: &Statement<'_>, found: &mut Vec<Fact>) {
    let Some(table) = statement.head.table.clone() else { return };
    let mut tokens = statement.tokens();
    tokens.skip_to_any(&["on"]);
    tokens.next();
    tokens.eat_word("only");
    tokens.eat_name();
    if tokens.eat_word("using") {
        tokens.eat_name();
    }
    let columns = shape::columns(&mut tokens);
    let has_nulls = tokens.has_words(&["nulls", "not", "distinct"]);
    let is_partial = tokens.skip_past("where");
    let key = match columns {
        Some(columns) if is_partial => PartialKey::read(columns, tokens).map_or(Key::Other, Key::Partial),
        Some(columns) => Key::Columns(columns, has_nulls),
        None => Key::Other,
    };
    found.push(Fact { at: statement.span.start, what: What::Key(table, key) });
}

fn alter(statement: &Statement<'_>, table: &Name, found: &mut Vec<Fact>) {
    let at = statement.span.start;
    for action in &statement.actions {
        let target = action.name.as_ref().map(|name| name.object().to_owned());
        let mut tokens = statement.part(action.span);
        let what = match (action.kind, target) {
            (ActionKind::AddColumn | ActionKind::AddConstraint, _) => {
                tokens.eat_word("add");
                tokens.eat_word("column");
                tokens.eat_words(&["if", "not", "exists"]);
                let item = crate::sql::Span::new(tokens.start(), action.span.end).text(statement.text);
                What::Item(table.clone(), item.to_owned(), statement.dialect)
            }
            (ActionKind::DropColumn, Some(column)) => What::DropColumn(table.clone(), column),
            (ActionKind::DropConstraint, Some(name)) => What::DropConstraint(table.clone(), name),
            (ActionKind::RenameColumn, Some(column)) => {
                tokens.skip_to_any(&["to"]);
                tokens.next();
                let Some((to, _)) = tokens.eat_name() else { continue };
                What::RenameColumn(table.clone(), column, to.object().to_owned())
            }
            (ActionKind::Rename, _) => {
                let Some(to) = action.name.clone() else { continue };
                What::RenameTable(table.clone(), to)
            }
            (ActionKind::SetSchema, _) => {
                tokens.skip_past("schema");
                let Some((schema, _)) = tokens.eat_name() else { continue };
                What::RenameTable(table.clone(), Name::new([schema.object(), table.object()]))
            }
            _ => continue,
        };
        found.push(Fact { at, what });
    }
}
