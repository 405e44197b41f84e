//! Stories: the documents in `tests/stories/` are run for real, in an empty folder, with SQLite.
//!
//! A block whose language is followed by a path (```` ```sql db/0001_a.sql ````) is written there. In a `console`
//! block each `$ command` is run by `sh`, and what it prints must be what stands below it, durations apart; a last
//! line `(exit code 4)` is the exit code where it is not 0. `UPDATE_DOCS=1 cargo test --test stories` writes what
//! was printed into the documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

macro_rules! stories {
    ($($name:ident)*) => {
        $(#[test] fn $name() { tell(stringify!($name)); })*

        #[test]
        fn no_story_is_forgotten() {
            let mut found: Vec<String> = folder().read_dir().unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().trim_end_matches(".md").replace('-', "_"))
                .collect();
            found.sort();
            let mut told = vec![$(stringify!($name)),*];
            told.sort_unstable();
            assert_eq!(found, told);
        }
    };
}

stories! {
    a_database_without_a_journal a_failing_script a_project_of_your_own a_view_through_change an_edited_script
    an_environment_of_its_own another_tools_history proofs_instead_of_promises
    squashing_old_scripts the_baseline_in_git
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories")
}

/// Runs a story in an empty folder.
fn tell(name: &str) {
    let path = folder().join(format!("{}.md", name.replace('_', "-")));
    let story = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let stage = tempfile::tempdir().unwrap();
    let shop = stage.path().join("shop");
    std::fs::create_dir(&shop).unwrap();
    let told = retell(&story, &shop);
    if told == story {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, told).unwrap();
        return;
    }
    let differs = told.lines().zip(story.lines()).position(|(a, b)| a != b).unwrap_or_default();
    let around = |text: &str| text.lines().skip(differs.saturating_sub(3)).take(14).collect::<Vec<_>>().join("\n");
    panic!(
        "{} differs at line {}; `UPDATE_DOCS=1 cargo test --test stories` writes what is printed now.\n\
         --- the story\n{}\n--- what was printed\n{}",
        path.display(),
        differs + 1,
        around(&story),
        around(&told)
    );
}

/// Returns the story with what its commands print now; where only durations differ, with what it says.
fn retell(story: &str, shop: &Path) -> String {
    let mut told = String::new();
    let mut lines = story.lines();
    while let Some(line) = lines.next() {
        writeln!(told, "{line}").unwrap();
        let Some(language) = line.strip_prefix("```").filter(|language| !language.is_empty()) else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language.split_once(' ') {
            Some((_, path)) => {
                write(&shop.join(path), &(block.join("\n") + "\n"));
                told += &(block.join("\n") + "\n");
            }
            None if language == "console" => {
                for (command, said) in commands(&block) {
                    let printed = run(command, shop);
                    let same = timeless(&printed) == timeless(&said);
                    write!(told, "$ {command}\n{}", if same { &said } else { &printed }).unwrap();
                }
            }
            None => told += &(block.join("\n") + "\n"),
        }
        told += "```\n";
    }
    told
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Returns the commands of a block with what stands below each.
fn commands<'a>(block: &[&'a str]) -> Vec<(&'a str, String)> {
    let mut commands: Vec<(&str, String)> = Vec::new();
    for line in block {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command, String::new())),
            None => writeln!(commands.last_mut().expect("a command comes first").1, "{line}").unwrap(),
        }
    }
    commands
}

/// Runs a command line and returns what it prints, and its exit code if that is not 0.
fn run(command: &str, shop: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_dbbuild"));
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(shop)
        .env_clear()
        .env("PATH", format!("{}:{path}", program.parent().unwrap().display()))
        .env("HOME", shop.parent().unwrap())
        .env("USER", "ada")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut printed = String::from_utf8(output.stdout).unwrap();
    if !printed.is_empty() && !printed.ends_with('\n') {
        printed.push('\n');
    }
    match output.status.code() {
        Some(0) => {}
        code => writeln!(printed, "(exit code {})", code.unwrap_or(-1)).unwrap(),
    }
    printed
}

/// Takes durations out of a text, and the spaces that align them.
fn timeless(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut words: Vec<String> = Vec::new();
        for word in line.split(' ') {
            let number = words
                .last()
                .is_some_and(|last| !last.is_empty() && last.chars().all(|c| c.is_ascii_digit() || c == '.'));
            if matches!(word, "ms" | "s") && number {
                words.pop();
                while words.last().is_some_and(String::is_empty) {
                    words.pop();
                }
                words.push("…".to_owned());
            } else {
                words.push(word.to_owned());
            }
        }
        lines.push(words.join(" "));
    }
    lines.join("\n")
}

#[test]
fn only_durations_may_differ() {
    assert_eq!(timeless("  apply  0001_a      12 ms   2 rows"), timeless("  apply  0001_a     112 ms   2 rows"));
    assert_eq!(timeless("version 2 · 1 step · 0.0 s"), timeless("version 2 · 1 step · 1.5 s"));
    assert_ne!(timeless("version 2 · 1 step · 0.0 s"), timeless("version 3 · 1 step · 0.0 s"));
}
