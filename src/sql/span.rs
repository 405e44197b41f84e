//! Places in a text: byte spans, lines and columns, characters.
//!
//! Spans are byte offsets because edits and slices need them; people get lines
//! and columns; PostgreSQL counts characters. The conversions live here, once.

/// A stretch of text, `start..end` in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span `start..end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// The text that it covers; empty if it does not fit `text`.
    #[must_use]
    pub fn text(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or("")
    }

    /// The same span, `by` bytes further on: for a span found in an excerpt.
    #[must_use]
    pub const fn shift(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A place as people and editors name it, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where the lines of a text begin: built once, asked often.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<usize>,
    len: usize,
}

impl LineIndex {
    /// Reads `text` once.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { starts, len: text.len() }
    }

    /// How many lines there are; a text without a line break has one.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.starts.len()
    }

    /// The line (from 1) that holds `byte`; the last one for a byte past the end.
    #[must_use]
    pub fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte)
    }

    /// Line and column of a byte of `text`, the text that this was built from.
    #[must_use]
    pub fn position(&self, text: &str, byte: usize) -> Position {
        let line = self.line(byte);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        // Count bytes that begin a character, so that a byte inside one is no panic.
        let before = text.as_bytes().get(start..byte.min(text.len())).unwrap_or(&[]);
        let column = before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() + 1;
        Position { line, column }
    }

    /// The span of a line (from 1) without its line break; empty past the end.
    #[must_use]
    pub fn line_span(&self, line: usize) -> Span {
        let Some(start) = line.checked_sub(1).and_then(|at| self.starts.get(at)).copied() else {
            return Span::new(self.len, self.len);
        };
        let end = self.starts.get(line).map_or(self.len, |next| next - 1);
        Span::new(start, end)
    }
}

/// The byte of the `n`th character, counted from 1 as PostgreSQL counts error
/// positions. One past the last character is the end of the text.
#[must_use]
pub fn byte_of_char(text: &str, n: usize) -> Option<usize> {
    let skip = n.checked_sub(1)?;
    let ends = std::iter::once(text.len());
    text.char_indices().map(|(at, _)| at).chain(ends).nth(skip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let text = "é1\nxï;\n";
        let index = LineIndex::new(text);
        assert_eq!(index.position(text, 0), Position { line: 1, column: 1 });
        assert_eq!(index.position(text, 2), Position { line: 1, column: 2 });
        assert_eq!(index.position(text, 4), Position { line: 2, column: 1 });
        assert_eq!(index.position(text, 7), Position { line: 2, column: 3 });
        assert_eq!(index.position(text, 99), Position { line: 3, column: 1 });
        assert_eq!(index.line_span(2).text(text), "xï;");
        assert_eq!(index.line_span(3).text(text), "");
        assert_eq!(index.line_span(0), index.line_span(9));
        assert_eq!(index.lines(), 3);
    }

    #[test]
    fn characters_become_bytes() {
        assert_eq!(byte_of_char("éa", 1), Some(0));
        assert_eq!(byte_of_char("éa", 2), Some(2));
        assert_eq!(byte_of_char("éa", 3), Some(3));
        assert_eq!(byte_of_char("éa", 4), None);
        assert_eq!(byte_of_char("éa", 0), None);
    }

    #[test]
    fn spans() {
        let span = Span::new(1, 3);
        assert_eq!((span.len(), span.text("abcd"), span.shift(2)), (2, "bc", Span::new(3, 5)));
        assert_eq!(span.join(Span::new(5, 6)), Span::new(1, 6));
        assert_eq!(Span::new(3, 9).text("abcd"), "");
    }
}
