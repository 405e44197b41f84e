//! CSV by RFC 4180, read strictly and record by record: what two readers could take in two ways is an error with
//! its line.
//!
//! A field knows whether it stood in quotes, since an empty field is NULL and an empty field in quotes is not.
//! Memory holds one record, whatever the size of the file.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;

use super::{EngineError, Result, RowSeed, RowSource};
use crate::error::{Place, nearest};

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct CsvError {
    /// The line, from 1.
    pub line: usize,
    /// Why.
    pub message: String,
    /// The line itself, as far as it can be shown.
    pub text: String,
}

impl CsvError {
    /// Makes it a refusal of the seed.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(in crate::engine) fn refusal(self, seed: &RowSeed) -> EngineError {
        let width = self.text.chars().count().max(1);
        let place = Place { file: seed.file.clone(), line: self.line, column: 1, text: self.text, width };
        EngineError::Refused { code: "seed/csv", message: self.message, place: Some(place), hint: None }
    }
}

/// One record. Its buffers are used again for the next.
#[derive(Debug, Default)]
pub(in crate::engine) struct Record {
    /// The line that it begins on, from 1.
    pub line: usize,
    /// The line itself, as written.
    pub raw: String,
    text: String,
    fields: Vec<(Range<usize>, bool)>,
}

impl Record {
    /// Returns how many fields it has.
    pub(in crate::engine) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Returns a field's text and whether it stood in quotes.
    pub(in crate::engine) fn field(&self, index: usize) -> (&str, bool) {
        let field = self.fields.get(index);
        field.map_or(("", false), |(range, quoted)| (self.text.get(range.clone()).unwrap_or_default(), *quoted))
    }

    /// Returns a field's value; `None` for NULL, which `null` spells, or else an empty field without quotes.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(in crate::engine) fn value(&self, index: usize, null: Option<&str>) -> Option<&str> {
        let (text, quoted) = self.field(index);
        let is_null = !quoted && null.map_or(text.is_empty(), |null| text == null);
        (!is_null).then_some(text)
    }

    /// Returns the values of all fields.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(in crate::engine) fn values<'r>(&'r self, null: Option<&'r str>) -> impl Iterator<Item = Option<&'r str>> {
        (0..self.len()).map(move |index| self.value(index, null))
    }

    /// Returns the place of a field, or of the record as a whole where the field cannot be found in its line.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(in crate::engine) fn place(&self, file: &str, index: usize) -> Place {
        let (text, quoted) = self.field(index);
        let before: usize = (0..index).map(|before| self.field(before).0.chars().count() + 1).sum();
        let rest = self.raw.chars().skip(before);
        let fits = index < self.len() && !quoted && rest.take(text.chars().count()).eq(text.chars());
        let (column, width) = if fits { (before + 1, text.chars().count()) } else { (1, self.raw.chars().count()) };
        Place { file: file.to_owned(), line: self.line, column, text: self.raw.clone(), width: width.max(1) }
    }

    /// Refuses a field of the header that is none of the table's columns.
    #[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code))]
    pub(in crate::engine) fn no_column<'c>(
        &self,
        index: usize,
        seed: &RowSeed,
        columns: impl Iterator<Item = &'c str>,
    ) -> EngineError {
        let (written, _) = self.field(index);
        let place = Some(self.place(&seed.file, index));
        if written.starts_with("--") {
            let message = "a CSV file has neither comments nor directives".to_owned();
            let stem = seed.file.rsplit_once('.').map_or(seed.file.as_str(), |(stem, _)| stem);
            let hint = format!("what it needs to be told, as `mode = \"upsert\"`, stands in {stem}.toml");
            return EngineError::Refused { code: "seed/csv", message, place, hint: Some(hint) };
        }
        let columns: Vec<&str> = columns.collect();
        let hint = match nearest(written, columns.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("it has {}", columns.join(", ")),
        };
        let message = format!("{} has no column {written:?}", seed.table);
        EngineError::Refused { code: "seed/no-column", message, place, hint: Some(hint) }
    }
}

/// Reads records one by one.
pub(in crate::engine) struct Reader<'a> {
    input: Box<dyn BufRead + 'a>,
    /// The lines of the record that is being read.
    buffer: Vec<u8>,
    /// The line that comes next, from 1.
    next_line: usize,
    record: Record,
}

