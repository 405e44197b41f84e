//! The command line: the only code that prints, prompts, reads the process's environment and knows exit codes.

mod accept;
mod adopt;
mod args;
mod baseline;
mod build;
mod config;
mod context;
mod create;
mod drift;
mod dump;
mod exit;
mod hooks;
mod init;
mod lint;
mod mark;
mod merge;
mod new_version;
mod pages;
mod plan;
mod render;
mod renumber;
mod reset;
mod show;
mod squash;
mod status;
mod verify;
mod wait;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

pub use context::Context;
pub use exit::{Exit, Outcome};

/// Runs the tool on a command line, program name included.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match args::Cli::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let cli = match args::Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if cli.verb.is_some() && !cli.build.is_default() {
        let error = args::Cli::command().error(
            clap::error::ErrorKind::ArgumentConflict,
            "the flags of `build` stand behind the verb: `dbbuild build --to 7`",
        );
        return usage(&error);
    }
    let for_lint = matches!(cli.global.format, args::Format::Sarif | args::Format::Github);
    if for_lint && !matches!(cli.verb, Some(args::Verb::Lint(_))) {
        let message = "`--format sarif` and `--format github` are for `lint`";
        return usage(&args::Cli::command().error(clap::error::ErrorKind::ArgumentConflict, message));
    }
    let context = Context::new(cli.global);
    let outcome = match cli.verb {
        Some(verb) => verb.run(&context),
        None => build::run(&context, &cli.build),
    };
    context.end(outcome).into()
}

/// Returns the whole command line as clap knows it, for pages that are generated.
pub fn command() -> clap::Command {
    args::Cli::command()
}

fn usage(error: &clap::Error) -> ExitCode {
    // Whoever closed the pipe has read enough.
    if error.print().is_err() || error.exit_code() == 0 {
        return ExitCode::SUCCESS;
    }
    Exit::Usage.into()
}
