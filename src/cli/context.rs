//! What a verb works with: the process's surroundings, the project, the target and where to print.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};

use super::args::{Color, Format, Global};
use super::exit::{Exit, Outcome};
use super::render::{Diagnostic, JsonEvents, TextEvents};
use crate::build::Site;
use crate::engine::Engine;
use crate::error::Error;
use crate::event::{Observer, Silent};
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::project::{Origin, Project, SETTINGS, Selection, Target};
use crate::sql::Dialect;

/// A database of each engine that cannot be there.
const NOWHERE: [&str; 2] = ["postgresql://dbbuild@/dbbuild?host=/nowhere", "sqlite::memory:"];

/// What a verb works with.
pub struct Context {
    /// What every verb understands.
    pub global: Global,
    /// The process's surroundings.
    pub host: Host,
    /// Raised by Ctrl-C.
    pub interrupt: Interrupt,
    events_printed: Cell<bool>,
}

/// A target with its project and engine, opened.
pub struct Opened {
    /// The project.
    pub project: Project,
    /// The target.
    pub target: Target,
    /// Where the target was said.
    pub origin: Origin,
    /// The target's engine.
    pub engine: Box<dyn Engine>,
}

impl Context {
    /// Takes the process's surroundings and begins to listen for Ctrl-C.
    pub fn new(global: Global) -> Self {
        match global.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        let context = Self { global, host: host(), interrupt: Interrupt::default(), events_printed: Cell::new(false) };
        let interrupt = context.interrupt.clone();
        let times = AtomicU8::new(0);
        let listened = ctrlc::set_handler(move || {
            // The first one stops the work in order; the second one stops the program.
            if times.fetch_add(1, Ordering::SeqCst) > 0 {
                // Nothing is to be done if nobody reads it.
                writeln!(anstream::stderr(), "stopped at once; `dbbuild status` says how far it came").ok();
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            interrupt.raise();
        });
        if listened.is_err() {
            context.note("Ctrl-C will stop this at once: the signal cannot be listened for");
        }
        context
    }

    /// Opens the project: the folder said, else the nearest one upwards that has settings, else this one.
    pub fn project(&self) -> Result<Project, Error> {
        Ok(Project::open(&self.project_folder()?)?)
    }

    /// Returns the project's folder.
    pub fn project_folder(&self) -> Result<PathBuf, Error> {
        if let Some(folder) = &self.global.project {
            return Ok(folder.clone());
        }
        let here = std::env::current_dir().map_err(|source| Error::Io { path: PathBuf::from("."), source })?;
        let nearest = here.ancestors().find(|folder| folder.join(SETTINGS).is_file());
        Ok(nearest.map_or_else(|| here.clone(), PathBuf::from))
    }

    /// Returns what the command line says about the target.
    pub fn selection(&self) -> Selection {
        Selection { target: self.global.target.clone(), url: self.global.url.clone() }
    }

    /// Opens the project, its target and the target's engine. Nothing is connected yet.
    pub fn open(&self) -> Result<Opened, Error> {
        let project = self.project()?;
        let (target, origin) = project.target(&self.selection(), &self.host)?;
        let engine = crate::build::open(&target, &self.host, &self.interrupt)?;
        Ok(Opened { project, target, origin, engine })
    }

    /// Returns the same for another folder.
    pub fn at(&self, project: PathBuf) -> Self {
        Self {
            global: Global { project: Some(project), ..self.global.clone() },
            host: self.host.clone(),
            interrupt: self.interrupt.clone(),
            events_printed: Cell::new(self.events_printed.get()),
        }
    }

    /// Opens the project with a target of an engine, for work that is done in scratch databases: the one that is
    /// chosen if it fits, else the first of the settings, else one that is nowhere.
    pub fn open_for(&self, dialect: Dialect) -> Result<Opened, Error> {
        let project = self.project()?;
        let names = project.settings.targets.keys().map(|name| Selection { target: Some(name.clone()), url: None });
        let selections: Vec<Selection> = std::iter::once(self.selection()).chain(names).collect();
        let fits = |selection: &Selection| {
            // One whose password or address is missing here is none to work with.
            let (target, origin) = project.target(selection, &self.host).ok()?;
            (target.address.dialect() == dialect).then_some((target, origin))
        };
        let nowhere =
            Selection { target: None, url: Some(NOWHERE[usize::from(dialect == Dialect::Sqlite)].to_owned()) };
        let (target, origin) = match selections.iter().find_map(fits) {
            Some(found) => found,
            None => project.target(&nowhere, &self.host)?,
        };
        let engine = crate::build::open(&target, &self.host, &self.interrupt)?;
        Ok(Opened { project, target, origin, engine })
    }

    /// Returns the renderer of events that the format asks for.
    pub fn observer(&self) -> Box<dyn Observer> {
        self.events_printed.set(true);
        match self.global.format {
            Format::Text | Format::Sarif | Format::Github => {
                Box::new(TextEvents::new(self.global.quiet, self.global.verbose))
            }
            Format::Json => Box::new(JsonEvents),
        }
    }

    /// Returns the renderer of events for a verb whose result is one document: programs get that alone.
    pub fn listener(&self) -> Box<dyn Observer> {
        match self.global.format {
            Format::Text | Format::Sarif | Format::Github => {
                Box::new(TextEvents::new(self.global.quiet, self.global.verbose))
            }
            Format::Json => Box::new(Silent),
        }
    }

    /// Returns true if results go to a program.
    pub fn is_json(&self) -> bool {
        self.global.format == Format::Json
    }

    /// Returns true if only results and trouble are wanted.
    pub fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// Prints a result for people; nothing if results go to a program.
    pub fn say(&self, text: impl AsRef<str>) {
        if !self.is_json() {
            self.print(text);
        }
    }

    /// Prints a line of a result.
    pub fn print(&self, text: impl AsRef<str>) {
        super::exit::told(writeln!(anstream::stdout(), "{}", text.as_ref()));
    }

    /// The same for a text that has no colours: a long one is not searched for them.
    pub fn print_plain(&self, text: &str) {
        super::exit::told(writeln!(std::io::stdout(), "{text}"));
    }

    /// Returns true if colours reach who reads the result.
    pub fn is_styled(&self) -> bool {
        anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
    }

    /// Prints a result for programs: one document.
    pub fn document(&self, value: &impl serde::Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.print(text),
            Err(error) => self.note(&format!("the result cannot be written as JSON: {error}")),
        }
    }

