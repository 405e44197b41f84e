//! A column replaced by its copy: `ADD COLUMN new`, `UPDATE`, `DROP COLUMN old`, `RENAME COLUMN new TO old`.

use super::context::Context;
use super::guard::Test;
use super::shape::flat;
use super::update;
use crate::sql::{ActionKind, Dialect, Name, Span, Verb, quote_literal};

/// A column that a script replaces by a copy of it.
#[derive(Debug)]
pub struct Swap {
    /// The table.
    pub table: Name,
    /// The column's name, before and after.
    pub column: String,
    /// From the statement that adds the copy to the one that renames it.
    pub span: Span,
    /// A test that is false once it was done.
    pub test: Option<Test>,
    /// True if a second run, from the new column, ends where the first one did.
    pub repeats: bool,
}

impl Swap {
    /// Returns true if a second run of the whole says what a second run of what stands here does.
    pub fn explains(&self, at: usize) -> bool {
        self.span.start <= at && at < self.span.end && (self.test.is_some() || self.repeats)
    }
}

/// Finds the swap of a script.
pub fn find(context: &Context<'_>) -> Option<Swap> {
    for last in context.statements.iter().filter(|statement| !statement.nested) {
        for action in last.actions.iter().filter(|action| action.kind == ActionKind::RenameColumn) {
            let (table, copy) = (last.head.name.as_ref()?, action.name.as_ref()?.object());
            let mut tokens = last.part(action.span);
            tokens.skip_to_any(&["to"]);
            tokens.next();
            let Some((column, _)) = tokens.eat_name() else { continue };
            let on_table = |kind: ActionKind, name: &str| {
                let name = name.to_owned();
                context.before(last).find_map(|other| {
                    let same = !other.nested && other.head.name.as_ref().is_some_and(|other| other.matches(table));
                    let action = other.actions.iter().find(|action| {
                        action.kind == kind && action.name.as_ref().is_some_and(|known| known.object() == name)
                    });
                    action.filter(|_| same).map(|action| (other, action))
                })
            };
            let Some((first, added)) = on_table(ActionKind::AddColumn, copy) else { continue };
            if on_table(ActionKind::DropColumn, column.object()).is_none() {
                continue;
            }
            let mut definition = first.part(added.span);
            while definition.peek().is_some() && definition.start() < added.name_span.map_or(0, |span| span.end) {
                definition.next();
            }
            let written = flat(definition);
            let new_type = written.split(' ').next().unwrap_or_default().to_owned();
            let old = context.table(table, first).and_then(|shape| shape.column_named(column.object()).cloned());
            let same = old.is_some_and(|old| old.type_word() == new_type);
            let test = (!same).then(|| test(context.dialect, table, column.object(), &new_type));
            let span = Span::new(first.span.start, last.end);
            let repeats = repeats(context, span, table, copy, column.object());
            return Some(Swap { table: table.clone(), column: column.object().to_owned(), span, test, repeats });
        }
    }
    None
}

/// Whether the copy is filled with what the column is, but for a cast.
fn repeats(context: &Context<'_>, span: Span, table: &Name, copy: &str, column: &str) -> bool {
    let inside =
        context.statements.iter().filter(|other| span.start <= other.span.start && other.span.start < span.end);
    let mut fills = inside.filter(|other| {
        other.head.verb == Verb::Update && other.head.name.as_ref().is_some_and(|name| name.matches(table))
    });
    fills.next().is_some_and(|fill| {
        let assignments = update::read(fill).assignments;
        let plain = |assignment: &update::Assignment| {
            // A CASE asks for values of the old type.
            let asks = fill.part(assignment.value).at_word("case");
            assignment.column == copy && !asks && update::rests(fill, assignment.value, column)
        };
        assignments.len() == 1 && assignments.iter().all(plain)
    }) && fills.next().is_none()
}

fn test(dialect: Dialect, table: &Name, column: &str, new_type: &str) -> Test {
    let literal = |text: &str| quote_literal(dialect, text);
    let (shown, column, new_type) = (literal(&table.to_string()), literal(column), literal(new_type));
    Test::query(
        false,
        &match dialect {
            Dialect::Postgres => format!(
                "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass({shown}) AND attname = {column} AND atttypid = to_regtype({new_type})"
            ),
            Dialect::Sqlite => format!(
                "SELECT 1 FROM pragma_table_info({}) WHERE lower(name) = {column} AND lower(type) = {new_type}",
                literal(table.object())
            ),
        },
    )
}
