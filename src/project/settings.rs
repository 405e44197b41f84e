//! `dbbuild.toml` as values. Its JSON Schema is generated from these types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::layout::Layout;

/// The whole of `dbbuild.toml`. Every part may be left out.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What the project is.
    pub project: ProjectSettings,
    /// The databases that commands can act on, by name.
    pub targets: BTreeMap<String, TargetSettings>,
    /// Where scripts, code and seeds are and how they are named.
    pub layout: LayoutSettings,
    /// The journal.
    pub journal: JournalSettings,
    /// What a build does in states that teams judge differently.
    pub policy: PolicySettings,
    /// The baseline.
    pub baseline: BaselineSettings,
    /// What `lint` looks for, and how much it matters.
    pub lint: LintSettings,
    /// What comparing a database with a fresh build leaves out.
    pub drift: DriftSettings,
    /// Values of variables that scripts may use. They enter the checksum.
    pub variables: BTreeMap<String, String>,
    /// Directives for scripts that must not be edited, by version.
    pub script: BTreeMap<String, ScriptSettings>,
}

/// What the project is.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ProjectSettings {
    /// The project's name in the journal. Default: the folder's name.
    pub name: Option<String>,
    /// The engines that the scripts serve: `postgres`, `sqlite`. Default: those of the targets.
    pub engines: Option<Vec<EngineName>>,
    /// Scripts up to this version are as they are: exempt from findings and fixes.
    pub history: Option<String>,
    /// The target of commands that name none.
    pub default_target: Option<String>,
    /// The branch that scripts are merged into. Default: what `origin/HEAD` names, else `main` or `master`.
    pub main_branch: Option<String>,
}

/// An engine by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum EngineName {
    Postgres,
    Sqlite,
}

/// One database that commands can act on.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TargetSettings {
    /// `postgresql://…`, `sqlite:PATH`, or where the URL comes from.
    pub url: Option<Value>,
    /// The password, if the URL does not hold it.
    pub password: Option<Value>,
    /// `development`, `staging`, `production` or a word of your own.
    pub environment: Option<String>,
    /// True if destructive commands must be refused. Default: true for `production`.
    pub protected: Option<bool>,
    /// The role that owns what scripts create (PostgreSQL). The login role must be a member.
    pub owner_role: Option<String>,
    /// Roles that must exist before a build (PostgreSQL).
    pub roles: Vec<String>,
    /// The schemas that belong to the project (PostgreSQL). Default: all but the system's and dbbuild's.
    pub schemas: Vec<String>,
    /// How long a statement may wait for a lock. Default: `5s`.
    pub lock_timeout: Option<String>,
    /// How long a statement may run. Default: no limit.
    pub statement_timeout: Option<String>,
    /// How many times a script is tried again after a lock timeout or a deadlock. Default: 5.
    pub retries: Option<u32>,
    /// What keeps builders apart: `session` (an advisory lock) or `claim` (behind a transaction pooler).
    pub lock: Option<LockMode>,
    /// How long to wait for another build. Default: `10min`; `0` does not wait.
    pub lock_wait: Option<String>,
    /// True if a build of this target writes the baseline. Default: true for `development`.
    pub baseline: Option<bool>,
    /// Where scratch databases are made: a database URL of a server that may be played with.
    pub scratch: Option<Value>,
    /// CSV seeds of mode `sync` that may run although the target is protected.
    pub sync_seeds: Vec<String>,
    /// Values of variables for this target: they serve seeds of one environment and access only.
    pub variables: BTreeMap<String, String>,
}

/// A value, or where it comes from.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// The value itself.
    Plain(String),
    /// An environment variable.
    Env {
        /// The variable's name.
        env: String,
    },
    /// The first line that a command prints.
    Command {
        /// The command line, run by the shell.
        command: String,
    },
    /// The first line of a file.
    File {
        /// Its path; relative to the project.
        file: String,
    },
}

/// What keeps builders apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LockMode {
    /// A session's advisory lock; the default.
    #[default]
    Session,
    /// The journal's claim alone, for a connection behind a transaction pooler.
    Claim,
}

