//! Whether an expression that reads its own column comes to rest after one run.

use super::document::{is_of_keys, reads_another_key, sets_keys, takes_keys_out};
use super::shape::items;
use super::statement::Statement;
use super::update::{Assignment, mentions};
use crate::sql::{Dialect, Name, Span, Token, TokenKind, Tokens};

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
        return super::cases::case_settles(statement, assignment);
    }
    if is_of_keys(statement, assignment.value, own)
        || keeps(tokens, own)
        || begins_capital(statement, assignment, own)
        || joins_truths(statement, assignment)
        || puts_where_it_was(statement, assignment, own)
    {
        return true;
    }
    let mut query = tokens;
    let mut ahead = tokens;
    if let Some(whole) = ahead.eat_parens().filter(|_| ahead.peek().is_none()) {
        let inside = Span::new(whole.start + 1, whole.end - 1);
        if !statement.part(inside).at_any(&["select", "with"]) {
            let column = assignment.column.clone();
            return settles(statement, &Assignment { column, value: inside }, own);
        }
    }
    if tokens.at(TokenKind::OpenParen) || query.eat_word("array") && query.at(TokenKind::OpenParen) {
        return query_settles(statement, query, own);
    }
    let Some(first) = tokens.next() else { return true };
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

/// `column::text`, `column * 1`, `column || ''`: whatever it is of, it gives that again.
fn keeps(mut tokens: Tokens<'_>, own: &[Span]) -> bool {
    let text = tokens.text();
    if !eat_own(&mut tokens, own) {
        return false;
    }
    while tokens.eat_operator("::") {
        tokens.eat_name();
        tokens.eat_parens();
    }
    let Some(operator) = tokens.next().map(|token| token.text(text)) else { return true };
    let nothing = match operator {
        "*" | "/" => 1.0,
        // `document - 0` is without its first element.
        "+" => 0.0,
        "||" => return tokens.next().is_some_and(|token| token.text(text) == "''") && tokens.peek().is_none(),
        _ => return false,
    };
    let number = tokens.next().and_then(|token| token.text(text).parse::<f64>().ok());
    number == Some(nothing) && tokens.peek().is_none()
}

/// Takes the column, if it is next.
pub(super) fn eat_own(tokens: &mut Tokens<'_>, own: &[Span]) -> bool {
    let start = tokens.start();
    let Some(span) = own.iter().find(|span| span.start == start) else { return false };
    while tokens.peek().is_some_and(|token| token.span.end <= span.end) {
        tokens.next();
    }
    true
}

/// `upper(substr(column, 1, 1)) || lower(substr(column, 2))`.
fn begins_capital(statement: &Statement<'_>, assignment: &Assignment, own: &[Span]) -> bool {
    let text = statement.text;
    let ([first, rest], mut tokens) = (own, statement.part(assignment.value)) else { return false };
    let folds = tokens.eat_any(&["upper", "lower"]).is_some();
    let Some(begin) = tokens.eat_parens().filter(|_| folds && tokens.eat_operator("||")) else { return false };
    let behind = Span::new(tokens.start(), assignment.value.end);
    // The numbers that say where to cut, without the words and the column.
    let cut = |part: Span, own: &Span| -> String {
        let words = ["upper", "lower", "substr", "substring", "left", "right", "from", "for"];
        let is_word = |token: &Token| words.iter().any(|word| token.is_word(text, word));
        let tokens = statement.part(part).filter(|token| token.span != *own && !is_word(token));
        tokens.map(|token| token.text(text).trim_matches(['(', ')', ','])).collect()
    };
    ["11", "1"].contains(&cut(begin, first).as_str()) && ["2", "-1"].contains(&cut(behind, rest).as_str())
}

