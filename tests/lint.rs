//! Every rule has examples that are its tests and its page in the documentation: `tests/lint/<rule>/`.
//!
//! `bad.<dialect>.sql` has findings of the rule, told in `findings.<dialect>.txt`; `good.<dialect>.sql` has none;
//! `fixed.<dialect>.sql` is what the fix makes of the bad one. `DBBUILD_UPDATE=1` writes what is generated.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use dbbuild::lint::{Fixable, Options, RULES, Role, Rule, Set, Source, fix_all, lint};
use dbbuild::sql::{Dialect, split};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn folder(rule: &Rule) -> PathBuf {
    root().join("tests/lint").join(rule.name)
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.replace("\r\n", "\n"))
}

/// Compares generated text with the committed one, or writes it.
fn current(path: &Path, text: &str) {
    if std::env::var_os("DBBUILD_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let committed = read(path).unwrap_or_default();
    assert_eq!(committed, text, "{} is not current: run with DBBUILD_UPDATE=1", path.display());
}

/// The example as the last source, behind the code objects that it may need.
fn sources(rule: &Rule, dialect: Dialect, text: &str, is_bad: bool) -> Vec<Source> {
    let mut sources = Vec::new();
    if let Some(code) = read(&folder(rule).join(format!("code.{dialect}.sql"))) {
        sources.push(Source {
            file: "code.sql".into(),
            text: code,
            role: Role::Code,
            exempt: true,
            ..Source::default()
        });
    }
    if let Some(seed) = read(&folder(rule).join(format!("seed.{dialect}.sql"))) {
        sources.push(Source {
            file: "seed.sql".into(),
            text: seed,
            role: Role::Seed,
            exempt: true,
            ..Source::default()
        });
    }
    let late = (rule.name == "late-script" && is_bad).then(|| "12".to_owned());
    let twin = (rule.name == "two-of-one-version" && is_bad)
        .then(|| "two scripts of version 7: db/0007_mail.sql, db/7_phone.sql".to_owned());
    sources.push(Source { file: "example.sql".into(), text: text.into(), late, twin, ..Source::default() });
    sources
}

fn examples(rule: &Rule) -> Vec<(Dialect, String, String)> {
    let mut found = Vec::new();
    for dialect in rule.dialects {
        let bad = read(&folder(rule).join(format!("bad.{dialect}.sql")));
        let good = read(&folder(rule).join(format!("good.{dialect}.sql")));
        if let Some((bad, good)) = bad.zip(good) {
            found.push((*dialect, bad, good));
        }
    }
    found
}

#[test]
fn each_rule_has_examples() {
    for rule in RULES {
        assert!(!examples(rule).is_empty(), "{}: no bad and good example", rule.name);
    }
    for entry in std::fs::read_dir(root().join("tests/lint")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(RULES.iter().any(|rule| rule.name == name), "tests/lint/{name} is no rule");
    }
    let files = std::fs::read_dir(root().join("src/lint/rules")).unwrap();
    for name in files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(|name| name != "mod.rs") {
        let rule = name.trim_end_matches(".rs").replace('_', "-");
        assert!(RULES.iter().any(|known| known.name == rule), "src/lint/rules/{name} is not in the list");
    }
}

#[test]
fn bad_examples_are_found_and_good_ones_are_not() {
    for rule in RULES {
        for (dialect, bad, good) in examples(rule) {
            let options = Options::default();
            let findings = lint(&sources(rule, dialect, &bad, true), dialect, &options);
            let mut told = String::new();
            for finding in &findings {
                let place = &finding.place;
                writeln!(told, "{}:{} {}: {}", place.line, place.column, finding.rule.name, finding.message).unwrap();
                if let Some(fix) = &finding.fix {
                    writeln!(told, "    fix: {}", fix.title).unwrap();
                }
            }
            assert!(findings.iter().any(|finding| finding.rule.name == rule.name), "{} {dialect}:\n{told}", rule.name);
            current(&folder(rule).join(format!("findings.{dialect}.txt")), &told);
            let findings = lint(&sources(rule, dialect, &good, false), dialect, &options);
            let wrong: Vec<_> = findings
                .iter()
                .filter(|finding| {
                    finding.rule.name == rule.name || rule.set == Set::Idempotency && finding.rule.set == rule.set
                })
                .map(|finding| format!("{}: {}", finding.rule.name, finding.message))
                .collect();
            assert!(wrong.is_empty(), "{} {dialect}, good: {wrong:?}", rule.name);
        }
    }
}

#[test]
fn fixes_cure_what_they_are_for() {
    for rule in RULES {
        for (dialect, bad, _) in examples(rule) {
            let options = Options::default();
            let mut fixed = sources(rule, dialect, &bad, true);
            fix_all(&mut fixed, dialect, &options, false);
            let text = fixed.last().unwrap().text.clone();
            let has_fix = |sources: &[Source]| {
                lint(sources, dialect, &options)
                    .into_iter()
                    .filter(|finding| finding.fix.as_ref().is_some_and(|fix| fix.risk.is_none()))
                    .map(|finding| finding.rule.name)
                    .collect::<Vec<_>>()
            };
            assert_eq!(has_fix(&fixed), Vec::<&str>::new(), "{} {dialect}: a fix is left\n{text}", rule.name);
            assert!(split(&text, dialect).is_ok(), "{}: {text}", rule.name);
            assert!(unread(&text, dialect) <= unread(&bad, dialect), "{}: parses no longer: {text}", rule.name);
            if rule.fixable == Fixable::Always {
                let left: Vec<_> = lint(&fixed, dialect, &options)
                    .into_iter()
                    .filter(|finding| finding.rule.name == rule.name)
                    .map(|finding| finding.message)
                    .collect();
                assert!(left.is_empty(), "{} {dialect}: {left:?}\n{text}", rule.name);
            }
            if text == bad {
                continue;
            }
            current(&folder(rule).join(format!("fixed.{dialect}.sql")), &text);
            let mut again = fixed.clone();
            assert!(fix_all(&mut again, dialect, &options, false).is_empty(), "{}: fixing twice changes", rule.name);
        }
    }
}

/// How many statements the parser does not read, beside those that it knows in no form: blocks of PL/pgSQL and what
/// fixes write that it has no grammar for, though PostgreSQL has.
fn unread(text: &str, dialect: Dialect) -> usize {
    let statements = dbbuild::sql::Statements::new(text, dialect).flatten();
    let texts = statements.map(|statement| statement.span.text(text));
    let beyond = ["do ", "drop index concurrently", "alter index if exists", "alter view if exists", "drop aggregate"];
    let is_beyond = |text: &str| beyond.iter().any(|form| text.to_lowercase().starts_with(form));
    texts.filter(|text| !is_beyond(text) && !dbbuild::lint::parses(text, dialect)).count()
}

/// Every beginning of every example, in both dialects: texts that end anywhere must neither panic nor hang. Where in a
/// word they end makes no difference.
#[test]
fn no_beginning_of_a_text_is_too_much() {
    for rule in RULES {
        for (_, bad, good) in examples(rule) {
            for text in [bad, good] {
                let is_letter = |char: char| char.is_alphanumeric() || char == '_';
                let in_word = |at: usize| text[..at].ends_with(is_letter) && text[at..].starts_with(is_letter);
                for (at, _) in text.char_indices().filter(|(at, _)| !in_word(*at)) {
                    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
                        let mut sources = sources(rule, dialect, &text[..at], true);
                        fix_all(&mut sources, dialect, &Options::default(), true);
                    }
                }
            }
        }
    }
}

