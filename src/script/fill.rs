//! Go's templates in scripts: tern's own way to put values and shared texts into one, and one that other tools have.
//! <https://github.com/jackc/tern#template>, <https://pkg.go.dev/text/template>
//!
//! Values, `if` with its comparisons, and `template` are read; what else a template can do is a fault. Values are
//! pinned, so that a text is the same everywhere.

use crate::sql::Span;

/// What stands in a text's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    /// Another text, or nothing.
    Text(String),
    /// The text of a file, by the name that the template has for it.
    File(String),
}

/// Why a template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillFault {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Returns the first `{{ … }}` that reads like a template's action, which `'{{1,2},{3,4}}'` (an array) does not.
pub fn template_action(text: &str) -> Option<&str> {
    next_action(text, 0).map(|action| action.span.text(text))
}

/// Returns what to put in place of each action, in the order of the text.
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<Vec<(Span, Filled)>, FillFault> {
    let mut filled = Vec::new();
    // Each open `if`, with whether its branch is taken, and whether one was.
    let mut open: Vec<Branch> = Vec::new();
    let mut at = 0;
    // Where text that is left out begins.
    let mut hidden: Option<usize> = None;
    while let Some(action) = next_action(text, at) {
        at = action.span.end;
        let shown = action.span.text(text);
        let fault = |message: String, hint: &str| FillFault { span: action.span, message, hint: hint.to_owned() };
        let mut words = Words::of(action.inside).ok_or_else(|| not_read(&action, shown))?;
        let was_hidden = hidden.is_some();
        match words.keyword() {
            Some("if") => {
                let taken = !was_hidden && words.truth(&action, shown, value)?;
                open.push(Branch { start: action.span, is_taken: taken, was_taken: taken, is_dead: was_hidden });
            }
            Some("else") => {
                let Some(branch) = open.last_mut() else {
                    return Err(fault(format!("`{shown}` without an `if`"), "take it out"));
                };
                let asks = words.keyword() == Some("if");
                let may = !branch.is_dead && !branch.was_taken;
                branch.is_taken = may && (!asks || words.truth(&action, shown, value)?);
                branch.was_taken |= branch.is_taken;
            }
            Some("end") => {
                if open.pop().is_none() {
                    return Err(fault(format!("`{shown}` without an `if`"), "take it out"));
                }
            }
            Some("template") => {
                let Some(Word::Text(name)) = words.next() else { return Err(not_read(&action, shown)) };
                if !was_hidden {
                    filled.push((action.span, Filled::File(name)));
                }
                continue;
            }
            Some("comment") => {}
            _ => {
                let text = words.value(&action, shown, value, was_hidden)?;
                if words.next().is_some() {
                    return Err(not_read(&action, shown));
                }
                if !was_hidden {
                    filled.push((action.span, Filled::Text(text)));
                }
                continue;
            }
        }
        let hides = open.iter().any(|branch| !branch.is_taken);
        match (hidden, hides) {
            (None, true) => hidden = Some(action.span.start),
            (Some(start), false) => {
                filled.push((Span::new(start, action.span.end), Filled::Text(String::new())));
                hidden = None;
            }
            (None, false) => filled.push((action.span, Filled::Text(String::new()))),
            (Some(_), true) => {}
        }
    }
    match open.first() {
        None => Ok(filled),
        Some(branch) => Err(FillFault {
            span: branch.start,
            message: format!("`{}` has no end", branch.start.text(text)),
            hint: "write `{{ end }}` behind what it is about".to_owned(),
        }),
    }
}

struct Branch {
    start: Span,
    is_taken: bool,
    was_taken: bool,
    /// True if it stands in one that is not taken.
    is_dead: bool,
}

struct Action<'a> {
    /// With the white space that it trims.
    span: Span,
    inside: &'a str,
}

