//! The command line's page, from clap.

use std::fmt::Write as _;

use clap::{Arg, Command};

pub fn page() -> String {
    let mut tool = dbbuild::cli::command();
    tool.build();
    let mut page = super::made_from("`dbbuild::cli::command()`");
    page += "# The command line\n\n";
    writeln!(page, "{}\n", text(tool.get_long_about().or(tool.get_about()))).unwrap();
    page += "What flags, variables and `dbbuild.toml` say is taken in that order. The exit codes are in\n\
             [exit-codes.md](exit-codes.md), what `--format json` prints in [json.md](json.md).\n\n";
    page += "| verb | |\n|---|---|\n";
    for verb in verbs(&tool) {
        let name = verb.get_name();
        writeln!(page, "| [`{name}`](#dbbuild-{name}) | {} |", super::cell(&text(verb.get_about()))).unwrap();
    }
    page += "\n## Everywhere\n\n";
    arguments(&mut page, &tool, &|argument| argument.is_global_set());
    for verb in verbs(&tool) {
        let name = verb.get_name();
        writeln!(page, "## dbbuild {name}\n").unwrap();
        writeln!(page, "{}.\n", text(verb.get_long_about().or(verb.get_about())).trim_end_matches('.')).unwrap();
        writeln!(page, "```text\n{}\n```\n", usage(verb)).unwrap();
        if name == "build" {
            page += "`dbbuild` alone is `dbbuild build`.\n\n";
        }
        arguments(&mut page, verb, &|argument| !argument.is_global_set());
    }
    page.trim_end().to_owned() + "\n"
}

fn verbs(tool: &Command) -> impl Iterator<Item = &Command> {
    tool.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
}

fn usage(verb: &Command) -> String {
    let usage = verb.clone().render_usage().to_string();
    usage.trim_start_matches("Usage:").trim().to_owned()
}

fn arguments(page: &mut String, command: &Command, which: &dyn Fn(&Arg) -> bool) {
    let shown = command.get_arguments().filter(|argument| {
        !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version") && which(argument)
    });
    let rows: Vec<String> = shown.map(row).collect();
    if !rows.is_empty() {
        writeln!(page, "| | |\n|---|---|\n{}\n", rows.join("\n")).unwrap();
    }
}

fn row(argument: &Arg) -> String {
    let mut name = String::new();
    if let Some(short) = argument.get_short() {
        write!(name, "`-{short}`, ").unwrap();
    }
    let values = argument.get_value_names().unwrap_or_default();
    let value = if argument.get_action().takes_values() { values.join(" ") } else { String::new() };
    match argument.get_long() {
        Some(long) if value.is_empty() => write!(name, "`--{long}`"),
        Some(long) => write!(name, "`--{long} {value}`"),
        None => write!(name, "`{value}`"),
    }
    .unwrap();
    let mut help = text(argument.get_long_help().or(argument.get_help()));
    if !help.is_empty() && !help.ends_with(['.', ']']) {
        help.push('.');
    }
    let possible: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| argument.get_action().takes_values())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !possible.is_empty() {
        write!(help, " One of {}.", possible.join(", ")).unwrap();
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        write!(help, " Default: {}.", defaults.join(", ")).unwrap();
    }
    if let Some(variable) = argument.get_env() {
        write!(help, " Variable: `{}`.", variable.to_string_lossy()).unwrap();
    }
    format!("| {name} | {} |", super::cell(&help))
}

fn text(help: Option<&clap::builder::StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default()
}
