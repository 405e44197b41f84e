//! INSERT that a second run repeats.

use super::super::context::Context;
use super::super::finding::Found;
use super::super::fix::{Edit, Fix};
use super::super::guard;
use super::super::insert::{self, Insert};
use super::super::rule::{BOTH, Fixable, Rule, Set};
use super::super::shape::{Column, Shape, flat, items};
use super::super::statement::Statement;
use super::super::{called, condition, merge, update, witness};
use crate::sql::{ActionKind, Dialect, Kind, Name, Span, Verb};

pub(in crate::lint) static RULE: Rule = Rule {
    name: "unguarded-insert",
    set: Set::Idempotency,
    dialects: BOTH,
    summary: "INSERT that a second run repeats",
    effect: "A second run fails on a key, or silently inserts the rows again.",
    remedy: "Write `ON CONFLICT (key) DO NOTHING` (or DO UPDATE) where a key can conflict, else `WHERE NOT EXISTS (…)`, or a guard directive.",
    fixable: Fixable::Sometimes,
    check,
};

fn check(context: &Context<'_>, found: &mut Found) {
    for statement in context.statements {
        let head = &statement.head;
        if head.verb == Verb::Merge && !statement.is_guarded() && merge::never_matches(statement) {
            found.report(&RULE, statement.head_span(), "a second run inserts the rows again: nothing ever matches");
            continue;
        }
        let Some(table) = head.name.as_ref().filter(|_| head.verb == Verb::Insert) else { continue };
        let insert = insert::read(statement);
        if let Some(column) = renewed(context, statement, &insert, table) {
            let message =
                format!("a second run inserts the rows of {table} with another {column}: it deletes them first");
            found
                .report(&RULE, statement.head_span(), message)
                .help("write ON CONFLICT (key) DO UPDATE instead")
                .fix(witness::group(context));
            continue;
        }
        if refused_by_trigger(context, statement, table) {
            let message = format!("a second run fails: a trigger on {table}, made further down, refuses rows");
            found.report(&RULE, statement.head_span(), message).fix(witness::group(context));
            continue;
        }
        let safe = head.or_ignore
            || head.or_replace
            || insert.conflict.is_some()
            || insert.asks
            || insert.asks_elsewhere.iter().any(|asked| changes(context, asked, statement))
            || reads_what_was_written(context, statement)
            || source_is_emptied(context, statement)
            || source_is_passed_by(context, statement)
            // A command to a full-text index.
            || insert.columns.as_deref() == Some(&[table.object().to_owned()][..]) && context.dialect == Dialect::Sqlite
            || statement.is_guarded()
            || statement.catches(&["unique_violation"])
            || context.is_temporary(table)
            // Its rows go with their tables.
            || is_counters(table) && context.structure.first().is_some_and(|first| first.head.verb == Verb::Drop)
            || into_view(context, statement, table)
            || context.emptied_before(table, statement)
            || goes_with_its_table(context, statement, table)
            || deletes_on_the_way(statement, table)
            || !super::super::tree::agrees(statement);
        if safe {
            continue;
        }
        let shape = context.table(table, statement).cloned();
        let key = shape.as_ref().and_then(|shape| given_key(context, &insert, shape));
        if key.is_some() && shape.as_ref().is_some_and(|shape| shape.resolves.is_some()) {
            continue;
        }
        let message = match &key {
            Some(key) => format!("a second run fails: the rows' keys ({}) are in {table}", key.join(", ")),
            None => format!("a second run inserts the rows into {table} again"),
        };
        let draft = found.report(&RULE, statement.head_span(), message);
        if insert.is_strange {
            if made_here_alone(context, statement, table) {
                let name = head.name_span.map_or("", |span| span.text(context.text));
                draft.fix(guard::test(statement, &guard::Test::query(false, &format!("SELECT 1 FROM {name}"))));
            }
            continue;
        }
        // The trigger is there on a second run, and may refuse the rows before they are found to be there. Of a row that
        // is skipped there is no key to go on with.
        if trigger_behind(context, statement, table) || key_is_asked_for(context, statement) {
            draft.fix(witness::group(context));
            continue;
        }
        draft.fix(match (&key, shape.as_deref()) {
            (Some(_), _) => Some(on_conflict(context, statement, &insert)),
            (None, _) if made_here_alone(context, statement, table) => {
                let name = head.name_span.map_or("", |span| span.text(context.text));
                let query = format!("SELECT 1 FROM {name}");
                Some(guard::test(statement, &guard::Test::query(false, &query)))
            }
            (None, shape) => where_not_exists(context, statement, &insert, shape)
                .filter(|fix| fix.risk.is_none())
                .or_else(|| witness::group(context))
                .or_else(|| where_not_exists(context, statement, &insert, shape)),
        });
    }
}

