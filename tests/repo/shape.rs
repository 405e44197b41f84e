//! `docs/design/architecture.md` is the input: its tables say which module may use which, and which words stand
//! nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use super::{files, read};

const DOCUMENT: &str = "docs/design/architecture.md";

/// Returns the rows of the table under a heading, cell by cell.
fn table(heading: &str) -> Vec<Vec<String>> {
    let document = read(DOCUMENT);
    let (_, section) = document.split_once(&format!("\n## {heading}\n")).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let rows: Vec<Vec<String>> =
        rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect();
    assert!(!rows.is_empty(), "no table under {heading}");
    rows
}

/// Returns what stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the sources that are part of the program, each without its comments and tests.
fn sources() -> BTreeMap<String, String> {
    let is_test = |path: &String| path.contains("/tests/") || path.ends_with("tests.rs");
    let paths = files("src", ".rs").into_iter().filter(|path| !is_test(path));
    paths.map(|path| (path.clone(), code(&read(&path)))).collect()
}

/// Takes comments and the test module off a source.
fn code(source: &str) -> String {
    let end = source.find("#[cfg(test)]\n#[allow(").unwrap_or(source.len());
    let lines = source[..end].lines().map(|line| match line.find("//") {
        // A URL in a string is no comment.
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn module(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

/// Returns the modules of this crate that a source names: `crate::sql::…`, `crate::{sql, script}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let list = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(list, _)| list);
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match list {
            Some(list) => names.extend(list.split(',').map(|item| word(item.trim()))),
            None => {
                names.insert(word(rest));
            }
        }
    }
    names
}

#[test]
fn modules_use_only_what_is_below_them() {
    let allowed: BTreeMap<String, BTreeSet<String>> =
        table("Layers").iter().map(|row| (quoted(&row[0]).remove(0), quoted(&row[1]).into_iter().collect())).collect();
    let modules: BTreeSet<String> =
        sources().keys().map(|path| module(path).to_owned()).filter(|module| module != "lib").collect();
    let listed: BTreeSet<String> = allowed.keys().cloned().collect();
    assert_eq!(modules, listed, "the modules of src/ and the table in {DOCUMENT} differ");
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let module = module(&path);
        let Some(allowed) = allowed.get(module) else { continue };
        let used = named(&code).into_iter().filter(|name| modules.contains(name) && name != module);
        wrong.extend(used.filter(|name| !allowed.contains(name)).map(|name| format!("{path} uses crate::{name}")));
    }
    assert!(wrong.is_empty(), "not in the table of {DOCUMENT}:\n{}", wrong.join("\n"));
}

/// Returns true if a word stands in a text, and is not the end of a longer one.
fn holds(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(part);
        let after = text[at + word.len()..].chars().next().is_some_and(part);
        let ends_in_word = word.chars().next_back().is_some_and(part);
        let begins_in_word = word.chars().next().is_some_and(part);
        !(before && begins_in_word || after && ends_in_word)
    })
}

#[test]
fn words_stand_only_where_they_may() {
    let mut wrong = Vec::new();
    for row in table("Never") {
        let (words, homes) = (quoted(&row[0]), quoted(&row[1]));
        assert!(!words.is_empty() && (!homes.is_empty() || row[1] == "nowhere"), "{row:?}");
        for (path, code) in sources() {
            if homes.iter().any(|home| path.starts_with(home.as_str())) {
                continue;
            }
            let found = words.iter().filter(|word| holds(&code, word));
            wrong.extend(found.map(|word| format!("{path} names `{word}`")));
        }
    }
    assert!(wrong.is_empty(), "against the table of {DOCUMENT}:\n{}", wrong.join("\n"));
}

#[test]
fn the_pure_layers_do_no_input_or_output() {
    let document = read(DOCUMENT);
    let sentence = document.split("These do no input or output").nth(1).unwrap().split("\n\n").next().unwrap();
    let (words, homes) = sentence.split_once(" in\n").expect("words in folders");
    let (words, homes) = (quoted(words), quoted(homes));
    assert!(words.len() > 3 && homes.len() > 3);
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        if homes.iter().any(|home| path.starts_with(home.as_str())) {
            wrong.extend(words.iter().filter(|word| holds(&code, word)).map(|word| format!("{path} names `{word}`")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_named_after_things() {
    let mut wrong = Vec::new();
    for path in files("src", ".rs").into_iter().chain(files("tests", ".rs")) {
        let lines = read(&path).lines().count();
        if lines > 600 {
            wrong.push(format!("{path} has {lines} lines"));
        }
        let stem = path.rsplit('/').next().unwrap().trim_end_matches(".rs");
        if stem.split('_').any(|word| ["util", "utils", "helper", "helpers", "common", "manager"].contains(&word)) {
            wrong.push(format!("{path} is named after nothing"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_source_says_what_it_is_for() {
    let paths = sources().into_keys().chain(files("tests", ".rs"));
    let silent: Vec<String> = paths.filter(|path| !read(path).starts_with("//!")).collect();
    assert!(silent.is_empty(), "no `//!` at the head of:\n{}", silent.join("\n"));
}

#[test]
fn the_checks_themselves_find_what_they_look_for() {
    assert!(holds("let x = std::env::var(\"A\");", "env::var"));
    assert!(!holds("let x = std::env::vars();", "env::var"));
    assert!(!holds("my_println!()", "println!"));
    assert_eq!(code("let a = 1; // unsafe\nlet b = \"http://x\";"), "let a = 1; \nlet b = \"http://x\";");
    let names: Vec<String> = named("use crate::{sql::Span, script};\ncrate::error::Error").into_iter().collect();
    assert_eq!(names, ["error", "script", "sql"]);
}
