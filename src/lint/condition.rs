//! Whether the `WHERE` of an `UPDATE` is false once the statement was run.

use super::shape::{flat, items};
use super::statement::Statement;
use super::update::{Assignment, Update, is_volatile, mentions};
use crate::sql::{Span, Token, TokenKind, Tokens};

/// Whether the condition asks an assigned column for a value that the statement takes away: `a = 1`, `a IS NULL`,
/// `a <> 2`, `a LIKE …`, `a NOT LIKE`, `NOT (a ? 'key')`. What asks by `<` or `>` is not taken for a guard.
pub fn excludes_itself(statement: &Statement<'_>, update: &Update, condition: Span) -> bool {
    let text = statement.text;
    // Of several conditions each one has to be false then.
    let alternatives = parts(statement, condition, "or");
    if alternatives.len() > 1 {
        return alternatives.into_iter().all(|alternative| excludes_itself(statement, update, alternative));
    }
    let mut tokens = statement.part(condition);
    if tokens.has_words(&["not", "exists"]) || tokens.has_words(&["not", "in"]) {
        return true;
    }
    if removes_what_it_asks(statement, update, condition)
        || changes_its_unit(statement, update, condition)
        || changes_its_sign(statement, update, condition)
        || terms(statement, condition).into_iter().any(|term| {
            turns_its_flag(statement, update, term)
                || takes_over_what_it_compares(statement, update, term)
                || puts_in_front(statement, update, term)
                || becomes_json(statement, update, term)
        })
    {
        return true;
    }
    let mut before = None;
    while tokens.peek().is_some() {
        let Some((name, _)) = tokens.eat_name() else {
            // `'a' = any (column)` asks by what stands in front.
            let token = tokens.next();
            let passes = |token: &Token| token.kind == TokenKind::OpenParen;
            before = token.filter(|token| !passes(token)).or(before);
            continue;
        };
        let is_function = tokens.at(TokenKind::OpenParen);
        let keeps_type = match name.object() {
            "typeof" => stays_text(statement, update),
            "json_type" | "jsonb_typeof" => stays_document(statement, update, tokens),
            _ => false,
        };
        if is_function && keeps_type {
            tokens.eat_parens();
            continue;
        }
        if is_function && asks_about_assigned(statement, update, tokens) {
            return true;
        }
        let Some(assigned) = update.assignments.iter().find(|assignment| assignment.column == name.object()) else {
            before = before.filter(|_| is_function);
            continue;
        };
        if before.is_some_and(|token| token.kind == TokenKind::Operator && token.text(text) == "=") {
            return true;
        }
        // Behind a function's argument, or a cast, the comparison follows.
        while tokens.at(TokenKind::CloseParen) {
            tokens.next();
        }
        if tokens.eat_operator("::") {
            tokens.eat_name();
        }
        let Some(next) = tokens.peek() else { return false };
        let comparisons = ["<", ">", "<=", ">=", "<>", "!="];
        let operator = next.kind == TokenKind::Operator && !comparisons.contains(&next.text(text));
        let word = ["is", "in", "like", "ilike", "not", "glob", "similar"].iter().any(|word| next.is_word(text, word));
        let mut behind = tokens;
        // `IS NOT NULL` mostly still holds after the first run.
        if behind.eat_words(&["is", "not", "null"]) {
            if assigned.value.text(text).trim().eq_ignore_ascii_case("null") {
                return true;
            }
            continue;
        }
        let still = still_like(statement, update, name.object(), tokens)
            || still_among(statement, update, name.object(), tokens)
            || !statement.part(condition).any(|token| token.is_word(text, "not"))
                && still_has_key(statement, update, name.object(), tokens);
        if (operator || word) && !still {
            return true;
        }
    }
    false
}

/// The conditions that `AND` joins; all as one where there is an `OR`.
pub fn terms(statement: &Statement<'_>, condition: Span) -> Vec<Span> {
    if parts(statement, condition, "or").len() > 1 {
        return vec![condition];
    }
    parts(statement, condition, "and")
}

/// The conditions that a word joins; all as one with a `CASE` in them.
fn parts(statement: &Statement<'_>, condition: Span, word: &str) -> Vec<Span> {
    let text = statement.text;
    let mut tokens = statement.part(condition);
    let mut found = Vec::new();
    let mut start = tokens.start();
    let mut is_range = false;
    while let Some(token) = tokens.peek() {
        if token.is_word(text, "case") {
            return vec![condition];
        }
        if token.is_word(text, word) && !is_range {
            found.push(Span::new(start, tokens.end()));
            tokens.next();
            start = tokens.start();
        } else if tokens.eat_parens().is_none() {
            is_range = token.is_word(text, "between") || is_range && !token.is_word(text, "and");
            tokens.next();
        }
    }
    found.push(Span::new(start, tokens.end()));
    found
}

