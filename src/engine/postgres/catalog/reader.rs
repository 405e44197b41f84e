//! Asks a catalog's questions. In a scratch database, which is looked at over and over, each is kept prepared: to plan
//! one costs more than to answer it.

use std::collections::HashMap;

use postgres::{Client, Error, Row, Statement};

use crate::engine::postgres::connect::Connection;
use crate::engine::postgres::{dump, link};

/// How many questions are kept: a schema that comes or goes makes others of most of them.
const MOST: usize = 100;

/// The questions that a connection has prepared, and how many pages the catalog had then: a plan for a small one is
/// bad for a large one.
#[derive(Default)]
pub struct Prepared {
    statements: HashMap<String, Statement>,
    pages: usize,
}

/// A connection that is asked.
pub struct Reader<'a> {
    /// The connection itself.
    pub client: &'a mut Client,
    /// Nothing where questions are not kept.
    prepared: Option<&'a mut Prepared>,
}

impl<'a> Reader<'a> {
    /// Asks on a connection; keeps the questions if that is worth while.
    pub fn new(connection: &'a mut Connection, keeps: bool) -> Self {
        Self { client: &mut connection.client, prepared: keeps.then_some(&mut connection.prepared) }
    }

    /// Pins every setting that changes a text, for the rest of the transaction.
    pub fn begin(&mut self) -> Result<(), Error> {
        // A script may have taken them away.
        let facts = "
            select (select count(*) from pg_catalog.pg_prepared_statements where not from_sql)::text as prepared,
                   (pg_catalog.pg_relation_size('pg_catalog.pg_attribute') / 8192)::text as pages";
        let answers = self.client.simple_query(&format!("{};\n{facts}", dump::SETTINGS))?;
        let number = |name| link::value(&answers, name).and_then(|text| text.parse().ok()).unwrap_or_default();
        let (there, pages): (usize, usize) = (number("prepared"), number("pages"));
        if let Some(Prepared { statements, pages: planned_for }) = self.prepared.as_deref_mut()
            && (statements.len() > there || statements.len() > MOST || pages * 4 > *planned_for * 5)
        {
            statements.clear();
            *planned_for = pages;
        }
        Ok(())
    }

    /// Asks a question.
    pub fn query(&mut self, text: &str) -> Result<Vec<Row>, Error> {
        let Some(prepared) = self.prepared.as_deref_mut() else { return self.client.query(text, &[]) };
        if let Some(statement) = prepared.statements.get(text) {
            return self.client.query(statement, &[]);
        }
        let statement = self.client.prepare(text)?;
        let rows = self.client.query(&statement, &[])?;
        prepared.statements.insert(text.to_owned(), statement);
        Ok(rows)
    }
}
