//! A finding of lint as text for people, with a caret.

use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};

use super::diagnostic::{excerpt, tidy};
use crate::lint::{Finding, Level};

/// Shows a finding.
pub struct FindingText<'a>(pub &'a Finding);

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
            let text = match &fix.risk {
                None => format!("{}: dbbuild lint --fix {}", fix.title, place.file),
                Some(risk) => format!("{}: dbbuild lint --fix --unsafe {} ({risk})", fix.title, place.file),
            };
            group = group.element(Title::HELP.with_name("fix").message(text));
        }
        f.write_str(&tidy(&Renderer::styled().render(&[group])))
    }
}
