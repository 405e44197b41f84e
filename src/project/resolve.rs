//! From what was said (flags, variables, settings) to the one target of a command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::settings::{TargetSettings, Value};
use super::{Address, Project, SETTINGS, Secret, SettingsError, Target};
use crate::host::Host;
use crate::script::duration;

/// What the command line says about the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `--target NAME`.
    pub target: Option<String>,
    /// `--url URL`.
    pub url: Option<String>,
}

/// Where a value was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag(&'static str),
    /// An environment variable.
    Variable(String),
    /// The settings' file.
    File,
    /// Nowhere: the default.
    Default,
}

impl Project {
    /// Returns the target of a command and where it was said. The order: `--url`, `--target`, `DBBUILD_URL`,
    /// `DBBUILD_TARGET`, the settings, and, only if they have no target, `DATABASE_URL`: a stray variable must
    /// not deploy.
    pub fn target(&self, selection: &Selection, host: &Host) -> Result<(Target, Origin), SettingsError> {
        if let Some(url) = &selection.url {
            return Ok((self.bare(url)?, Origin::Flag("--url")));
        }
        if let Some(name) = &selection.target {
            return Ok((self.named(name, host)?, Origin::Flag("--target")));
        }
        if let Some(url) = host.variable("DBBUILD_URL") {
            return Ok((self.bare(url)?, Origin::Variable("DBBUILD_URL".into())));
        }
        if let Some(name) = host.variable("DBBUILD_TARGET") {
            return Ok((self.named(name, host)?, Origin::Variable("DBBUILD_TARGET".into())));
        }
        if let Some(name) = &self.settings.project.default_target {
            return Ok((self.named(name, host)?, Origin::File));
        }
        let mut names = self.settings.targets.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => Ok((self.named(only, host)?, Origin::File)),
            (Some(_), Some(_)) => Err(SettingsError::new("settings/which-target", "which target? there are several")
                .hint(format!("say `--target NAME` ({}), or set `default-target` in {SETTINGS}", self.target_names()))),
            (None, _) => match host.variable("DATABASE_URL") {
                Some(url) => Ok((self.bare(url)?, Origin::Variable("DATABASE_URL".into()))),
                None => Err(SettingsError::new(
                    "settings/no-target",
                    "no target: nothing says which database to build",
                )
                .hint(format!(
                    "say `--url sqlite:app.db` or `--url postgresql://…`, set DBBUILD_URL or DATABASE_URL, or add \
                         `[targets.dev]` with `url = …` to {SETTINGS}"
                ))),
            },
        }
    }

    fn target_names(&self) -> String {
        self.settings.targets.keys().cloned().collect::<Vec<_>>().join(", ")
    }

    fn bare(&self, url: &str) -> Result<Target, SettingsError> {
        let (address, shown) = self.address(url)?;
        let mut target = Target::at(address, shown);
        self.journal_settings(&mut target);
        Ok(target)
    }

    fn journal_settings(&self, target: &mut Target) {
        if let Some(name) = &self.settings.journal.name {
            target.journal_name.clone_from(name);
        }
        target.pg_dump.clone_from(&self.settings.baseline.pg_dump);
        target.locale.clone_from(&self.settings.baseline.locale);
    }

    fn named(&self, name: &str, host: &Host) -> Result<Target, SettingsError> {
        let Some(settings) = self.settings.targets.get(name) else {
            let error =
                SettingsError::new("settings/unknown-target", format!("there is no target `{name}` in {SETTINGS}"));
            return Err(if self.settings.targets.is_empty() {
                error.hint(format!("add `[targets.{name}]` with `url = …`"))
            } else {
                error.hint(format!("the targets are: {}", self.target_names()))
            });
        };
        self.configured(name, settings, host)
    }

    fn configured(&self, name: &str, settings: &TargetSettings, host: &Host) -> Result<Target, SettingsError> {
        let what = |field: &str| format!("targets.{name}.{field}");
        let url = settings.url.as_ref().ok_or_else(|| {
            SettingsError::new("settings/no-url", format!("[targets.{name}] in {SETTINGS} has no `url`"))
                .hint("`url = \"sqlite:app.db\"`, `url = \"postgresql://…\"` or `url = { env = \"VARIABLE\" }`")
        })?;
        let (address, shown) = self.address(&self.value(&what("url"), url, host)?)?;
        let mut target = Target::at(address, shown);
        self.journal_settings(&mut target);
        target.name = Some(name.to_owned());
        target.password = match &settings.password {
            Some(value) => Some(Secret::new(self.value(&what("password"), value, host)?)),
            None => None,
        };
        target.scratch = match &settings.scratch {
            Some(value) => Some(Secret::new(self.value(&what("scratch"), value, host)?)),
            None => None,
        };
        target.environment.clone_from(&settings.environment);
        target.protected = settings.protected;
        target.owner_role.clone_from(&settings.owner_role);
        target.roles.clone_from(&settings.roles);
        target.schemas.clone_from(&settings.schemas);
        let limit = |field: &str, text: &Option<String>, default: Duration| match text {
            None => Ok(default),
            Some(text) => duration(text).ok_or_else(|| {
                SettingsError::new("settings/duration", format!("{}: `{text}` is no duration", what(field)))
                    .hint("write `500ms`, `5s`, `10min`, `2h`, or `0` for no limit")
            }),
        };
        target.lock_timeout = limit("lock-timeout", &settings.lock_timeout, target.lock_timeout)?;
        target.statement_timeout = limit("statement-timeout", &settings.statement_timeout, target.statement_timeout)?;
        target.lock_wait = Some(limit("lock-wait", &settings.lock_wait, Duration::from_secs(600))?);
        target.retries = settings.retries.unwrap_or(target.retries);
        target.lock = settings.lock.unwrap_or_default();
        target.baseline = settings.baseline;
        target.sync_seeds.clone_from(&settings.sync_seeds);
        target.variables.clone_from(&settings.variables);
        Ok(target)
    }

    /// Reads a URL. A SQLite path is relative to the project.
    fn address(&self, url: &str) -> Result<(Address, String), SettingsError> {
        let url = url.trim();
        if ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Ok((Address::Postgres(Secret::new(url)), "postgresql".to_owned()));
        }
        if let Some(rest) = url.strip_prefix("sqlite:").or_else(|| url.strip_prefix("sqlite3:")) {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            let path = path.split_once('?').map_or(path, |(path, _)| path);
            if path.is_empty() {
                return Err(SettingsError::new("settings/url", "`sqlite:` needs a path")
                    .hint("`sqlite:app.db` is relative to the project, `sqlite:/var/lib/app.db` is not"));
            }
            if path == ":memory:" {
                return Ok((Address::Sqlite(None), "sqlite::memory:".to_owned()));
            }
            let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
            let file = self.files.root().map_or_else(|| PathBuf::from(&path), |root| root.join(&path));
            return Ok((Address::Sqlite(Some(file)), format!("sqlite:{path}")));
        }
        // A keyword string, as libpq takes it: `host=… dbname=…`.
        if url.contains('=') && !url.contains("://") {
            return Ok((Address::Postgres(Secret::new(url)), "postgresql".to_owned()));
        }
        let why = url
            .split_once(':')
            .map_or_else(|| "it has no scheme".to_owned(), |(scheme, _)| format!("it begins `{scheme}:`"));
        Err(SettingsError::new("settings/url", format!("cannot tell the engine from this URL ({why})"))
            .hint("write `postgresql://user@host/database` or `sqlite:path/to/file.db`"))
    }

    fn value(&self, what: &str, value: &Value, host: &Host) -> Result<String, SettingsError> {
        match value {
            Value::Plain(text) => Ok(text.clone()),
            Value::Env { env } => host.variable(env).map(str::to_owned).ok_or_else(|| {
                SettingsError::new("settings/variable", format!("{what}: the variable {env} is not set"))
                    .hint(format!("export {env}=…, or name another target"))
            }),
            Value::Command { command } => run(what, command, self.files.root(), host),
            Value::File { file } => {
                let path = self.files.root().map_or_else(|| PathBuf::from(file), |root| root.join(file));
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    SettingsError::new("settings/file", format!("{what}: {}: {error}", path.display()))
                })?;
                Ok(first_line(&text))
            }
        }
    }
}

fn run(what: &str, command: &str, folder: Option<&Path>, host: &Host) -> Result<String, SettingsError> {
    let failed = |message: String| {
        SettingsError::new("settings/command", format!("{what}: {message}")).hint("run the command by hand and mend it")
    };
    let mut shell = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    shell.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(command).stdin(Stdio::null()).stderr(Stdio::inherit());
    if let Some(folder) = folder {
        shell.current_dir(folder);
    }
    shell.env_clear().envs(&host.variables);
    let output = shell.output().map_err(|error| failed(format!("cannot run its command: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("its command ended with {}", output.status)));
    }
    let line = first_line(&String::from_utf8_lossy(&output.stdout));
    if line.is_empty() { Err(failed("its command printed nothing".into())) } else { Ok(line) }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_end().to_owned()
}
