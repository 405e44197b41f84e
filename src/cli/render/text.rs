//! Events for people: one aligned line a step, a progress line on a terminal for what takes long.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::event::{Event, Observer, StepKind, StepResult, grouped};

/// Prints events as lines.
pub struct TextEvents {
    quiet: bool,
    verbose: bool,
    header: Option<String>,
    progress: Option<ProgressBar>,
    waiting: bool,
    blocked: Option<String>,
    /// What the step under way does: `apply`.
    doing: &'static str,
}

impl TextEvents {
    /// Makes a renderer; `quiet` prints nothing but notes and failures, `verbose` the server's notices too.
    pub fn new(quiet: bool, verbose: bool) -> Self {
        Self { quiet, verbose, header: None, progress: None, waiting: false, blocked: None, doing: "" }
    }

    /// Prints the header before the first line, so that a build with nothing to do is one line.
    fn line(&mut self, text: &str) {
        if let Some(progress) = self.progress.take() {
            progress.finish_and_clear();
        }
        if self.quiet {
            return;
        }
        if let Some(header) = self.header.take() {
            print(&header);
        }
        print(text);
    }

    fn beside(&mut self, text: &str) {
        if let Some(progress) = self.progress.take() {
            progress.finish_and_clear();
        }
        if let Some(header) = self.header.take().filter(|_| !self.quiet) {
            print(&header);
        }
        crate::cli::exit::told(writeln!(anstream::stderr(), "{text}"));
    }

    fn under_way(&mut self, text: String) {
        if self.quiet || !std::io::stderr().is_terminal() {
            return;
        }
        let progress = self.progress.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("  {msg}  {elapsed} {spinner}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        progress.set_message(text);
    }
}

impl Observer for TextEvents {
    fn event(&mut self, event: Event) {
        match event {
            Event::Opened { project, target, environment, protected, version } => {
                self.header = Some(header(&project, &target, environment.as_deref(), protected, version.as_deref()));
            }
            Event::Waiting { holder, seconds } => {
                let waited = if seconds > 0 { format!(" ({seconds} s so far)") } else { String::new() };
                let text = format!("waiting for the build lock: {holder}{waited}");
                if std::io::stderr().is_terminal() {
                    self.under_way(text);
                } else if !self.waiting {
                    self.beside(&text);
                }
                self.waiting = true;
            }
            Event::Blocked { name, holder, seconds } => {
                if std::io::stderr().is_terminal() {
                    self.under_way(format!("{name}  waits for a lock: {holder} ({seconds} s so far)"));
                } else if self.blocked.as_ref() != Some(&name) {
                    self.beside(&format!("  waiting   {name}: {holder}"));
                }
                self.blocked = Some(name);
            }
            Event::Note { message, .. } => self.beside(&format!("  note      {message}")),
            Event::Started { step, name } => {
                self.doing = word(step);
                self.under_way(format!("{:<9} {name}", self.doing));
            }
            Event::Progress { name, message, .. } => self.under_way(format!("{:<9} {name}  {message}", self.doing)),
            Event::Retrying { name, reason, attempt } => {
                self.beside(&format!("  retry     {name}: {reason}; attempt {attempt}"))
            }
            Event::Notice { name, severity, message } => {
                if self.verbose || severity == "WARNING" {
                    self.beside(&format!("  {:<9} {name}: {message}", severity.to_lowercase()));
                }
            }
            // A note has told it, and why.
            Event::Finished { result: StepResult::Journaled { .. }, .. } => {}
            Event::Finished { step, name, duration_ms, result } => {
                let detail = detail(&result);
                let line = format!("  {:<9} {name:<28} {:>9}   {detail}", word(step), milliseconds(duration_ms));
                self.line(line.trim_end());
            }
        }
    }
}

/// Returns the line that says which database it is.
pub fn header(
    project: &str,
    target: &str,
    environment: Option<&str>,
    protected: bool,
    version: Option<&str>,
) -> String {
    let mut parts = vec![project.to_owned(), target.to_owned()];
    if let Some(environment) = environment {
        parts.push(if protected { format!("{environment} (protected)") } else { environment.to_owned() });
    }
    parts.push(version.map_or_else(|| "empty".to_owned(), |version| format!("version {version}")));
    parts.join(" · ")
}

fn word(step: StepKind) -> &'static str {
    match step {
        StepKind::Journal => "journal",
        StepKind::Load => "load",
        StepKind::Apply => "apply",
        StepKind::Resume => "resume",
        StepKind::Note => "note",
        StepKind::Code => "code",
        StepKind::Seed => "seed",
        StepKind::TestData => "test data",
        StepKind::Baseline => "baseline",
    }
}

/// Returns what a step came to: `4 statements, 1 skipped by its guard`.
fn detail(result: &StepResult) -> String {
    let mut parts = Vec::new();
    match result {
        StepResult::Ran { statements, skipped, passes, rows_changed } => {
            if *statements > 1 {
                parts.push(format!("{statements} statements"));
            }
            match skipped {
                0 => {}
                1 => parts.push("1 skipped by its guard".to_owned()),
                skipped => parts.push(format!("{skipped} skipped by guards")),
            }
            if *passes > 0 {
                parts.push(counted(*passes, "pass", "passes"));
            }
            if *rows_changed > 0 {
                parts.push(counted(*rows_changed, "row", "rows"));
            }
        }
        StepResult::Made { why, .. } => parts.push(why.clone()),
        StepResult::Rows { rows, inserted, updated, deleted, overwritten } => {
            for (count, word) in [(inserted, "new"), (updated, "changed"), (deleted, "deleted")] {
                if *count > 0 {
                    parts.push(format!("{} {word}", grouped(*count)));
                }
            }
            if *overwritten > 0 {
                parts.push(format!("{} were there with other values", grouped(*overwritten)));
            }
            let rows = counted(*rows, "row", "rows");
            return if parts.is_empty() { rows } else { format!("{rows}: {}", parts.join(", ")) };
        }
        StepResult::Journaled { why } => parts.push(why.clone()),
        StepResult::Loaded { version } => parts.extend(version.as_ref().map(|version| format!("version {version}"))),
        StepResult::Regenerated { files } => parts.push(match files.len() {
            0 => "up to date".to_owned(),
            1 => "1 file written".to_owned(),
            count => format!("{count} files written"),
        }),
    }
    parts.join(", ")
}

/// Returns a number with its noun: `1 row`, `1,200 rows`.
fn counted(number: u64, one: &str, more: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {more}", grouped(number)) }
}

/// Returns a duration for people: `12 ms`, `1.4 s`.
pub fn milliseconds(duration: u64) -> String {
    if duration < 1000 { format!("{duration} ms") } else { seconds(Duration::from_millis(duration)) }
}

/// Returns a duration for people, in seconds: `0.2 s`.
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0)
    }
}

fn print(text: &str) {
    crate::cli::exit::told(writeln!(anstream::stdout(), "{text}"));
}