/// The script makes a trigger on the table further down, whose function it makes as well, to raise an exception.
fn refused_by_trigger(context: &Context<'_>, statement: &Statement<'_>, table: &Name) -> bool {
    let raises = |name: &Name| {
        context.structure.iter().any(|other| {
            let text = || other.span.text(context.text).to_ascii_lowercase();
            other.head.creates(Kind::Function)
                && other.head.name.as_ref().is_some_and(|made| made.matches(name))
                && text().contains("raise exception")
        })
    };
    let inserts =
        |trigger: &Statement<'_>| trigger.tokens().has_words(&["before"]) && trigger.tokens().has_word("insert");
    !statement.is_guarded()
        && context.structure.iter().any(|other| {
            let mut tokens = other.tokens();
            trigger_on(other, statement, table)
                && inserts(other)
                && tokens.skip_past("execute")
                && tokens.eat_any(&["function", "procedure"]).is_some()
                && tokens.eat_name().is_some_and(|(name, _)| raises(&name))
        })
}

fn trigger_on(other: &Statement<'_>, statement: &Statement<'_>, table: &Name) -> bool {
    other.span.start > statement.span.start
        && other.head.creates(Kind::Trigger)
        && other.head.table.as_ref().is_some_and(|on| on.matches(table))
}

/// The script makes a trigger on the table further down.
fn trigger_behind(context: &Context<'_>, statement: &Statement<'_>, table: &Name) -> bool {
    context.structure.iter().any(|other| trigger_on(other, statement, table))
}

/// The script makes the table, and drops it again further down.
fn goes_with_its_table(context: &Context<'_>, statement: &Statement<'_>, table: &Name) -> bool {
    context.made_here(table, statement)
        && context.behind(statement).any(|other| {
            let drops = other.head.verb == Verb::Drop && other.head.kind == Some(Kind::Table) && !other.is_guarded();
            drops && super::super::facts::dropped(other).iter().any(|name| name.matches(table))
        })
}

/// `WITH moved AS (DELETE FROM a RETURNING …) INSERT INTO b …`: what was moved is gone.
fn deletes_on_the_way(statement: &Statement<'_>, table: &Name) -> bool {
    let mut tokens = statement.tokens();
    tokens.at_word("with") && tokens.has_words(&["delete", "from"]) && {
        let mut found = false;
        while tokens.skip_past("from") {
            found |= tokens.eat_name().is_some_and(|(name, _)| !name.matches(table));
        }
        found
    }
}

/// A key all of whose values the rows bring along, the same ones on each run.
fn given_key(context: &Context<'_>, insert: &Insert, shape: &Shape) -> Option<Vec<String>> {
    let given = |column: &String| match &insert.columns {
        Some(columns) => columns.contains(column),
        None => true,
    };
    let escapes = |key: &Vec<String>| insert::escapes(context.text, context.dialect, insert, shape, key);
    let reached = shape
        .partial_keys
        .iter()
        .filter(|key| insert::reaches(context.text, context.dialect, insert, shape, key))
        .map(|key| &key.columns);
    shape.keys.iter().chain(reached).find(|key| key.iter().all(given) && !escapes(key)).cloned()
}

fn on_conflict(context: &Context<'_>, statement: &Statement<'_>, insert: &Insert) -> Fix {
    let lower = guard::is_lower(statement);
    let from = insert.values_span.is_none() && statement.tokens_behind_name().has_word("from");
    // SQLite takes the ON for a join's where the query ends with its tables; many parsers do without any.
    let ends_openly = match context.dialect {
        Dialect::Sqlite => from,
        Dialect::Postgres => insert.values_span.is_none() && !insert.in_parens && !statement.has_words(&["from"]),
    };
    let truth = if ends_openly && !insert.has_clause { " WHERE true" } else { "" };
    let text = guard::cased(&format!("{truth} ON CONFLICT DO NOTHING"), lower);
    Fix::insert("skip rows that are there", insert.body_end, text)
}