/// `SET flag = true … WHERE NOT flag`.
fn turns_its_flag(statement: &Statement<'_>, update: &Update, term: Span) -> bool {
    let mut tokens = statement.part(term);
    let asked = !tokens.eat_word("not");
    let Some((column, _)) = tokens.eat_name().filter(|_| tokens.peek().is_none()) else { return false };
    let given =
        |assignment: &Assignment| match assignment.value.text(statement.text).trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        };
    let own = update.assignments.iter().filter(|assignment| assignment.column == column.object());
    own.filter_map(given).any(|given| given != asked)
}

/// `SET v = excluded.v … WHERE t.v < excluded.v`, `SET a = 5 … WHERE a < 5`: the two are equal then.
fn takes_over_what_it_compares(statement: &Statement<'_>, update: &Update, term: Span) -> bool {
    let text = statement.text;
    let mut tokens = statement.part(term);
    let is_comparison = |token: &Token| ["<", ">", "<>", "!="].contains(&token.text(text));
    while tokens.peek().is_some_and(|token| !is_comparison(&token) && !token.is_word(text, "is")) {
        tokens.next();
    }
    let left = Span::new(term.start, tokens.end());
    let operator = tokens.peek().map_or("", |token| token.text(text));
    if !(tokens.eat_words(&["is", "distinct", "from"]) || tokens.next().is_some_and(|token| is_comparison(&token))) {
        return false;
    }
    let right = Span::new(tokens.start(), term.end);
    let is_column = |side: Span, column: &str| {
        let mut side = statement.part(side);
        side.eat_name().is_some_and(|(name, _)| name.object() == column && name.schema() != Some("excluded"))
            && side.peek().is_none()
    };
    let same = |side: Span, value: Span| flat(statement.part(side)) == flat(statement.part(value));
    update.assignments.iter().any(|Assignment { column, value }| {
        let in_front = is_column(left, column) && same(right, *value);
        let behind = is_column(right, column) && same(left, *value);
        // `a > now()`: the next time it is asked, now is later.
        let is_past = is_now(statement, *value) && operator == if in_front { ">" } else { "<" };
        let stays = is_past || !is_volatile(statement.part(*value));
        (in_front || behind) && stays && mentions(statement, *value, column).is_empty()
    })
}

/// Whether an expression is the current time alone.
fn is_now(statement: &Statement<'_>, value: Span) -> bool {
    let bare = ["now()", "current_timestamp", "localtimestamp", "transaction_timestamp()", "datetime('now')"];
    bare.iter().any(|now| value.text(statement.text).trim().eq_ignore_ascii_case(now))
}

/// `SET a = 'x' || a … WHERE NOT starts_with(a, 'x')`, `SET a = substr(a, 2) … WHERE starts_with(a, 'x')`.
fn puts_in_front(statement: &Statement<'_>, update: &Update, term: Span) -> bool {
    let mut tokens = statement.part(term);
    let negated = tokens.eat_word("not");
    let arguments = tokens.eat_word("starts_with").then(|| tokens.eat_parens()).flatten();
    let arguments = arguments.map_or_else(Vec::new, |list| items(statement.text, list, statement.dialect));
    let [column, prefix] = arguments.as_slice() else { return false };
    let prefix = prefix.text(statement.text).trim();
    let own = update.assignments.iter().find(|assignment| column.text(statement.text).trim() == assignment.column);
    own.is_some_and(|assignment| {
        let begins = |text: &str| assignment.value.text(statement.text).trim_start().starts_with(text);
        if negated { begins(prefix) } else { !begins(&assignment.column) && !begins(prefix) }
    })
}

/// `SET a = json_array(a) … WHERE NOT json_valid(a)`.
fn becomes_json(statement: &Statement<'_>, update: &Update, term: Span) -> bool {
    let mut tokens = statement.part(term);
    let asks = tokens.eat_words(&["not", "json_valid"]);
    let Some(column) = tokens.eat_parens().filter(|_| asks && tokens.peek().is_none()) else { return false };
    update.assignments.iter().any(|assignment| {
        let makes = assignment.value.text(statement.text).trim_start().to_ascii_lowercase().starts_with("json");
        makes && !mentions(statement, column, &assignment.column).is_empty()
    })
}

