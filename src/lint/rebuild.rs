//! SQLite's way to change a table: make a new one, copy, drop the old one, rename.
//! <https://www.sqlite.org/lang_altertable.html#otheralter>

use super::context::Context;
use super::facts::dropped;
use super::guard::Test;
use super::shape::Shape;
use super::statement::Statement;
use crate::sql::{ActionKind, Dialect, Kind, Name, Span, Tokens, Verb, keeps_references};

/// The rebuilds of a script. Several become one group.
#[derive(Debug)]
pub struct Rebuild {
    /// The tables as they are called before and after, each with its new shape.
    pub tables: Vec<Rebuilt>,
    /// From the first statement that belongs to one to the end of the last one.
    pub span: Span,
}

/// One table that is rebuilt.
#[derive(Debug)]
pub struct Rebuilt {
    /// The table as it is called before and after.
    pub table: Name,
    /// The columns that it loses.
    pub gone: Vec<String>,
    /// The name that one of the two tables has in between.
    between: Name,
    added: Option<String>,
    /// True if the table looks afterwards as it did, as far as its columns and keys go.
    same: bool,
    /// True if a second run would copy from the new shape and end where the first one did.
    repeats: bool,
    new_text: String,
}

impl Rebuild {
    /// Returns true if a statement is part of it.
    pub fn holds(&self, statement: &Statement<'_>) -> bool {
        self.reaches(statement.span.start)
    }

    /// Returns true if a byte is in it.
    pub fn reaches(&self, at: usize) -> bool {
        self.span.start <= at && at < self.span.end
    }

    /// Returns true if a second run of the whole says what a second run of this statement does.
    pub fn explains(&self, statement: &Statement<'_>) -> bool {
        let is_its = |name: &Name| {
            self.tables.iter().any(|rebuilt| rebuilt.table.matches(name) || rebuilt.between.matches(name))
        };
        self.holds(statement) && (self.unsettled().is_some() || statement.head.name.as_ref().is_some_and(is_its))
    }

    /// Returns the table that a second run would not rebuild as the first one did.
    pub fn unsettled(&self) -> Option<&Rebuilt> {
        self.tables.iter().find(|rebuilt| !rebuilt.repeats)
    }
}