/// The script makes the table, so it is empty before the first run, and this is all that fills it.
fn made_here_alone(context: &Context<'_>, statement: &Statement<'_>, table: &Name) -> bool {
    let fills = |other: &&Statement<'_>| {
        matches!(other.head.verb, Verb::Insert | Verb::Copy | Verb::Merge)
            && other.head.name.as_ref().is_some_and(|name| name.matches(table))
    };
    let renamed_away = context.behind(statement).any(|other| {
        let names_it = other.head.name.as_ref().is_some_and(|name| name.matches(table));
        names_it
            && (other.head.verb == Verb::Drop || other.actions.iter().any(|action| action.kind == ActionKind::Rename))
    });
    // In a loop the second turn finds the row of the first one.
    let once = !statement.repeats && !reads_another(context, table);
    once && context.made_here(table, statement)
        && context.statements.iter().filter(fills).take(2).count() == 1
        && !renamed_away
}

/// A full-text index without rows of its own: a question to it is one to the table that it is about.
fn reads_another(context: &Context<'_>, table: &Name) -> bool {
    context.structure.iter().any(|other| {
        let is_it = other.head.name.as_ref().is_some_and(|name| name.matches(table));
        other.head.creates(Kind::VirtualTable)
            && is_it
            && other.tokens().any(|token| token.is_word(context.text, "content"))
    })
}

/// A trigger of the view says what becomes of the rows, and does nothing when they come again.
fn into_view(context: &Context<'_>, statement: &Statement<'_>, table: &Name) -> bool {
    let moment = context.moment(statement);
    context.history.other(Kind::View, table, moment).is_some()
        && context.history.on_table(table, moment).iter().any(|(kind, _)| *kind == Kind::Trigger)
        && called::fired(context, statement, called::Event::Insert, &update::Update::default()).is_none()
}

fn is_counters(table: &Name) -> bool {
    table.object() == "sqlite_sequence"
}

/// One row of literals becomes `SELECT … WHERE NOT EXISTS`; several are tested by the first.
pub(super) fn where_not_exists(
    context: &Context<'_>,
    statement: &Statement<'_>,
    insert: &Insert,
    shape: Option<&Shape>,
) -> Option<Fix> {
    let first = *insert.rows.first().filter(|_| !statement.repeats)?;
    let names = match (&insert.columns, shape) {
        (Some(columns), _) => columns.clone(),
        (None, Some(shape)) if !shape.partly_known => shape.columns.iter().map(|column| column.name.clone()).collect(),
        (None, _) => return None,
    };
    let columns = spelled(context, insert, names);
    let values = items(context.text, first, context.dialect);
    let incomparable = |column: &String| {
        let known = shape.and_then(|shape| shape.column_named(column));
        known
            .is_some_and(|column| matches!(column.type_word(), "json" | "xml" | "point" | "polygon" | "float" | "real"))
    };
    let tests: Vec<String> = columns
        .iter()
        .zip(&values)
        .filter_map(|((name, written), value)| {
            let given = value.text(context.text);
            if given.eq_ignore_ascii_case("null") {
                // A key gets a value of its own.
                let column = shape.and_then(|shape| shape.column_named(name))?;
                let stays = !column.definition.contains("primary") && !column.definition.contains("not null");
                return stays.then(|| format!("{written} IS NULL"));
            }
            let compared = insert::is_literal(context.text, *value, context.dialect) && !incomparable(name);
            // SQLite's counters only grow.
            let is_counter = name == "seq" && statement.head.name.as_ref().is_some_and(is_counters);
            let operator = if is_counter { ">=" } else { "=" };
            compared.then(|| format!("{written} {operator} {given}"))
        })
        .collect();
    if tests.is_empty() || values.len() > columns.len() {
        return None;
    }
    let lower = guard::is_lower(statement);
    let table = statement.head.name_span?.text(context.text);
    let condition = format!("SELECT 1 FROM {table} WHERE {}", tests.join(" AND "));
    let risk = "a row that has these values already is taken for this one";
    let complete = tests.len() == columns.len();
    if insert.rows.len() > 1 || insert.columns.is_none() {
        let fix = guard::test(statement, &guard::Test::query(false, &condition.replace('\n', " ")));
        return Some(if complete { fix } else { fix.risky(risk) });
    }
    let values_span = insert.values_span?;
    let close = format!("{}{})", guard::cased(" WHERE NOT EXISTS (", lower), guard::cased(&condition, lower));
    let fix = Fix::edits(
        "ask whether the row is there",
        vec![
            Edit::replace(Span::new(values_span.start, first.start + 1), guard::cased("SELECT ", lower)),
            Edit::replace(Span::new(first.end - 1, first.end), close),
        ],
    );
    Some(if complete { fix } else { fix.risky(risk) })
}

