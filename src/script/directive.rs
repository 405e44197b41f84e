//! Comments that steer a script or a statement: `-- dbbuild: no-transaction`.
//!
//! Parsing is text to value; what a directive means is the business of who runs the script. The list of words
//! is `docs/reference/directives.md`.

use std::time::Duration;

use crate::error::nearest;

/// One directive, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// Run statement by statement, outside a transaction.
    NoTransaction,
    /// SQLite: foreign keys off outside the transaction, checked before commit, on again.
    ForeignKeysOff,
    /// SQLite: what stands in double quotes and is no name is text.
    DoubleQuotedText,
    /// How long a statement of this script may wait for a lock.
    LockTimeout(Duration),
    /// How long a statement of this script may run.
    StatementTimeout(Duration),
    /// Run the next statement again and again, one commit a pass, until it changes no row.
    RepeatUntilNoRows,
    /// Frame in another file of the project.
    Include(String),
    /// The variables this file uses.
    Variables(Vec<String>),
    /// Code files that run before this one.
    After(Vec<String>),
    /// Code objects that are away while this script runs, with what depends on them.
    SuspendCode(Vec<String>),
    /// Lint: these rules are allowed here, and why.
    Allow {
        /// Names of rules.
        rules: Vec<String>,
        /// Why.
        reason: String,
    },
    /// The next statement, or group, runs only if a test says so.
    Guard(Guard),
    /// The end of a guarded group.
    End,
}

/// A test in front of a statement or of a group of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Which answer lets the statement run.
    pub run: RunIf,
    /// What is tested.
    pub test: Test,
    /// True for `… begin`, which reaches to `end` and is tested once.
    pub group: bool,
}

/// Which answer of a guard's test lets its statement run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunIf {
    /// `unless`: run if the test finds nothing.
    Absent,
    /// `if`: run if the test finds something.
    Present,
}

/// What a guard asks the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Is there such an object? The name is as written: `customer.email`, `public."Order"`.
    Object(Object, String),
    /// Does this query return a row whose first column is neither NULL, false nor 0?
    Query(String),
}

/// The kinds of object that a guard can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Object {
    Table,
    Column,
    Index,
    View,
    Trigger,
    Type,
    Constraint,
    Role,
    Schema,
    Sequence,
    Function,
    Extension,
    Policy,
}

impl Object {
    const ALL: [(&'static str, Self); 13] = [
        ("table", Self::Table),
        ("column", Self::Column),
        ("index", Self::Index),
        ("view", Self::View),
        ("trigger", Self::Trigger),
        ("type", Self::Type),
        ("constraint", Self::Constraint),
        ("role", Self::Role),
        ("schema", Self::Schema),
        ("sequence", Self::Sequence),
        ("function", Self::Function),
        ("extension", Self::Extension),
        ("policy", Self::Policy),
    ];

    /// Returns the word a directive uses for this kind.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("object", |(word, _)| word)
    }
}

/// Why a comment that begins like a directive is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectiveError {
    /// The first word is not known; `nearest` is, and looks like it.
    #[error("unknown directive `{word}`{}", nearest.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    Unknown {
        /// What was written.
        word: String,
        /// The known word that looks most like it.
        nearest: Option<&'static str>,
    },
    /// The rest does not fit the first word.
    #[error("directive `{word}` is written `{form}`")]
    Form {
        /// The directive's word.
        word: &'static str,
        /// How it is written.
        form: &'static str,
    },
}

/// Every directive's word and form, in the order of the documentation.
pub const FORMS: [(&str, &str); 14] = [
    ("no-transaction", "no-transaction"),
    ("foreign-keys", "foreign-keys off"),
    ("double-quoted-text", "double-quoted-text"),
    ("lock-timeout", "lock-timeout 5s"),
    ("statement-timeout", "statement-timeout 10min"),
    ("repeat", "repeat until 0 rows"),
    ("include", "include path/in/the/project.sql"),
    ("variables", "variables name, other_name"),
    ("after", "after name, other_name"),
    ("suspend-code", "suspend-code name, other_name"),
    ("allow", "allow(rule) reason"),
    (
        "unless",
        "unless column table.column [begin] | unless table|index|view|trigger|type|constraint|role|schema|sequence|function|extension|policy NAME [begin] | unless query SELECT … [begin]",
    ),
    ("if", "if column table.column [begin] | if table|index|… NAME [begin] | if query SELECT … [begin]"),
    ("end", "end"),
];

/// Returns what stands behind `-- dbbuild:` in a line comment, or `None` if the comment is no directive.
pub fn body(comment: &str) -> Option<&str> {
    let text = comment.strip_prefix("--")?.trim_start();
    Some(text.strip_prefix("dbbuild:")?.trim())
}

impl Directive {
    /// Reads what stands behind `-- dbbuild:`.
    pub fn parse(text: &str) -> Result<Self, DirectiveError> {
        let text = text.trim();
        let end = text.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(text.len());
        let (word, rest) = (&text[..end], text[end..].trim());
        let Some((word, form)) = FORMS.into_iter().find(|(known, _)| *known == word) else {
            return Err(DirectiveError::Unknown {
                word: word.to_owned(),
                nearest: nearest(word, FORMS.iter().map(|(known, _)| *known)),
            });
        };
        let directive = match word {
            "no-transaction" => rest.is_empty().then_some(Self::NoTransaction),
            "foreign-keys" => (rest == "off").then_some(Self::ForeignKeysOff),
            "double-quoted-text" => rest.is_empty().then_some(Self::DoubleQuotedText),
            "lock-timeout" => duration(rest).map(Self::LockTimeout),
            "statement-timeout" => duration(rest).map(Self::StatementTimeout),
            "repeat" => rest.split_whitespace().eq(["until", "0", "rows"]).then_some(Self::RepeatUntilNoRows),
            "include" => (!rest.is_empty()).then(|| Self::Include(rest.to_owned())),
            "variables" => names(rest).map(Self::Variables),
            "after" => objects(rest).map(Self::After),
            "suspend-code" => objects(rest).map(Self::SuspendCode),
            "allow" => allow(rest),
            "unless" => guard(RunIf::Absent, rest),
            "if" => guard(RunIf::Present, rest),
            _ => rest.is_empty().then_some(Self::End),
        };
        directive.ok_or(DirectiveError::Form { word, form })
    }

