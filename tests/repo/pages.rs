//! Generated pages: each is made from the code and compared with what is committed.

#[path = "pages/cli.rs"]
mod cli;
#[path = "pages/events.rs"]
mod events;
#[path = "pages/settings.rs"]
mod settings;

use std::fmt::Write as _;

use dbbuild::cli::Exit;

use super::{read, root};

/// Compares a page with the committed one, or writes it.
fn current(path: &str, page: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root().join(path), page).unwrap();
    }
    let committed = root().join(path);
    let committed = if committed.exists() { read(path) } else { String::new() };
    assert!(committed == page, "{path} is not current: run `UPDATE_DOCS=1 cargo test --test repo` and commit it");
}

/// Returns the remark that a page is made from the code.
fn made_from(source: &str) -> String {
    format!("<!-- Made from {source} by `UPDATE_DOCS=1 cargo test --test repo`. -->\n\n")
}

/// Escapes what Markdown's tables would read.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[test]
fn cli_page_is_current() {
    current("docs/reference/cli.md", &cli::page());
}

#[test]
fn settings_page_is_current() {
    current("docs/reference/settings.md", &settings::page());
}

#[test]
fn events_page_is_current() {
    current("docs/reference/events.md", &events::page());
}

#[test]
fn exit_codes_page_is_current() {
    let mut page = made_from("`Exit::ALL` in src/cli/exit.rs");
    page += "# Exit codes\n\nScripts, hooks and CI may depend on them.\n\n| code | meaning |\n|--:|---|\n";
    for (exit, meaning) in Exit::ALL {
        writeln!(page, "| {} | {} |", exit.code(), cell(meaning)).unwrap();
    }
    page += "\nA closed pipe (`dbbuild status | head -1`) is no failure: the code is 0. What a build printed before it\n\
             failed is true: each line is printed after its step is committed.\n";
    current("docs/reference/exit-codes.md", &page);
}

#[test]
fn each_directive_has_its_section_with_its_form() {
    let page = read("docs/reference/directives.md");
    let headings: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("### `")).filter_map(|line| line.strip_suffix('`')).collect();
    let words: Vec<&str> = dbbuild::script::FORMS.iter().map(|(word, _)| *word).collect();
    assert_eq!(headings, words, "the sections of docs/reference/directives.md");
    for (word, form) in dbbuild::script::FORMS {
        for form in form.split(" | ").filter(|form| form.starts_with(word)) {
            let written = format!("-- dbbuild: {form}");
            assert!(page.contains(&written), "docs/reference/directives.md has no `{written}`");
        }
    }
}

#[test]
fn verbs_that_are_not_built_are_in_no_page() {
    let built: Vec<String> = dbbuild::cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let planned = [
        "lint",
        "verify",
        "drift",
        "squash",
        "adopt",
        "accept",
        "downgrade",
        "preserved",
        "backup",
        "restore",
        "audit",
        "access",
        "show",
        "hooks",
        "dump",
        "baseline",
        "renumber",
        "new-version",
        "init",
    ];
    let mut pages = super::files("docs", ".md");
    pages.extend(super::files("tests/stories", ".md"));
    pages.push("README.md".to_owned());
    let mut wrong = Vec::new();
    for page in pages {
        let text = read(&page);
        for verb in planned.iter().filter(|verb| !built.iter().any(|known| known == *verb)) {
            if text.contains(&format!("dbbuild {verb}")) {
                wrong.push(format!("{page} names `dbbuild {verb}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
