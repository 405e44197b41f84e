//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    accept, adopt, baseline, build, config, create, drift, dump, hooks, init, lint, mark, new_version, plan, renumber,
    reset, show, squash, status, verify, wait,
};

/// make for a database: ordered, checksummed, idempotent SQL scripts for PostgreSQL and SQLite.
///
/// Without a verb, dbbuild builds: it reads the journal inside the database, applies the scripts that are
/// missing, runs code objects and seeds that changed, and regenerates the baseline.
#[derive(Debug, Parser)]
#[command(name = "dbbuild", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What every verb understands.
    #[command(flatten)]
    pub global: Global,
    /// What a build without its verb understands.
    #[command(flatten)]
    pub build: build::BuildArgs,
    /// The verb; none is `build`.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What every verb understands.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The project's folder [default: the nearest one upwards that has a dbbuild.toml, else this one].
    #[arg(long, global = true, value_name = "DIR", env = "DBBUILD_PROJECT")]
    pub project: Option<PathBuf>,
    /// A target of dbbuild.toml.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "url")]
    pub target: Option<String>,
    /// A database: `postgresql://user@host/database` or `sqlite:PATH`.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print the result only.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print notices of the server too.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Answer yes to every question.
    #[arg(long, short, global = true)]
    pub yes: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// Findings for code scanning (`lint` only).
    Sarif,
    /// Findings as annotations of a GitHub workflow (`lint` only).
    Github,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Bring the database to the state of the checkout.
    Build(build::BuildArgs),
    /// Show how the database and the checkout stand to each other.
    Status(status::StatusArgs),
    /// Show what a build would do, and why.
    Plan(plan::PlanArgs),
    /// Write the full dump of a fresh build beside the scripts, or check that it is there.
    Baseline(baseline::BaselineArgs),
    /// Write any database in the baseline's own form, the same bytes for the same content.
    Dump(dump::DumpArgs),
    /// Compare the database with a fresh build of the checkout.
    Drift(drift::DriftArgs),
    /// Take new texts of applied scripts as applied, if they are proven to make the same.
    Accept(accept::AcceptArgs),
    /// Take over a database that has objects and no journal, after comparing it.
    Adopt(adopt::AdoptArgs),
    /// Show what is in the database.
    Show {
        /// What.
        #[command(subcommand)]
        what: show::What,
    },
    /// Make this folder a project, or write a dbbuild.toml that fits the scripts that are here.
    Init(init::InitArgs),
    /// Make the next script.
    NewVersion(new_version::NewVersionArgs),
    /// Give this branch's unmerged scripts the next versions.
    Renumber,
    /// Let a frozen base stand in for old scripts, which may then be deleted.
    Squash(squash::SquashArgs),
    /// Find what would fail or change something on a second run, and what is dangerous; with --fix mend it.
    Lint(lint::LintArgs),
    /// Prove by running them, in scratch databases, that scripts can run twice and all roads end in one database.
    Verify(verify::VerifyArgs),
    /// Write the mark: the environment's name and its protection.
    Mark(mark::MarkArgs),
    /// Load the rows of seed/test/.
    TestData,
    /// Create the database.
    Create,
    /// Drop the database.
    Drop(reset::Consent),
    /// Empty the database.
    Reset(reset::Consent),
    /// Wait until the database answers.
    Wait(wait::WaitArgs),
    /// Make it a habit: git hooks that build after a pull and keep the baseline with each commit.
    Hooks {
        /// What.
        #[command(subcommand)]
        what: hooks::What,
    },
    /// Print each setting and where it was said.
    Config,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder.
    Man {
        /// The folder.
        folder: PathBuf,
    },
}

impl Verb {
    /// Runs the verb.
    pub fn run(self, context: &super::Context) -> super::Outcome {
        match self {
            Self::Build(args) => build::run(context, &args),
            Self::Status(args) => status::run(context, &args),
            Self::Plan(args) => plan::run(context, &args),
            Self::Baseline(args) => baseline::run(context, &args),
            Self::Dump(args) => dump::run(context, &args),
            Self::Drift(args) => drift::run(context, &args),
            Self::Accept(args) => accept::run(context, &args),
            Self::Adopt(args) => adopt::run(context, &args),
            Self::Show { what } => show::run(context, &what),
            Self::Init(args) => init::run(context, &args),
            Self::NewVersion(args) => new_version::run(context, &args),
            Self::Renumber => renumber::run(context),
            Self::Squash(args) => squash::run(context, &args),
            Self::Lint(args) => lint::run(context, &args),
            Self::Verify(args) => verify::run(context, &args),
            Self::Mark(args) => mark::run(context, &args),
            Self::TestData => mark::test_data(context),
            Self::Create => create::run(context),
            Self::Drop(consent) => reset::drop_database(context, &consent),
            Self::Reset(consent) => reset::run(context, &consent),
            Self::Wait(args) => wait::run(context, &args),
            Self::Hooks { what } => hooks::run(context, &what),
            Self::Config => config::run(context),
            Self::Completions { shell } => super::pages::completions(context, shell),
            Self::Man { folder } => super::pages::man(context, &folder),
        }
    }
}
