//! A project on disk or in the program: its settings, its files, its targets.

pub mod base;
mod error;
mod files;
pub mod layout;
mod naming;
mod resolve;
mod schema;
pub mod settings;
mod target;

use std::path::Path;

pub use base::Base;
pub use error::SettingsError;
pub use files::{Files, Found, FoundKind};
pub use layout::{Layout, PathRole, Sections};
pub use naming::is_way_down;
pub use resolve::{Origin, Selection};
pub use schema::settings_schema;
pub use settings::{EngineName, LockMode, Settings};
pub use target::{Address, Secret, Target};

use crate::error::Place;
use crate::script::Directive;
use crate::sql::{Dialect, Span};

/// The name of the settings' file.
pub const SETTINGS: &str = "dbbuild.toml";

/// A project: what is in its folder and what its settings say.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its files.
    pub files: Files,
    /// Its settings; defaults where the file says nothing.
    pub settings: Settings,
    /// Its name in the journal.
    pub name: String,
    /// Texts that stand in for files: what the journal has of a script or code file that was changed since.
    pub texts: std::collections::BTreeMap<String, String>,
    /// Directives from the settings, by script.
    directives: Vec<(crate::script::Version, Vec<Directive>)>,
    /// Versions from the settings, by change.
    versions: std::collections::BTreeMap<String, crate::script::Version>,
}

impl Project {
    /// Opens the project in a folder. A folder without `dbbuild.toml` has every setting at its default.
    pub fn open(root: &Path) -> Result<Self, SettingsError> {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        if !root.is_dir() {
            return Err(SettingsError::new("settings/no-folder", format!("there is no folder {}", root.display())));
        }
        let folder_name = root.file_name().map(|name| name.to_string_lossy().into_owned());
        Self::from_files(Files::Folder(root), folder_name.as_deref().unwrap_or("project"))
    }

    /// Opens a project that was put into the program.
    pub fn embedded(files: &'static [(&'static str, &'static [u8])]) -> Result<Self, SettingsError> {
        Self::from_files(Files::Embedded(files), "project")
    }

    fn from_files(files: Files, default_name: &str) -> Result<Self, SettingsError> {
        let settings = if files.has(SETTINGS) { read_settings(&files)? } else { Settings::default() };
        Self::with_settings(files, settings, default_name)
    }

    /// Makes a project of files and settings that need not be in them yet.
    pub fn with_settings(files: Files, settings: Settings, default_name: &str) -> Result<Self, SettingsError> {
        let name = settings.project.name.clone().unwrap_or_else(|| default_name.to_owned());
        let directives = script_directives(&settings)?;
        let versions = naming::versions(&settings)?;
        Ok(Self { files, settings, name, texts: std::collections::BTreeMap::new(), directives, versions })
    }

    /// Returns the directives that the settings give a script.
    pub fn script_directives(&self, version: &crate::script::Version) -> &[Directive] {
        let found = self.directives.iter().find(|(known, _)| known == version);
        found.map_or(&[], |(_, directives)| directives)
    }

    /// Returns how scripts are named.
    pub fn layout(&self) -> Layout {
        self.settings.layout.style.unwrap_or_default()
    }

    /// Returns true if scripts are templates.
    pub fn has_templates(&self) -> bool {
        self.settings.layout.templates.unwrap_or(self.layout() == Layout::Tern)
    }

    /// Returns the folder of the scripts for an engine.
    pub fn scripts_folder(&self, dialect: Dialect) -> &str {
        let layout = &self.settings.layout;
        let own = layout.engine_scripts.get(&EngineName::from(dialect));
        clean(own.or(layout.scripts.as_ref()).map_or("db", String::as_str))
    }

    /// Returns the folder of the code objects.
    pub fn code_folder(&self) -> String {
        match &self.settings.layout.code {
            Some(folder) => clean(folder).to_owned(),
            None => format!("{}/code", clean(self.settings.layout.scripts.as_deref().unwrap_or("db"))),
        }
    }

    /// Returns the folder of the seeds.
    pub fn seed_folder(&self) -> &str {
        clean(self.settings.layout.seed.as_deref().unwrap_or("seed"))
    }

    /// Returns the folder of an engine's baseline.
    pub fn baseline_folder(&self, dialect: Dialect) -> String {
        format!("{}/{}", clean(self.settings.layout.baseline.as_deref().unwrap_or("baseline")), dialect.name())
    }
}

impl From<Dialect> for EngineName {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => Self::Postgres,
            Dialect::Sqlite => Self::Sqlite,
        }
    }
}

impl From<EngineName> for Dialect {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Postgres => Self::Postgres,
            EngineName::Sqlite => Self::Sqlite,
        }
    }
}

fn clean(folder: &str) -> &str {
    folder.trim_start_matches("./").trim_end_matches('/')
}

fn read_settings(files: &Files) -> Result<Settings, SettingsError> {
    let bytes = files
        .read(SETTINGS)
        .map_err(|error| SettingsError::new("settings/unreadable", format!("{SETTINGS}: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        SettingsError::new("settings/encoding", format!("{SETTINGS} is not UTF-8: {}", error.utf8_error()))
    })?;
    toml::from_str(&text).map_err(|error| {
        let span = error.span().map_or(Span::new(0, 0), |range| Span::new(range.start, range.end));
        SettingsError::new("settings/invalid", error.message().to_owned())
            .at(Place::new(SETTINGS, &text, span))
            .hint("the settings are described in docs/reference/settings.md")
    })
}

fn script_directives(settings: &Settings) -> Result<Vec<(crate::script::Version, Vec<Directive>)>, SettingsError> {
    let mut all = Vec::new();
    for (key, script) in &settings.script {
        let wrong = |message: String| {
            SettingsError::new("settings/script", format!("[script.{key:?}] in {SETTINGS}: {message}"))
        };
        let version = key.parse().map_err(|error| wrong(format!("{error}")))?;
        let mut directives = Vec::new();
        for text in &script.directives {
            let directive = Directive::parse(text).map_err(|error| wrong(error.to_string()))?;
            if !directive.is_about_the_file() {
                return Err(wrong(format!("`{text}` is about a statement: it stands in front of it, in the script")));
            }
            directives.push(directive);
        }
        all.push((version, directives));
    }
    Ok(all)
}