impl Rebuilt {
    /// Returns a test that says whether it was done: by a column that came or went, else by the table's text.
    pub fn test(&self, dialect: Dialect) -> Option<Test> {
        if let Some(column) = &self.added {
            return Some(Test::column(false, &self.table, column));
        }
        if let Some(column) = self.gone.first() {
            return Some(Test::column(true, &self.table, column));
        }
        // Its text may be the same before; of CREATE TABLE AS, SQLite keeps another one.
        let of_query = Tokens::of(&self.new_text, Dialect::Sqlite).at_word("as");
        if self.same
            || of_query
            || dialect != Dialect::Sqlite
            || self.new_text.contains("--")
            || self.new_text.contains("/*")
        {
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

/// Finds the rebuilds of a script.
pub fn find(context: &Context<'_>) -> Option<Rebuild> {
    let mut found: Option<Rebuild> = None;
    for statement in context.statements.iter().filter(|statement| !statement.nested || !statement.is_guarded()) {
        let Some((rebuilt, span)) = ends(context, statement).or_else(|| through_a_copy(context, statement)) else {
            continue;
        };
        found = Some(match found {
            Some(mut first) => {
                first.tables.push(rebuilt);
                first.span = first.span.join(span);
                first
            }
            None => Rebuild { tables: vec![rebuilt], span },
        });
    }
    found
}

fn ends(context: &Context<'_>, last: &Statement<'_>) -> Option<(Rebuilt, Span)> {
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
        let drops = context
            .before(last)
            .filter(|other| other.head.verb == Verb::Drop && dropped(other).iter().any(|name| name.matches(to)));
        drops.last()?;
        return rebuild(context, create, last, to, from);
    }
    let create = context.behind(last).find(is_create(from))?;
    let copies = context.behind(create).any(|other| {
        other.head.verb == Verb::Insert && other.head.name.as_ref().is_some_and(|name| name.matches(from))
    });
    let drop = context
        .behind(create)
        .find(|other| other.head.verb == Verb::Drop && dropped(other).iter().any(|name| name.matches(to)))?;
    if !copies {
        return None;
    }
    let (mut found, _) = rebuild(context, create, drop, from, to)?;
    // On a second run the old table still has its indexes, so those of the new one are taken for them.
    found.repeats &= !context.statements.iter().any(|other| {
        other.head.creates(Kind::Index)
            && other.head.table.as_ref().is_some_and(|table| table.matches(from))
            && !context.dropped_before(other)
    });
    // A foreign key of another table goes with the name, to the table that is dropped.
    let tokens: Vec<_> = context.statements.iter().map(Statement::tokens).collect();
    let follows = !(context.dialect == Dialect::Sqlite && keeps_references(&tokens));
    found.repeats &= !(follows && context.history.is_referred_to(from, (context.source + 1, 0)));
    Some((found, Span::new(last.span.start, drop.end)))
}

/// `CREATE TABLE copy; INSERT INTO copy SELECT … FROM t; DROP TABLE t; CREATE TABLE t; INSERT INTO t SELECT … FROM
/// copy; DROP TABLE copy`, where `t` has other columns afterwards.
fn through_a_copy(context: &Context<'_>, last: &Statement<'_>) -> Option<(Rebuilt, Span)> {
    let dropped_names = dropped(last);
    let [copy] = dropped_names.as_slice() else { return None };
    if last.head.verb != Verb::Drop || last.head.kind != Some(Kind::Table) {
        return None;
    }
    let makes = |other: &&Statement<'_>, name: &Name| {
        other.head.creates(Kind::Table) && other.head.name.as_ref().is_some_and(|made| made.matches(name))
    };
    let first = context.before(last).find(|other| makes(other, copy))?;
    let between = || context.before(last).filter(|other| other.span.start > first.span.start);
    let back = between().find(|other| {
        other.head.verb == Verb::Insert
            && super::insert::read_tables(other.tokens_behind_name()).iter().any(|read| read.matches(copy))
    })?;
    let table = back.head.name.as_ref()?;
    let create = between().find(|other| makes(other, table))?;
    between().find(|other| {
        other.head.verb == Verb::Drop
            && other.span.start < create.span.start
            && dropped(other).iter().any(|name| name.matches(table))
    })?;
    let (rebuilt, _) = rebuild(context, create, last, table, copy)?;
    let changes = !rebuilt.gone.is_empty() || rebuilt.added.is_some();
    changes.then(|| (Rebuilt { repeats: false, ..rebuilt }, Span::new(first.span.start, last.end)))
}

fn rebuild(
    context: &Context<'_>,
    create: &Statement<'_>,
    last: &Statement<'_>,
    table: &Name,
    between: &Name,
) -> Option<(Rebuilt, Span)> {
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
    let old = context.history.table(table, (context.source, 0)).filter(|old| !old.partly_known && !new.partly_known);
    let not_in = |shape: &Shape, column: &str| shape.column_named(column).is_none();
    let gone: Vec<String> = old.map_or_else(Vec::new, |old| {
        old.columns.iter().map(|column| column.name.clone()).filter(|name| not_in(&new, name)).collect()
    });
    let added =
        old.and_then(|old| new.columns.iter().map(|column| &column.name).find(|name| not_in(old, name)).cloned());
    let added = added.or_else(|| named_in_query(create, context.history.table(table, (context.source, 0))?));
    let by_query = create.tokens_behind_name().at_word("as");
    let fills = |other: &&Statement<'_>| {
        other.head.verb == Verb::Insert && other.head.name == create.head.name && other.span.start <= last.span.start
    };
    let copy = context.behind(create).find(fills).or_else(|| by_query.then_some(create))?;
    let others_read = context.statements.iter().any(|other| {
        start <= other.span.start && other.span.start < last.end && other.span != copy.span && reads(other, &gone)
    });
    // PostgreSQL gives the new table's keys other names while the old ones are there.
    let named = context.dialect == Dialect::Postgres && !new.keys.is_empty();
    let span = Span::new(start, last.end);
    let stays = !others_read && !named && !reads_what_goes(context, span, [table, between]);
    let copies_itself =
        if copy.span == create.span { selects_itself(create) } else { repeats(copy, &new, old.map(|old| &**old)) };
    let repeats = stays && !loses_indexes(context, span, create, table) && copies_itself;
    let same = old.is_some_and(|old| old.columns == new.columns && old.keys == new.keys);
    let new_text = Span::new(body, create.span.end).text(context.text).to_owned();
    Some((Rebuilt { table: table.clone(), between: between.clone(), gone, added, same, repeats, new_text }, span))
}

