//! Lint: statements that fail or change something on a second run, guards that lie, what endangers a database in use.
//!
//! Reads texts only: no file, no database. Statement heads decide by tokens; the parser's tree is asked before a
//! finding is made, and where the two disagree there is none.

mod alike;
mod alteration;
mod body;
mod called;
mod cases;
mod catalog;
mod condition;
mod context;
mod creation;
mod dependence;
mod document;
mod dynamic;
mod facts;
mod finding;
mod fix;
mod generated;
mod guard;
mod history;
mod insert;
mod lasting;
mod live;
mod merge;
mod options;
mod rebuild;
mod replay;
mod routine;
mod rule;
mod rules;
mod settle;
mod shape;
mod statement;
mod suppress;
mod swap;
mod tree;
mod update;
mod witness;

use std::sync::atomic::{AtomicUsize, Ordering};

pub use context::{Context, Role};
pub use finding::Finding;
pub use fix::{Edit, Fix, apply};
pub use options::{Options, known_names};
pub use rule::{Fixable, Level, Rule, Set};
pub use rules::RULES;
pub use tree::parses;

use crate::error::Place;
use crate::sql::{Dialect, Lexed, Name, Verb};
use finding::Found;
use history::History;

/// A text to lint: a script, a code object or a seed, as it runs.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The file, relative to the project.
    pub file: String,
    /// Its text.
    pub text: String,
    /// What it is.
    pub role: Role,
    /// True if it is read for its names only.
    pub exempt: bool,
    /// True if the settings, or the layout's own markers, say `no-transaction`.
    pub no_transaction: bool,
    /// The newer script of the main branch that this one is behind.
    pub late: Option<String>,
    /// What there is to say about another script of the same version.
    pub twin: Option<String>,
    /// The table that it fills, for a seed of rows, which has no text.
    pub fills: Option<Name>,
}

/// Lints sources of one dialect, in the order in which they run. Findings come in the order of the sources.
pub fn lint(sources: &[Source], dialect: Dialect, options: &Options) -> Vec<Finding> {
    let facts =
        in_parallel(sources, |_, source| facts::facts(&statement::statements(&Lexed::of(&source.text, dialect))));
    let history = History::of(facts).with_seeds(seeded(sources, dialect));
    let code: Vec<Name> =
        sources.iter().filter(|source| source.role == Role::Code).flat_map(made_by(dialect)).collect();
    let found = in_parallel(sources, |index, source| {
        if source.exempt { Vec::new() } else { lint_one(source, index, dialect, options, &history, &code) }
    });
    found.into_iter().flatten().collect()
}

fn made_by(dialect: Dialect) -> impl Fn(&Source) -> Vec<Name> {
    move |source| {
        let lexed = Lexed::of(&source.text, dialect);
        let created = statement::statements(&lexed).into_iter().filter(|statement| statement.head.verb == Verb::Create);
        created.filter_map(|statement| statement.head.name).collect()
    }
}

/// The tables that seeds fill and scripts do not.
fn seeded(sources: &[Source], dialect: Dialect) -> Vec<Name> {
    if !sources.iter().any(|source| source.role == Role::Seed) {
        return Vec::new();
    }
    let filled = |role: Role| {
        let of_role = sources.iter().filter(move |source| source.role == role);
        of_role.flat_map(move |source| {
            let lexed = Lexed::of(&source.text, dialect);
            let writes = statement::statements(&lexed).into_iter();
            let fills = |verb| matches!(verb, Verb::Insert | Verb::Replace | Verb::Merge | Verb::Copy);
            let written = writes.filter(move |statement| fills(statement.head.verb));
            let names = written.filter_map(|statement| statement.head.name).chain(source.fills.clone());
            names.collect::<Vec<Name>>()
        })
    };
    let scripts: Vec<Name> = filled(Role::Script).collect();
    filled(Role::Seed).filter(|name| !scripts.iter().any(|script| script.matches(name))).collect()
}

