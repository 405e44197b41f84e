//! `CASE` of a column: whether what it gives stays what it is when it is asked for in its turn.

use super::condition::excludes_itself;
use super::settle::settles;
use super::shape::items;
use super::statement::Statement;
use super::update::{Assignment, Update, is_volatile, mentions};
use crate::sql::{Span, Token, TokenKind, Tokens};

/// `CASE column WHEN 'a' THEN 'b' … ELSE column END` rests if no result is asked for again.
pub(super) fn case_settles(statement: &Statement<'_>, assignment: &Assignment) -> bool {
    if let Some(rests) = cases(statement, assignment).and_then(|cases| cases_rest(&cases)) {
        return rests;
    }
    if branches(statement, assignment).is_some_and(|branches| branches_rest(statement, assignment, &branches)) {
        return true;
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
    cases(statement, &assignment).is_some_and(|cases| cases.of_text && cases_rest(&cases) == Some(true))
}

/// What a `WHEN` asks of the column.
pub(super) enum Asked<'a> {
    /// To be one of these values.
    Among(Vec<&'a str>),
    /// To compare so with a number.
    Compared(&'a str, f64),
    /// To be, or not to be, NULL.
    Null(bool),
}

impl Asked<'_> {
    /// Whether a literal is what is asked for; `None` if nobody can tell.
    fn holds(&self, value: &str) -> Option<bool> {
        let is_null = value.eq_ignore_ascii_case("null");
        Some(match self {
            Self::Among(values) => values.iter().any(|asked| asked.eq_ignore_ascii_case(value)),
            Self::Null(wanted) => is_null == *wanted,
            Self::Compared(..) if is_null => false,
            Self::Compared(operator, bound) => {
                let number: f64 = value.trim_matches('\'').parse().ok()?;
                match *operator {
                    "<" => number < *bound,
                    "<=" => number <= *bound,
                    ">" => number > *bound,
                    ">=" => number >= *bound,
                    _ => number != *bound,
                }
            }
        })
    }
}

/// What a `CASE` that asks for single values makes of them; a result that is `None` is the column as it is.
pub(super) struct Cases<'a> {
    /// True if the column is asked for as a text.
    of_text: bool,
    /// What is asked for, and what it becomes.
    pub(super) of: Vec<(Asked<'a>, Option<&'a str>)>,
    /// What all others become.
    pub(super) rest: Option<&'a str>,
}

/// `CASE column WHEN 'a' THEN 'b' …`, `CASE WHEN column = 'a' THEN …`, `… WHEN column IN ('a', 'b') THEN …`; the column
/// may be cast.
pub(super) fn cases<'a>(statement: &Statement<'a>, assignment: &Assignment) -> Option<Cases<'a>> {
    let mut tokens = statement.part(assignment.value);
    let mut of_text = true;
    let mut is_own = |tokens: &mut Tokens<'a>| {
        let is_own = eat_column(tokens, &assignment.column);
        of_text &= tokens.eat_operator("::") && eat_column(tokens, "text");
        is_own
    };
    tokens.eat_word("case");
    let is_simple = !tokens.at_word("when");
    if is_simple && !is_own(&mut tokens) {
        return None;
    }
    let mut of = Vec::new();
    while tokens.eat_word("when") {
        let asked = if is_simple {
            Asked::Among(vec![literal(&mut tokens)?])
        } else {
            is_own(&mut tokens).then_some(())?;
            asked(statement, &mut tokens)?
        };
        tokens.eat_word("then").then_some(())?;
        of.push((asked, result(&mut tokens, &assignment.column)?));
    }
    let rest = if tokens.eat_word("else") { result(&mut tokens, &assignment.column)? } else { Some("NULL") };
    (tokens.eat_word("end") && tokens.peek().is_none()).then_some(Cases { of_text, of, rest })
}

/// What stands behind the column in a `WHEN`.
fn asked<'a>(statement: &Statement<'a>, tokens: &mut Tokens<'a>) -> Option<Asked<'a>> {
    let text = statement.text;
    if tokens.eat_operator("=") {
        return Some(Asked::Among(vec![literal(tokens)?]));
    }
    if tokens.eat_word("in") {
        let list = tokens.eat_parens()?;
        let values = items(text, list, statement.dialect).into_iter().map(|item| item.text(text));
        return Some(Asked::Among(values.collect()));
    }
    if tokens.eat_word("is") {
        let wanted = !tokens.eat_word("not");
        return tokens.eat_word("null").then_some(Asked::Null(wanted));
    }
    let operator = tokens.next().filter(|token| token.kind == TokenKind::Operator)?.text(text);
    let bound = tokens.next()?.text(text).parse().ok()?;
    ["<", "<=", ">", ">=", "<>", "!="].contains(&operator).then_some(Asked::Compared(operator, bound))
}

fn eat_column(tokens: &mut Tokens<'_>, column: &str) -> bool {
    tokens.eat_name().is_some_and(|(name, _)| name.object() == column)
}

fn literal<'a>(tokens: &mut Tokens<'a>) -> Option<&'a str> {
    let text = tokens.text();
    let is_truth = tokens.at_any(&["true", "false"]);
    let token = tokens.next().filter(|token| is_truth || token.kind.is_string() || token.kind == TokenKind::Number)?;
    skip_casts(tokens);
    Some(token.text(text))
}