/// Where scripts, code and seeds are and how they are named.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LayoutSettings {
    /// How scripts are named. Default: `plain`.
    pub style: Option<Layout>,
    /// The folder of the scripts. Default: `db`.
    pub scripts: Option<String>,
    /// The folder of the scripts of one engine, where each has its own.
    pub engine_scripts: BTreeMap<EngineName, String>,
    /// The folder of the code objects. Default: `code` in the scripts' folder.
    pub code: Option<String>,
    /// The folder of the seeds. Default: `seed`.
    pub seed: Option<String>,
    /// The folder of the baselines. Default: `baseline`.
    pub baseline: Option<String>,
    /// Files to leave alone, as globs relative to the project.
    pub ignore: Vec<String>,
    /// True to read versions by their dates, where a history spells them in more than one way: `20240418210159` and
    /// `2024-04-18-210159` are then one. Default: false, number by number.
    pub dates: bool,
    /// True if scripts are Go templates (`{{.prefix}}`): they are filled in with the values under `[variables]`.
    /// Default: true for `tern`.
    pub templates: Option<bool>,
    /// Versions of scripts whose names do not say them: where a history has several of one number, or files without one
    /// (`v1.5/queue.sql` in folders that are versions, `migration-2-0004.sql`), in the order in which they run. By the
    /// script's file, relative to the project; its way down has it too.
    pub versions: BTreeMap<String, String>,
}

/// The journal.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct JournalSettings {
    /// The schema of the journal's tables (PostgreSQL), or the prefix of their names (SQLite). Default: `dbbuild`.
    pub name: Option<String>,
    /// False to leave the scripts' texts out of the journal. Default: true.
    pub texts: Option<bool>,
}

/// What a build does in states that teams judge differently.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PolicySettings {
    /// A database newer than the checkout: `accept` (default) or `refuse`.
    pub ahead: Option<Policy>,
    /// A script that is older than the newest applied one: `accept` (default) or `refuse`.
    pub late: Option<Policy>,
}

/// Goes on, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Policy {
    Accept,
    Refuse,
}

/// The baseline.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BaselineSettings {
    /// The command that runs `pg_dump`, with `{host}`, `{port}`, `{database}`, `{user}` where they belong.
    pub pg_dump: Option<Vec<String>>,
    /// The locale of PostgreSQL's scratch databases, for scripts that need a certain one: of the C library
    /// (`de_DE.UTF-8`) or ICU's (`icu:de-DE`). Default: none in particular, whatever the target's is, so that rows
    /// which are made in the order of texts are the same everywhere.
    pub locale: Option<String>,
}

/// What comparing a database with a fresh build leaves out.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DriftSettings {
    /// Objects that do not count, as globs on the name or on kind and name: `public.tmp_*`, `index public.*`. What
    /// hangs on a table that is left out is left out too.
    pub ignore: Vec<String>,
}

/// Settings of one script.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ScriptSettings {
    /// Directives as they would stand at the head of the script: `no-transaction`.
    pub directives: Vec<String>,
}

/// What `lint` looks for, and how much it matters.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LintSettings {
    /// The level of a rule or of a whole set, by name.
    pub levels: BTreeMap<String, LintLevel>,
    /// The sets that run: `idempotency`, `order`, `live-safety`, `security`, `style`. Default: all of them.
    pub sets: Option<Vec<String>>,
    /// The versions of PostgreSQL that scripts must serve: `13..`, `15`. Default: `13..`.
    pub postgres_versions: Option<String>,
    /// Other levels for some files, by glob relative to the project: `{ "db/old/*" = { levels = { style = "off" } } }`.
    pub paths: BTreeMap<String, LintPathSettings>,
}

/// Levels for some files.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LintPathSettings {
    /// The level of a rule or of a whole set, by name.
    pub levels: BTreeMap<String, LintLevel>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LintLevel {
    /// The rule does not run.
    Off,
    /// Told.
    Warning,
    /// Told, and `lint` ends with 1.
    Error,
}