    /// Prints what is no result: to people, beside the result.
    pub fn note(&self, text: &str) {
        if !self.global.quiet {
            super::exit::told(writeln!(anstream::stderr(), "{text}"));
        }
    }

    /// Asks a question on the terminal; without one, or with `--yes`, there is no asking.
    pub fn agrees(&self, question: &str) -> bool {
        if self.global.yes {
            return true;
        }
        if !std::io::stdin().is_terminal() {
            return false;
        }
        let mut stderr = std::io::stderr();
        let mut answer = String::new();
        let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
        asked.is_ok()
            && std::io::stdin().read_line(&mut answer).is_ok()
            && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Returns the command that was run, for hints: `dbbuild --target production`.
    pub fn command_line(&self) -> String {
        match (&self.global.target, &self.global.url) {
            (Some(target), _) => format!("dbbuild --target {target}"),
            (None, Some(url)) if url.starts_with("sqlite:") => format!("dbbuild --url {url}"),
            // Other URLs may hold a password.
            (None, Some(_)) => "dbbuild --url …".to_owned(),
            (None, None) => "dbbuild".to_owned(),
        }
    }

    /// Prints how a command failed, closes the stream of events, and returns the exit code.
    pub fn end(&self, outcome: Outcome) -> Exit {
        let exit = match &outcome {
            Ok(exit) => *exit,
            Err(error) => Exit::from(error.class()),
        };
        if let Err(error) = &outcome {
            let diagnostics = Diagnostic::of(error, &self.command_line());
            if self.is_json() {
                self.print(JsonEvents::error(&diagnostics, self.events_printed.get()));
            } else {
                for diagnostic in &diagnostics {
                    if writeln!(anstream::stderr(), "{}", diagnostic.text()).is_err() {
                        return exit;
                    }
                }
            }
        }
        if self.is_json() && self.events_printed.get() {
            self.print(JsonEvents::finished(exit));
        }
        exit
    }
}

impl Opened {
    /// Joins project, target and engine.
    pub fn site<'a>(&'a self, context: &'a Context) -> Site<'a> {
        Site::new(&self.project, &self.target, &*self.engine, &context.interrupt)
    }
}

fn host() -> Host {
    let home = std::env::home_dir();
    let variables: std::collections::BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let cache = match variables.get("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(PathBuf::from(folder)),
        None if cfg!(target_os = "macos") => home.as_ref().map(|home| home.join("Library/Caches")),
        None if cfg!(windows) => variables.get("LOCALAPPDATA").map(PathBuf::from),
        None => home.as_ref().map(|home| home.join(".cache")),
    };
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| variables.get(*name).cloned());
    let cache = cache.map(|folder| folder.join("dbbuild"));
    Host { variables, home, cache, temporary: std::env::temp_dir(), user, program: program() }
}

/// Returns what a new build of the program does not share with an older one: the size and the time of its file.
fn program() -> Option<String> {
    let file = std::env::current_exe().ok()?.metadata().ok()?;
    let written = file.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{} {}", file.len(), written.as_nanos()))
}