/// `right(a, 1) <> 'z'`: a function of an assigned column, compared for being, or not being, something.
fn asks_about_assigned(statement: &Statement<'_>, update: &Update, mut call: Tokens<'_>) -> bool {
    let Some(arguments) = call.eat_parens() else { return false };
    let about = |assignment: &Assignment| !mentions(statement, arguments, &assignment.column).is_empty();
    let compares = call.peek().is_some_and(|token| ["=", "<>", "!="].contains(&token.text(statement.text)));
    (compares || call.eat_words(&["is", "null"])) && update.assignments.iter().any(about)
}

/// Whether SQLite's `typeof` calls what is assigned a text, as it did before.
fn stays_text(statement: &Statement<'_>, update: &Update) -> bool {
    let functions = ["strftime", "date", "datetime", "time", "lower", "upper", "replace", "substr", "printf", "format"];
    update.assignments.iter().all(|assignment| {
        let mut tokens = statement.part(assignment.value);
        tokens.eat_any(&functions).is_some() && tokens.eat_parens().is_some() && tokens.peek().is_none()
    })
}

/// Whether the document that a function is called with stays an object or a list: something is put into it.
fn stays_document(statement: &Statement<'_>, update: &Update, mut call: Tokens<'_>) -> bool {
    let asked = call.eat_parens().unwrap_or_default().text(statement.text).trim_matches(['(', ')']).trim();
    if update.assignments.iter().any(|assignment| assignment.column != asked) {
        return false;
    }
    let functions = ["json_insert", "json_set", "json_patch", "json_replace", "jsonb_set", "jsonb_insert", "coalesce"];
    update.assignments.iter().all(|assignment| {
        let mut tokens = statement.part(assignment.value);
        let joins = || statement.part(assignment.value).any(|token| token.text(statement.text) == "||");
        tokens.eat_any(&functions).is_some()
            || tokens.eat_name().is_some_and(|(name, _)| name.object() == assignment.column) && joins()
    })
}

/// `a = a || '!' … WHERE a LIKE 'x%'`: what is put at one end leaves a pattern true that looks at the other.
fn still_like(statement: &Statement<'_>, update: &Update, column: &str, mut condition: Tokens<'_>) -> bool {
    let text = statement.text;
    if condition.eat_any(&["like", "ilike"]).is_none() {
        return false;
    }
    let Some(pattern) = condition.next().filter(|token| token.kind.is_string()).map(|token| token.text(text)) else {
        return false;
    };
    let pattern = pattern.trim_matches('\'');
    update.assignments.iter().filter(|assignment| assignment.column == column).any(|assignment| {
        let tokens: Vec<Token> = statement.part(assignment.value).collect();
        let is_own = |token: Option<&Token>| {
            token.is_some_and(|token| {
                token.kind.is_identifier() && mentions(statement, assignment.value, column).contains(&token.span)
            })
        };
        let joins = tokens.iter().any(|token| token.kind == TokenKind::Operator && token.text(text) == "||");
        let (appends, prepends) = (is_own(tokens.first()), is_own(tokens.last()));
        // What is put there may be what the pattern asks for.
        let literal = |token: Option<&Token>| token.map_or("", |token| token.text(text).trim_matches('\''));
        let (front, behind) = (literal(tokens.first()), literal(tokens.last()));
        let begins = pattern.strip_suffix('%').is_some_and(|asked| !asked.is_empty() && front.starts_with(asked));
        let ends = pattern.strip_prefix('%').is_some_and(|asked| !asked.is_empty() && behind.ends_with(asked));
        let still = |asked: bool| !pattern.trim_matches('%').contains(['%', '_']) && asked;
        joins
            && (appends && (pattern.ends_with('%') || still(ends))
                || prepends && (pattern.starts_with('%') || still(begins)))
    })
}

/// `a = a || '{"n": 2}' … WHERE a ? 'n'`: the key is there as it was.
fn still_has_key(statement: &Statement<'_>, update: &Update, column: &str, mut condition: Tokens<'_>) -> bool {
    let text = statement.text;
    let asked = condition.eat_operator("?").then(|| condition.next()).flatten().map_or("", |token| token.text(text));
    let takes = |value: Span| {
        let mut tokens = statement.part(value);
        let is_taken =
            |token: Option<Token>| token.is_some_and(|token| token.text(text).replace(['{', '}'], "") == asked);
        while let Some(token) = tokens.next() {
            if ["-", "#-"].contains(&token.text(text)) && is_taken(tokens.peek()) {
                return true;
            }
        }
        false
    };
    let mut own = update.assignments.iter().filter(|assignment| assignment.column == column);
    !asked.is_empty() && own.any(|own| !mentions(statement, own.value, column).is_empty() && !takes(own.value))
}

