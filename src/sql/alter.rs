//! The actions of an `ALTER TABLE` (and of other `ALTER`s that list actions).

use super::{Head, Kind, Name, Span, TokenKind, Tokens};

/// What one action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionKind {
    /// `ADD [COLUMN] name`.
    AddColumn,
    /// `ADD CONSTRAINT name`, or `ADD` and an unnamed constraint.
    AddConstraint,
    /// `ADD VALUE 'label'` (types).
    AddValue,
    /// `ADD ATTRIBUTE name` (types).
    AddAttribute,
    /// `DROP [COLUMN] name`.
    DropColumn,
    /// `DROP CONSTRAINT name`.
    DropConstraint,
    /// `DROP ATTRIBUTE name` (types).
    DropAttribute,
    /// `ALTER [COLUMN] name`.
    AlterColumn,
    /// `ALTER CONSTRAINT name`.
    AlterConstraint,
    /// `VALIDATE CONSTRAINT name`.
    ValidateConstraint,
    /// `RENAME [COLUMN] name TO`.
    RenameColumn,
    /// `RENAME CONSTRAINT name TO`.
    RenameConstraint,
    /// `RENAME VALUE 'label' TO` (types).
    RenameValue,
    /// `RENAME ATTRIBUTE name TO` (types).
    RenameAttribute,
    /// `RENAME TO name`.
    Rename,
    /// `SET SCHEMA name`.
    SetSchema,
    /// `OWNER TO name`.
    Owner,
    /// `ATTACH PARTITION name`.
    AttachPartition,
    /// `DETACH PARTITION name`.
    DetachPartition,
    /// `INHERIT name` or `NO INHERIT name`.
    Inherit,
    /// Anything else.
    Other,
}

/// One action of an `ALTER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What it does.
    pub kind: ActionKind,
    /// From its first token to its last, without the comma.
    pub span: Span,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// What it names: a column, a constraint, a partition.
    pub name: Option<Name>,
    /// Where that stands.
    pub name_span: Option<Span>,
    /// Where a guard would go, with a space behind.
    pub guard_slot: usize,
}

/// What an unnamed table constraint begins with.
const CONSTRAINT_WORDS: &[&str] = &["primary", "unique", "check", "foreign", "not"];

/// Actions of types only; elsewhere these words can be columns.
const TYPE_WORDS: &[(ActionKind, &[&str])] = &[
    (ActionKind::AddValue, &["add", "value"]),
    (ActionKind::AddAttribute, &["add", "attribute"]),
    (ActionKind::DropAttribute, &["drop", "attribute"]),
    (ActionKind::RenameValue, &["rename", "value"]),
    (ActionKind::RenameAttribute, &["rename", "attribute"]),
];

/// Action words, longer ones before those that they begin with.
const WORDS: &[(ActionKind, &[&str])] = &[
    (ActionKind::AddConstraint, &["add", "constraint"]),
    (ActionKind::AddColumn, &["add", "column"]),
    (ActionKind::DropConstraint, &["drop", "constraint"]),
    (ActionKind::DropColumn, &["drop", "column"]),
    (ActionKind::AlterConstraint, &["alter", "constraint"]),
    (ActionKind::AlterColumn, &["alter", "column"]),
    (ActionKind::ValidateConstraint, &["validate", "constraint"]),
    (ActionKind::RenameConstraint, &["rename", "constraint"]),
    (ActionKind::RenameColumn, &["rename", "column"]),
    (ActionKind::Rename, &["rename", "to"]),
    (ActionKind::SetSchema, &["set", "schema"]),
    (ActionKind::Owner, &["owner", "to"]),
    (ActionKind::AttachPartition, &["attach", "partition"]),
    (ActionKind::DetachPartition, &["detach", "partition"]),
    (ActionKind::Inherit, &["no", "inherit"]),
    (ActionKind::Inherit, &["inherit"]),
];

/// The actions of an `ALTER` statement, from its first token.
#[must_use]
pub fn actions(mut tokens: Tokens<'_>) -> Vec<Action> {
    let kind = Head::read(&mut tokens).kind;
    skip_signature(kind, &mut tokens);
    let of_type = kind == Some(Kind::Type);
    let mut found = Vec::new();
    while tokens.peek().is_some() {
        found.push(action(&mut tokens, of_type));
    }
    found
}

