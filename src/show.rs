//! Where an object comes from: the statements of scripts and code that made and changed it.

use crate::build::{Checkout, Reading, load};
use crate::engine::Object;
use crate::error::Error;
use crate::project::Project;
use crate::sql::{ActionKind, Head, Kind, Name, Tokens, Verb, actions, mentions, split};

/// A statement that made or changed an object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What the statement does: `create table`, `alter table`.
    pub what: String,
    /// True if it made the object.
    pub made: bool,
}

/// Returns the statements that made and changed an object, in their order. Read backwards, so that what an object
/// was called before it was renamed is followed.
pub fn origins(project: &Project, checkout: &Checkout, object: &Object) -> Result<Vec<Origin>, Error> {
    let scripts = checkout.scripts.iter().map(|script| (script.file.as_str(), Some(project.layout())));
    let code = checkout.code.iter().map(|source| (source.file.as_str(), None));
    let mut wanted = Wanted::of(object);
    let mut found = Vec::new();
    for (file, layout) in scripts.chain(code).collect::<Vec<_>>().into_iter().rev() {
        let text = load(project, file, Reading { dialect: checkout.dialect, layout, variables: None })?.text;
        // What cannot be cut is lint's business and the build's.
        let Ok(statements) = split(text.as_str(), checkout.dialect) else { continue };
        for statement in statements.iter().rev() {
            let tokens = Tokens::new(text.as_str(), statement.span, checkout.dialect);
            if let Some((what, made)) = wanted.touched(tokens) {
                let place = text.place(statement.span);
                found.push(Origin { file: place.file, line: place.line, what, made });
            }
        }
    }
    found.reverse();
    Ok(found)
}

/// The object by the name that it has at the place in history that is looked at.
struct Wanted {
    kind: Kind,
    name: Name,
    table: Option<Name>,
    /// The name within its table.
    own: String,
}

impl Wanted {
    fn of(object: &Object) -> Self {
        let own = object.name.object().to_owned();
        Self { kind: object.kind, name: object.name.clone(), table: object.table.clone(), own }
    }

    /// Returns what a statement does to the object, and whether it made it.
    fn touched(&mut self, tokens: Tokens<'_>) -> Option<(String, bool)> {
        let head = Head::of(tokens);
        let verb = match head.verb {
            Verb::Create => "create",
            Verb::Alter => "alter",
            Verb::Drop => "drop",
            Verb::Comment => "comment on",
            Verb::Security => "security label on",
            _ => return None,
        };
        let (kind, name) = (head.kind?, head.name.as_ref());
        let what = format!("{verb} {kind}");
        if self.is_of_table() {
            let table = self.table.as_ref()?;
            let on_table = is_relation(kind) && name.is_some_and(|name| name.matches(table));
            if on_table && mentions(tokens).iter().any(|mention| mention.name.object() == self.own) {
                return Some((what, head.verb == Verb::Create || adds(tokens, &self.own)));
            }
            let is_it = kind == self.kind && name.is_some_and(|name| name.object() == self.own);
            let there = head.table.as_ref().is_none_or(|on| on.matches(table));
            return (is_it && there).then(|| (what, head.verb == Verb::Create));
        }
        let fits = same_kind(kind, self.kind) || (is_relation(kind) && is_relation(self.kind));
        if fits && name.is_some_and(|name| name.matches(&self.name)) {
            return Some((what, head.verb == Verb::Create));
        }
        if let Some(renamed) = name.filter(|_| fits).and_then(|name| self.renamed(tokens, name)) {
            self.name = renamed;
            return Some((what, false));
        }
        let on_it = is_relation(self.kind) && head.table.as_ref().is_some_and(|table| table.matches(&self.name));
        on_it.then_some((what, false))
    }

    fn is_of_table(&self) -> bool {
        matches!(self.kind, Kind::Column | Kind::Constraint | Kind::Trigger | Kind::Rule | Kind::Policy)
    }

    /// Returns the name before a statement that gave the object the name it has.
    fn renamed(&self, tokens: Tokens<'_>, from: &Name) -> Option<Name> {
        let to_it = |action: &crate::sql::Action| {
            action.kind == ActionKind::Rename
                && action.name.as_ref().is_some_and(|name| name.object() == self.name.object())
        };
        actions(tokens).iter().any(to_it).then(|| {
            let mut parts: Vec<String> = self.name.parts().to_vec();
            parts.pop();
            parts.push(from.object().to_owned());
            Name::new(parts)
        })
    }
}

/// Returns true if one of the statement's actions adds this column or constraint.
fn adds(tokens: Tokens<'_>, own: &str) -> bool {
    actions(tokens).iter().any(|action| {
        matches!(action.kind, ActionKind::AddColumn | ActionKind::AddConstraint)
            && action.name.as_ref().is_some_and(|name| name.object() == own)
    })
}

fn is_relation(kind: Kind) -> bool {
    matches!(kind, Kind::Table | Kind::ForeignTable | Kind::VirtualTable | Kind::View | Kind::MaterializedView)
}

fn same_kind(one: Kind, other: Kind) -> bool {
    let routine = |kind: Kind| matches!(kind, Kind::Function | Kind::Procedure | Kind::Routine | Kind::Aggregate);
    one == other || (routine(one) && routine(other))
}
