//! `dbbuild init`: a project from nothing, or settings that fit the scripts that are here.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Context, Exit, Outcome};
use crate::error::Error;
use crate::init::{Initialised, Wish, init};
use crate::project::EngineName;
use crate::sql::Dialect;

/// What `init` understands.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The project's name [default: the folder's].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The engine [default: what the scripts look like, else sqlite].
    #[arg(long, value_enum)]
    pub engine: Option<EngineWord>,
}

/// An engine, as flags write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineWord {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl From<EngineWord> for Dialect {
    fn from(word: EngineWord) -> Self {
        match word {
            EngineWord::Postgres => Self::Postgres,
            EngineWord::Sqlite => Self::Sqlite,
        }
    }
}

/// Makes the folder a project: the one that is said, else the current one, never one above it.
pub fn run(context: &Context, args: &InitArgs) -> Outcome {
    let folder = match &context.global.project {
        Some(folder) => folder.clone(),
        None => std::env::current_dir().map_err(|source| Error::Io { path: PathBuf::from("."), source })?,
    };
    let engine = args.engine.map(|word| EngineName::from(Dialect::from(word)));
    let done = init(&folder, &Wish { name: args.name.clone(), engine })?;
    if context.is_json() {
        context.document(&document(&done));
    } else {
        text(context, &done);
    }
    Ok(Exit::Done)
}

fn document(done: &Initialised) -> serde_json::Value {
    let files: Vec<_> = done.files.iter().map(|file| json!({"path": file.path, "created": file.created})).collect();
    let recognised = done.recognised.as_ref().map(|found| {
        let scripts = found.scripts.iter().map(|(engine, scripts)| {
            let scripts = scripts.iter();
            let scripts =
                scripts.map(|script| json!({"version": script.version, "name": script.name, "file": script.file}));
            (Dialect::from(*engine).name().to_owned(), scripts.collect())
        });
        json!({
            "layout": found.layout,
            "scripts": scripts.collect::<serde_json::Map<_, _>>(),
            "newest": found.newest,
            "notes": found.notes,
        })
    });
    json!({"v": 1, "files": files, "recognised": recognised, "notes": done.notes})
}

fn text(context: &Context, done: &Initialised) {
    for file in &done.files {
        context.print(format!("  {:<9} {}", if file.created { "created" } else { "changed" }, file.path));
    }
    for note in &done.notes {
        context.note(&format!("note: {note}"));
    }
    let Some(found) = &done.recognised else {
        context.print("next: `dbbuild new-version \"create customer\"`, edit the script, `dbbuild`");
        return;
    };
    for (engine, scripts) in &found.scripts {
        let range = match (scripts.first(), scripts.last()) {
            (Some(first), Some(last)) => format!(", {} to {}", first.version, last.version),
            _ => String::new(),
        };
        let engine = Dialect::from(*engine).name();
        let count = if scripts.len() == 1 { "1 script".to_owned() } else { format!("{} scripts", scripts.len()) };
        context.print(format!("  {engine:<9} {count}{range}, layout {}", found.layout.name()));
    }
    for note in &found.notes {
        context.note(&format!("note: {note}"));
    }
    context.print("next: look through dbbuild.toml, then `dbbuild plan`");
}
