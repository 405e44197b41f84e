//! CSV by RFC 4180, read strictly: what two readers could take in two ways is an error with its line.
//!
//! A field knows whether it stood in quotes, since an empty field is NULL and an empty field in quotes is not.

use std::ops::Range;

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CsvError {
    /// The line, from 1.
    pub line: usize,
    pub message: String,
}

/// One record. Its buffers are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The line that it begins on, from 1.
    pub line: usize,
    /// The line itself, as written.
    pub raw: String,
    text: String,
    fields: Vec<(Range<usize>, bool)>,
}

impl Record {
    /// Returns how many fields it has.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Returns a field's text and whether it stood in quotes.
    pub fn field(&self, index: usize) -> (&str, bool) {
        let field = self.fields.get(index);
        field.map_or(("", false), |(range, quoted)| (self.text.get(range.clone()).unwrap_or_default(), *quoted))
    }
}

/// Reads records one by one.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    line: usize,
    record: Record,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), line: 1, record: Record::default() }
    }

    /// Reads the next record; lines without anything on them are none.
    pub fn next(&mut self) -> Result<Option<&Record>, CsvError> {
        loop {
            let blank = match self.rest {
                [] => return Ok(None),
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                _ => break,
            };
            self.rest = &self.rest[blank..];
            self.line += 1;
        }
        self.record.line = self.line;
        let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
        self.record.raw.clear();
        self.record.raw.push_str(self.utf8(&self.rest[..end])?.trim_end_matches('\r'));
        self.record.text.clear();
        self.record.fields.clear();
        while self.field()? {}
        Ok(Some(&self.record))
    }

    /// Reads one field and what ends it; false if that was the record's end.
    fn field(&mut self) -> Result<bool, CsvError> {
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
        if !more {
            self.line += 1;
        }
        Ok(more)
    }

    fn plain(&mut self) -> Result<(), CsvError> {
        let end = self.rest.iter().position(|byte| matches!(byte, b',' | b'\n' | b'\r' | b'"'));
        let (field, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if rest.first() == Some(&b'"') {
            return self.wrong("a quote inside a field that does not begin with one; put the field in quotes and write the quote twice");
        }
        let field = self.utf8(field)?;
        self.record.text.push_str(field);
        self.rest = rest;
        Ok(())
    }

    fn quoted(&mut self) -> Result<(), CsvError> {
        let opened = self.line;
        self.rest = &self.rest[1..];
        loop {
            let Some(end) = self.rest.iter().position(|byte| *byte == b'"') else {
                return Err(CsvError { line: opened, message: "a quote is opened here and never closed".to_owned() });
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

    fn utf8(&self, bytes: &'a [u8]) -> Result<&'a str, CsvError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if !bytes.contains(&0) => Ok(text),
            Ok(_) => self.wrong("a NUL byte"),
            Err(_) => self.wrong("not UTF-8; save the file as UTF-8"),
        }
    }

    fn wrong<T>(&self, message: &str) -> Result<T, CsvError> {
        Err(CsvError { line: self.line, message: message.to_owned() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Fields = Vec<(String, bool)>;

    fn read(bytes: &[u8]) -> Result<Vec<(usize, Fields)>, CsvError> {
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
}
