//! ALTER PUBLICATION ADD or DROP TABLE, ALTER … OPTIONS (ADD …) or another list that is added to.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::Fix;
use super::super::guard;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use super::super::shape::items;
use crate::sql::{Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "publication-table-added",
    set: Set::Idempotency,
    dialects: POSTGRES,
    summary: "ALTER PUBLICATION ADD or DROP TABLE, ALTER … OPTIONS (ADD …) or another list that is added to",
    effect: "A second run stops with an error: it is in the list already.",
    remedy: "`ALTER PUBLICATION … SET TABLE` with the whole list, `OPTIONS (SET …)`, or a test around it.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements.iter().filter(|statement| statement.head.verb == Verb::Alter) {
        if statement.is_guarded() || statement.caught().is_some() {
            continue;
        }
        let Some(kind) = statement.head.kind else { continue };
        let behind = statement.tokens_behind_name();
        match kind {
            Kind::Publication if behind.at_any(&["add", "drop"]) => {
                let raises = if behind.at_word("add") { "duplicate_object" } else { "undefined_object" };
                let message = "a second run fails: the publication's list is changed already";
                let draft = found.report(&RULE, statement.head_span(), message);
                draft.help("write SET TABLE with the whole list");
                draft.fix(guard::catch(statement, &[raises]));
            }
            Kind::Server | Kind::ForeignTable | Kind::ForeignDataWrapper | Kind::UserMapping => {
                let mut options = statement.tokens();
                if !options.skip_to_any(&["options"]) {
                    continue;
                }
                options.next();
                let Some(list) = options.eat_parens() else { continue };
                let adds = items(context.text, list, context.dialect).iter().any(|item| {
                    let option = statement.part(*item);
                    !option.at_any(&["set"])
                });
                if adds {
                    let message = "a second run fails: the option is there (or gone) already";
                    let draft = found.report(&RULE, list, message);
                    draft.fix(guard::catch(statement, &["duplicate_object", "undefined_object"]));
                }
            }
            Kind::OperatorFamily
                if behind.has_words(&["add", "operator"]) || behind.has_words(&["add", "function"]) =>
            {
                let draft = found.report(&RULE, statement.head_span(), "a second run fails: the family has it already");
                draft.fix(guard::catch(statement, &["duplicate_object"]));
            }
            Kind::OperatorFamily
                if behind.has_words(&["drop", "operator"]) || behind.has_words(&["drop", "function"]) =>
            {
                let draft =
                    found.report(&RULE, statement.head_span(), "a second run fails: the family has it no longer");
                draft.fix(guard::catch(statement, &["undefined_object"]));
            }
            Kind::TextSearchConfiguration
                if behind.has_words(&["drop", "mapping"]) && !behind.has_words(&["mapping", "if"]) =>
            {
                let Some(span) = statement.find_words(&["mapping", "for"]) else { continue };
                let draft = found.report(&RULE, statement.head_span(), "a second run fails: the mapping is gone");
                let guard = guard::cased("IF EXISTS ", guard::is_lower(statement));
                draft.fix(Fix::insert("add IF EXISTS", span.end - "for".len(), guard));
            }
            Kind::TextSearchConfiguration if behind.at_word("add") => {
                let draft =
                    found.report(&RULE, statement.head_span(), "a second run fails: the mapping is there already");
                draft.fix(guard::catch(statement, &["unique_violation"]));
            }
            Kind::Extension if behind.at_word("drop") => {
                let draft =
                    found.report(&RULE, statement.head_span(), "a second run fails: the extension has it no longer");
                draft.fix(guard::catch(statement, &["object_not_in_prerequisite_state"]));
            }
            Kind::Extension if behind.at_word("add") => {
                let draft =
                    found.report(&RULE, statement.head_span(), "a second run fails: the extension has it already");
                draft.fix(guard::catch(statement, &["object_not_in_prerequisite_state"]));
            }
            _ => {}
        }
    }
}