fn lint_one(
    source: &Source,
    index: usize,
    dialect: Dialect,
    options: &Options,
    history: &History,
    code: &[Name],
) -> Vec<Finding> {
    let text = &*dynamic::covered(&source.text, dialect);
    let lexed = Lexed::of(text, dialect);
    let statements = statement::statements(&lexed);
    let is_structure = |statement: &&statement::Statement<'_>| {
        matches!(statement.head.verb, Verb::Create | Verb::Alter | Verb::Drop | Verb::Truncate | Verb::Delete)
    };
    let structure: Vec<&statement::Statement<'_>> = statements.iter().filter(is_structure).collect();
    let head = statements.first().map_or(source.text.len(), |first| first.span.start);
    let at_head = source.text.get(..head).unwrap_or_default();
    let says = |text: &str| crate::script::directives(at_head, dialect).iter().any(|(_, body)| *body == text);
    let mut context = Context {
        text,
        dialect,
        statements: &statements,
        structure: &structure,
        history,
        source: index,
        role: source.role,
        no_transaction: source.no_transaction || says("no-transaction"),
        foreign_keys_off: says("foreign-keys off"),
        postgres_from: options.postgres_from,
        late: source.late.as_deref(),
        twin: source.twin.as_deref(),
        rebuild: None,
        swap: None,
        code,
        columns: std::cell::OnceCell::new(),
        once: context::Once::default(),
    };
    context.rebuild = rebuild::find(&context);
    context.swap = swap::find(&context);
    let mut found = Found::default();
    let level = |rule: &Rule| options.level(rule, &source.file);
    for rule in RULES.iter().filter(|rule| rule.dialects.contains(&dialect) && level(rule) != Level::Off) {
        (rule.check)(&context, &mut found);
    }
    // Nothing can be put around a statement inside a query or a string, and no quote into a string.
    for embedded in statements.iter().filter(|statement| statement.embedded) {
        let inside = |draft: &&mut finding::Draft| {
            embedded.span.start <= draft.span.start && draft.span.end <= embedded.span.end
        };
        for draft in found.drafts.iter_mut().filter(inside) {
            let plain = |fix: &Fix| fix.edits.iter().all(|edit| !edit.text.contains(['\n', '\'']));
            draft.fix = draft.fix.take().filter(plain);
        }
    }
    // A rebuild is judged as a whole.
    let whole = [rules::table_rebuild::RULE.name, rules::lost_triggers::RULE.name, rules::column_rebuild::RULE.name];
    if context.rebuild.is_some() || context.swap.is_some() {
        found.drafts.retain(|draft| {
            let by_itself = draft.rule.set != Set::Idempotency || whole.contains(&draft.rule.name);
            by_itself || !explained(&context, draft)
        });
    }
    let outcome = if found.drafts.is_empty() { None } else { replay::outcome(&context) };
    if outcome == Some(replay::Outcome::Repeats) && context.rebuild.is_none() {
        found.drafts.retain(|draft| !replay::answers(&context, draft.rule, draft.span.start));
    }
    settle_fixes(&context, &mut found, outcome == Some(replay::Outcome::Tears));
    let ran = |name: &str| {
        RULES.iter().any(|rule| rule.name == name && rule.dialects.contains(&dialect) && level(rule) != Level::Off)
    };
    let mut drafts = suppress::apply(&source.text, dialect, found.drafts, ran);
    drafts.sort_by_key(|draft| (draft.span.start, draft.span.end));
    let lines = crate::sql::LineIndex::new(&source.text);
    drafts
        .into_iter()
        .map(|draft| Finding {
            rule: draft.rule,
            level: level(draft.rule),
            source: index,
            span: draft.span,
            place: Place::in_lines(&source.file, &source.text, draft.span, &lines),
            message: dynamic::shown(draft.message),
            help: draft.help,
            fix: draft.fix,
        })
        .collect()
}

