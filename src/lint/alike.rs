//! Tables that are made after another one: `CREATE TABLE new (LIKE old …)`, which may take its place, and partitions.

use super::context::Context;
use super::statement::Statement;
use crate::sql::{ActionKind, Dialect, Kind, Name, TokenKind, Verb};

/// The table that a `CREATE TABLE` takes for its model.
pub fn model(create: &Statement<'_>) -> Option<Name> {
    let mut tokens = create.tokens_behind_name();
    let like = tokens.eat(TokenKind::OpenParen) && tokens.eat_word("like");
    like.then(|| tokens.eat_name()).flatten().map(|(name, _)| name)
}

/// The names of indexes and constraints that PostgreSQL makes out of the new table's, as far as the script speaks of
/// them.
pub fn names<'c>(context: &'c Context<'_>, create: &Statement<'_>, table: &Name) -> Vec<&'c str> {
    if model(create).is_none() {
        return Vec::new();
    }
    let prefix = format!("{}_", table.object());
    let is_index = |other: &&&Statement<'_>| {
        other.head.kind == Some(Kind::Index) && matches!(other.head.verb, Verb::Alter | Verb::Drop)
    };
    let takes = |kind: ActionKind| matches!(kind, ActionKind::DropConstraint | ActionKind::RenameConstraint);
    let indexes = context.structure.iter().filter(is_index).filter_map(|other| other.head.name.as_ref());
    let actions = context.structure.iter().flat_map(|other| &other.actions).filter(|action| takes(action.kind));
    let all = indexes.chain(actions.filter_map(|action| action.name.as_ref()));
    all.map(Name::object).filter(|name| name.starts_with(&prefix)).collect()
}

/// `CREATE TABLE new (LIKE t …); INSERT INTO new SELECT * FROM t; … ALTER TABLE new RENAME TO t`: the second run copies
/// the copy.
pub fn copies_what_it_becomes(context: &Context<'_>, copy: &Statement<'_>) -> bool {
    let Some(table) = &copy.head.name else { return false };
    let mut query = copy.tokens_behind_name();
    let original = (query.eat_word("select") && query.eat_operator("*") && query.eat_word("from"))
        .then(|| query.eat_name())
        .flatten();
    let Some((original, _)) = original.filter(|_| query.peek().is_none()) else { return false };
    let is_named = |statement: &Statement<'_>| statement.head.name.as_ref().is_some_and(|name| name.matches(table));
    let is_like = |create: &Statement<'_>| {
        let like = model(create).is_some_and(|model| model.matches(&original));
        create.head.creates(Kind::Table) && is_named(create) && like
    };
    let becomes = |other: &Statement<'_>| {
        let mut renames = other.actions.iter().filter(|action| action.kind == ActionKind::Rename);
        is_named(other) && renames.any(|action| action.name.as_ref().is_some_and(|to| to.matches(&original)))
    };
    context.before(copy).any(is_like) && context.behind(copy).any(becomes)
}

/// The table that a partition is dropped with.
pub fn parent(create: &Statement<'_>) -> Option<String> {
    let mut tokens = create.tokens_behind_name();
    let is_partition = create.dialect == Dialect::Postgres && tokens.eat_words(&["partition", "of"]);
    is_partition.then(|| tokens.eat_name()).flatten().map(|(name, _)| name.object().to_owned())
}
