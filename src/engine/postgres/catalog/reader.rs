//! Asks a catalog's questions. In a scratch database, which is looked at over and over, each is kept prepared: to plan
//! one costs more than to answer it.

use std::collections::HashMap;

use postgres::{Client, Error, Row, SimpleQueryMessage, Statement};

use crate::engine::postgres::connect::Connection;
use crate::engine::postgres::dump;

/// How many questions are kept: a schema that comes or goes makes others of most of them.
const MOST: usize = 100;

/// The questions that a connection has prepared.
#[derive(Default)]
pub struct Prepared(HashMap<String, Statement>);

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
        // A script or a reset of the session may have taken them away.
        let there = "select count(*)::text from pg_catalog.pg_prepared_statements where not from_sql";
        let answers = self.client.simple_query(&format!("{};\n{there}", dump::SETTINGS))?;
        let there = answers.iter().filter_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse::<usize>().ok(),
            _ => None,
        });
        let there = there.last().unwrap_or_default();
        if let Some(Prepared(prepared)) = self.prepared.as_deref_mut()
            && (prepared.len() > there || prepared.len() > MOST)
        {
            prepared.clear();
        }
        Ok(())
    }

    /// Asks a question.
    pub fn query(&mut self, text: &str) -> Result<Vec<Row>, Error> {
        let Some(Prepared(prepared)) = self.prepared.as_deref_mut() else { return self.client.query(text, &[]) };
        if let Some(statement) = prepared.get(text) {
            return self.client.query(statement, &[]);
        }
        let statement = self.client.prepare(text)?;
        let rows = self.client.query(&statement, &[])?;
        prepared.insert(text.to_owned(), statement);
        Ok(rows)
    }
}
