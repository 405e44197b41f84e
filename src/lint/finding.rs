//! What a rule found.

use super::fix::Fix;
use super::rule::{Level, Rule};
use crate::error::Place;
use crate::sql::Span;

/// Something that a rule found in a script.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How much it matters here.
    pub level: Level,
    /// Which of the sources.
    pub source: usize,
    /// Where in its text.
    pub span: Span,
    /// Where, for people.
    pub place: Place,
    /// What is wrong: what happens on the second run, or on a live database.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The edit that cures it.
    pub fix: Option<Fix>,
}

/// A finding before it has its level and its place.
#[derive(Debug, Clone)]
pub struct Draft {
    pub(super) rule: &'static Rule,
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) fix: Option<Fix>,
}

impl Draft {
    /// Adds what to write instead.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the cure, if there is one.
    pub fn fix(&mut self, fix: impl Into<Option<Fix>>) -> &mut Self {
        self.fix = fix.into();
        self
    }
}

/// Where a rule puts what it finds.
#[derive(Debug, Default)]
pub struct Found {
    pub(super) drafts: Vec<Draft>,
}

impl Found {
    /// Reports a finding.
    pub fn report(&mut self, rule: &'static Rule, span: Span, message: impl Into<String>) -> &mut Draft {
        let index = self.drafts.len();
        self.drafts.push(Draft { rule, span, message: message.into(), help: None, fix: None });
        &mut self.drafts[index]
    }
}
