//! Whether an expression that reads its own column comes to rest after one run.

use super::document::{is_of_keys, reads_another_key, sets_keys, takes_keys_out};
use super::shape::items;
use super::statement::Statement;
use super::update::Assignment;
use crate::sql::{Dialect, Name, Span, TokenKind, Tokens};

/// Functions that give the same when they are applied to what they gave, as long as their other arguments stay.
const SETTLING: &[&str] = &[
    "lower",
    "upper",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "coalesce",
    "greatest",
    "least",
    "abs",
    "round",
    "floor",
    "ceil",
    "trunc",
    "date_trunc",
    "jsonb_set",
    "json_set",
    "json_remove",
    "json_insert",
    "json_replace",
    "json_patch",
    "max",
    "min",
    "nullif",
    "ifnull",
    "initcap",
    "sign",
    "array_remove",
    "translate",
    "cast",
    "date",
    "datetime",
    "json",
    "jsonb_strip_nulls",
    "left",
    "substr",
    "lpad",
    "rpad",
];

/// Functions that give one of their arguments, the same one again when the column has it.
const CHOOSING: &[&str] = &["coalesce", "ifnull", "greatest", "least", "max", "min"];

/// Whether an expression of its own column comes to rest after one run.
pub fn settles(statement: &Statement<'_>, assignment: &Assignment, own: &[Span]) -> bool {
    let mut tokens = statement.part(assignment.value);
    let text = statement.text;
    // The column as it is.
    if assignment.value.text(text).trim() == own.first().map_or("", |span| span.text(text)) {
        return true;
    }
    if tokens.at_word("case") {
        return case_settles(statement, assignment);
    }
    if is_of_keys(statement, assignment.value, own) {
        return true;
    }
    if tokens.at(TokenKind::OpenParen) {
        return query_settles(statement, tokens);
    }
    let Some(first) = tokens.next() else { return true };
    // A cast settles, whatever it is of.
    if own.contains(&first.span) {
        let casts = tokens.eat_operator("::");
        tokens.eat_name();
        tokens.eat_parens();
        return casts && tokens.peek().is_none();
    }
    let of = |value: Span| Assignment { column: assignment.column.clone(), value };
    // Negative whatever it was.
    if first.text(text) == "-" && tokens.at_word("abs") {
        return settles(statement, &of(Span::new(tokens.start(), assignment.value.end)), own);
    }
    let Some(arguments) = tokens.eat_parens() else { return false };
    // `jsonb_set(…) || '{"key": …}'`: both come to rest.
    if tokens.peek().is_some_and(|token| token.text(text) == "||") {
        let behind = own.iter().any(|span| tokens.start() < span.start);
        let call = of(Span::new(assignment.value.start, arguments.end));
        return !behind && sets_keys(tokens, own) && settles(statement, &call, own);
    }
    if tokens.peek().is_some_and(|token| token.kind != TokenKind::Operator || token.text(text) != "::") {
        return false;
    }
    let name = first.text(text).to_ascii_lowercase();
    call_settles(statement, &assignment.column, &name, arguments, own)
}

/// A query of its own; one that counts on from the column's own values does not rest.
fn query_settles(statement: &Statement<'_>, query: Tokens<'_>) -> bool {
    let text = statement.text;
    let grows = ["sum", "string_agg", "group_concat", "array_agg", "json_agg", "jsonb_agg", "json_group_array"];
    let is_own = |read: &Name| statement.head.name.as_ref().is_some_and(|table| table.matches(read));
    let mut all = query;
    let counts = all.any(|token| {
        let operator = token.kind == TokenKind::Operator && ["+", "-", "*", "/", "||"].contains(&token.text(text));
        operator || grows.iter().any(|word| token.is_word(text, word))
    });
    let mut all = query;
    let selects = all.any(|token| token.is_word(text, "select"));
    selects && !(counts && super::insert::read_tables(query).iter().any(is_own))
}

