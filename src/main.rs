//! The `dbbuild` command.

fn main() -> std::process::ExitCode {
    dbbuild::cli::run(std::env::args_os())
}
