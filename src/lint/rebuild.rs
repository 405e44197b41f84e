//! SQLite's way to change a table: make a new one, copy, drop the old one, rename.
//! <https://www.sqlite.org/lang_altertable.html#otheralter>

use super::context::Context;
use super::guard::Test;
use super::history::dropped;
use super::shape::Shape;
use super::statement::Statement;
use crate::sql::{ActionKind, Dialect, Kind, Name, Span, Verb};

/// A rebuild that was recognised.
#[derive(Debug)]
pub struct Rebuild {
    /// The table as it is called before and after.
    pub table: Name,
    /// From the first statement that belongs to it to the end of the last one.
    pub span: Span,
    new: Shape,
    new_text: String,
}

impl Rebuild {
    /// Returns true if a statement is part of it.
    pub fn holds(&self, statement: &Statement<'_>) -> bool {
        self.span.start <= statement.span.start && statement.span.start < self.span.end
    }

    /// Returns a test that says whether it was done: by a column that came or went, else by the table's text.
    pub fn test(&self, context: &Context<'_>) -> Option<Test> {
        let first = context.statements.iter().find(|statement| self.holds(statement))?;
        if let Some(old) = context.table(&self.table, first).filter(|old| !old.partly_known && !self.new.partly_known) {
            let added = self.new.columns.iter().find(|column| old.column_named(&column.name).is_none());
            if let Some(column) = added {
                return Some(Test::column(false, &self.table, &column.name));
            }
            let gone = old.columns.iter().find(|column| self.new.column_named(&column.name).is_none());
            if let Some(column) = gone {
                return Some(Test::column(true, &self.table, &column.name));
            }
        }
        if context.dialect != Dialect::Sqlite || self.new_text.contains("--") || self.new_text.contains("/*") {
            return None;
        }
        // SQLite keeps the text of the statement, but for the name.
        let body: String = self.new_text.chars().filter(|char| !char.is_whitespace()).collect();
        let literal = |text: &str| crate::sql::quote_literal(Dialect::Sqlite, text);
        let squeezed = "replace(replace(replace(replace(sql, ' ', ''), char(10), ''), char(9), ''), char(13), '')";
        Some(Test::query(
            false,
            &format!(
                "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(name) = {} AND instr({squeezed}, {}) > 0",
                literal(self.table.object()),
                literal(&body)
            ),
        ))
    }
}

/// Finds the rebuild of a script. Several in one script become one group, which the first one's test decides.
pub fn find(context: &Context<'_>) -> Option<Rebuild> {
    let mut found: Option<Rebuild> = None;
    for statement in context.statements.iter().filter(|statement| !statement.nested) {
        let Some(next) = ends(context, statement) else { continue };
        found = Some(match found {
            Some(first) => Rebuild { span: first.span.join(next.span), ..first },
            None => next,
        });
    }
    found
}

fn ends(context: &Context<'_>, last: &Statement<'_>) -> Option<Rebuild> {
    let action = last.actions.iter().find(|action| action.kind == ActionKind::Rename)?;
    let (from, to) = (last.head.name.as_ref()?, action.name.as_ref()?);
    let is_create = |name: &Name| {
        let name = name.clone();
        move |other: &&Statement<'_>| {
            other.head.creates(Kind::Table) && other.head.name.as_ref().is_some_and(|made| made.matches(&name))
        }
    };
    // Either the new table takes the old one's name, or the old one makes room first.
    if let Some(create) = context.before(last).find(is_create(from)) {
        let drops = context.before(last).filter(|other| {
            other.head.verb == Verb::Drop && dropped(other).iter().any(|name| name.matches(to))
        });
        drops.last()?;
        return Some(rebuild(context, create, last, to));
    }
    let create = context.behind(last).find(is_create(from))?;
    let copies = context.behind(create).any(|other| {
        other.head.verb == Verb::Insert && other.head.name.as_ref().is_some_and(|name| name.matches(from))
    });
    let drop = context.behind(create).find(|other| {
        other.head.verb == Verb::Drop && dropped(other).iter().any(|name| name.matches(to))
    })?;
    if !copies {
        return None;
    }
    let mut found = rebuild(context, create, drop, from);
    found.span = Span::new(last.span.start, drop.end);
    Some(found)
}

fn rebuild(context: &Context<'_>, create: &Statement<'_>, last: &Statement<'_>, table: &Name) -> Rebuild {
    let new = Shape::read(create.tokens_behind_name());
    let body = create.tokens_behind_name().start();
    let mut start = create.span.start;
    // A DROP TABLE IF EXISTS of the new name, right in front, belongs to it.
    if let Some(before) = context.before(create).last()
        && before.head.verb == Verb::Drop
        && dropped(before).iter().any(|name| Some(name) == create.head.name.as_ref())
    {
        start = before.span.start;
    }
    let new_text = Span::new(body, create.span.end).text(context.text).to_owned();
    Rebuild { table: table.clone(), span: Span::new(start, last.end), new, new_text }
}
