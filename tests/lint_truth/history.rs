//! Fixes whole histories of scripts and runs both: `DBBUILD_HISTORIES` names the folders, separated by `:`; without it
//! nothing is done. A folder holds `up/*.sql` or `*.sql`; `sqlite` in its name makes it SQLite's.

use std::fmt::Write as _;
use std::path::Path;

use dbbuild::lint::{Options, Set, Source, fix_all, lint};
use dbbuild::sql::Dialect;

use crate::Truth;

/// Two databases of an engine that a history is run in, one after the other.
pub trait Runner {
    /// Begins with an empty database.
    fn begin(&mut self);
    /// Runs a script and returns the state behind it.
    fn run(&mut self, text: &str) -> Result<String, String>;
    /// Runs it as its authors do, and without a trace; returns what that does: the error, or the state behind it.
    fn again(&mut self, text: &str, state: &str) -> (Truth, String);
}

/// Judges one history and returns the report.
pub fn judge(folder: &Path, dialect: Dialect, runner: &mut dyn Runner) -> String {
    let scripts = read(folder);
    let mut report = format!("== {} ({} scripts)\n", folder.display(), scripts.len());
    let mut fixed: Vec<Source> = scripts.clone();
    fix_all(&mut fixed, dialect, &Options::default(), false);
    let before = findings(&scripts, dialect);
    let after = findings(&fixed, dialect);
    for (script, fixed) in scripts.iter().zip(&fixed) {
        if unread(&fixed.text, dialect) > unread(&script.text, dialect) {
            let _ = writeln!(report, "PARSES NO LONGER: {}", script.file);
        }
    }
    runner.begin();
    let mut firsts = Vec::new();
    let mut truths = Vec::new();
    for script in &scripts {
        match runner.run(&script.text) {
            Ok(state) => {
                truths.push(Some(runner.again(&script.text, &state).0));
                firsts.push(Some(settled(&state)));
            }
            Err(error) => {
                let _ = writeln!(report, "original fails: {}: {error}", script.file);
                truths.push(None);
                firsts.push(None);
            }
        }
    }
    runner.begin();
    let (mut not_idempotent, mut cured, mut unseen, mut lying) = (0, 0, 0, 0);
    let mut same_before = true;
    for (index, script) in fixed.iter().enumerate() {
        let Some(truth) = truths[index] else { continue };
        not_idempotent += usize::from(truth != Truth::Nothing);
        let state = match runner.run(&script.text) {
            Ok(state) => state,
            Err(error) => {
                let _ = writeln!(report, "FIXED FAILS: {}: {error}", script.file);
                continue;
            }
        };
        let same = firsts[index].as_deref() == Some(settled(&state).as_str());
        // A difference stays; it is told where it began.
        let began = same_before && !same;
        same_before = same;
        if began {
            let _ = writeln!(
                report,
                "FIRST RUN DIFFERS: {}: {}",
                script.file,
                difference(firsts[index].as_deref().unwrap_or_default(), &settled(&state))
            );
        }
        let (now, why) = runner.again(&script.text, &state);
        if truth != Truth::Nothing {
            cured += usize::from(now == Truth::Nothing && !began);
            if before[index].is_empty() {
                unseen += 1;
                let _ = writeln!(report, "unseen: {}: a second run: {truth:?}", script.file);
            }
        } else {
            // A guard may lie about another run than the second: of an interrupted build, of what the build refuses.
            let others = ["own-", "opaque-", "missing-no-", "hidden-invalid-"];
            let alarms = before[index].iter().filter(|found| !others.iter().any(|other| found.starts_with(other)));
            let alarms: Vec<&String> = alarms.collect();
            if !alarms.is_empty() {
                lying += 1;
                let _ = writeln!(report, "false alarm: {}: {alarms:?}", script.file);
            }
        }
        if truth != Truth::Nothing && now == Truth::Nothing && !after[index].is_empty() {
            let _ = writeln!(report, "cured and told: {}: {:?}", script.file, after[index]);
        }
        if now != Truth::Nothing {
            let word = if truth == Truth::Nothing { "WORSE" } else { "left" };
            let silent = if after[index].is_empty() { " SILENT" } else { "" };
            let why = if now == Truth::Changes { difference(&state, &why) } else { why };
            let found = &after[index];
            let _ = writeln!(report, "{word}{silent}: {}: {now:?}, was {truth:?}; {found:?}; {why}", script.file);
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let share = if not_idempotent == 0 { 100.0 } else { 100.0 * cured as f64 / not_idempotent as f64 };
    let _ = writeln!(
        report,
        "not idempotent {not_idempotent}, cured {cured} ({share:.1} %), unseen {unseen}, false alarms {lying}"
    );
    report
}

/// How many statements the parser does not read, beside those that it knows in no form: blocks of PL/pgSQL and what
/// fixes write that it has no grammar for, though PostgreSQL has.
pub fn unread(text: &str, dialect: Dialect) -> usize {
    let statements = dbbuild::sql::Statements::new(text, dialect).flatten();
    let texts = statements.map(|statement| statement.span.text(text));
    let beyond = [
        "do ",
        "drop index concurrently",
        "alter index if exists",
        "alter view if exists",
        "drop aggregate",
        "create trigger if not exists",
    ];
    let is_beyond = |text: &str| beyond.iter().any(|form| text.to_lowercase().starts_with(form));
    texts.filter(|text| !is_beyond(text) && !dbbuild::lint::parses(text, dialect)).count()
}

fn findings(sources: &[Source], dialect: Dialect) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new(); sources.len()];
    // What the build refuses cannot be run twice either.
    let others = ["own-transaction", "opaque-call", "missing-no-transaction"];
    for finding in lint(sources, dialect, &Options::default()) {
        if finding.rule.set == Set::Idempotency || others.contains(&finding.rule.name) {
            found[finding.source].push(format!("{}:{}", finding.rule.name, finding.place.line));
        }
    }
    found
}

