//! `dbbuild lint`: what would fail or change something on a second run, and what is dangerous. Reads files only.

pub(in crate::cli) mod gather;
mod mend;
mod sarif;

use std::collections::BTreeMap;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::args::Format;
use super::render::{FindingText, seconds};
use super::{Context, Exit, Outcome};
use crate::error::Error;
use crate::lint::{self, Finding, Level, Options, RULES, Rule, Set};
use crate::project::{Project, SettingsError};
use gather::{Gathered, Wanted, gather};

/// What `lint` understands.
#[derive(Debug, Clone, Default, Args)]
pub struct LintArgs {
    /// Files or folders; none is the whole project.
    pub paths: Vec<String>,
    /// Rewrite scripts into their idempotent form.
    #[arg(long)]
    pub fix: bool,
    /// Fix also what is merged already, and look at what `history` exempts.
    #[arg(long)]
    pub all: bool,
    /// Fix also where grants, data or a definition could be lost.
    #[arg(long, requires = "fix")]
    pub r#unsafe: bool,
    /// Show what --fix would write.
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// Only files that changed since this branch or commit.
    #[arg(long, value_name = "REF")]
    pub since: Option<String>,
    /// Explain a rule.
    #[arg(long, value_name = "RULE")]
    pub explain: Option<String>,
    /// List the rules.
    #[arg(long)]
    pub list: bool,
    /// Run one set of rules: idempotency, order, live-safety, security, style.
    #[arg(long, value_name = "NAME")]
    pub set: Vec<String>,
    /// Run one rule.
    #[arg(long, value_name = "NAME")]
    pub rule: Vec<String>,
}

/// Lints.
pub fn run(context: &Context, args: &LintArgs) -> Outcome {
    if args.list {
        return list(context);
    }
    if let Some(name) = &args.explain {
        return explain(context, name);
    }
    let started = Instant::now();
    let project = context.project()?;
    let options = options(&project, args)?;
    let wanted = Wanted { paths: paths(&project, &args.paths)?, all: args.all, since: args.since.as_deref() };
    let mut gathered = gather(context, &project, &wanted)?;
    if args.fix {
        fix(context, &project, args, &options, &mut gathered)?;
        if args.dry_run {
            return Ok(Exit::Done);
        }
    }
    let mut findings: Vec<Finding> = Vec::new();
    for one in &gathered {
        let found = lint::lint(&one.sources, one.dialect, &options);
        findings.extend(found.into_iter().filter(|finding| one.wanted.get(finding.source).copied().unwrap_or(true)));
    }
    // A file that serves both engines is judged under each; what is wrong under both is told once.
    let mut told = std::collections::BTreeSet::new();
    findings.retain(|finding| {
        told.insert((finding.place.file.clone(), finding.span, finding.rule.name, finding.message.clone()))
    });
    let scripts = gathered.iter().map(|one| one.wanted.iter().filter(|wanted| **wanted).count()).max().unwrap_or(0);
    print(context, &findings, scripts, started);
    let failed = findings.iter().any(|finding| finding.level == Level::Error);
    Ok(if failed { Exit::Findings } else { Exit::Done })
}

fn options(project: &Project, args: &LintArgs) -> Result<Options, Error> {
    let mut options = Options::of(&project.settings.lint)?;
    if !args.set.is_empty() {
        let sets = args.set.iter().map(|name| {
            Set::from_name(name).ok_or_else(|| {
                let names: Vec<&str> = Set::ALL.iter().map(|set| set.name()).collect();
                SettingsError::new("usage/set", format!("there is no set of rules `{name}`")).hint(names.join(", "))
            })
        });
        options.only_sets = Some(sets.collect::<Result<_, _>>()?);
    }
    for name in &args.rule {
        options.only_rules.push(rule(name)?.name.to_owned());
    }
    Ok(options)
}

fn rule(name: &str) -> Result<&'static Rule, SettingsError> {
    RULES.iter().find(|rule| rule.name == name).copied().ok_or_else(|| {
        SettingsError::new("usage/rule", format!("there is no rule `{name}`")).hint(lint::known_names(name))
    })
}

/// Paths as the project has them: relative to its folder.
fn paths(project: &Project, given: &[String]) -> Result<Vec<String>, Error> {
    let Some(root) = project.files.root() else { return Ok(given.to_vec()) };
    let top = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let mut found = Vec::new();
    for path in given {
        let here = std::path::Path::new(path);
        let candidates = [here.to_owned(), root.join(path)];
        let full = candidates.iter().find_map(|candidate| candidate.canonicalize().ok());
        let inside = full.as_ref().and_then(|full| full.strip_prefix(&top).ok());
        let Some(inside) = inside else {
            let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file in the project");
            return Err(Error::Io { path: here.to_owned(), source: missing });
        };
        let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        found.push(parts.join("/"));
    }
    Ok(found)
}