/// Columns with how they are written in a condition: as the author writes them, which an INSERT takes no other way,
/// else in quotes, since a name may be a keyword.
fn spelled(context: &Context<'_>, insert: &Insert, names: Vec<String>) -> Vec<(String, String)> {
    // One byte on either side stands for the parentheses of a list.
    let list = insert.columns_span.map(|span| Span::new(span.start.saturating_sub(1), span.end + 1));
    let written = list.map_or_else(Vec::new, |list| items(context.text, list, context.dialect));
    let spell = |(at, name): (usize, String)| {
        let own = written.get(at).map(|span| span.text(context.text).trim()).filter(|text| !text.starts_with('\''));
        let text = own.map_or_else(|| crate::sql::quote_identifier(context.dialect, &name), str::to_owned);
        (name, text)
    };
    names.into_iter().enumerate().map(spell).collect()
}

/// Whether the script changes the rows of a table elsewhere, so that a question about them has another answer then.
fn changes(context: &Context<'_>, table: &Name, statement: &Statement<'_>) -> bool {
    let writes = |other: &&Statement<'_>| {
        let rows = matches!(
            other.head.verb,
            Verb::Insert
                | Verb::Update
                | Verb::Delete
                | Verb::Merge
                | Verb::Truncate
                | Verb::Copy
                | Verb::Replace
                | Verb::Drop
                | Verb::Do
        );
        rows && other.span.start != statement.span.start
            && other.head.name.as_ref().is_none_or(|name| name.matches(table))
    };
    context.statements.iter().any(|other| writes(&other)) || context.table(table, statement).is_none()
}

/// `WITH new AS (INSERT … RETURNING id) INSERT INTO b SELECT id FROM new`: the first one is judged.
fn reads_what_was_written(context: &Context<'_>, statement: &Statement<'_>) -> bool {
    !statement.embedded
        && context.statements.iter().any(|inner| {
            let inside =
                inner.embedded && statement.span.start < inner.span.start && inner.span.end <= statement.span.end;
            inside && matches!(inner.head.verb, Verb::Insert | Verb::Delete)
        })
}

/// The rows are moved: the table that they come from is emptied further down.
fn source_is_emptied(context: &Context<'_>, statement: &Statement<'_>) -> bool {
    let sources = insert::read_tables(statement.tokens_behind_name());
    let [source] = sources.as_slice() else { return false };
    let condition = |statement: &Statement<'_>| {
        let mut tokens = statement.tokens();
        tokens.skip_past("where").then(|| flat(tokens))
    };
    context.behind(statement).any(|other| {
        let names_it = || other.head.name.as_ref().is_some_and(|name| name.matches(source));
        let same = || condition(other).is_none_or(|asked| Some(asked) == condition(statement));
        matches!(other.head.verb, Verb::Truncate | Verb::Delete)
            && names_it()
            && (other.head.verb == Verb::Truncate || same())
    })
}

/// The rows are moved: an `UPDATE` further down takes from them what the query asks for, and nothing gives it back.
fn source_is_passed_by(context: &Context<'_>, statement: &Statement<'_>) -> bool {
    let Some(asked) = statement.find_words(&["where"]) else { return false };
    let asked = condition::terms(statement, Span::new(asked.end, statement.span.end));
    let sources = insert::read_tables(statement.tokens_behind_name());
    let updates: Vec<_> = context
        .behind(statement)
        .filter(|other| other.head.verb == Verb::Update && !other.is_guarded())
        .filter(|other| other.head.name.as_ref().is_some_and(|name| sources.iter().any(|source| source.matches(name))))
        .map(|other| (other, update::read(other)))
        .collect();
    updates.iter().enumerate().any(|(at, (other, update))| {
        let is_asked = |term: &Span| asked.iter().any(|one| bare_words(statement, *one) == bare_words(other, *term));
        let takes_all = update.condition.is_none_or(|own| condition::terms(other, own).iter().all(is_asked));
        let given_back = |column: &str| {
            updates[at + 1..].iter().flat_map(|(_, later)| &later.assignments).any(|later| later.column == column)
        };
        let takes = |term: &Span| {
            let words = bare_words(statement, *term);
            let mut own = update.assignments.iter().filter(|assignment| words.contains(&assignment.column));
            own.any(|assignment| !given_back(&assignment.column))
                && condition::excludes_itself(statement, update, *term)
        };
        takes_all && asked.iter().any(takes)
    })
}