/// Where guards on single statements do not do, the script is guarded as a whole, or not at all.
fn settle_fixes(context: &Context<'_>, found: &mut Found, tears: bool) {
    let own = |draft: &&mut finding::Draft| draft.rule.set == Set::Idempotency;
    // What else stands beside a rebuild reads what it takes away, or makes anew what it drops: the script is one change.
    let is_one = tears || witness::is_one_change(context);
    // What cannot be cured by itself is cured with the rest; a guard that lies is for its author to mend.
    let incurable = found.drafts.iter().any(|draft| {
        // What needs something that goes is seldom alone with it.
        let alone = draft.fix.is_some() && draft.rule.name != rules::used_then_dropped::RULE.name;
        draft.rule.set == Set::Idempotency && !alone && witness::CURES.contains(&draft.rule.name)
    });
    if !is_one && !incurable || !found.drafts.iter().any(|draft| draft.rule.set == Set::Idempotency) {
        return;
    }
    let mut fix = witness::group(context);
    if fix.is_some() || tears {
        // A guard that lies is mended by itself.
        let lies = |draft: &finding::Draft| fix.is_none() && draft.rule.name == rules::shadowed_column::RULE.name;
        let all = found.drafts.iter_mut().filter(own).filter(|draft| !lies(draft)).collect::<Vec<_>>();
        for draft in all {
            draft.fix = fix.take();
        }
    }
}

/// Returns true if a finding is in a rebuild, which says as a whole what a second run does.
fn explained(context: &Context<'_>, draft: &finding::Draft) -> bool {
    let at = draft.span.start;
    let own =
        |statement: &&statement::Statement<'_>| !statement.nested && statement.span.start <= at && at < statement.end;
    let statement = context.statements.iter().find(own);
    let rebuilt =
        context.rebuild.as_ref().zip(statement).is_some_and(|(rebuild, statement)| rebuild.explains(statement));
    rebuilt || context.swap.as_ref().is_some_and(|swap| swap.explains(at))
}

/// How many times a text is linted again after its fixes: each pass takes those that do not reach into another.
const PASSES: usize = 12;

/// Fixes every source that is not exempt. Returns the sources that changed and how many fixes each took.
pub fn fix_all(sources: &mut [Source], dialect: Dialect, options: &Options, risky: bool) -> Vec<(usize, usize)> {
    let facts =
        in_parallel(sources, |_, source| facts::facts(&statement::statements(&Lexed::of(&source.text, dialect))));
    let code: Vec<Name> =
        sources.iter().filter(|source| source.role == Role::Code).flat_map(made_by(dialect)).collect();
    // A fix never changes what a script makes, so what later scripts meet stays what it is.
    let history = History::of(facts).with_seeds(seeded(sources, dialect));
    let fixed = in_parallel(sources, |index, source| {
        if source.exempt {
            return (source.text.clone(), 0);
        }
        fix_one(source, index, dialect, options, risky, &history, &code)
    });
    let mut changed = Vec::new();
    for (index, (text, count)) in fixed.into_iter().enumerate() {
        if count > 0 {
            sources[index].text = text;
            changed.push((index, count));
        }
    }
    changed
}

fn fix_one(
    source: &Source,
    index: usize,
    dialect: Dialect,
    options: &Options,
    risky: bool,
    history: &History,
    code: &[Name],
) -> (String, usize) {
    let mut source = source.clone();
    let mut count = 0;
    for _ in 0..PASSES {
        let findings = lint_one(&source, index, dialect, options, history, code);
        let fixes = findings.iter().filter_map(|finding| finding.fix.as_ref());
        let (text, taken) = apply(&source.text, fixes.filter(|fix| risky || fix.risk.is_none()));
        // A text that can no longer be cut into statements is worse than any finding.
        if taken == 0 || crate::sql::split(&text, dialect).is_err() && crate::sql::split(&source.text, dialect).is_ok()
        {
            break;
        }
        source.text = text;
        count += taken;
    }
    (source.text, count)
}

fn in_parallel<T: Send>(sources: &[Source], map: impl Fn(usize, &Source) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if sources.len() < 16 || threads < 2 {
        return sources.iter().enumerate().map(|(index, source)| map(index, source)).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = sources.get(index) else { return done };
            done.push((index, map(index, source)));
        }
    };
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, value)| value).collect()
}
