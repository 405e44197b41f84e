//! A build as a script for the `sqlite3` shell.
//!
//! The shell knows no conditions, so a claim is a plain INSERT: where the entry is there, it fails, `.bail on` stops
//! the script, and the transaction around it is undone. What stands behind guards passes through a file.

use super::connection::patience;
use super::database::Database;
use super::journal::{NOW, tables};
use super::run::as_kept;
use super::statements::is_pragma;
use crate::engine::offline::{Offline, Premise, Ran, comment, comments_before, feed, one_line};
use crate::engine::{EngineError, Mode, Part, Result, Unit};
use crate::interrupt::Interrupt;
use crate::journal::{Mark, NewEntry, Run, Stored};
use crate::sql::{Dialect, Lexer, TokenKind};

mod claim;
mod guarded;
mod premise;
mod shell;

use claim::Claim;
use guarded::Guards;
use shell::literal;

/// Writes scripts for the `sqlite3` shell.
pub(super) struct Shell<'a> {
    database: &'a Database,
}

impl<'a> Shell<'a> {
    pub(super) fn new(database: &'a Database) -> Self {
        Self { database }
    }

    fn mark(&self, mark: &Mark) -> String {
        let names = &self.database.names;
        format!(
            "update {}\n   set environment = {}, protected = {}, set_at = {NOW}\n \
             where id = 1 and environment is null and not exists (select 1 from {});\n",
            names.environment,
            literal(&mark.environment),
            u8::from(mark.protected),
            names.journal
        )
    }

    fn claim<'b>(&'b self, entry: &'b NewEntry, run: &'b Run) -> Claim<'b> {
        Claim { names: &self.database.names, entry, run }
    }

    /// Returns the text in one transaction with its entry.
    fn transaction(&self, unit: &Unit, run: &Run) -> Result<String> {
        let claim = self.claim(&unit.entry, run);
        let keys_off = unit.mode == Mode::ForeignKeysOff;
        let mut text = String::new();
        if keys_off {
            text.push_str("pragma foreign_keys = off;\n");
        }
        text.push_str("begin immediate;\n");
        text.push_str(&claim.insert(Stored::Running));
        let mut guards = Guards::new(unit);
        text.push_str(&guards.begin());
        if keys_off {
            text.push_str(shell::ORPHANS_BEFORE);
        }
        for (index, part) in unit.parts.iter().enumerate() {
            text.push_str(&comments_before(unit, index, Dialect::Sqlite));
            text.push_str(&guards.guarded(part, statement(unit, part)?));
        }
        text.push_str(&comments_before(unit, unit.parts.len(), Dialect::Sqlite));
        text.push_str(&guards.end());
        if keys_off {
            text.push_str(shell::ORPHANS_AFTER);
        }
        text.push_str(&claim.finish());
        text.push_str("commit;\n");
        if keys_off {
            text.push_str("pragma foreign_keys = on;\n");
        }
        Ok(text)
    }

    /// Returns the text statement by statement, with its progress in its entry.
    fn statements(&self, unit: &Unit, run: &Run) -> Result<String> {
        if let Some(part) = unit.parts.iter().find(|part| part.repeat) {
            return Err(EngineError::Refused {
                code: "offline/repeat",
                message: "this statement is repeated until it changes no row, which the sqlite3 shell cannot do".into(),
                place: Some(unit.text.place(part.span)),
                hint: Some("let `dbbuild` run this script; end the one for the shell before it with `--to`".into()),
            });
        }
        let claim = self.claim(&unit.entry, run);
        let mut guards = Guards::new(unit);
        let mut text = claim.insert(Stored::Running);
        text.push_str(&guards.begin());
        for (index, part) in unit.parts.iter().enumerate() {
            let done = claim.advance(index, &part.digest, guards.entered(part).as_deref());
            let own = guards.guarded(part, statement(unit, part)?);
            text.push_str(&comments_before(unit, index, Dialect::Sqlite));
            if part.refuses_transaction || is_pragma(unit, part) {
                text.push_str(&format!("{own}{done}"));
            } else {
                text.push_str(&format!("begin immediate;\n{own}{done}commit;\n"));
            }
        }
        text.push_str(&comments_before(unit, unit.parts.len(), Dialect::Sqlite));
        text.push_str(&guards.end());
        text.push_str(&claim.finish());
        text.push_str(&claim.forget());
        Ok(text)
    }
}