/// `column OR other = 1`, `coalesce(column, false) AND …`: as true the second time as the first.
fn joins_truths(statement: &Statement<'_>, assignment: &Assignment) -> bool {
    let text = statement.text;
    let value = assignment.value;
    let mut tokens = statement.part(value);
    let (mut start, mut terms, mut words) = (tokens.start(), Vec::new(), Vec::new());
    while let Some(token) = tokens.peek() {
        if token.is_word(text, "between") || token.is_word(text, "case") {
            return false;
        }
        if token.is_word(text, "and") || token.is_word(text, "or") {
            terms.push(Span::new(start, tokens.end()));
            words.push(token.text(text).to_ascii_lowercase());
            tokens.next();
            start = tokens.start();
        } else if tokens.eat_parens().is_none() {
            tokens.next();
        }
    }
    terms.push(Span::new(start, value.end));
    let rests = |term: Span| {
        let own = mentions(statement, term, &assignment.column);
        own.is_empty() || settles(statement, &Assignment { column: assignment.column.clone(), value: term }, &own)
    };
    !words.is_empty() && words.iter().all(|word| *word == words[0]) && terms.into_iter().all(rests)
}

/// `'+' || ltrim(column, '+')`, `rtrim(column, '/') || '/'`, `'{"key": 1}' || column`: what is put there was taken away,
/// or is there already.
fn puts_where_it_was(statement: &Statement<'_>, assignment: &Assignment, own: &[Span]) -> bool {
    let text = statement.text;
    let mut tokens = statement.part(assignment.value);
    let start = tokens.start();
    let is_document = |written: &str| written.starts_with("'{") && written.contains(':');
    let first = tokens.next().map_or("", |token| token.text(text));
    let built = first.eq_ignore_ascii_case("jsonb_build_object");
    let arguments = tokens.eat_parens();
    while tokens.eat_operator("::") {
        tokens.eat_name();
    }
    let left = Span::new(start, tokens.end());
    if !tokens.eat_operator("||") || own.len() != 1 {
        return false;
    }
    let right = Span::new(tokens.start(), assignment.value.end);
    let is_left = left.start <= own[0].start && own[0].end <= left.end;
    if !is_left && (built && arguments.is_some() || arguments.is_none() && is_document(first)) {
        return settles(statement, &Assignment { column: assignment.column.clone(), value: right }, own);
    }
    let (literal, call) = if is_left { (right, left) } else { (left, right) };
    let mut call = statement.part(call);
    let cuts = call.eat_any(&["ltrim", "rtrim", "btrim", "trim", "replace"]).is_some();
    let cut = call.eat_parens().filter(|_| cuts && call.peek().is_none());
    let cut = cut.and_then(|list| items(text, list, statement.dialect).get(1).copied());
    cut.is_some_and(|cut| cut.text(text).trim() == literal.text(text).trim())
}

/// A query of its own; one that counts on from the column's own values does not rest.
fn query_settles(statement: &Statement<'_>, query: Tokens<'_>, own: &[Span]) -> bool {
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
    selects
        && !(counts && super::insert::read_tables(query).iter().any(is_own))
        && !(unfolds(query, own) && changes_elements(query))
}

/// `… FROM unnest(column)`, `… FROM json_each(column)`: the elements of the column.
fn unfolds(mut query: Tokens<'_>, own: &[Span]) -> bool {
    let functions = ["unnest", "jsonb_array_elements", "jsonb_array_elements_text", "json_array_elements", "json_each"];
    while query.peek().is_some() {
        if query.eat_any(&functions).is_none() {
            query.next();
        } else if let Some(list) = query.eat_parens()
            && own.iter().any(|span| list.start <= span.start && span.end <= list.end)
        {
            return true;
        }
    }
    false
}