/// Whether rows come from a third table that the script drops as well.
fn reads_what_goes(context: &Context<'_>, span: Span, own: [&Name; 2]) -> bool {
    let inserts = context.statements.iter().filter(|other| {
        other.head.verb == Verb::Insert
            && span.start <= other.span.start
            && other.span.start < span.end
            && other.head.name.as_ref().is_some_and(|into| own.iter().any(|own| own.matches(into)))
    });
    let mut read = inserts.flat_map(|insert| {
        let tables = super::insert::read_tables(insert.tokens_behind_name());
        tables.into_iter().map(move |table| (insert, table))
    });
    read.any(|(insert, table)| {
        let drops = |other: &Statement<'_>| {
            other.head.verb == Verb::Drop && dropped(other).iter().any(|name| name.matches(&table))
        };
        let is_third = !own.iter().any(|own| own.matches(&table)) && !context.made_here(&table, insert);
        let returns = |other: &Statement<'_>| {
            let mut renames = other.actions.iter().filter(|action| action.kind == ActionKind::Rename);
            renames.any(|action| action.name.as_ref().is_some_and(|to| to.matches(&table)))
        };
        is_third && context.behind(insert).any(drops) && !context.behind(insert).any(returns)
    })
}

/// Whether the new table gets an index before the old one goes: on a second run the old one still has it, so that it is
/// not made again, and goes with the old table.
fn loses_indexes(context: &Context<'_>, span: Span, create: &Statement<'_>, table: &Name) -> bool {
    let drops =
        |other: &&Statement<'_>| other.head.verb == Verb::Drop && dropped(other).iter().any(|name| name.matches(table));
    let Some(drop) = context.behind(create).find(drops) else { return false };
    context.behind(create).any(|other| {
        other.head.creates(Kind::Index)
            && other.span.start < drop.span.start.min(span.end)
            && other.head.table.as_ref().zip(create.head.name.as_ref()).is_some_and(|(on, new)| on.matches(new))
            && !context.dropped_before(other)
    })
}

/// `CREATE TABLE new AS SELECT *, NULL AS column FROM old`: what the query adds to the columns.
fn named_in_query(create: &Statement<'_>, old: &Shape) -> Option<String> {
    let mut tokens = create.tokens_behind_name();
    if !tokens.eat_words(&["as", "select"]) {
        return None;
    }
    let start = tokens.start();
    tokens.skip_to_any(&["from"]);
    // One byte on either side stands for the parentheses of a list.
    let list = Span::new(start.saturating_sub(1), tokens.end() + 1);
    super::shape::items(create.text, list, create.dialect).into_iter().find_map(|item| {
        let mut item = create.part(item);
        let (name, _) = item.skip_past("as").then(|| item.eat_name()).flatten()?;
        old.column_named(name.object()).is_none().then(|| name.object().to_owned())
    })
}