fn next_action(text: &str, from: usize) -> Option<Action<'_>> {
    const WORDS: [&str; 10] = ["template", "if", "else", "end", "range", "with", "define", "block", "index", "include"];
    let mut at = from;
    loop {
        let mut start = at + text.get(at..)?.find("{{")?;
        let behind = start + 2;
        let mut inside = &text[behind..];
        let trims_before = inside.starts_with("- ");
        inside = inside.strip_prefix('-').unwrap_or(inside).trim_start();
        let word = inside.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        if !WORDS.contains(&word) && !inside.starts_with(['.', '"', '$', '`', '/']) {
            at = behind;
            continue;
        }
        let Some(length) = text[behind..].find("}}") else {
            return Some(Action { span: Span::new(start, text.len()), inside: "" });
        };
        let mut end = behind + length + 2;
        let mut inside = &text[behind..behind + length];
        if trims_before {
            inside = &inside[1..];
            start = from.max(text[..start].trim_end().len());
        }
        if let Some(rest) = inside.strip_suffix('-').filter(|rest| rest.ends_with(char::is_whitespace)) {
            inside = rest;
            end = text.len() - text[end..].trim_start().len();
        }
        return Some(Action { span: Span::new(start, end), inside: inside.trim() });
    }
}

fn not_read(action: &Action<'_>, shown: &str) -> FillFault {
    FillFault {
        span: action.span,
        message: format!("`{shown}` is more of a template than dbbuild fills in"),
        hint: "values, `if` with eq, ne and not, and `template` are; write what this one makes into the script"
            .to_owned(),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Name(String),
    Field(String),
    Text(String),
    Open,
    Close,
}

struct Words(std::collections::VecDeque<Word>);

impl Words {
    fn of(inside: &str) -> Option<Self> {
        if inside.starts_with("/*") && inside.ends_with("*/") {
            return Some(Self([Word::Name("comment".to_owned())].into()));
        }
        let mut words = std::collections::VecDeque::new();
        let mut rest = inside.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '(' | ')' => {
                    words.push_back(if first == '(' { Word::Open } else { Word::Close });
                    1
                }
                '"' | '`' => {
                    let end = rest[1..].find(first)?;
                    words.push_back(Word::Text(rest[1..=end].to_owned()));
                    end + 2
                }
                '.' => {
                    let end = rest.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(rest.len());
                    words.push_back(Word::Field(rest[1..end].to_owned()));
                    end
                }
                _ if first.is_ascii_alphabetic() => {
                    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                    words.push_back(Word::Name(rest[..end].to_owned()));
                    end
                }
                _ => return None,
            };
            rest = rest[length..].trim_start();
        }
        Some(Self(words))
    }

    fn next(&mut self) -> Option<Word> {
        self.0.pop_front()
    }

    /// Takes a word that begins an action.
    fn keyword(&mut self) -> Option<&'static str> {
        let Some(Word::Name(name)) = self.0.front() else { return None };
        let found = ["if", "else", "end", "template", "comment"].into_iter().find(|known| known == name)?;
        self.0.pop_front();
        Some(found)
    }

    /// Reads a value: `.name`, `"text"`, `index .Options "name"`, or one in parentheses.
    fn value(
        &mut self,
        action: &Action<'_>,
        shown: &str,
        value: &dyn Fn(&str) -> Option<String>,
        unused: bool,
    ) -> Result<String, FillFault> {
        let name = match self.next() {
            Some(Word::Text(text)) => return Ok(text),
            Some(Word::Field(name)) if !name.is_empty() => name,
            Some(Word::Name(name)) if name == "index" => match (self.next(), self.next()) {
                (Some(Word::Field(_)), Some(Word::Text(name))) => name,
                _ => return Err(not_read(action, shown)),
            },
            Some(Word::Open) => {
                let inner = self.value(action, shown, value, unused)?;
                return if self.next() == Some(Word::Close) { Ok(inner) } else { Err(not_read(action, shown)) };
            }
            _ => return Err(not_read(action, shown)),
        };
        match value(&name) {
            Some(text) => Ok(text),
            None if unused => Ok(String::new()),
            None => Err(FillFault {
                span: action.span,
                message: format!("`{shown}`: the variable `{name}` has no pinned value"),
                hint: format!("give it one in dbbuild.toml: under `[variables]`, `{} = \"…\"`", key(&name)),
            }),
        }
    }

    /// Reads a condition: `eq a b`, `ne a b`, `not c`, or a value, which is true unless it is empty.
    fn truth(
        &mut self,
        action: &Action<'_>,
        shown: &str,
        value: &dyn Fn(&str) -> Option<String>,
    ) -> Result<bool, FillFault> {
        let truth = match self.0.front() {
            Some(Word::Name(name)) if name == "not" => {
                self.next();
                return self.truth(action, shown, value).map(|truth| !truth);
            }
            Some(Word::Name(name)) if name == "eq" || name == "ne" => {
                let wants_equal = name == "eq";
                self.next();
                let (one, other) = (self.value(action, shown, value, false)?, self.value(action, shown, value, false)?);
                (one == other) == wants_equal
            }
            Some(Word::Open) => {
                self.next();
                let inner = self.truth(action, shown, value)?;
                if self.next() != Some(Word::Close) {
                    return Err(not_read(action, shown));
                }
                return Ok(inner);
            }
            _ => !self.value(action, shown, value, false)?.is_empty(),
        };
        match self.0.front() {
            None | Some(Word::Close) => Ok(truth),
            Some(_) => Err(not_read(action, shown)),
        }
    }
}