/// The words of a condition, columns without their tables.
fn bare_words(statement: &Statement<'_>, term: Span) -> Vec<String> {
    let mut tokens = statement.part(term);
    let mut words = Vec::new();
    while let Some(token) = tokens.peek() {
        match tokens.eat_name() {
            Some((name, _)) => words.push(name.object().to_owned()),
            None => {
                tokens.next();
                words.push(token.text(statement.text).to_owned());
            }
        }
    }
    words
}

/// Whether the rows bring nothing but NULL for a column.
fn is_null(context: &Context<'_>, insert: &Insert, columns: &[String], name: &str) -> bool {
    let at = columns.iter().position(|column| column == name).unwrap_or_default();
    let values = insert::values_of(context.text, context.dialect, insert, at);
    values.into_iter().all(|value| value.text(context.text).trim().eq_ignore_ascii_case("null"))
}

/// Whether a statement further down asks for the key that this one made.
fn key_is_asked_for(context: &Context<'_>, statement: &Statement<'_>) -> bool {
    let asks = |other: &&Statement<'_>| {
        matches!(other.head.verb, Verb::Insert | Verb::Update)
            && other.tokens().has_any(&["last_insert_rowid", "lastval", "currval"])
    };
    let last = || context.statements.iter().filter(asks).map(|other| other.span.start).max();
    statement.span.start < *context.once.key_asked_at.get_or_init(|| last().unwrap_or_default())
}

/// `DELETE …; INSERT …`, where a column that the rows do not bring gets another value each time.
fn renewed(context: &Context<'_>, statement: &Statement<'_>, insert: &Insert, table: &Name) -> Option<String> {
    if statement.is_guarded() || context.is_temporary(table) {
        return None;
    }
    let named = || {
        let shape = context.table(table, statement).filter(|shape| !shape.partly_known)?;
        Some(shape.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>())
    };
    let columns = &insert.columns.clone().or_else(named)?;
    let is_value = |token: &crate::sql::Token| token.kind.is_string();
    let given: Vec<&str> = statement.tokens().filter(is_value).map(|token| token.text(context.text)).collect();
    let deletes = |other: &Statement<'_>| {
        let own = other.head.verb == Verb::Delete && other.head.name.as_ref().is_some_and(|name| name.matches(table));
        let mut condition = other.tokens_behind_name();
        own && (!condition.skip_past("where")
            || condition.filter(is_value).any(|token| given.contains(&token.text(context.text))))
    };
    // TRUNCATE leaves the sequences where they are.
    let truncates = |other: &Statement<'_>| {
        other.head.verb == Verb::Truncate
            && other.head.name.as_ref().is_some_and(|name| name.matches(table))
            && !other.tokens().has_word("restart")
    };
    if !context.structure_before(statement).any(|other| deletes(other) || truncates(other)) {
        return None;
    }
    let shape = context.table(table, statement)?;
    // `DELETE FROM sqlite_sequence`: the numbers begin again.
    let begins_again = context.before(statement).any(|other| {
        other.head.verb == Verb::Delete && other.head.name.as_ref().is_some_and(is_counters) && !other.is_guarded()
    });
    let moves = |column: &Column| {
        column.is_renewed() || !begins_again && column.definition.split(' ').any(|word| word == "autoincrement")
    };
    let given = |name: &String| columns.contains(name);
    let is_new = |name: &&String| insert::is_new(context.text, context.dialect, insert, shape, name);
    if let Some(column) = columns.iter().find(|name| is_new(name) && !is_null(context, insert, columns, name)) {
        return Some(column.clone());
    }
    shape.columns.iter().find(|column| !given(&column.name) && moves(column)).map(|column| column.name.clone())
}
