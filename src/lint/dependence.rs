//! What needs what: views and what they read; triggers, defaults, checks, indexes and policies and their functions;
//! columns and arguments and their types.

use super::context::Context;
use super::facts::dropped;
use super::statement::Statement;
use crate::sql::{Action, ActionKind, Kind, Name, TokenKind, Verb};

/// Whether a statement further down makes something that needs what is dropped, that is there at the end, and that is
/// not dropped in front.
pub fn depends(context: &Context<'_>, drop: &Statement<'_>, other: &Statement<'_>, name: &Name) -> bool {
    let Some(own) = other.head.name.as_ref().filter(|own| !own.matches(name) && !other.head.temporary) else {
        return false;
    };
    let takes = |statement: &&Statement<'_>| {
        let same = other.head.table.is_none() || statement.head.table == other.head.table;
        statement.head.verb == Verb::Drop && same && dropped(statement).iter().any(|dropped| dropped.matches(own))
    };
    needs(drop, other, name)
        && !takes(&drop)
        && !context.before(drop).any(|before| takes(&before))
        && !context.behind(other).any(|behind| takes(&behind))
        && !freed(context, drop, other)
}

/// Whether a statement makes a view.
pub fn is_view(statement: &Statement<'_>) -> bool {
    statement.head.creates(Kind::View) || statement.head.creates(Kind::MaterializedView)
}

/// The script drops the constraint, the default or the column first, so that nothing refers to it any longer.
pub fn freed(context: &Context<'_>, statement: &Statement<'_>, adds: &Statement<'_>) -> bool {
    let frees = |before: &Action, of: &Statement<'_>, action: &Action| match before.kind {
        ActionKind::DropConstraint | ActionKind::DropColumn => true,
        ActionKind::AlterColumn => {
            let tokens = of.part(before.span);
            action.kind == ActionKind::AlterColumn
                && (tokens.has_words(&["drop", "default"]) || tokens.has_word("type"))
        }
        _ => false,
    };
    adds.actions.iter().any(|action| {
        context.before(statement).any(|of| {
            let mut all = of.actions.iter().filter(|before| before.name == action.name);
            all.any(|before| frees(before, of, action))
        })
    })
}

fn needs(drop: &Statement<'_>, other: &Statement<'_>, name: &Name) -> bool {
    let makes = other.head.verb == Verb::Create;
    let alters = || {
        let adds = |action: &Action| match action.kind {
            ActionKind::AddColumn | ActionKind::AddConstraint => true,
            ActionKind::AlterColumn => {
                let tokens = other.part(action.span);
                tokens.has_words(&["set", "default"]) || tokens.has_word("type")
            }
            _ => false,
        };
        other.head.verb == Verb::Alter && other.actions.iter().any(adds)
    };
    let is_routine = matches!(other.head.kind, Some(Kind::Function | Kind::Procedure | Kind::Aggregate));
    match drop.head.kind {
        // What a routine calls is in its body, which is a text.
        Some(Kind::Function) => (makes && !is_routine || alters()) && calls(other, name),
        Some(Kind::Type | Kind::Domain) => {
            (makes || alters()) && has_type(other, name) || is_view(other) && reads(other, name)
        }
        Some(Kind::Table) => is_view(other) && reads(other, name) || is_routine && has_type(other, name),
        Some(Kind::Sequence) => (makes && !is_routine || alters()) && counts_by(other, name),
        Some(Kind::Schema) => makes && other.head.name.as_ref().and_then(Name::schema) == Some(name.object()),
        _ => is_view(other) && reads(other, name),
    }
}

fn reads(statement: &Statement<'_>, name: &Name) -> bool {
    let mut tokens = statement.tokens_behind_name();
    while tokens.peek().is_some() {
        match tokens.eat_name() {
            Some((read, _)) if read.matches(name) => return true,
            Some(_) => {}
            None => _ = tokens.next(),
        }
    }
    false
}

/// `DEFAULT f()`, `CHECK (f(a))`, `EXECUTE FUNCTION f()`, an index on `f(a)`, a view of it.
fn calls(statement: &Statement<'_>, name: &Name) -> bool {
    let mut tokens = statement.tokens_behind_name();
    while tokens.peek().is_some() {
        match tokens.eat_name() {
            Some((read, _)) if read.matches(name) && tokens.at(TokenKind::OpenParen) => return true,
            Some(_) => {}
            None => _ = tokens.next(),
        }
    }
    false
}

/// `DEFAULT nextval('s')`.
fn counts_by(statement: &Statement<'_>, name: &Name) -> bool {
    let mut tokens = statement.tokens_behind_name();
    while let Some(token) = tokens.next() {
        let mut arguments = tokens;
        if token.is_word(statement.text, "nextval") && arguments.eat(TokenKind::OpenParen) {
            let written = arguments.next_text().trim_matches('\'');
            let bare = written.rsplit('.').next().unwrap_or(written).trim_matches('"');
            if bare.eq_ignore_ascii_case(name.object()) {
                return true;
            }
        }
    }
    false
}

/// A column or an argument of a type: `a name`, `RETURNS SETOF name`, `x::name`.
fn has_type(statement: &Statement<'_>, name: &Name) -> bool {
    let text = statement.text;
    let mut tokens = statement.tokens_behind_name();
    let mut behind_name = false;
    while let Some(token) = tokens.peek() {
        let Some((read, _)) = tokens.eat_name() else {
            tokens.next();
            behind_name = token.text(text) == "::";
            continue;
        };
        let is_compared = tokens.peek().is_some_and(|next| next.kind == TokenKind::Operator && next.text(text) != "=");
        if behind_name && read.matches(name) && !is_compared && !tokens.at_any(&["is", "in"]) {
            return true;
        }
        let leads = ["column", "exists", "add", "check", "on", "and", "or", "not", "select", "where"];
        behind_name = !leads.iter().any(|word| token.is_word(text, word));
    }
    false
}