    /// Returns true if the directive is about the whole file and so stands at its head.
    pub fn is_about_the_file(&self) -> bool {
        match self {
            Self::NoTransaction
            | Self::ForeignKeysOff
            | Self::DoubleQuotedText
            | Self::LockTimeout(_)
            | Self::StatementTimeout(_)
            | Self::Variables(_)
            | Self::After(_)
            | Self::SuspendCode(_) => true,
            Self::RepeatUntilNoRows | Self::Include(_) | Self::Allow { .. } | Self::Guard(_) | Self::End => false,
        }
    }
}

fn names(text: &str) -> Option<Vec<String>> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    names.iter().all(|name| !name.is_empty() && !name.contains(char::is_whitespace)).then_some(names)
}

/// Reads names of objects, which may be quoted: `a, "Odd name"."v"`. A comma or a space in quotes is the name's.
fn objects(text: &str) -> Option<Vec<String>> {
    let (mut names, mut name, mut is_quoted) = (Vec::new(), String::new(), false);
    for char in text.chars() {
        match char {
            ',' if !is_quoted => names.push(std::mem::take(&mut name)),
            _ => {
                is_quoted ^= char == '"';
                name.push(char);
            }
        }
    }
    names.push(name);
    let names: Vec<String> = names.into_iter().map(|name| name.trim().to_owned()).collect();
    let is_name = |name: &String| {
        let outside: String = name.split('"').step_by(2).collect();
        !name.is_empty() && !outside.contains(char::is_whitespace)
    };
    (!is_quoted && names.iter().all(is_name)).then_some(names)
}

fn allow(text: &str) -> Option<Directive> {
    let (rules, reason) = text.strip_prefix('(')?.split_once(')')?;
    let reason = reason.trim().to_owned();
    Some(Directive::Allow { rules: names(rules)?, reason })
}

fn guard(run: RunIf, text: &str) -> Option<Directive> {
    let (word, rest) = text.split_once(char::is_whitespace)?;
    let (rest, group) = match rest.trim().strip_suffix("begin") {
        Some(rest) if rest.ends_with(char::is_whitespace) => (rest.trim(), true),
        _ => (rest.trim(), false),
    };
    let test = match word {
        "query" => Test::Query(rest.to_owned()),
        _ => Test::Object(Object::ALL.into_iter().find(|(known, _)| *known == word)?.1, rest.to_owned()),
    };
    (!rest.is_empty()).then_some(Directive::Guard(Guard { run, test, group }))
}

/// Reads `500ms`, `5s`, `10min`, `2h` or `0` (no limit), in PostgreSQL's spelling of units.
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let milliseconds = match text[end..].trim() {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "" if number == 0 => 0,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        let parse = |text| Directive::parse(text).unwrap();
        assert_eq!(parse("no-transaction"), Directive::NoTransaction);
        assert_eq!(parse("lock-timeout 5s"), Directive::LockTimeout(Duration::from_secs(5)));
        assert_eq!(parse("repeat until 0 rows"), Directive::RepeatUntilNoRows);
        assert_eq!(parse("after a, s.b"), Directive::After(vec!["a".into(), "s.b".into()]));
        let quoted = parse("suspend-code \"Odd, name\".\"v\", s.b");
        assert_eq!(quoted, Directive::SuspendCode(vec!["\"Odd, name\".\"v\"".into(), "s.b".into()]));
        let test = Test::Object(Object::Column, "customer.email".into());
        assert_eq!(
            parse("unless column customer.email begin"),
            Directive::Guard(Guard { run: RunIf::Absent, test, group: true })
        );
        let test = Test::Query("select 1 from t where a = 'begin'".into());
        assert_eq!(
            parse("if query select 1 from t where a = 'begin'"),
            Directive::Guard(Guard { run: RunIf::Present, test, group: false })
        );
    }

    #[test]
    fn a_misspelt_word_names_the_nearest() {
        let error = Directive::parse("no-transactoin").unwrap_err();
        assert_eq!(error.to_string(), "unknown directive `no-transactoin`; did you mean `no-transaction`?");
        assert!(matches!(Directive::parse("foreign-keys on"), Err(DirectiveError::Form { .. })));
        assert!(matches!(Directive::parse("suspend-code \"a, b"), Err(DirectiveError::Form { .. })));
        assert!(matches!(Directive::parse("suspend-code a b"), Err(DirectiveError::Form { .. })));
        assert!(matches!(Directive::parse("unless column"), Err(DirectiveError::Form { .. })));
    }

    #[test]
    fn only_a_line_comment_that_begins_so_is_a_directive() {
        assert_eq!(body("-- dbbuild: no-transaction"), Some("no-transaction"));
        assert_eq!(body("--dbbuild:end "), Some("end"));
        assert_eq!(body("-- see dbbuild: end"), None);
    }
}
