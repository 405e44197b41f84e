//! A script's text as it runs, and where each part of it comes from.
//!
//! The normalised text (UTF-8 without BOM, CRLF as LF, includes framed in, variables put in) is what the
//! checksum covers and what runs; the map leads from a place in it back to file, line and column.

use crate::error::Place;
use crate::script::{Checksum, Fault};
use crate::sql::Span;

/// A normalised text with the way back to its files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    text: String,
    segments: Vec<Segment>,
}

/// A stretch of the text that stands in one file as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    start: usize,
    file: String,
    line: usize,
    column: usize,
}

impl Text {
    /// Makes a text that begins at the head of a file.
    pub fn of_file(file: &str, text: String) -> Self {
        Self::of_section(file, text, 1)
    }

    /// Makes a text that begins at a line of a file.
    pub fn of_section(file: &str, text: String, line: usize) -> Self {
        Self { text, segments: vec![Segment { start: 0, file: file.to_owned(), line, column: 1 }] }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the checksum of the text.
    pub fn checksum(&self) -> Checksum {
        Checksum::of_text(&self.text)
    }

    /// Returns the file at whose head or section the text begins.
    pub fn file(&self) -> &str {
        self.segments.first().map_or("", |segment| &segment.file)
    }

    /// Returns the file that a byte of the text comes from.
    pub fn file_at(&self, byte: usize) -> &str {
        self.segments.iter().rev().find(|segment| segment.start <= byte).map_or("", |segment| &segment.file)
    }

    /// Returns this text with a span replaced by another text (an include) or by a value.
    pub fn replace(&self, span: Span, by: &Self) -> Self {
        let mut result = self.slice(Span { start: 0, end: span.start });
        result.append(by);
        result.append(&self.slice(Span { start: span.end, end: self.text.len() }));
        result
    }

    /// Returns the place of a span in its file.
    pub fn place(&self, span: Span) -> Place {
        let start = span.start.min(self.text.len());
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let (file, line, column) = self.position(start);
        let shown = self.text[line_start..line_end].to_owned();
        let end = span.end.clamp(start, line_end);
        let width = self.text.get(start..end).map_or(1, |part| part.chars().count()).max(1);
        Place { file, line, column, text: shown, width }
    }

    fn position(&self, byte: usize) -> (String, usize, usize) {
        let Some(segment) = self.segments.iter().rev().find(|segment| segment.start <= byte) else {
            return (String::new(), 1, 1);
        };
        let before = &self.text[segment.start..byte];
        let lines = before.matches('\n').count();
        let column = match before.rfind('\n') {
            Some(at) => before[at + 1..].chars().count() + 1,
            None => segment.column + before.chars().count(),
        };
        (segment.file.clone(), segment.line + lines, column)
    }

    fn slice(&self, span: Span) -> Self {
        let (file, line, column) = self.position(span.start);
        let first = Segment { start: 0, file, line, column };
        let rest = self.segments.iter().filter(|segment| segment.start > span.start && segment.start < span.end);
        let rest = rest.map(|segment| Segment { start: segment.start - span.start, ..segment.clone() });
        Self {
            text: self.text[span.start..span.end].to_owned(),
            segments: std::iter::once(first).chain(rest).collect(),
        }
    }

    fn append(&mut self, other: &Self) {
        let at = self.text.len();
        self.text.push_str(&other.text);
        self.segments
            .extend(other.segments.iter().map(|segment| Segment { start: segment.start + at, ..segment.clone() }));
    }
}

/// Turns a file's bytes into text: UTF-8 only, a leading BOM dropped, CRLF as LF, no NUL.
pub fn normalise(file: &str, bytes: Vec<u8>) -> Result<String, Fault> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let (line, column) = line_and_column(&error.as_bytes()[..at]);
        let shown = error.as_bytes().split(|byte| *byte == b'\n').nth(line - 1).unwrap_or_default();
        let text = String::from_utf8_lossy(shown).trim_end_matches('\r').to_owned();
        let place = Place { file: file.to_owned(), line, column, text, width: 1 };
        Fault::new("script/encoding", file, format!("not UTF-8: byte {at} cannot be read"))
            .at(place)
            .hint("save the file as UTF-8")
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    if let Some(at) = memchr::memchr(0, text.as_bytes()) {
        let place = Place::new(file, &text, Span { start: at, end: at + 1 });
        return Err(Fault::new("script/nul", file, format!("byte {at} is NUL, which no SQL text may hold"))
            .at(place)
            .hint("remove it; if the file is UTF-16, save it as UTF-8"));
    }
    Ok(if memchr::memmem::find(text.as_bytes(), b"\r\n").is_some() { text.replace("\r\n", "\n") } else { text })
}

fn line_and_column(before: &[u8]) -> (usize, usize) {
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_leads_back_through_includes() {
        let outer = Text::of_file("db/1.sql", "a;\n<include>\nb c;\n".into());
        let inner = Text::of_file("db/inc.sql", "x;\ny;".into());
        let text = outer.replace(Span { start: 3, end: 12 }, &inner);
        assert_eq!(text.as_str(), "a;\nx;\ny;\nb c;\n");
        let at = |needle: &str| {
            let start = text.as_str().find(needle).unwrap();
            text.place(Span { start, end: start + 1 }).to_string()
        };
        assert_eq!(at("y"), "db/inc.sql:2:1");
        assert_eq!(at("c"), "db/1.sql:3:3");
        assert_eq!(at("a"), "db/1.sql:1:1");
    }

    #[test]
    fn bytes_become_text_or_a_fault_with_its_place() {
        assert_eq!(normalise("f", b"\xef\xbb\xbfa\r\nb\rc".to_vec()).unwrap(), "a\nb\rc");
        assert_eq!(normalise("f", b"a\nb\xff".to_vec()).unwrap_err().place.unwrap().to_string(), "f:2:2");
        assert_eq!(normalise("f", b"a\n\0".to_vec()).unwrap_err().place.unwrap().to_string(), "f:2:1");
    }
}
