//! A build as a script for a database's own shell, `psql` or `sqlite3`: what an engine writes for each step.
//!
//! Promise: the script claims, runs and journals as the engine itself does, from the same SQL where the two can
//! share it. Texts of the project reach the shell as SQL only: nothing in them is read as one of its commands.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
use super::Part;
use super::{Result, Unit};
use crate::interrupt::Interrupt;
use crate::journal::{Kind, Mark, NewEntry, Run};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::sql::{Dialect, Lexer, Span, TokenKind};

/// An engine's way to write a script for its shell.
pub trait Offline {
    /// Returns the shell's name: `psql`.
    fn shell(&self) -> &'static str;

    /// Returns the command that runs the script, and what is to be known about running it, one line each.
    fn usage(&self) -> Vec<String>;

    /// Returns what comes first: the shell's settings, the journal, and the checks that stop the script on a
    /// database that it was not made for.
    fn head(&self, premise: &Premise<'_>) -> Result<String>;

    /// Returns a text with its claim and its entry, which does nothing where it has run.
    fn unit(&self, unit: &Unit, run: &Run) -> Result<String>;

    /// Returns an entry that is written without running anything.
    fn record(&self, entry: &NewEntry, run: &Run) -> String;

    /// Returns what comes last.
    fn tail(&self) -> String;

    /// Runs a script in the shell, on this engine's own database; `None` where the shell is not installed. The shell is
    /// stopped when somebody asks to stop.
    fn run(&self, script: &str, interrupt: &Interrupt) -> Result<Option<Ran>>;
}

/// How a shell ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// True if it says that all went well.
    pub ok: bool,
    /// What it said of what did not.
    pub said: String,
}

/// How often is asked whether a shell has ended.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
const LOOK: std::time::Duration = std::time::Duration::from_millis(2);

/// Feeds a script to a shell.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(in crate::engine) fn feed(
    command: &mut std::process::Command,
    script: &str,
    interrupt: &Interrupt,
) -> std::io::Result<Ran> {
    use std::io::{Read as _, Write as _};
    use std::process::Stdio;

    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let input = child.stdin.take();
    let script = script.as_bytes().to_vec();
    let writer = std::thread::spawn(move || {
        // A shell that stops early does not read the rest.
        input.map(|mut input| input.write_all(&script)).is_some_and(|written| written.is_ok())
    });
    let errors = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        // What it could say before it was stopped is as good as nothing.
        errors.and_then(|mut errors| errors.read_to_end(&mut said).ok());
        said
    });
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if interrupt.is_raised() => {
                // It may have ended just now.
                child.kill().ok();
                break child.wait()?;
            }
            None => std::thread::sleep(LOOK),
        }
    };
    let _read_to_its_end = writer.join().unwrap_or(false);
    let said = reader.join().unwrap_or_default();
    Ok(Ran { ok: status.success(), said: String::from_utf8_lossy(&said).trim().to_owned() })
}

/// What must be true of the database before a script does anything.
#[derive(Debug, Clone)]
pub struct Premise<'a> {
    /// The project's name.
    pub project: &'a str,
    /// For a database that may not have a journal yet: the mark that it gets with it.
    pub first: Option<Option<&'a Mark>>,
    /// The environment that the settings give the target; a database that is marked otherwise is not meant.
    pub environment: Option<&'a str>,
    /// The protection that the settings give the target.
    pub protected: Option<bool>,
    /// The version that the database is taken to be at.
    pub version: Option<String>,
    /// The scripts that the database has, or may have.
    pub scripts: Vec<Known>,
    /// Everything that this script runs.
    pub claims: Vec<(Kind, String, String)>,
}

/// A script that the database has, or may have.
#[derive(Debug, Clone)]
pub struct Known {
    /// The journal's key.
    pub key: String,
    /// The checksum over its tokens: a database that has another one has another script.
    pub token_checksum: String,
    /// True if it must be there.
    pub required: bool,
}

/// Returns a text as comment lines; nothing in it can end the comment.
pub fn comment(text: &str) -> String {
    let clean = |line: &str| line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    text.split('\n').map(|line| format!("-- {}", clean(line)).trim_end().to_owned() + "\n").collect()
}

/// Returns a file's name on one line.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns the comments in front of a part, or, for an index behind the last one, at the end of the text.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn comments_before(unit: &Unit, index: usize, dialect: Dialect) -> String {
    let text = unit.text.as_str();
    let end_of = |part: &Part| part.copy_data.map_or(part.span.end, |data| data.end.max(part.span.end));
    let start = index.checked_sub(1).and_then(|before| unit.parts.get(before)).map_or(0, end_of);
    let end = unit.parts.get(index).map_or(text.len(), |part| part.span.start);
    let gap = Span::new(start.min(end), end);
    let tokens = Lexer::part(text, gap, dialect).map_while(std::result::Result::ok);
    let comments = tokens.filter(|token| matches!(token.kind, TokenKind::LineComment | TokenKind::BlockComment));
    comments.map(|token| token.span.text(text).to_owned() + "\n").collect()
}

/// Returns a text without the white space in front of its lines that all of them share.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) fn unindented(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let least = text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or_default();
    let lines = text.trim().lines().map(|line| line.get(least.min(indent(line))..).unwrap_or_default().trim_end());
    lines.collect::<Vec<_>>().join("\n")
}