/// Whether `CREATE TABLE new AS SELECT …`, run again over what it made, gives the rows as they are.
fn selects_itself(create: &Statement<'_>) -> bool {
    let mut tokens = create.tokens_behind_name();
    if !tokens.eat_words(&["as", "select"]) {
        return true;
    }
    tokens.eat_any(&["distinct", "all"]);
    let start = tokens.start();
    tokens.skip_to_any(&["from"]);
    // One byte on either side stands for the parentheses of a list.
    let values = super::shape::items(create.text, Span::new(start.saturating_sub(1), tokens.end() + 1), create.dialect);
    let all = |value: &Span| is_all(value.text(create.text));
    let has_all = values.iter().any(all);
    let plain = |span: Span| {
        let mut item = create.part(span);
        item.eat_name().filter(|_| item.peek().is_none()).map(|(name, _)| name.object().to_owned())
    };
    // What comes beside all columns is another column each time.
    values.iter().filter(|value| !all(value)).all(|value| {
        let mut item = create.part(*value);
        let start = item.start();
        item.skip_to_any(&["as"]);
        let given = Span::new(start, item.end());
        let named = item.eat_word("as").then(|| item.eat_name()).flatten();
        !has_all
            && match named.map(|(name, _)| name.object().to_owned()) {
                Some(name) => plain(given).as_ref() == Some(&name) || super::update::rests(create, given, &name),
                None => plain(*value).is_some(),
            }
    })
}

fn reads(statement: &Statement<'_>, columns: &[String]) -> bool {
    let name = |token: crate::sql::Token| Name::part(token.text(statement.text), token.kind, statement.dialect);
    matches!(statement.head.verb, Verb::Insert | Verb::Update | Verb::Delete)
        && statement
            .tokens()
            .filter(|token| token.kind.is_identifier())
            .any(|token| name(token).parts().iter().any(|part| columns.contains(part)))
}

/// `*`, `t.*`.
fn is_all(value: &str) -> bool {
    let value = value.trim();
    value == "*" || value.ends_with(".*")
}

/// Whether the copying INSERT, run again over the new shape, copies the rows as they are.
fn repeats(copy: &Statement<'_>, new: &Shape, old: Option<&Shape>) -> bool {
    let insert = super::insert::read(copy);
    let by_position = insert.columns.is_none();
    let names = |shape: &Shape| shape.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    if by_position && insert.selected.iter().any(|value| is_all(value.text(copy.text))) {
        // Only the same columns in the same order.
        return old.is_some_and(|old| names(old) == names(new));
    }
    let columns = insert.columns.unwrap_or_else(|| names(new));
    let mut query = copy.tokens_behind_name();
    if !by_position {
        query.eat_parens();
    }
    if !query.eat_word("select") {
        return false;
    }
    let start = query.start();
    query.skip_to_any(&["from"]);
    // One byte on either side stands for the parentheses of a list.
    let list = Span::new(start.saturating_sub(1), query.end() + 1);
    let values = super::shape::items(copy.text, list, copy.dialect);
    let copies_itself = values.iter().zip(&columns).all(|(value, column)| {
        let mut tokens = copy.part(*value);
        let plain = tokens.eat_name().is_some_and(|(name, _)| name.object() == column) && tokens.peek().is_none();
        plain || super::update::rests(copy, *value, column)
    });
    // What it reads besides must be there in the new shape as well.
    let unknown =
        |name: &str| old.is_some_and(|old| old.column_named(name).is_some()) && new.column_named(name).is_none();
    let mut rest = copy.tokens_behind_name();
    if !by_position {
        rest.eat_parens();
    }
    let reads_gone = rest.any(|token| {
        token.kind.is_identifier()
            && Name::part(token.text(copy.text), token.kind, copy.dialect).parts().iter().any(|name| unknown(name))
    });
    copies_itself
        && !reads_gone
        && values.len() == columns.len()
        && columns.iter().all(|name| new.column_named(name).is_some())
}
