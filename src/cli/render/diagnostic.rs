//! One way to show what went wrong: failures, refusals and findings, with a caret where there is a place.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::error::{Error, Place};

/// Something to show: what, where, what else, what to do.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnostic {
    /// A stable name: `sql/42P01`.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// Where.
    pub place: Option<ShownPlace>,
    /// What else is to be known, one line each.
    pub notes: Vec<String>,
    /// What to do next, best first.
    pub hints: Vec<String>,
}

/// A place, for programs.
#[derive(Debug, Clone, Serialize)]
pub struct ShownPlace {
    /// The file, relative to the project.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    #[serde(skip)]
    text: String,
    #[serde(skip)]
    width: usize,
}

impl From<&Place> for ShownPlace {
    fn from(place: &Place) -> Self {
        let Place { file, line, column, text, width } = place.clone();
        Self { file, line, column, text, width }
    }
}

impl Diagnostic {
    /// Returns what to show for an error; faults of several files are one each. `command` is what was run.
    pub fn of(error: &Error, command: &str) -> Vec<Self> {
        if let Error::Scripts(errors) = error {
            let faults = errors.0.iter().map(|fault| Self {
                code: fault.code.to_owned(),
                message: match &fault.place {
                    Some(_) => fault.message.clone(),
                    None => format!("{}: {}", fault.file, fault.message),
                },
                place: fault.place.as_ref().map(ShownPlace::from),
                notes: Vec::new(),
                hints: fault.hint.iter().cloned().collect(),
            });
            return faults.collect();
        }
        vec![Self {
            code: error.code(),
            message: error.to_string(),
            place: error.place().map(ShownPlace::from),
            notes: error.notes(),
            hints: error.hints(command),
        }]
    }

    /// Returns the text for people.
    pub fn text(&self) -> String {
        let title = Level::ERROR.primary_title(&self.message).id(&self.code);
        let mut group = match &self.place {
            Some(place) if place.text.is_empty() => {
                title.element(Origin::path(format!("{}:{}:{}", place.file, place.line, place.column)))
            }
            Some(place) => {
                // A line that is longer than a screen is shown around the place.
                let (line, start) = excerpt(&place.text, place.column);
                let from = line.char_indices().nth(start).map_or(line.len(), |(at, _)| at);
                let to = line.char_indices().nth(start + place.width).map_or(line.len(), |(at, _)| at);
                let annotation = AnnotationKind::Primary.span(from..to.max(from));
                let snippet = Snippet::source(line)
                    .line_start(place.line)
                    .path(format!("{}:{}:{}", place.file, place.line, place.column));
                title.element(snippet.annotation(annotation))
            }
            None => Group::with_title(title),
        };
        for note in &self.notes {
            group = group.element(Level::NOTE.message(note));
        }
        for hint in &self.hints {
            group = group.element(Level::HELP.message(hint));
        }
        let report = [group];
        let text = Renderer::styled().render(&report);
        // The snippet's own heading repeats line and column, counted in the excerpt.
        tidy(&text)
    }
}

pub(super) fn excerpt(text: &str, column: usize) -> (String, usize) {
    const WIDTH: usize = 160;
    let start = column.saturating_sub(1);
    let length = text.chars().count();
    if length <= WIDTH {
        return (text.to_owned(), start);
    }
    let from = start.saturating_sub(WIDTH / 2);
    let part: String = text.chars().skip(from).take(WIDTH).collect();
    (part, start - from)
}

/// Takes off the `:line:column` that the snippet renderer adds behind the path, which has them already.
pub(super) fn tidy(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Some(line) = lines.iter_mut().find(|line| line.contains("--> ")) {
        let mut parts: Vec<&str> = line.rsplitn(3, ':').collect();
        if parts.len() == 3
            && parts[..2].iter().all(|part| part.trim_end_matches("\u{1b}[0m").chars().all(|c| c.is_ascii_digit()))
        {
            let rest = parts.pop().unwrap_or_default();
            if rest.rsplitn(3, ':').take(2).all(|part| part.chars().all(|c| c.is_ascii_digit())) {
                *line = rest.to_owned();
            }
        }
    }
    lines.join("\n")
}