impl<'a> Reader<'a> {
    /// Reads from memory, or from whatever can be read line by line.
    pub(in crate::engine) fn new(input: impl BufRead + 'a) -> Self {
        Self { input: Box::new(input), buffer: Vec::new(), next_line: 1, record: Record::default() }
    }

    /// Opens the source of a seed.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(in crate::engine) fn of(seed: &RowSeed) -> Result<Self> {
        match &seed.source {
            RowSource::File(path) => {
                let file = File::open(path).map_err(|source| EngineError::Io { path: path.clone(), source })?;
                Ok(Self::new(BufReader::with_capacity(64 << 10, file)))
            }
            RowSource::Embedded(bytes) => Ok(Self::new(*bytes)),
        }
    }

    /// Reads the next record; lines without anything on them are none.
    pub(in crate::engine) fn next(&mut self) -> std::result::Result<Option<&Record>, CsvError> {
        loop {
            let first = self.next_line;
            if !self.lines().map_err(|error| shown(error, first, &self.buffer))? {
                return Ok(None);
            }
            if matches!(self.buffer.as_slice(), b"\n" | b"\r\n") {
                continue;
            }
            let mut parser = Parser { rest: &self.buffer, line: first, record: &mut self.record };
            parser.record(first).map_err(|error| shown(error, first, &self.buffer))?;
            return Ok(Some(&self.record));
        }
    }

    /// Reads lines until each quote is closed: within a record quotes come in pairs.
    fn lines(&mut self) -> std::result::Result<bool, CsvError> {
        self.buffer.clear();
        let opened = self.next_line;
        let mut quotes = 0;
        loop {
            let from = self.buffer.len();
            let read = self.input.read_until(b'\n', &mut self.buffer);
            let length = read.map_err(|error| wrong(self.next_line, error.to_string()))?;
            if length == 0 && from > 0 {
                return Err(wrong(opened, "a quote is opened here and never closed"));
            }
            if length == 0 {
                return Ok(false);
            }
            if self.next_line == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            self.next_line += 1;
            quotes += self.buffer.get(from..).unwrap_or_default().iter().filter(|byte| **byte == b'"').count();
            if quotes % 2 == 0 {
                return Ok(true);
            }
        }
    }
}

fn wrong(line: usize, message: impl Into<String>) -> CsvError {
    CsvError { line, message: message.into(), text: String::new() }
}

/// Adds the line that an error is about, which is among those that were read from line `first` on.
fn shown(error: CsvError, first: usize, buffer: &[u8]) -> CsvError {
    let line = buffer.split(|byte| *byte == b'\n').nth(error.line.saturating_sub(first)).unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let text = line.trim_end_matches('\r').chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    CsvError { text, ..error }
}

struct Parser<'a> {
    rest: &'a [u8],
    line: usize,
    record: &'a mut Record,
}

impl<'a> Parser<'a> {
    fn record(&mut self, line: usize) -> std::result::Result<(), CsvError> {
        self.record.line = line;
        let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
        let raw = self.utf8(&self.rest[..end])?.trim_end_matches('\r');
        self.record.raw.clear();
        self.record.raw.push_str(raw);
        self.record.text.clear();
        self.record.fields.clear();
        while self.field()? {}
        Ok(())
    }

    /// Reads one field and what ends it; false if that was the record's end.
    fn field(&mut self) -> std::result::Result<bool, CsvError> {
        let start = self.record.text.len();
        let quoted = self.rest.first() == Some(&b'"');
        if quoted {
            self.quoted()?
        } else {
            self.plain()?
        }
        self.record.fields.push((start..self.record.text.len(), quoted));
        let (length, more) = match self.rest {
            [b',', ..] => (1, true),
            [b'\n', ..] => (1, false),
            [b'\r', b'\n', ..] => (2, false),
            [] => (0, false),
            [b'\r', ..] => return self.wrong("a carriage return stands alone; lines end with LF or CRLF"),
            _ => return self.wrong("text follows a closing quote; a quote inside quotes is written twice"),
        };
        self.rest = &self.rest[length..];
        Ok(more)
    }

