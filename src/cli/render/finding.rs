//! A finding of lint as text for people, with a caret.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};

use super::diagnostic::{excerpt, tidy};
use crate::lint::{Finding, Fix, Level};

/// Shows a finding.
pub struct FindingText<'a>(pub &'a Finding);

impl FindingText<'_> {
    /// Appends the text without colours, byte for byte what the renderer makes of it: thousands of findings are shown
    /// at once, and most are one line of plain letters. Returns false for the others.
    fn plain(&self, out: &mut String) -> bool {
        let finding = self.0;
        let place = &finding.place;
        let (line, start) = excerpt(&place.text, place.column);
        let title = if finding.level == Level::Error { "error" } else { "warning" };
        let help = finding.help.as_deref().map(|help| ("help", help.to_owned()));
        let fix = finding.fix.as_ref().map(|fix| ("fix", fix_text(finding, fix)));
        let end = start + place.width;
        let is_plain = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let notes: Vec<_> = help.into_iter().chain(fix).collect();
        let fits = end <= line.len() && end > start && !line.ends_with(' ');
        if !fits || !is_plain(&line) || !is_plain(&finding.message) || notes.iter().any(|(_, text)| !is_plain(text)) {
            return false;
        }
        let number = place.line.to_string();
        let pad = " ".repeat(number.len());
        let (before, carets) = (" ".repeat(start), "^".repeat(place.width));
        let end = if notes.is_empty() { String::new() } else { format!("\n{pad} |") };
        let written = write!(
            out,
            "{title}[{}]: {}\n{pad}--> {}:{number}:{}\n{pad} |\n{number} | {line}\n{pad} | {before}{carets}{end}",
            finding.rule.name, finding.message, place.file, place.column
        );
        let noted = notes.iter().try_for_each(|(word, text)| write!(out, "\n{pad} = {word}: {text}"));
        written.and(noted).is_ok()
    }

    /// Appends the text, with colours or without.
    pub fn write(&self, out: &mut String, styled: bool) {
        if styled {
            out.push_str(&self.to_string());
        } else if !self.plain(out) {
            out.push_str(&anstream::adapter::strip_str(&self.to_string()).to_string());
        }
    }
}

fn fix_text(finding: &Finding, fix: &Fix) -> String {
    let file = &finding.place.file;
    match &fix.risk {
        None => format!("{}: dbbuild lint --fix {file}", fix.title),
        Some(risk) => format!("{}: dbbuild lint --fix --unsafe {file} ({risk})", fix.title),
    }
}

impl std::fmt::Display for FindingText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let finding = self.0;
        let place = &finding.place;
        let (line, start) = excerpt(&place.text, place.column);
        let byte = |at: usize| line.char_indices().nth(at).map_or(line.len(), |(byte, _)| byte);
        let (from, to) = (byte(start), byte(start + place.width));
        let level = if finding.level == Level::Error { Title::ERROR } else { Title::WARNING };
        let snippet = Snippet::source(line)
            .line_start(place.line)
            .path(format!("{}:{}:{}", place.file, place.line, place.column))
            .annotation(AnnotationKind::Primary.span(from..to.max(from)));
        let mut group = level.primary_title(&finding.message).id(finding.rule.name).element(snippet);
        if let Some(help) = &finding.help {
            group = group.element(Title::HELP.message(help));
        }
        if let Some(fix) = &finding.fix {
            group = group.element(Title::HELP.with_name("fix").message(fix_text(finding, fix)));
        }
        f.write_str(&tidy(&Renderer::styled().render(&[group])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Options, RULES, Source, lint};

    #[test]
    fn plain_text_is_what_the_renderer_makes() {
        let text = "create table customer (id serial primary key, name varchar(20));\n\n\n\n\n\n\n\n\n\ndrop table \"b\";\n\tdrop view v;\n\
                    insert into t values ('ä');update t set n = n + 1;\ncreate index on t(a);";
        let mut compared = 0;
        for dialect in RULES.iter().flat_map(|rule| rule.dialects) {
            let sources = [Source { file: "db/1.sql".into(), text: text.into(), ..Source::default() }];
            for finding in lint(&sources, *dialect, &Options::default()) {
                let mut plain = String::new();
                if FindingText(&finding).plain(&mut plain) {
                    let shown = anstream::adapter::strip_str(&FindingText(&finding).to_string()).to_string();
                    assert_eq!(plain, shown);
                    compared += 1;
                }
            }
        }
        assert!(compared > 10, "{compared}");
    }
}