impl Offline for Shell<'_> {
    fn shell(&self) -> &'static str {
        "the sqlite3 shell"
    }

    fn usage(&self) -> Vec<String> {
        vec![
            "Run it:  sqlite3 DATABASE < FILE".to_owned(),
            "It stops at the first error. Run again, it stops before anything has run, and changes nothing.".to_owned(),
            format!(
                "Statements behind guards pass through {} in the current folder; delete it afterwards.",
                guarded::FILE
            ),
        ]
    }

    fn head(&self, premise: &Premise<'_>) -> Result<String> {
        let names = &self.database.names;
        let mut text = ".bail on\n.dbconfig dqs_ddl off\n.dbconfig dqs_dml off\npragma foreign_keys = on;\n".to_owned();
        text.push_str(&format!(".timeout {}\n", patience(self.database).as_millis()));
        text.push_str(
            "\n-- The journal, and: is this the database that the script was written for?\nbegin immediate;\n",
        );
        text.push_str(&premise::before(names, premise));
        text.push_str(&tables(names));
        text.push('\n');
        text.push_str(&premise::checks(names, premise));
        if let Some(mark) = premise.first.flatten() {
            text.push_str(&self.mark(mark));
        }
        text.push_str("commit;\n");
        Ok(text)
    }

    fn unit(&self, unit: &Unit, run: &Run) -> Result<String> {
        super::guard::refuse_unanswerable(std::slice::from_ref(unit))?;
        let mut text = String::new();
        if unit.parts.iter().any(|part| part.sets_session || is_pragma(unit, part)) {
            text.push_str(&comment("What this text sets in its session stays set for what follows."));
        }
        let quotes = |to: &str| format!(".dbconfig dqs_ddl {to}\n.dbconfig dqs_dml {to}\n");
        if unit.double_quoted_text {
            text.push_str(&quotes("on"));
        }
        text.push_str(&match unit.mode {
            Mode::Statements => self.statements(unit, run)?,
            Mode::Transaction | Mode::ForeignKeysOff => self.transaction(unit, run)?,
        });
        if unit.double_quoted_text {
            text.push_str(&quotes("off"));
        }
        Ok(format!(
            ".print {}\n{text}",
            shell::argument(&one_line(&format!("{} {}", unit.entry.kind.as_str(), unit.text.file())))
        ))
    }

    fn record(&self, entry: &NewEntry, run: &Run) -> String {
        self.claim(entry, run).insert(entry.state)
    }

    fn tail(&self) -> String {
        ".print done\n".to_owned()
    }

    fn run(&self, script: &str, interrupt: &Interrupt) -> Result<Option<Ran>> {
        let Some(file) = self.database.file() else { return Ok(None) };
        let found = self.database.programs.iter().map(|folder| folder.join("sqlite3")).find(|path| path.is_file());
        let Some(program) = found else { return Ok(None) };
        let mut command = std::process::Command::new(&program);
        command.arg("-batch").arg("-init").arg(if cfg!(windows) { "NUL" } else { "/dev/null" });
        if self.database.throwaway {
            // As for the tool's own connections: nothing is flushed to the disk.
            command.arg("-cmd").arg("pragma synchronous = off");
        }
        // What passes through a file does so beside the database.
        let file = std::path::absolute(file).map_err(|source| EngineError::Io { path: file.to_owned(), source })?;
        command.current_dir(file.parent().unwrap_or(&file)).arg(&file);
        feed(&mut command, script, interrupt).map(Some).map_err(|source| EngineError::Io { path: program, source })
    }
}

/// Returns a statement as the shell reads it; refuses parameters, which the shell would take for NULL.
fn statement(unit: &Unit, part: &Part) -> Result<String> {
    let text = unit.text.as_str();
    let mut tokens = Lexer::part(text, part.span, Dialect::Sqlite).map_while(std::result::Result::ok);
    if let Some(parameter) = tokens.find(|token| token.kind == TokenKind::Parameter) {
        return Err(EngineError::Refused {
            code: "offline/parameter",
            message: format!("{} is a parameter, and nothing gives it a value", parameter.span.text(text)),
            place: Some(unit.text.place(parameter.span)),
            hint: Some("write the value itself; what is meant as text stands between single quotes".into()),
        });
    }
    Ok(shell::statement(text, as_kept(text, part.span)) + ";\n")
}
