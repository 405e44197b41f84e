//! Every way in which the library can fail or refuse, gathered from the layers; the wording is theirs.

use std::fmt;

use crate::build::Refusal;
use crate::engine::{EngineError, of_file};
use crate::git::GitError;
use crate::project::SettingsError;
use crate::script::ScriptErrors;
use crate::sql::{LineIndex, Span};

/// What a failure means for whoever called: each class has its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Findings or differences.
    Findings,
    /// Wrong usage or settings.
    Usage,
    /// The tool will not go on; the target is untouched.
    Refusal,
    /// A script, code object or seed failed.
    Failed,
    /// Trouble outside: unreachable, a program missing, a lock held, an unknown commit.
    Outside,
    /// Somebody asked to stop.
    Interrupted,
}

/// Returns the known word that one which is not known was probably meant to be; nothing if none is near.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&known.to_lowercase(), &word);
    let (far, known) = known.into_iter().map(|known| (distance(known), known)).min_by_key(|(far, _)| *far)?;
    (far <= 3 && far < word.chars().count()).then_some(known)
}

/// A place in a file, with the line it is on, so that it can be shown without reading the file again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the project.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The text of that line.
    pub text: String,
    /// How many characters to underline, at least 1.
    pub width: usize,
}

impl Place {
    /// Makes a place from a span of a file's text.
    pub fn new(file: &str, text: &str, span: Span) -> Self {
        Self::in_lines(file, text, span, &LineIndex::new(text))
    }

    /// Makes a place where the text's lines are known already.
    pub fn in_lines(file: &str, text: &str, span: Span, index: &LineIndex) -> Self {
        let start = index.position(text, span.start.min(text.len()));
        let line_span = index.line_span(start.line);
        let line = text.get(line_span.start..line_span.end).unwrap_or_default();
        let end = span.end.clamp(span.start, line_span.end.max(span.start));
        let width = text.get(span.start..end).map_or(1, |part| part.chars().count()).max(1);
        let shown = line.trim_end_matches(['\n', '\r']).to_owned();
        Self { file: file.to_owned(), line: start.line, column: start.column, text: shown, width }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A failure or refusal of the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Files of the project cannot be used.
    #[error(transparent)]
    Scripts(#[from] ScriptErrors),
    /// The state of the target does not let the build go on.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// The database, or something that an engine needs, failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The library would not go on after steps that are done: no refusal, since the target is not what it was.
    #[error(transparent)]
    Midway(Box<Error>),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    /// Says that steps were done before: a refusal is then none.
    pub(crate) fn midway(self) -> Self {
        if self.class() == Class::Refusal { Self::Midway(Box::new(self)) } else { self }
    }

    /// Returns the stable name of this failure: `journal/altered`, `sql/42P01`.
    pub fn code(&self) -> String {
        match self {
            Self::Settings(error) => error.code.to_owned(),
            Self::Scripts(errors) => errors.0.first().map_or("script", |fault| fault.code).to_owned(),
            Self::Refusal(refusal) => refusal.code.to_owned(),
            Self::Engine(error) => error.code(),
            Self::Midway(error) => error.code(),
            Self::Git(_) => "git".to_owned(),
            Self::Io { .. } => "io".to_owned(),
        }
    }

    /// Returns what it means for whoever called.
    pub fn class(&self) -> Class {
        match self {
            Self::Settings(_) => Class::Usage,
            Self::Scripts(_) | Self::Refusal(_) => Class::Refusal,
            Self::Engine(error) => error.class(),
            Self::Midway(error) if error.class() == Class::Refusal => Class::Failed,
            Self::Midway(error) => error.class(),
            Self::Git(_) | Self::Io { .. } => Class::Outside,
        }
    }

    /// Returns the place in a file that it is about.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Settings(error) => error.place.as_ref(),
            Self::Scripts(errors) => errors.0.first().and_then(|fault| fault.place.as_ref()),
            Self::Engine(error) => error.place(),
            Self::Midway(error) => error.place(),
            Self::Refusal(_) | Self::Git(_) | Self::Io { .. } => None,
        }
    }

    /// Returns what else is to be known, one line each.
    pub fn notes(&self) -> Vec<String> {
        match self {
            Self::Refusal(refusal) => refusal.notes.clone(),
            Self::Engine(error) => error.notes(),
            Self::Midway(error) => {
                let mut notes = error.notes();
                notes.push("the steps before it are done and stay".to_owned());
                notes
            }
            Self::Settings(_) | Self::Scripts(_) | Self::Git(_) | Self::Io { .. } => Vec::new(),
        }
    }

    /// Returns what to do next, best first; `command` is what was run: `dbbuild --target production`.
    pub fn hints(&self, command: &str) -> Vec<String> {
        match self {
            Self::Settings(error) => vec![error.hint.clone().unwrap_or_else(|| usual(error.code).to_owned())],
            Self::Scripts(errors) => errors.0.iter().filter_map(|fault| fault.hint.clone()).collect(),
            Self::Refusal(refusal) => refusal.hints.clone(),
            Self::Engine(EngineError::Unit(unit)) if unit.failure.is_somebody_else() => {
                vec![format!("run `{command}` again when the lock is free, or let it wait longer: `lock-timeout`")]
            }
            Self::Engine(EngineError::Unit(unit)) if unit.failure.is_disk_full() => {
                vec![format!("make room on the database's disk, and run `{command}` again")]
            }
            Self::Engine(EngineError::Unit(unit)) => {
                let again = format!("mend it and run `{command}` again");
                unit.place.as_ref().and_then(undeclared).into_iter().chain([again]).collect()
            }
            Self::Engine(error) => error.hint().into_iter().collect(),
            Self::Midway(error) => error.hints(command),
            Self::Git(GitError::Missing(_)) => vec!["install git, or put it on the PATH".to_owned()],
            Self::Git(GitError::Failed { .. }) => {
                vec!["see that the revision is there (`git fetch`) and that this is the work tree you mean".to_owned()]
            }
            Self::Io { source, .. } => vec![of_file(source).to_owned()],
        }
    }
}

/// Returns what to do where a statement failed at psql's `:'name'` or `:"name"`: the text declares no variables.
fn undeclared(place: &Place) -> Option<String> {
    let from: String = place.text.chars().skip(place.column - 1).collect();
    let quote = from.strip_prefix(':')?.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let (name, _) = from.get(2..)?.split_once(quote)?;
    Some(format!(
        "if that is a variable: `-- dbbuild: variables {name}` at the head of the file, and `{name} = \"…\"` under \
         `[variables]` in dbbuild.toml"
    ))
}

/// Returns what to do about settings whose fault says nothing of its own.
fn usual(code: &str) -> &'static str {
    match code {
        "settings/no-folder" => "see that `--project` names the project's folder, or make one: `dbbuild init`",
        "settings/unreadable" => "make dbbuild.toml readable",
        "settings/encoding" => "save dbbuild.toml as UTF-8",
        "settings/ignore" | "settings/drift" => "write globs: `ignore = [\"db/old_*.sql\"]`",
        "settings/file" => "the path begins at the project's folder; the file's first line is the value",
        "new-version/name" => "give the script a name with letters: `dbbuild new-version \"create customer\"`",
        _ if code.ends_with("/embedded") || code.ends_with("/no-folder") => {
            "run the command in the project's own folder"
        }
        _ => "the settings are described in docs/reference/settings.md",
    }
}