/// What belongs to the name of some kinds: arguments, `ON table`, `USING method`.
fn skip_signature(kind: Option<Kind>, tokens: &mut Tokens<'_>) {
    match kind {
        Some(Kind::Function | Kind::Procedure | Kind::Routine | Kind::Aggregate | Kind::Operator) => {
            tokens.eat_parens();
        }
        Some(Kind::Trigger | Kind::Policy | Kind::Rule) if tokens.eat_word("on") => {
            tokens.eat_name();
        }
        Some(Kind::OperatorClass | Kind::OperatorFamily) if tokens.eat_word("using") => {
            tokens.eat_name();
        }
        _ => {}
    }
}

fn action(tokens: &mut Tokens<'_>, of_type: bool) -> Action {
    let start = tokens.start();
    let kind = action_kind(tokens, of_type);
    let guard_slot = tokens.start();
    let if_not_exists = tokens.eat_words(&["if", "not", "exists"]);
    let if_exists = !if_not_exists && tokens.eat_words(&["if", "exists"]);
    let unnamed = kind == ActionKind::AddConstraint && at_constraint(tokens);
    let named = if unnamed || kind == ActionKind::Other { None } else { tokens.eat_name() };
    while let Some(token) = tokens.peek() {
        match token.kind {
            TokenKind::Comma => break,
            TokenKind::OpenParen => {
                tokens.eat_parens();
            }
            _ => {
                tokens.next();
            }
        }
    }
    let span = Span::new(start, tokens.end());
    tokens.eat(TokenKind::Comma);
    let (name, name_span) = named.unzip();
    Action { kind, span, if_not_exists, if_exists, name, name_span, guard_slot }
}

/// Whether an unnamed constraint is next. `exclude` can be a column as well.
fn at_constraint(tokens: &Tokens<'_>) -> bool {
    let mut ahead = *tokens;
    let excludes = ahead.eat_word("exclude") && (ahead.at_word("using") || ahead.at(TokenKind::OpenParen));
    excludes || tokens.at_any(CONSTRAINT_WORDS)
}

fn action_kind(tokens: &mut Tokens<'_>, of_type: bool) -> ActionKind {
    let type_words = if of_type { TYPE_WORDS } else { &[] };
    if let Some((kind, _)) = type_words.iter().chain(WORDS).find(|(_, words)| tokens.eat_words(words)) {
        return *kind;
    }
    let mut ahead = *tokens;
    let kind = match ahead.eat_any(&["add", "drop", "alter", "rename"]) {
        Some("add") if at_constraint(&ahead) => ActionKind::AddConstraint,
        Some("add") => ActionKind::AddColumn,
        Some("drop") => ActionKind::DropColumn,
        Some("alter") => ActionKind::AlterColumn,
        Some(_) => ActionKind::RenameColumn,
        None => return ActionKind::Other,
    };
    *tokens = ahead;
    kind
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::*;

    fn seen(text: &str) -> Vec<String> {
        let shown = |action: Action| {
            let name = action.name.map_or_else(|| "-".into(), |name| name.to_string());
            let guard = action.if_exists || action.if_not_exists;
            let behind: String = text.chars().skip(action.guard_slot).take(4).collect();
            format!("{:?} {name} {guard} |{behind}", action.kind)
        };
        actions(Tokens::of(text, Dialect::Postgres)).into_iter().map(shown).collect()
    }

    #[test]
    fn actions_are_told_apart() {
        let text = "alter table if exists only s.t add a numeric(1, 2), add column if not exists b int, \
                    add constraint c check (a > 0), add unique (a, b), drop d, alter e set default 1";
        assert_eq!(
            seen(text),
            [
                "AddColumn a false |a nu",
                "AddColumn b true |if n",
                "AddConstraint c false |c ch",
                "AddConstraint - false |uniq",
                "DropColumn d false |d, a",
                "AlterColumn e false |e se",
            ]
        );
        assert_eq!(seen("alter type t add value if not exists 'x'"), ["AddValue - true |if n"]);
        assert_eq!(
            seen("alter table t add value int, drop attribute"),
            ["AddColumn value false |valu", "DropColumn attribute false |attr"]
        );
        assert_eq!(
            seen("alter table t add exclude using gist (a with =), add exclude int")[1],
            "AddColumn exclude false |excl"
        );
        assert_eq!(seen("alter table t rename to u"), ["Rename u false |u"]);
        assert_eq!(seen("alter table t rename a to b"), ["RenameColumn a false |a to"]);
        assert_eq!(seen("alter function f(int) rename to g"), ["Rename g false |g"]);
        assert_eq!(seen("alter trigger g on t rename to h"), ["Rename h false |h"]);
    }
}
