//! `[lint]` in `dbbuild.toml`: levels, sets, versions, paths.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::{Level, Rule, Set};
use super::rules::RULES;
use crate::project::SettingsError;

/// What lint is told by the settings.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LintSettings {
    /// The level of a rule or of a whole set: `off`, `warning`, `error`.
    pub levels: BTreeMap<String, LevelName>,
    /// The sets that run. Default: all of them.
    pub sets: Option<Vec<Set>>,
    /// The versions of PostgreSQL that scripts must serve: `13..`, `15`. Default: `13..`.
    pub postgres_versions: Option<String>,
    /// Other levels for some files, by glob relative to the project.
    pub paths: BTreeMap<String, PathSettings>,
}

/// Levels for some files.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PathSettings {
    /// The level of a rule or of a whole set.
    pub levels: BTreeMap<String, LevelName>,
}

/// A level, as settings spell it.
pub type LevelName = Level;

/// The settings, read, with what the command line adds.
#[derive(Debug, Clone)]
pub struct Options {
    /// The oldest major version of PostgreSQL that must be served.
    pub postgres_from: u32,
    /// One set alone.
    pub only_sets: Option<Vec<Set>>,
    /// One rule alone.
    pub only_rules: Vec<String>,
    levels: BTreeMap<String, Level>,
    paths: Vec<(globset::GlobMatcher, BTreeMap<String, Level>)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { postgres_from: 13, only_sets: None, only_rules: Vec::new(), levels: BTreeMap::new(), paths: Vec::new() }
    }
}

impl Options {
    /// Reads the settings.
    pub fn of(settings: &LintSettings) -> Result<Self, SettingsError> {
        let mut options = Self { only_sets: settings.sets.clone(), levels: settings.levels.clone(), ..Self::default() };
        check_names(&settings.levels)?;
        if let Some(versions) = &settings.postgres_versions {
            let digits: String = versions.trim().chars().take_while(char::is_ascii_digit).collect();
            options.postgres_from = digits.parse().map_err(|_| {
                SettingsError::new("settings/postgres-versions", format!("lint.postgres-versions: `{versions}` names no version"))
                    .hint("write `13..`, or `15` for one version")
            })?;
        }
        for (glob, path) in &settings.paths {
            check_names(&path.levels)?;
            let read = globset::Glob::new(glob);
            let read = read.map_err(|error| SettingsError::new("settings/lint-paths", format!("lint.paths: {error}")))?;
            options.paths.push((read.compile_matcher(), path.levels.clone()));
        }
        Ok(options)
    }

    /// Returns the level of a rule for a file.
    pub fn level(&self, rule: &Rule, file: &str) -> Level {
        if !self.only_rules.is_empty() && !self.only_rules.iter().any(|name| name == rule.name) {
            return Level::Off;
        }
        if self.only_sets.as_ref().is_some_and(|sets| !sets.contains(&rule.set)) && self.only_rules.is_empty() {
            return Level::Off;
        }
        let said = |levels: &BTreeMap<String, Level>| {
            levels.get(rule.name).or_else(|| levels.get(rule.set.name())).copied()
        };
        let for_path = self.paths.iter().filter(|(glob, _)| glob.is_match(file)).filter_map(|(_, levels)| said(levels));
        for_path.last().or_else(|| said(&self.levels)).unwrap_or(rule.set.level())
    }
}

fn check_names(levels: &BTreeMap<String, Level>) -> Result<(), SettingsError> {
    for name in levels.keys() {
        let known = Set::from_name(name).is_some() || RULES.iter().any(|rule| rule.name == name);
        if !known {
            return Err(SettingsError::new("settings/lint-rule", format!("lint.levels: there is no rule or set `{name}`"))
                .hint("`dbbuild lint --list` names them all"));
        }
    }
    Ok(())
}
