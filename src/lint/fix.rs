//! Fixes: byte edits at token boundaries, never printed trees, so that everything else stays as it was.

use crate::sql::Span;

/// The edits that cure a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What they do: `add IF NOT EXISTS`.
    pub title: String,
    /// The edits; they do not overlap.
    pub edits: Vec<Edit>,
    /// Why somebody has to agree first; `None` if nothing can be lost.
    pub risk: Option<String>,
}

/// A stretch of the text and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What takes its place.
    pub text: String,
}

impl Fix {
    /// Makes a fix of one insertion.
    pub fn insert(title: impl Into<String>, at: usize, text: impl Into<String>) -> Self {
        Self::edits(title, vec![Edit::insert(at, text)])
    }

    /// Makes a fix.
    pub fn edits(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), edits, risk: None }
    }

    /// Says what could be lost.
    #[must_use]
    pub fn risky(mut self, why: impl Into<String>) -> Self {
        self.risk = Some(why.into());
        self
    }

    fn reach(&self) -> Span {
        let spans = self.edits.iter().map(|edit| edit.span);
        spans.reduce(Span::join).unwrap_or_default()
    }
}

impl Edit {
    /// Puts a text in.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { span: Span::new(at, at), text: text.into() }
    }

    /// Puts a text in the place of another.
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }
}

/// Applies fixes to a text. Of fixes that reach into each other only the first is taken; the others come up again
/// when the result is linted. Returns the text and how many were taken.
pub fn apply<'a>(text: &str, fixes: impl IntoIterator<Item = &'a Fix>) -> (String, usize) {
    let mut fixes: Vec<&Fix> = fixes.into_iter().collect();
    // Of those that begin together the widest: what it holds is asked again.
    fixes.sort_by_key(|fix| (fix.reach().start, std::cmp::Reverse(fix.reach().end)));
    let mut taken: Vec<&Edit> = Vec::new();
    let (mut count, mut until) = (0, 0);
    for fix in fixes {
        let reach = fix.reach();
        // Two insertions at one place have no order; an insertion behind what is taken out has one.
        let inserted = taken.last().is_some_and(|edit| edit.span.is_empty());
        if count > 0 && (reach.start < until || reach.start == until && inserted) {
            continue;
        }
        taken.extend(&fix.edits);
        until = until.max(reach.end);
        count += 1;
    }
    taken.sort_by_key(|edit| edit.span);
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in taken {
        out.push_str(text.get(at..edit.span.start).unwrap_or_default());
        out.push_str(&edit.text);
        at = edit.span.end.max(at);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (out, count)
}