/// Whether elements are computed with, or others are put beside them, and not each of them once.
fn changes_elements(mut query: Tokens<'_>) -> bool {
    let text = query.text();
    // What asks leaves alone what was changed.
    let rests = ["distinct", "union", "where", "case"];
    let mut all = query;
    if all.any(|token| rests.iter().any(|word| token.is_word(text, word))) {
        return false;
    }
    let mut before = None;
    while let Some(token) = query.next() {
        let written = token.text(text);
        let next = query.peek().map_or("", |next| next.text(text));
        let of_key = match written {
            "||" => next.starts_with("'{") && next.contains(':') || next.eq_ignore_ascii_case("jsonb_build_object"),
            "-" => next.starts_with('\''),
            _ => false,
        };
        // `count(*)`, `e.*`, and what is compared.
        let is_all = written == "*" && matches!(before, Some(TokenKind::OpenParen | TokenKind::Dot));
        if token.kind == TokenKind::Operator && ["||", "+", "-", "*"].contains(&written) && !of_key && !is_all {
            return true;
        }
        if ["array_append", "array_prepend", "array_cat"].iter().any(|word| token.is_word(text, word)) {
            return true;
        }
        before = Some(token.kind);
    }
    false
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
    if let Some(settles) = shown_settles(statement, column, name, arguments, own) {
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
    if ["array_append", "array_prepend"].contains(&name) {
        return puts_element_back(statement, arguments);
    }
    if ["jsonb_set", "json_set"].contains(&name)
        && let [_, path, value] | [_, path, value, _] = parts.as_slice()
        && (name == "jsonb_set" || parts.len() == 3)
        && (takes_keys_out(statement, *value) || key_settles(statement, *path, *value, own))
    {
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

/// `array_append(array_remove(column, 'x'), 'x')`: it is there once.
fn puts_element_back(statement: &Statement<'_>, arguments: Span) -> bool {
    let parts = items(statement.text, arguments, statement.dialect);
    let is_call = |part: &Span| part.text(statement.text).contains('(');
    let (list, element) = match parts.as_slice() {
        [list, element] if is_call(list) => (*list, *element),
        [element, list] if is_call(list) => (*list, *element),
        _ => return false,
    };
    let mut list = statement.part(list);
    let removed = list.eat_word("array_remove").then(|| list.eat_parens()).flatten();
    let removed = removed.and_then(|list| items(statement.text, list, statement.dialect).get(1).copied());
    removed.is_some_and(|removed| removed.text(statement.text).trim() == element.text(statement.text).trim())
}

/// `jsonb_set(column, '{a}', coalesce(column -> 'a', '{}') || '{"b": 1}')`, `json_set(column, '$.a', ifnull(json_extract(
/// column, '$.a'), 0))`: what is read under the key comes to rest.
fn key_settles(statement: &Statement<'_>, path: Span, value: Span, own: &[Span]) -> bool {
    let text = statement.text;
    let key = |written: &str| written.trim().trim_matches(['\'', '{', '}']).trim_start_matches("$.").replace(',', ".");
    let is_path = |written: &str| key(written) == key(path.text(text));
    let within = own.iter().filter(|span| value.start <= span.start && span.end <= value.end).count();
    let mut reads = Vec::new();
    let mut tokens = statement.part(value);
    while tokens.peek().is_some() {
        let start = tokens.start();
        if tokens.eat_word("json_extract") {
            let list = tokens.eat_parens().map_or_else(Vec::new, |list| items(text, list, statement.dialect));
            if matches!(list.as_slice(), [_, path] if is_path(path.text(text))) {
                reads.push(Span::new(start, tokens.end()));
            }
        } else if eat_own(&mut tokens, own) {
            let goes = tokens.eat_operator("->") || tokens.eat_operator("#>");
            if goes && tokens.next().is_some_and(|token| is_path(token.text(text))) {
                reads.push(Span::new(start, tokens.end()));
            }
        } else {
            tokens.next();
        }
    }
    let read = Assignment { column: String::new(), value };
    !reads.is_empty() && reads.len() == within && settles(statement, &read, &reads)
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
fn shown_settles(statement: &Statement<'_>, column: &str, name: &str, arguments: Span, own: &[Span]) -> Option<bool> {
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
        "iif" => Some(choice_settles(statement, column, arguments)),
        _ => None,
    }
}

/// `iif(column > 9, column / 10, column)`: a branch that changes the column is not taken again, or rests by itself.
fn choice_settles(statement: &Statement<'_>, column: &str, arguments: Span) -> bool {
    let parts = items(statement.text, arguments, statement.dialect);
    let [condition, then, otherwise] = parts.as_slice() else { return false };
    let is_own = |part: &Span| part.text(statement.text).trim() == column;
    if is_own(otherwise) {
        return super::cases::branch_rests(statement, column, *then, Some(*condition));
    }
    is_own(then) && super::cases::branch_rests(statement, column, *otherwise, None)
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
