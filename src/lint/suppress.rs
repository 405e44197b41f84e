//! `-- dbbuild: allow(rule) reason`: findings that the author accepts, and allowances that are none.
//!
//! In front of a statement, or behind it on its line, it is about that statement; above everything else, followed
//! by an empty line, about the whole file.

use super::finding::Draft;
use super::rules::{RULES, allowed_without_reason, unknown_rule, unused_allowance};
use crate::script::{Directive, directives};
use crate::sql::{Dialect, Span, Statements};

struct Allowance {
    rule: String,
    directive: Span,
    reach: Span,
    used: bool,
    has_reason: bool,
}

/// Takes out what is allowed; adds what is wrong with the allowances. `ran` says whether a rule was on.
pub(super) fn apply(text: &str, dialect: Dialect, drafts: Vec<Draft>, ran: impl Fn(&str) -> bool) -> Vec<Draft> {
    if !text.contains("allow") || !text.contains("dbbuild:") {
        return drafts;
    }
    let mut allowances = read(text, dialect);
    let mut kept: Vec<Draft> = Vec::new();
    for draft in drafts {
        let matching = allowances.iter_mut().filter(|allowance| {
            allowance.rule == draft.rule.name
                && allowance.reach.start <= draft.span.start
                && draft.span.start < allowance.reach.end.max(allowance.reach.start + 1)
        });
        let mut allowed = false;
        for allowance in matching {
            allowance.used = true;
            allowed |= allowance.has_reason;
        }
        if !allowed {
            kept.push(draft);
        }
    }
    for allowance in allowances {
        let known = RULES.iter().any(|rule| rule.name == allowance.rule);
        let name = &allowance.rule;
        let (rule, message) = if !known {
            (&unknown_rule::RULE, format!("there is no rule `{name}`"))
        } else if !allowance.has_reason {
            (&allowed_without_reason::RULE, format!("`{name}` is allowed without a reason"))
        } else if !allowance.used && ran(name) {
            (&unused_allowance::RULE, format!("`{name}` finds nothing here"))
        } else {
            continue;
        };
        if ran(rule.name) {
            kept.push(Draft { rule, span: allowance.directive, message, help: None, fix: None });
        }
    }
    kept
}

fn read(text: &str, dialect: Dialect) -> Vec<Allowance> {
    let statements: Vec<_> = Statements::new(text, dialect).flatten().collect();
    let mut found = Vec::new();
    for (directive, body) in directives(text, dialect) {
        let Ok(Directive::Allow { rules, reason }) = Directive::parse(body) else { continue };
        let owner = statements.iter().find(|statement| directive.start < statement.tail.end);
        let at_head = statements.first().is_none_or(|first| directive.end <= first.span.start);
        let behind = text.get(directive.end..).unwrap_or_default();
        let alone = behind.trim_start_matches(' ').starts_with("\n\n");
        let reach = match owner {
            Some(_) if at_head && alone => Span::new(0, text.len()),
            Some(statement) => statement.whole(),
            None => Span::new(0, text.len()),
        };
        for rule in rules {
            let has_reason = !reason.is_empty();
            found.push(Allowance { rule, directive, reach, used: false, has_reason });
        }
    }
    found
}