/// Writes a name as TOML has it for a key.
fn key(name: &str) -> String {
    let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_bare { name.to_owned() } else { format!("{name:?}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let value = |name: &str| match name {
            "prefix" => Some("app".to_owned()),
            "sample" => Some("true".to_owned()),
            "none" => Some(String::new()),
            _ => None,
        };
        let mut result = text.to_owned();
        for (span, by) in fill(text, &value).map_err(|fault| fault.message)?.into_iter().rev() {
            let by = match by {
                Filled::Text(text) => text,
                Filled::File(name) => format!("<{name}>"),
            };
            result.replace_range(span.start..span.end, &by);
        }
        Ok(result)
    }

    #[test]
    fn values_and_files_are_put_in() {
        assert_eq!(
            filled("create table {{.prefix}}_t (a int[] default '{{1,2},{3,4}}')").unwrap(),
            "create table app_t (a int[] default '{{1,2},{3,4}}')"
        );
        assert_eq!(filled("x {{ index .Options \"prefix\" }}.t").unwrap(), "x app.t");
        assert_eq!(filled("{{ template \"shared/v1.sql\" . }}\n").unwrap(), "<shared/v1.sql>\n");
        assert_eq!(filled("a {{- /* says nothing */ -}} b").unwrap(), "ab");
    }

    #[test]
    fn conditions_are_decided() {
        assert_eq!(filled("a{{ if eq .sample \"true\" }}b{{ else }}c{{ end }}d").unwrap(), "abd");
        assert_eq!(filled("a{{ if ne .sample \"true\" }}b{{ else if .none }}c{{ else }}e{{ end }}d").unwrap(), "aed");
        assert_eq!(
            filled("{{ if not (eq .none \"x\") }}a{{ if .none }}b{{ .nothing }}{{ end }}c{{ end }}").unwrap(),
            "ac"
        );
        assert_eq!(filled("{{ if .none }}{{ template \"x\" . }}{{ if .nothing }}{{ end }}{{ end }}").unwrap(), "");
    }

    #[test]
    fn what_cannot_be_filled_in_is_a_fault() {
        assert!(filled("{{ .other }}").unwrap_err().contains("`other` has no pinned value"));
        assert!(filled("{{ range .x }}").unwrap_err().contains("more of a template"));
        assert!(filled("{{ if .sample }}").unwrap_err().contains("has no end"));
        assert!(filled("{{ end }}").unwrap_err().contains("without an `if`"));
        assert!(filled("{{ .prefix | upper }}").unwrap_err().contains("more of a template"));
        assert!(filled("{{ .prefix").is_err());
    }
}
