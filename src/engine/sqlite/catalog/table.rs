//! A table's definition cut into its columns and constraints, so that a change is told of the column that it is in,
//! and the order of columns is told as order.

use super::essence::essence;
use super::{body, folded};
use crate::engine::catalog::Object;
use crate::sql::{Dialect, Kind, Name, TokenKind, Tokens};

/// Returns the table and its parts.
pub(super) fn objects(name: &str, sql: &str) -> Vec<Object> {
    let table = Name::new([folded(name)]);
    let Some((items, options)) = body(sql) else {
        return vec![Object { essence: Some(essence(sql)), ..Object::new(Kind::Table, table, sql) }];
    };
    let mut options: Vec<String> = cut(options).map(essence).filter(|option| !option.is_empty()).collect();
    options.sort();
    let head = format!("create table {table}");
    let definition = if options.is_empty() { head } else { format!("{head}\n{}", options.join(", ")) };
    let mut whole = Object::new(Kind::Table, table.clone(), definition);
    let mut parts = Vec::new();
    for item in cut(items).filter(|item| !item.is_empty()) {
        let part = if is_constraint(item) { constraint(&table, item) } else { column(&table, item) };
        if part.kind == Kind::Column {
            whole.columns.push(part.name.object().to_owned());
        }
        parts.push(part);
    }
    parts.push(whole);
    parts
}

/// Cuts at the commas outside parentheses.
fn cut(text: &str) -> impl Iterator<Item = &str> {
    let mut cuts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for token in Tokens::of(text, Dialect::Sqlite) {
        match token.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth -= 1,
            TokenKind::Comma if depth == 0 => {
                cuts.push(start..token.span.start);
                start = token.span.end;
            }
            _ => {}
        }
    }
    cuts.push(start..text.len());
    cuts.into_iter().filter_map(|range| text.get(range)).map(significant)
}

/// Takes comments and white space from both ends.
fn significant(text: &str) -> &str {
    let mut tokens = Tokens::of(text, Dialect::Sqlite);
    let start = tokens.start();
    tokens.by_ref().for_each(drop);
    text.get(start..tokens.end()).unwrap_or_default()
}

/// A table's constraint begins with one of these words (<https://sqlite.org/lang_createtable.html>); a column of
/// such a name would be quoted.
fn is_constraint(item: &str) -> bool {
    Tokens::of(item, Dialect::Sqlite).at_any(&["constraint", "primary", "unique", "check", "foreign"])
}

fn column(table: &Name, item: &str) -> Object {
    let name = Tokens::of(item, Dialect::Sqlite).eat_name().map(|(name, _)| name.object().to_owned());
    part(Kind::Column, table, name.unwrap_or_default(), item)
}

/// One without a name is known by its text.
fn constraint(table: &Name, item: &str) -> Object {
    let mut tokens = Tokens::of(item, Dialect::Sqlite);
    if !tokens.eat_word("constraint") {
        let mut object = part(Kind::Constraint, table, String::new(), item);
        object.name = table.clone();
        object.signature = essence(item);
        return object;
    }
    let name = tokens.eat_name().map(|(name, _)| name.object().to_owned()).unwrap_or_default();
    let rest = item.get(tokens.start()..).unwrap_or_default();
    part(Kind::Constraint, table, name, rest)
}

fn part(kind: Kind, table: &Name, name: String, text: &str) -> Object {
    let name = Name::new(table.parts().iter().cloned().chain([name]));
    let mut object = Object::new(kind, name, text);
    object.essence = Some(essence(text));
    object.table = Some(table.clone());
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_its_columns_and_constraints() {
        let sql = "CREATE TABLE \"T\" (a integer primary key, -- the key, of course\n [B c] text default ('x, y')\n  \
                   , constraint odd check (a > 0), unique (a, \"B c\"), d int /* ) */) STRICT, without rowid";
        let objects = objects("T", sql);
        let keys: Vec<String> = objects.iter().map(Object::key).collect();
        assert_eq!(
            keys,
            [
                "column t.a",
                "column t.\"b c\"",
                "constraint t.odd",
                "constraint t unique ( a , \"b c\" )",
                "column t.d",
                "table t"
            ]
        );
        assert_eq!(objects[5].columns, ["a", "b c", "d"]);
        assert_eq!(objects[5].definition, "create table t\nstrict, without rowid");
        assert_eq!(objects[1].definition, "[B c] text default ('x, y')");
        assert_eq!(objects[4].definition, "d int");
    }
}