/// Whether a function of a column, called with what it gave, gives it again.
fn call_settles(statement: &Statement<'_>, column: &str, name: &str, arguments: Span, own: &[Span]) -> bool {
    let text = statement.text;
    let mut parts = items(text, arguments, statement.dialect);
    let is = |at: usize, written: &str| parts.get(at).is_some_and(|part| part.text(text).trim() == written);
    match name {
        "regexp_replace" if puts_beside(statement, arguments) || replaces_the_next(statement, arguments) => {
            return false;
        }
        "replace" | "regexp_replace" | "array_replace" => return replacement_settles(statement, arguments),
        "split_part" => return is(2, "1"),
        "translate" if !translation_settles(statement, arguments) => return false,
        // From the second letter on there is less each time.
        "substr" if !is(1, "1") => return false,
        _ => {}
    }
    if let Some(settles) = shown_settles(statement, name, arguments, own) {
        return settles;
    }
    // What is cut to comes in front of what is cut.
    if name == "date_trunc" && parts.len() > 1 {
        parts.swap(0, 1);
    }
    let holds = |part: &Span, span: &Span| part.start <= span.start && span.end <= part.end;
    // One of several values is taken: the column as it is may stand at any place.
    let whole = |span: &Span| parts.iter().any(|part| holds(part, span) && part.text(text).trim() == span.text(text));
    if CHOOSING.contains(&name) && parts.len() > 1 && own.iter().all(whole) {
        return true;
    }
    if name == "jsonb_set" && parts.get(2).is_some_and(|value| takes_keys_out(statement, *value)) {
        return true;
    }
    // Beyond the first argument the column must not come again.
    let sets_paths = matches!(name, "json_set" | "json_insert" | "json_replace" | "jsonb_set");
    let later = parts.iter().skip(1).filter(|part| own.iter().any(|span| holds(part, span)));
    if !SETTLING.contains(&name)
        || later.into_iter().any(|part| !(sets_paths && reads_another_key(statement, *part, own)))
    {
        return false;
    }
    // `'$[#]'` is the place behind the last element; of a list, the next element takes the place of a removed one.
    let path = |part: &Span| part.text(text).contains(if name == "json_remove" { "[" } else { "[#" });
    if name.starts_with("json") && parts.iter().skip(1).any(path) {
        return false;
    }
    // What is inside must come to rest as well.
    let is_computed = |inner: &Span| {
        statement.part(*inner).any(|token| matches!(token.kind, TokenKind::OpenParen | TokenKind::Operator))
    };
    let Some(inner) = parts.first().copied().filter(is_computed) else { return true };
    let own: Vec<Span> = own.iter().copied().filter(|span| holds(&inner, span)).collect();
    own.is_empty() || settles(statement, &Assignment { column: column.to_owned(), value: inner }, &own)
}

/// `regexp_replace(column, '^', 'x')`, `regexp_replace(column, '^(.*)$', 'x\1')`: what is found stays.
fn puts_beside(statement: &Statement<'_>, arguments: Span) -> bool {
    let parts = items(statement.text, arguments, statement.dialect);
    let literal = |at: usize| parts.get(at).map(|part| part.text(statement.text).trim().trim_matches('\''));
    let (Some(pattern), Some(to)) = (literal(1), literal(2)) else { return false };
    let finds_nothing = pattern.trim_matches(['^', '$']).is_empty();
    let finds_all = pattern.contains(".*") || pattern.contains(".+");
    finds_nothing && !to.is_empty()
        || finds_all && to.contains('\\') && !to.trim_start_matches(['\\', '&', '1']).is_empty()
}

/// `regexp_replace(column, 'a', 'b')` replaces the first one that it finds, and the next one on the next run.
fn replaces_the_next(statement: &Statement<'_>, arguments: Span) -> bool {
    let parts = items(statement.text, arguments, statement.dialect);
    let literal = |at: usize| parts.get(at).map(|part| part.text(statement.text).trim().trim_matches('\''));
    let is_global = literal(3).is_some_and(|flags| flags.contains('g'));
    let pattern = literal(1).unwrap_or_default();
    let is_fixed = pattern.starts_with('^') || pattern.ends_with('$') || pattern.contains(".*");
    parts.get(1).is_some_and(|part| part.text(statement.text).contains('\'')) && !is_global && !is_fixed
}

/// `replace(column, 'a', 'b')` rests if the result no longer holds what is looked for.
fn replacement_settles(statement: &Statement<'_>, arguments: Span) -> bool {
    let parts = items(statement.text, arguments, statement.dialect);
    let (Some(from), Some(to)) = (parts.get(1), parts.get(2)) else { return false };
    let inner = |span: &Span| span.text(statement.text).trim().trim_matches('\'').to_owned();
    let both_literal = [from, to].iter().all(|span| span.text(statement.text).trim().starts_with('\''));
    !both_literal || inner(from).is_empty() || !inner(to).contains(&inner(from))
}

/// Dates and numbers as text, and a choice: `date(column)`, `printf('%03d', column)`, `iif(column IS NULL, 0, column)`.
/// `None` for another function.
fn shown_settles(statement: &Statement<'_>, name: &str, arguments: Span, own: &[Span]) -> Option<bool> {
    let text = statement.text;
    let parts: Vec<&str> =
        items(text, arguments, statement.dialect).into_iter().map(|part| part.text(text).trim()).collect();
    let is_own = |part: Option<&&str>| part.is_some_and(|part| own.iter().any(|span| span.text(text) == *part));
    match name {
        // What is added to a date is added again.
        "date" | "datetime" if parts.iter().skip(1).any(|part| !part.starts_with("'start of")) => Some(false),
        "strftime" => Some(parts.len() == 2 && parts[0].starts_with("'%Y-%m-%d") && is_own(parts.get(1))),
        "printf" | "format" if statement.dialect == Dialect::Sqlite => {
            let digits = parts[0].trim_matches('\'').strip_prefix("%0").and_then(|rest| rest.strip_suffix('d'));
            let pads = digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            Some(parts.len() == 2 && pads && is_own(parts.get(1)))
        }
        "iif" => {
            let compares = parts.first().is_some_and(|condition| condition.contains(['<', '>']));
            Some(parts.len() == 3 && !compares && is_own(parts.get(2)) && own.len() == 2)
        }
        _ => None,
    }
}

