//! What rules about live databases ask: was it there before the script?

use super::context::Context;
use super::shape::{Column, at_constraint, items};
use super::statement::Statement;
use crate::sql::{Action, ActionKind, Kind, Name, Span, TokenKind, Tokens, Verb};

/// Returns true if a table was there before this script, so that somebody may be using it.
pub fn existing(context: &Context<'_>, statement: &Statement<'_>, table: &Name) -> bool {
    !context.made_here(table, statement) && !context.is_temporary(table)
}

/// Actions of one kind on tables that were there before.
pub fn actions<'c>(
    context: &'c Context<'c>,
    kind: ActionKind,
) -> impl Iterator<Item = (&'c Statement<'c>, &'c Action)> + use<'c> {
    actions_of_all(context, kind)
        .filter(|(statement, _)| statement.head.name.as_ref().is_some_and(|table| existing(context, statement, table)))
}

/// Actions of one kind on tables.
pub fn actions_of_all<'c>(
    context: &Context<'c>,
    kind: ActionKind,
) -> impl Iterator<Item = (&'c Statement<'c>, &'c Action)> + use<'c> {
    let tables = context.statements.iter().filter(|statement| statement.head.kind == Some(Kind::Table));
    tables
        .flat_map(|statement| statement.actions.iter().map(move |action| (statement, action)))
        .filter(move |(_, action)| action.kind == kind)
}

/// The columns that a script declares, with their places.
pub fn columns<'c>(context: &'c Context<'_>) -> &'c [(Span, Column)] {
    context.columns.get_or_init(|| declared(context))
}

fn declared(context: &Context<'_>) -> Vec<(Span, Column)> {
    let mut found = Vec::new();
    for statement in context.statements {
        if statement.head.verb == Verb::Create && statement.head.kind == Some(Kind::Table) {
            let mut tokens = statement.tokens_behind_name();
            if !tokens.at(TokenKind::OpenParen) {
                continue;
            }
            let Some(list) = tokens.eat_parens() else { continue };
            for item in items(context.text, list, context.dialect) {
                let tokens = statement.part(item);
                if !at_constraint(tokens) && !tokens.at_word("like") {
                    found.extend(column(item, tokens));
                }
            }
        }
        for action in statement.actions.iter().filter(|action| action.kind == ActionKind::AddColumn) {
            let mut tokens = statement.part(action.span);
            tokens.eat_word("add");
            tokens.eat_word("column");
            tokens.eat_words(&["if", "not", "exists"]);
            found.extend(column(action.span, tokens));
        }
    }
    found
}

fn column(span: Span, mut tokens: Tokens<'_>) -> Option<(Span, Column)> {
    let (name, _) = tokens.eat_name()?;
    let definition = super::shape::flat(tokens);
    Some((span, Column { name: name.object().to_owned(), definition }))
}
