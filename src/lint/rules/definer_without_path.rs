//! SECURITY DEFINER without a fixed search_path.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::rule::{Fixable, POSTGRES, Rule, Set};
use crate::sql::{Kind, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "definer-without-path",
    set: Set::Security,
    dialects: POSTGRES,
    summary: "SECURITY DEFINER without a fixed search_path",
    effect: "Whoever calls the function can put objects of the same name in front and have them run with its owner's rights.",
    remedy: "Add `SET search_path = pg_catalog, your_schema, pg_temp` to the function.",
    fixable: Fixable::Never,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let routine = matches!(statement.head.kind, Some(Kind::Function | Kind::Procedure));
        if !routine || !matches!(statement.head.verb, Verb::Create | Verb::Alter) {
            continue;
        }
        let Some(definer) = statement.find_words(&["security", "definer"]) else { continue };
        if !statement.tokens_behind_name().has_words(&["set", "search_path"]) {
            let message = "the caller's search_path decides what this runs with its owner's rights";
            let draft = found.report(&RULE, definer, message);
            draft.help("add `SET search_path = pg_catalog, your_schema, pg_temp`");
        }
    }
}
