//! `[lint]` in `dbbuild.toml`: levels, sets, versions, paths.

use std::collections::BTreeMap;

use super::rule::{Level, Rule, Set};
use super::rules::RULES;
use crate::error::nearest;
use crate::project::SettingsError;
use crate::project::settings::{LintLevel, LintSettings};

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
        let mut options = Self { levels: levels(&settings.levels)?, ..Self::default() };
        if let Some(names) = &settings.sets {
            options.only_sets = Some(names.iter().map(|name| set(name)).collect::<Result<_, _>>()?);
        }
        if let Some(versions) = &settings.postgres_versions {
            let digits: String = versions.trim().chars().take_while(char::is_ascii_digit).collect();
            options.postgres_from = digits.parse().map_err(|_| {
                SettingsError::new(
                    "settings/postgres-versions",
                    format!("lint.postgres-versions: `{versions}` names no version"),
                )
                .hint("write `13..`, or `15` for one version")
            })?;
        }
        for (glob, path) in &settings.paths {
            let read = globset::Glob::new(glob);
            let read =
                read.map_err(|error| SettingsError::new("settings/lint-paths", format!("lint.paths: {error}")))?;
            options.paths.push((read.compile_matcher(), levels(&path.levels)?));
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
        let said =
            |levels: &BTreeMap<String, Level>| levels.get(rule.name).or_else(|| levels.get(rule.set.name())).copied();
        let mut for_path =
            self.paths.iter().filter(|(glob, _)| glob.is_match(file)).filter_map(|(_, levels)| said(levels));
        for_path.next_back().or_else(|| said(&self.levels)).unwrap_or(rule.set.level())
    }
}

fn set(name: &str) -> Result<Set, SettingsError> {
    Set::from_name(name).ok_or_else(|| {
        SettingsError::new("settings/lint-set", format!("lint.sets: there is no set `{name}`"))
            .hint("idempotency, order, live-safety, security, style")
    })
}

/// Says which rule or set was probably meant, and where all are named.
pub fn known_names(misspelt: &str) -> String {
    let names = RULES.iter().map(|rule| rule.name).chain(Set::ALL.iter().map(|set| set.name()));
    let nearest = nearest(misspelt, names).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    format!("{nearest}`dbbuild lint --list` names them all")
}

fn levels(written: &BTreeMap<String, LintLevel>) -> Result<BTreeMap<String, Level>, SettingsError> {
    let read = |(name, level): (&String, &LintLevel)| {
        let known = Set::from_name(name).is_some() || RULES.iter().any(|rule| rule.name == name);
        if !known {
            let message = format!("lint.levels: there is no rule or set `{name}`");
            return Err(SettingsError::new("settings/lint-rule", message).hint(known_names(name)));
        }
        let level = match level {
            LintLevel::Off => Level::Off,
            LintLevel::Warning => Level::Warning,
            LintLevel::Error => Level::Error,
        };
        Ok((name.clone(), level))
    };
    written.iter().map(read).collect()
}