/// `translate(column, 'ab', 'x')` rests if no letter that it gives is one that it takes.
fn translation_settles(statement: &Statement<'_>, arguments: Span) -> bool {
    let parts = items(statement.text, arguments, statement.dialect);
    let literal = |span: &Span| {
        let text = span.text(statement.text).trim();
        text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''))
    };
    let (Some(from), Some(to)) = (parts.get(1).and_then(literal), parts.get(2).and_then(literal)) else { return false };
    !to.chars().any(|char| from.contains(char))
}

/// `CASE column WHEN 'a' THEN 'b' … ELSE column END` rests if no result is asked for again.
fn case_settles(statement: &Statement<'_>, assignment: &Assignment) -> bool {
    if let Some(rests) = cases(statement, assignment).map(|cases| cases_rest(&cases)) {
        return rests;
    }
    let tokens = statement.part(assignment.value);
    let text = statement.text;
    let (mut asked, mut given) = (Vec::new(), Vec::new());
    let mut behind_then = false;
    for token in tokens {
        if token.is_word(text, "then") {
            behind_then = true;
        } else if token.is_word(text, "when") {
            behind_then = false;
        } else if token.is_word(text, "else") {
            behind_then = true;
        } else if token.kind.is_string() || token.kind == TokenKind::Number {
            if behind_then { given.push(token.text(text)) } else { asked.push(token.text(text)) }
        } else if behind_then && (token.kind == TokenKind::Operator && token.text(text) != "::") {
            return false;
        }
    }
    !given.iter().any(|value| asked.contains(value))
}

/// Whether a `CASE` asks for a column's values as texts, and gives the same when it asks again, whatever the type that
/// they have by then.
pub fn rests_as_text(statement: &Statement<'_>, value: Span, column: &str) -> bool {
    let assignment = Assignment { column: column.to_owned(), value };
    cases(statement, &assignment).is_some_and(|cases| cases.of_text && cases_rest(&cases))
}

/// What a `CASE` that asks for single values makes of them; a result that is `None` is the column as it is.
struct Cases<'a> {
    /// The column is asked for as a text.
    of_text: bool,
    of: Vec<(Vec<&'a str>, Option<&'a str>)>,
    /// What all others become.
    rest: Option<&'a str>,
}

/// `CASE column WHEN 'a' THEN 'b' …`, `CASE WHEN column = 'a' THEN …`, `… WHEN column IN ('a', 'b') THEN …`; the column
/// may be cast.
fn cases<'a>(statement: &Statement<'a>, assignment: &Assignment) -> Option<Cases<'a>> {
    let text = statement.text;
    let mut tokens = statement.part(assignment.value);
    let is_own = |tokens: &mut Tokens<'a>, of_text: &mut bool| {
        let own = tokens.eat_name().is_some_and(|(name, _)| name.object() == assignment.column);
        *of_text &= tokens.eat_operator("::") && tokens.eat_name().is_some_and(|(name, _)| name.object() == "text");
        own
    };
    let literal = |tokens: &mut Tokens<'a>| {
        let token = tokens.next().filter(|token| token.kind.is_string() || token.kind == TokenKind::Number)?;
        while tokens.eat_operator("::") {
            tokens.eat_name();
        }
        Some(token.text(text))
    };
    let result = |tokens: &mut Tokens<'a>| {
        let of_column = tokens.peek().is_some_and(|token| token.kind.is_identifier() && !token.is_word(text, "null"));
        if of_column {
            is_own(tokens, &mut false).then_some(None)
        } else if tokens.eat_word("null") {
            Some(Some("NULL"))
        } else {
            literal(tokens).map(Some)
        }
    };
    tokens.eat_word("case");
    let is_simple = !tokens.at_word("when");
    let mut of_text = true;
    if is_simple && !is_own(&mut tokens, &mut of_text) {
        return None;
    }
    let mut of = Vec::new();
    while tokens.eat_word("when") {
        let mut asked = Vec::new();
        if !is_simple && !is_own(&mut tokens, &mut of_text) {
            return None;
        }
        if is_simple || tokens.eat_operator("=") {
            asked.push(literal(&mut tokens)?);
        } else if tokens.eat_word("in") {
            let list = tokens.eat_parens()?;
            asked.extend(items(text, list, statement.dialect).into_iter().map(|item| item.text(text)));
        } else {
            return None;
        }
        tokens.eat_word("then").then_some(())?;
        of.push((asked, result(&mut tokens)?));
    }
    let rest = if tokens.eat_word("else") { result(&mut tokens)? } else { Some("NULL") };
    (tokens.eat_word("end") && tokens.peek().is_none()).then_some(Cases { of_text, of, rest })
}

/// Whether each result stays what it is when it is asked for in its turn.
fn cases_rest(cases: &Cases<'_>) -> bool {
    let becomes = |value: &str| {
        let found = cases.of.iter().find(|(asked, _)| asked.contains(&value));
        found.map_or(cases.rest, |(_, result)| *result)
    };
    let results = cases.of.iter().map(|(_, result)| *result).chain([cases.rest]).flatten();
    results.into_iter().all(|result| becomes(result).is_none_or(|next| next == result))
}