    fn plain(&mut self) -> std::result::Result<(), CsvError> {
        let end = self.rest.iter().position(|byte| matches!(byte, b',' | b'\n' | b'\r' | b'"'));
        let (field, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if rest.first() == Some(&b'"') {
            return self.wrong(
                "a quote inside a field that does not begin with one; put the field in quotes and write the quote twice",
            );
        }
        let field = self.utf8(field)?;
        self.record.text.push_str(field);
        self.rest = rest;
        Ok(())
    }

    fn quoted(&mut self) -> std::result::Result<(), CsvError> {
        let opened = self.line;
        self.rest = &self.rest[1..];
        loop {
            let Some(end) = self.rest.iter().position(|byte| *byte == b'"') else {
                return Err(wrong(opened, "a quote is opened here and never closed"));
            };
            let (part, rest) = self.rest.split_at(end);
            self.line += part.iter().filter(|byte| **byte == b'\n').count();
            let part = self.utf8(part)?;
            // As in scripts: whatever line ends a checkout has, the rows are the same.
            if part.contains('\r') {
                self.record.text.push_str(&part.replace("\r\n", "\n"));
            } else {
                self.record.text.push_str(part);
            }
            self.rest = &rest[1..];
            if self.rest.first() != Some(&b'"') {
                return Ok(());
            }
            self.record.text.push('"');
            self.rest = &self.rest[1..];
        }
    }

    fn utf8(&self, bytes: &'a [u8]) -> std::result::Result<&'a str, CsvError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if !bytes.contains(&0) => Ok(text),
            Ok(_) => self.wrong("a NUL byte"),
            Err(_) => self.wrong("not UTF-8; save the file as UTF-8"),
        }
    }

    fn wrong<T>(&self, message: &str) -> std::result::Result<T, CsvError> {
        Err(wrong(self.line, message))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Fields = Vec<(String, bool)>;

    fn read(bytes: &[u8]) -> std::result::Result<Vec<(usize, Fields)>, CsvError> {
        let mut reader = Reader::new(bytes);
        let mut records = Vec::new();
        while let Some(record) = reader.next()? {
            let fields = (0..record.len()).map(|index| record.field(index)).map(|(text, quoted)| (text.into(), quoted));
            records.push((record.line, fields.collect()));
        }
        Ok(records)
    }

    fn plain(fields: &[&str]) -> Fields {
        fields.iter().map(|field| ((*field).to_owned(), false)).collect()
    }

    #[test]
    fn records_and_their_lines() {
        assert_eq!(read(b"").unwrap(), []);
        assert_eq!(read(b"\n\r\n").unwrap(), []);
        assert_eq!(
            read(b"\xef\xbb\xbfa,b\r\n\n1,\n,").unwrap(),
            [(1, plain(&["a", "b"])), (3, plain(&["1", ""])), (4, plain(&["", ""])),]
        );
        let records = read("\"\",\"a\"\"b\",\"x,\r\ny\"\né, z \n".as_bytes()).unwrap();
        let quoted = |text: &str| (text.to_owned(), true);
        assert_eq!(records, [(1, vec![quoted(""), quoted("a\"b"), quoted("x,\ny")]), (3, plain(&["é", " z "]))]);
    }

    #[test]
    fn what_is_not_rfc_4180_is_an_error_with_its_line() {
        for (bytes, line) in [
            (&b"a\n\"b"[..], 2),
            (b"a\n\"b\nc\" d", 3),
            (b"a\nb\"c\"", 2),
            (b"a\rb", 1),
            (b"a\n\xff", 2),
            (b"a\n\"\n\xff\"", 3),
            (b"a\0", 1),
        ] {
            assert_eq!(read(bytes).unwrap_err().line, line, "{bytes:?}");
        }
    }

    #[test]
    fn null_is_an_empty_field_without_quotes_or_the_text_that_means_it() {
        let mut reader = Reader::new(&b",\"\",\\N,\"\\N\",a"[..]);
        let record = reader.next().unwrap().unwrap();
        let values = |null| (0..5).map(|index| record.value(index, null)).collect::<Vec<_>>();
        assert_eq!(values(None), [None, Some(""), Some("\\N"), Some("\\N"), Some("a")]);
        assert_eq!(values(Some("\\N")), [Some(""), Some(""), None, Some("\\N"), Some("a")]);
    }

    #[test]
    fn a_field_has_its_place() {
        let mut reader = Reader::new("ä,bcd,\"e\"".as_bytes());
        let record = reader.next().unwrap().unwrap();
        let place = |index| (record.place("f", index).column, record.place("f", index).width);
        assert_eq!([place(0), place(1), place(2), place(9)], [(1, 1), (3, 3), (1, 9), (1, 9)]);
    }
}
