//! Values as SQL text that gives back exactly the same value.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Writes values; floating point numbers are tried out, since SQLite's own reading of decimals decides.
pub(super) struct Writer<'a> {
    connection: &'a Connection,
}

impl<'a> Writer<'a> {
    pub fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// Adds a value to a text; false if no text gives it back.
    pub fn write(&self, value: ValueRef<'_>, sql: &mut String) -> rusqlite::Result<bool> {
        match value {
            ValueRef::Null => sql.push_str("NULL"),
            ValueRef::Integer(number) => sql.push_str(&number.to_string()),
            ValueRef::Real(number) => match self.real(number)? {
                Some(text) => sql.push_str(&text),
                None => return Ok(false),
            },
            ValueRef::Text(bytes) => text(bytes, sql),
            ValueRef::Blob(bytes) => blob(bytes, sql),
        }
        Ok(true)
    }

    fn real(&self, number: f64) -> rusqlite::Result<Option<String>> {
        if number.is_infinite() {
            return Ok(Some(if number > 0.0 { "9e999" } else { "-9e999" }.to_owned()));
        }
        // The shortest text that any correct reader takes for this number, then longer ones.
        let candidates =
            [format!("{number:?}"), format!("{number:.16e}"), format!("{number:.17e}"), format!("{number:.18e}")];
        for text in candidates {
            if self.reads_as(&text, number)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn reads_as(&self, text: &str, number: f64) -> rusqlite::Result<bool> {
        let read: f64 = self.connection.query_row(&format!("select {text}"), [], |row| row.get(0))?;
        Ok(read.to_bits() == number.to_bits())
    }
}

/// A literal cannot hold NUL, and a carriage return does not survive every checkout; both go as bytes, and so does
/// what is not UTF-8.
fn text(bytes: &[u8], sql: &mut String) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(['\0', '\r']) => {
            sql.push('\'');
            sql.push_str(&text.replace('\'', "''"));
            sql.push('\'');
        }
        Ok(_) | Err(_) => {
            sql.push_str("CAST(");
            blob(bytes, sql);
            sql.push_str(" AS TEXT)");
        }
    }
}

fn blob(bytes: &[u8], sql: &mut String) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    sql.push_str("X'");
    for byte in bytes {
        sql.push(DIGITS[usize::from(byte >> 4)]);
        sql.push(DIGITS[usize::from(byte & 15)]);
    }
    sql.push('\'');
}