fn skip_casts(tokens: &mut Tokens<'_>) {
    while tokens.eat_operator("::") {
        tokens.eat_name();
    }
}

/// A literal, or the column as it is.
#[expect(clippy::option_option, reason = "what cannot be read, and the column as it is")]
fn result<'a>(tokens: &mut Tokens<'a>, column: &str) -> Option<Option<&'a str>> {
    if tokens.eat_word("null") {
        return Some(Some("NULL"));
    }
    let is_name = tokens.peek().is_some_and(|token| token.kind.is_identifier());
    if is_name && !tokens.at_any(&["true", "false"]) {
        let is_own = eat_column(tokens, column);
        skip_casts(tokens);
        return is_own.then_some(None);
    }
    literal(tokens).map(Some)
}

/// Whether each result stays what it is when it is asked for in its turn; `None` if nobody can tell.
fn cases_rest(cases: &Cases<'_>) -> Option<bool> {
    let results = cases.of.iter().map(|(_, result)| *result).chain([cases.rest]).flatten();
    for result in results {
        let mut next = cases.rest;
        for (asked, becomes) in &cases.of {
            if asked.holds(result)? {
                next = *becomes;
                break;
            }
        }
        if next.is_some_and(|next| !next.eq_ignore_ascii_case(result)) {
            return Some(false);
        }
    }
    Some(true)
}

/// The conditions and the results of a `CASE WHEN …`, each as it is written.
struct Branches {
    conditions: Vec<Span>,
    results: Vec<Span>,
    has_else: bool,
}

fn branches(statement: &Statement<'_>, assignment: &Assignment) -> Option<Branches> {
    let text = statement.text;
    let mut tokens = statement.part(assignment.value);
    tokens.eat_word("case");
    tokens.at_word("when").then_some(())?;
    let mut found = Branches { conditions: Vec::new(), results: Vec::new(), has_else: false };
    let mut depth = 0_usize;
    let mut start = None;
    while let Some(token) = tokens.peek() {
        let is = |word| token.is_word(text, word);
        if depth == 0 && (is("when") || is("then") || is("else") || is("end")) {
            let part = start.map(|start| Span::new(start, tokens.end()));
            if is("then") {
                found.conditions.extend(part)
            } else {
                found.results.extend(part)
            }
            found.has_else |= is("else");
            tokens.next();
            start = Some(tokens.start());
            if is("end") {
                return tokens.peek().is_none().then_some(found);
            }
        } else if tokens.eat_parens().is_none() {
            tokens.next();
            depth = if is("case") { depth + 1 } else { depth - usize::from(is("end")) };
        }
    }
    None
}

/// Results that come to rest, of conditions that do not read the column; where they do, it must stay as it is in all
/// branches but one.
fn branches_rest(statement: &Statement<'_>, assignment: &Assignment, branches: &Branches) -> bool {
    let reads = |span: Span| mentions(statement, span, &assignment.column);
    let stays = |result: &&Span| match reads(**result).as_slice() {
        [own] => own.text(statement.text) == result.text(statement.text).trim(),
        _ => false,
    };
    let changing = branches.results.iter().filter(|result| !stays(result)).count() + usize::from(!branches.has_else);
    let is_asked = branches.conditions.iter().any(|condition| !reads(*condition).is_empty());
    let conditions = branches.conditions.iter().copied().map(Some).chain([None]);
    let mut each = branches.results.iter().zip(conditions);
    let leads_elsewhere = |result: Span, condition: Option<Span>| {
        // `CASE WHEN a LIKE 'x%' THEN a ELSE 'x' || a END`.
        condition.is_none() && branches.conditions.iter().any(|asked| gives_what_is_asked(statement, *asked, result))
    };
    (changing <= 1 || !is_asked)
        && each.all(|(result, condition)| {
            branch_rests(statement, &assignment.column, *result, condition) || leads_elsewhere(*result, condition)
        })
}

/// Whether a text that an expression puts to its column is the one that a condition looks for.
fn gives_what_is_asked(statement: &Statement<'_>, condition: Span, result: Span) -> bool {
    let text = statement.text;
    let literal = |token: &Token| token.kind.is_string();
    let bare = |token: Token| token.text(text).trim_matches(['\'', '%', '^', '$']);
    let asked = statement.part(condition).find(literal).map_or("", bare);
    let joins = statement.part(result).any(|token| token.text(text) == "||");
    let is_plain = !statement.part(condition).has_any(&["not", "or"]);
    joins && is_plain && !asked.is_empty() && statement.part(result).filter(literal).any(|given| bare(given) == asked)
}

/// Whether what a branch gives rests by itself, or is not taken again because its condition is false then.
pub(super) fn branch_rests(statement: &Statement<'_>, column: &str, result: Span, condition: Option<Span>) -> bool {
    let own = mentions(statement, result, column);
    let value = Assignment { column: column.to_owned(), value: result };
    let tokens = statement.part(result);
    let rests = own.is_empty() && !tokens.has_word("select") || !own.is_empty() && settles(statement, &value, &own);
    let leaves = |condition: Span| {
        let update = Update { assignments: vec![value.clone()], condition: None };
        !mentions(statement, condition, column).is_empty() && excludes_itself(statement, &update, condition)
    };
    !is_volatile(tokens) && (rests || condition.is_some_and(leaves))
}
