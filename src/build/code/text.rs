//! What a code file's text makes and speaks of.

use std::collections::BTreeSet;

use crate::build::load::{Reading, load};
use crate::project::Project;
use crate::script::{Directive, ScriptErrors, directives};
use crate::sql::{self, Dialect, Name, Statements, Tokens};

/// A code file, read.
pub(super) struct Text {
    /// Its path.
    pub path: String,
    /// What it makes.
    pub creates: Vec<Made>,
    /// What it speaks of.
    pub mentions: BTreeSet<sql::Mention>,
    /// What `after` names.
    pub after: Vec<String>,
}

/// What a statement of a code file makes.
pub(super) struct Made {
    pub kind: sql::Kind,
    pub name: Name,
    /// The table that it is on.
    pub table: Option<Name>,
    /// The statement.
    pub span: sql::Span,
}

/// Reads one.
pub(super) fn read(project: &Project, dialect: Dialect, file: &str) -> Result<Text, ScriptErrors> {
    let loaded = load(project, file, Reading { dialect, layout: None, variables: None })?;
    Ok(Text::of(file, loaded.text.as_str(), dialect))
}

impl Text {
    /// A file of which nothing is known.
    pub fn unread(file: &str) -> Self {
        Self { path: file.to_owned(), creates: Vec::new(), mentions: BTreeSet::new(), after: Vec::new() }
    }

    /// Takes a file's text apart.
    pub fn of(file: &str, text: &str, dialect: Dialect) -> Self {
        let mut code = Self::unread(file);
        // What cannot be lexed is told when the file is cut, with its place.
        for statement in Statements::new(text, dialect).map_while(Result::ok) {
            let tokens = Tokens::new(text, statement.span, dialect);
            let mut mentions = sql::mentions(tokens);
            for (kind, name) in sql::creates(tokens) {
                // That it makes something says nothing about another file that makes one of this name: an overload, or a
                // trigger on another table.
                mentions.retain(|mention| !mention.may_be(kind, &name));
                code.creates.push(Made { kind, name, table: sql::Head::of(tokens).table, span: statement.span });
            }
            code.mentions.extend(mentions);
        }
        for (_, body) in directives(text, dialect) {
            if let Ok(Directive::After(names)) = Directive::parse(body) {
                code.after.extend(names);
            }
        }
        code
    }

    /// Returns true if somebody who writes a name may mean this file.
    pub fn is_called(&self, name: &str) -> bool {
        let stem = self.path.rsplit('/').next().and_then(|last| last.split('.').next());
        stem == Some(name)
            || self.creates.iter().any(|made| made.name.to_string() == name || made.name.object() == name)
    }
}