#[test]
fn the_pages_are_current() {
    let mut index =
        String::from("# Rules\n\nEach rule has a page with its examples. Generated from the rules; do not edit.\n");
    for set in Set::ALL {
        writeln!(index, "\n## {}\n", set.name()).unwrap();
        let mut rules: Vec<_> = RULES.iter().filter(|rule| rule.set == set).collect();
        rules.sort_by_key(|rule| rule.name);
        for rule in rules {
            writeln!(index, "- [{0}]({0}.md): {1}", rule.name, rule.summary).unwrap();
            current(&root().join(format!("docs/rules/{}.md", rule.name)), &page(rule));
        }
    }
    current(&root().join("docs/rules/index.md"), &index);
}

fn page(rule: &Rule) -> String {
    let dialects: Vec<_> = rule.dialects.iter().map(|dialect| dialect.name()).collect();
    let mut page = format!("# {}\n\n{}.\n\n", rule.name, capital(rule.summary));
    writeln!(page, "Set: `{}`. Dialects: {}. {}\n", rule.set.name(), dialects.join(", "), rule.fixable.words())
        .unwrap();
    writeln!(page, "**What happens.** {}\n\n**What to write.** {}", rule.effect, rule.remedy).unwrap();
    for (dialect, bad, good) in examples(rule) {
        let findings = read(&folder(rule).join(format!("findings.{dialect}.txt"))).unwrap_or_default();
        writeln!(page, "\n## {dialect}\n\nFound:\n\n```sql\n{bad}```\n\n```text\n{findings}```").unwrap();
        if let Some(fixed) = read(&folder(rule).join(format!("fixed.{dialect}.sql"))) {
            writeln!(page, "\nFixed:\n\n```sql\n{fixed}```").unwrap();
        }
        writeln!(page, "\nNot found:\n\n```sql\n{good}```").unwrap();
    }
    page
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The statements of other projects' own suites, where the environment names folders of `*.sql` files and of SQLite's
/// `*.test` files: no panic, no lost byte, no text that cannot be fixed and split again, no file that takes long.
#[test]
fn suites() {
    let Some(named) = std::env::var_os("DBBUILD_SUITES") else { return };
    let mut files = Vec::new();
    for folder in std::env::split_paths(&named) {
        files.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    files.sort();
    let (mut texts, mut statements, mut found) = (0, 0, std::collections::BTreeMap::<&str, usize>::new());
    let mut slowest = (std::time::Duration::ZERO, String::new());
    for file in files {
        let Some(text) = std::fs::read(&file).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) else {
            continue;
        };
        let is_tcl = file.extension().is_some_and(|extension| extension == "test");
        let parts = if is_tcl { in_braces(&text) } else { vec![text.clone()] };
        let dialects: &[Dialect] = if is_tcl { &[Dialect::Sqlite] } else { &[Dialect::Postgres] };
        let started = std::time::Instant::now();
        for (part, dialect) in parts.iter().flat_map(|part| dialects.iter().map(move |dialect| (part, *dialect))) {
            texts += 1;
            let whole = split(part, dialect).is_ok();
            let mut at = 0;
            for statement in dbbuild::sql::Statements::new(part, dialect).flatten() {
                statements += 1;
                assert!(statement.lead.start >= at && statement.span.start >= statement.lead.end, "{}", file.display());
                at = statement.span.end;
            }
            let mut sources = vec![Source { file: "1.sql".into(), text: part.clone(), ..Source::default() }];
            for finding in lint(&sources, dialect, &Options::default()) {
                *found.entry(finding.rule.name).or_default() += 1;
            }
            fix_all(&mut sources, dialect, &Options::default(), true);
            assert!(!whole || split(&sources[0].text, dialect).is_ok(), "{}: {}", file.display(), sources[0].text);
        }
        if started.elapsed() > slowest.0 {
            slowest = (started.elapsed(), file.display().to_string());
        }
    }
    println!("{texts} texts, {statements} statements; slowest: {slowest:?}; findings: {found:?}");
    assert!(slowest.0 < std::time::Duration::from_secs(60), "{slowest:?}");
}

/// The SQL of a Tcl script: what stands in the braces behind the commands that run it.
fn in_braces(text: &str) -> Vec<String> {
    let commands = ["execsql", "catchsql", "db eval", "do_execsql_test", "do_catchsql_test", "do_eqp_test"];
    let mut found = Vec::new();
    for (at, _) in commands.iter().flat_map(|command| text.match_indices(command)) {
        let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        let Some(open) = text[at..line_end].find('{').map(|open| at + open) else { continue };
        let mut depth = 0_usize;
        let close = text[open..].bytes().position(|byte| {
            depth = match byte {
                b'{' => depth + 1,
                b'}' => depth - 1,
                _ => depth,
            };
            depth == 0
        });
        found.extend(close.map(|close| text[open + 1..open + close].to_owned()));
    }
    found
}