/// Fixes and writes, or shows what would be written. The gathered texts are then the fixed ones.
fn fix(
    context: &Context,
    project: &Project,
    args: &LintArgs,
    options: &Options,
    gathered: &mut [Gathered],
) -> Result<(), Error> {
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    let mut left_alone = 0_usize;
    for one in gathered.iter_mut() {
        let before = one.sources.clone();
        let mut sources = before.clone();
        for (index, source) in sources.iter_mut().enumerate() {
            let (wanted, writable) = (one.wanted[index], one.writable[index]);
            source.exempt |= !wanted || !writable;
        }
        let changed = lint::fix_all(&mut sources, one.dialect, options, args.r#unsafe);
        for (index, count) in changed {
            let file = before[index].file.clone();
            let Some(mended) = mend::mend(project, &file, &before[index].text, &sources[index].text) else {
                left_alone += 1;
                continue;
            };
            if args.dry_run {
                context.print(mended.diff().trim_end());
            } else {
                mended.write(project)?;
            }
            one.sources[index].text.clone_from(&sources[index].text);
            *files.entry(file).or_default() += count;
        }
    }
    if left_alone > 0 {
        let files = plural(left_alone, "file");
        context.note(&format!("{files} with includes or variables left alone: mend by hand"));
    }
    let count: usize = files.values().sum();
    let would = if args.dry_run { "would be " } else { "" };
    context.note(&format!("{} {would}fixed in {}", plural(count, "finding"), plural(files.len(), "file")));
    Ok(())
}

fn print(context: &Context, findings: &[Finding], scripts: usize, started: Instant) {
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    let warnings = findings.len() - errors;
    match context.global.format {
        Format::Text => {
            let styled = context.is_styled();
            print_all(context, findings, styled, |finding, out| FindingText(finding).write(out, styled));
            context.print(format!(
                "{}, {} in {} · {}",
                plural(errors, "error"),
                plural(warnings, "warning"),
                plural(scripts, "script"),
                seconds(started.elapsed()).replace("0.0 s", "0.01 s")
            ));
        }
        Format::Json => {
            let summary = json!({"errors": errors, "warnings": warnings, "scripts": scripts});
            context.document(&Report { findings: Each(findings, finding_json), summary, v: 1 });
        }
        Format::Sarif => context.document(&sarif::document(findings)),
        Format::Github => {
            print_all(context, findings, false, |finding, out| out.push_str(&sarif::annotation(finding)));
        }
    }
}

/// What `--format json` prints.
#[derive(serde::Serialize)]
struct Report<'a> {
    findings: Each<'a>,
    summary: serde_json::Value,
    v: u32,
}

/// Findings that become values one at a time while they are written: all at once they take many times their text.
struct Each<'a>(&'a [Finding], fn(&Finding) -> serde_json::Value);

impl serde::Serialize for Each<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Prints findings, many at a time: each write to the terminal or pipe costs more than its text.
fn print_all(context: &Context, findings: &[Finding], styled: bool, write: impl Fn(&Finding, &mut String)) {
    for some in findings.chunks(512) {
        let mut out = String::new();
        for (index, finding) in some.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            write(finding, &mut out);
        }
        if styled { context.print(out) } else { context.print_plain(&out) }
    }
}

fn finding_json(finding: &Finding) -> serde_json::Value {
    let fix = finding.fix.as_ref().map(|fix| {
        let edits: Vec<_> = fix
            .edits
            .iter()
            .map(|edit| json!({"start": edit.span.start, "end": edit.span.end, "text": edit.text}))
            .collect();
        json!({"title": fix.title, "edits": edits, "risk": fix.risk})
    });
    json!({
        "rule": finding.rule.name,
        "set": finding.rule.set.name(),
        "level": finding.level,
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "start": finding.span.start,
        "end": finding.span.end,
        "message": finding.message,
        "help": finding.help,
        "fix": fix,
    })
}

fn list(context: &Context) -> Outcome {
    if context.is_json() {
        let rules: Vec<_> = RULES
            .iter()
            .map(|rule| json!({"name": rule.name, "set": rule.set.name(), "level": rule.set.level(), "summary": rule.summary}))
            .collect();
        context.document(&json!({"v": 1, "rules": rules}));
        return Ok(Exit::Done);
    }
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for set in Set::ALL {
        let level = if set.level() == Level::Error { "error" } else { "warning" };
        context.print(format!("{} ({level})", set.name()));
        for rule in RULES.iter().filter(|rule| rule.set == set) {
            context.print(format!("  {:<width$}  {}", rule.name, rule.summary));
        }
    }
    Ok(Exit::Done)
}

fn explain(context: &Context, name: &str) -> Outcome {
    let rule = rule(name)?;
    if context.is_json() {
        context.document(&json!({
            "v": 1, "name": rule.name, "set": rule.set.name(), "summary": rule.summary, "effect": rule.effect,
            "remedy": rule.remedy,
        }));
        return Ok(Exit::Done);
    }
    context.print(format!("{} ({})", rule.name, rule.set.name()));
    for text in [rule.summary, rule.effect, rule.remedy, rule.fixable.words()] {
        context.print(format!("\n{text}"));
    }
    Ok(Exit::Done)
}
