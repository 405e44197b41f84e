//! The parser's opinion, asked only where a finding is about to be made.
//!
//! A statement that the parser cannot read is judged by its tokens alone. Where it can, and sees another guard or
//! another name than the tokens do, one of the two is wrong, and lint is silent.

use sqlparser::ast;
use sqlparser::dialect::{Dialect as Grammar, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::statement::Statement;
use crate::sql::{Dialect, Verb};

/// Longer statements are judged by their tokens alone: they are rows, mostly.
const LONGEST: usize = 16 * 1024;

/// Returns false if the parser reads the statement and sees another guard or kind than its head.
///
/// Several rules ask the same of one statement; it is parsed once.
pub fn agrees(statement: &Statement<'_>) -> bool {
    *statement.agrees.get_or_init(|| compare(statement))
}

fn compare(statement: &Statement<'_>) -> bool {
    let Some(tree) = parse(statement.span.text(statement.text), statement.dialect) else { return true };
    let head = &statement.head;
    match tree {
        ast::Statement::CreateTable(table) => {
            head.verb == Verb::Create
                && (table.if_not_exists, table.or_replace) == (head.if_not_exists, head.or_replace)
        }
        ast::Statement::CreateIndex(index) => head.verb == Verb::Create && index.if_not_exists == head.if_not_exists,
        ast::Statement::CreateSequence { if_not_exists, .. } | ast::Statement::CreateSchema { if_not_exists, .. } => {
            head.verb == Verb::Create && if_not_exists == head.if_not_exists
        }
        ast::Statement::Drop { if_exists, .. } => head.verb == Verb::Drop && if_exists == head.if_exists,
        ast::Statement::Insert(_) => matches!(head.verb, Verb::Insert | Verb::Replace),
        ast::Statement::Update(_) => head.verb == Verb::Update,
        _ => true,
    }
}

/// Returns true if the parser reads this text as one statement.
pub fn parses(text: &str, dialect: Dialect) -> bool {
    parse(text, dialect).is_some()
}

fn parse(text: &str, dialect: Dialect) -> Option<ast::Statement> {
    if text.len() > LONGEST {
        return None;
    }
    let (postgres, sqlite) = (PostgreSqlDialect {}, SQLiteDialect {});
    let grammar: &dyn Grammar = match dialect {
        Dialect::Postgres => &postgres,
        Dialect::Sqlite => &sqlite,
    };
    let mut statements = Parser::parse_sql(grammar, text).ok()?;
    (statements.len() == 1).then(|| statements.pop()).flatten()
}