fn read(folder: &Path) -> Vec<Source> {
    let up = folder.join("up");
    let folder = if up.is_dir() { up } else { folder.to_owned() };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let source = |file: &std::path::PathBuf| Source {
        file: file.file_name().unwrap().to_string_lossy().into_owned(),
        text: String::from_utf8_lossy(&std::fs::read(file).unwrap()).replace("\r\n", "\n"),
        ..Source::default()
    };
    files.iter().map(source).collect()
}

/// A state without times and random values, which differ from database to database.
pub fn settled(state: &str) -> String {
    let mut out = String::with_capacity(state.len());
    for line in state.lines() {
        let random = |word: &str| {
            let hex = word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            let time = word.matches(':').count() == 2
                || word.len() >= 10 && word.starts_with("20") && word.contains(['-', ':', 'T']);
            let number =
                word.len() >= 10 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
            hex || time || number
        };
        let is_part = |char: char| char.is_alphanumeric() || "-:.+".contains(char);
        let mut rest = line;
        while let Some(start) = rest.find(is_part) {
            let end = rest[start..].find(|char| !is_part(char)).map_or(rest.len(), |end| start + end);
            out.push_str(&rest[..start]);
            out.push_str(if random(&rest[start..end]) { "*" } else { &rest[start..end] });
            rest = &rest[end..];
        }
        out.push_str(rest);
        out.push('\n');
    }
    out
}

fn difference(left: &str, right: &str) -> String {
    let only = |left: &str, right: &str| {
        let right: std::collections::HashSet<&str> = right.lines().collect();
        left.lines()
            .filter(|line| !right.contains(line))
            .take(3)
            .collect::<Vec<_>>()
            .join(" / ")
            .chars()
            .take(400)
            .collect::<String>()
    };
    format!("{} instead of {}", only(right, left), only(left, right))
}