/// `a = a + 1 … WHERE a IN (1, 2)`: what was 1 is asked for again.
fn still_among(statement: &Statement<'_>, update: &Update, column: &str, mut condition: Tokens<'_>) -> bool {
    let number = |span: Span| span.text(statement.text).trim().parse::<f64>().ok();
    let list = condition.eat_word("in").then(|| condition.eat_parens()).flatten();
    let asked: Vec<f64> = list.map_or_else(Vec::new, |list| {
        items(statement.text, list, statement.dialect).into_iter().filter_map(number).collect()
    });
    update.assignments.iter().filter(|assignment| assignment.column == column).any(|assignment| {
        let mut value = statement.part(assignment.value);
        let own = value.eat_name().is_some_and(|(name, _)| name.object() == column);
        let operator = value.next().filter(|_| own).map_or("", |token| token.text(statement.text));
        let Some(by) = number(Span::new(value.start(), assignment.value.end)) else { return false };
        let next = |from: &f64| match operator {
            "+" => from + by,
            "-" => from - by,
            "*" => from * by,
            _ => f64::NAN,
        };
        asked.iter().map(next).any(|to| asked.contains(&to))
    })
}

/// `a = a * 1000 … WHERE a < 10000000000`: times in seconds, which are beyond the bound as milliseconds; `a = a * 100 …
/// WHERE a < 100`: whatever is multiplied is.
fn changes_its_unit(statement: &Statement<'_>, update: &Update, condition: Span) -> bool {
    let number =
        |tokens: &mut Tokens<'_>| tokens.next().and_then(|token| token.text(statement.text).parse::<f64>().ok());
    let text = |token: Token| token.text(statement.text);
    let bound = |column: &str| {
        let mut tokens = statement.part(condition);
        loop {
            let Some((name, _)) = tokens.eat_name() else {
                tokens.next()?;
                continue;
            };
            let operator = tokens.peek().filter(|_| name.object() == column).map_or("", text);
            if ["<", "<=", ">", ">="].contains(&operator) {
                tokens.next();
                return Some((operator, number(&mut tokens)?));
            }
        }
    };
    let converts = |assignment: &Assignment| {
        let mut value = statement.part(assignment.value);
        value.eat_name().filter(|(name, _)| name.object() == assignment.column)?;
        let operator = value.next().map_or("", text);
        let factor = number(&mut value).filter(|_| value.peek().is_none())?;
        let (comparison, bound) = bound(&assignment.column)?;
        // No time in seconds is a time in milliseconds.
        let is_time = factor >= 1e3 && bound >= 1e8;
        Some(match operator {
            "*" => comparison.starts_with('<') && (is_time || factor > 1.0 && factor >= bound),
            "/" => comparison.starts_with('>') && is_time,
            _ => false,
        })
    };
    !statement.part(condition).has_word("or")
        && update.assignments.iter().any(|assignment| converts(assignment).unwrap_or_default())
}

/// `a = -a … WHERE a > 0`.
fn changes_its_sign(statement: &Statement<'_>, update: &Update, condition: Span) -> bool {
    let is = |tokens: &mut Tokens<'_>, column: &str| tokens.eat_name().is_some_and(|(name, _)| name.object() == column);
    update.assignments.iter().any(|assignment| {
        let mut value = statement.part(assignment.value);
        let negates = value.eat_operator("-") && is(&mut value, &assignment.column) && value.peek().is_none();
        let mut asked = statement.part(condition);
        let compares = is(&mut asked, &assignment.column) && (asked.eat_operator("<") || asked.eat_operator(">"));
        let zero = asked.next().is_some_and(|token| token.text(statement.text) == "0") && asked.peek().is_none();
        negates && compares && zero
    })
}

/// `json_remove(a, '$.b') … WHERE json_extract(a, '$.b') IS NOT NULL`, `a - 'b' … WHERE a ? 'b'`.
fn removes_what_it_asks(statement: &Statement<'_>, update: &Update, condition: Span) -> bool {
    let text = statement.text;
    let strings = |span: Span| {
        statement.part(span).filter(|token| token.kind.is_string()).map(|token| token.text(text)).collect::<Vec<_>>()
    };
    let asked = strings(condition);
    update.assignments.iter().any(|assignment| {
        let removes =
            assignment.value.text(text).contains("json_remove") || assignment.value.text(text).contains(" - '");
        removes && strings(assignment.value).iter().any(|string| asked.contains(string))
    })
}
