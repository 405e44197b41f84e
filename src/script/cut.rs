//! From text to what runs: the script cut into statements, each with its guards and what must be known of it,
//! or everything that is wrong with it before anything runs.

use std::time::Duration;

use super::{Checksum, Directive, Fault, Guard, Text, body};
use crate::sql::{
    self, Dialect, LexError, LexErrorKind, Lexer, Span, Statement, Statements, TokenKind, TransactionPairs,
};

/// A script, cut.
#[derive(Debug, Clone, Default)]
pub struct Cut {
    /// What to run, in order.
    pub parts: Vec<Part>,
    /// The guards that parts refer to.
    pub guards: Vec<PlacedGuard>,
    /// Run statement by statement, outside a transaction.
    pub no_transaction: bool,
    /// SQLite: foreign keys off around the transaction.
    pub foreign_keys_off: bool,
    /// The script's own limit for waiting on a lock.
    pub lock_timeout: Option<Duration>,
    /// The script's own limit for a statement.
    pub statement_timeout: Option<Duration>,
    /// Code files that run before this one.
    pub after: Vec<String>,
    /// Code objects that are away while the script runs.
    pub suspends: Vec<String>,
    /// False if the script holds what must not share a transaction with other scripts.
    pub fusible: bool,
    /// PostgreSQL: what the script asks of its transaction in its first statements.
    pub isolation: Option<sql::Isolation>,
}

/// One statement, or one COPY with its data.
#[derive(Debug, Clone)]
pub struct Part {
    /// The statement in the text, without the `;`.
    pub span: Span,
    /// For `COPY … FROM stdin`: the lines of data, without the closing `\.`.
    pub copy_data: Option<Span>,
    /// Indexes into the guards; all must let it run.
    pub guards: Vec<usize>,
    /// True for a batch that runs until it changes no row.
    pub repeat: bool,
    /// True if the database refuses the statement inside a transaction.
    pub refuses_transaction: bool,
    /// True if the statement may end the transaction by itself (CALL, DO).
    pub may_commit: bool,
    /// True if the statement changes settings of the session, which a resumed script needs again.
    pub sets_session: bool,
    /// The digest of the statement's tokens: what a resumed script is compared by.
    pub digest: Checksum,
}

/// A guard and where it is written.
#[derive(Debug, Clone)]
pub struct PlacedGuard {
    /// The test.
    pub guard: Guard,
    /// The directive in the text.
    pub span: Span,
}

/// Cuts a script. `settings` are directives from `dbbuild.toml`, for scripts that must not be edited.
pub fn cut(text: &Text, dialect: Dialect, settings: &[Directive]) -> Result<Cut, Vec<Fault>> {
    let mut reader = Reader::new(text, dialect);
    for directive in settings {
        reader.about_the_file(directive.clone());
    }
    let statements = reader.read();
    reader.judge(&statements);
    if reader.faults.is_empty() { Ok(reader.cut) } else { Err(reader.faults) }
}

/// Returns the checksum over a text's tokens: directives included, other comments and white space not. Two texts
/// that differ only in those have the same one; what cannot be read as tokens counts as it is written.
pub fn token_checksum(text: &str, dialect: Dialect) -> Checksum {
    let tokens = Lexer::new(text, dialect).map_while(Result::ok).filter_map(|token| {
        let written = token.span.text(text);
        match token.kind {
            TokenKind::LineComment => body(written),
            kind if kind.is_trivia() => None,
            _ => Some(written),
        }
    });
    Checksum::of_tokens(tokens)
}

impl Cut {
    /// Makes a script that an earlier run left half-way go on statement by statement, as it began, also if its text
    /// does not ask for that any more: what is finished must not run again.
    pub fn go_on(&mut self, text: &Text, dialect: Dialect) -> Result<(), Fault> {
        if self.no_transaction {
            return Ok(());
        }
        if self.foreign_keys_off && dialect == Dialect::Sqlite {
            return Err(keys_without_transaction(text));
        }
        self.no_transaction = true;
        for part in &mut self.parts {
            part.digest = digest(text.as_str(), part.span, dialect);
        }
        Ok(())
    }
}

/// The fault of a script whose foreign keys would stay on without a word: rows would go that it means to keep.
fn keys_without_transaction(text: &Text) -> Fault {
    let place = text.place(Span::new(0, 0));
    let message = "`foreign-keys off` needs one transaction around the whole script, and this one runs without";
    Fault::new("script/foreign-keys-without-transaction", &place.file.clone(), message)
        .at(place)
        .hint("take `foreign-keys off` or `no-transaction` out; what is half-way without a transaction stays so")
}

/// Returns the digest of a statement's tokens.
fn digest(text: &str, span: Span, dialect: Dialect) -> Checksum {
    let tokens = Lexer::part(text, span, dialect).map_while(Result::ok);
    Checksum::of_tokens(tokens.filter(|token| !token.kind.is_trivia()).map(|token| token.span.text(text)))
}

/// Returns true if a text may hold directives: a quick look that spares most texts a lexer.
pub fn has_directives(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"dbbuild:").is_some()
}

/// Returns the directives in a text with their spans, without judging where they stand.
pub fn directives(text: &str, dialect: Dialect) -> Vec<(Span, &str)> {
    if !has_directives(text) {
        return Vec::new();
    }
    let comments = Lexer::new(text, dialect).map_while(Result::ok).filter(|token| token.kind == TokenKind::LineComment);
    comments.filter_map(|token| body(token.span.text(text)).map(|body| (token.span, body))).collect()
}

struct Reader<'a> {
    text: &'a Text,
    dialect: Dialect,
    cut: Cut,
    faults: Vec<Fault>,
    /// Guards, by index, that apply to the next statement only.
    next_guards: Vec<usize>,
    next_repeat: Option<Span>,
    group: Option<usize>,
    has_directives: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a Text, dialect: Dialect) -> Self {
        Self {
            text,
            dialect,
            cut: Cut { fusible: true, ..Cut::default() },
            faults: Vec::new(),
            next_guards: Vec::new(),
            next_repeat: None,
            group: None,
            has_directives: has_directives(text.as_str()),
        }
    }

    fn fault(&mut self, code: &'static str, span: Span, message: impl Into<String>, hint: Option<&str>) {
        let place = self.text.place(span);
        let mut fault = Fault::new(code, &place.file.clone(), message).at(place);
        fault.hint = hint.map(str::to_owned);
        self.faults.push(fault);
    }

    /// Reads the statements and the directives between them.
    fn read(&mut self) -> Vec<Statement> {
        let text = self.text.as_str();
        let mut statements = Statements::new(text, self.dialect);
        let mut found = Vec::new();
        for next in statements.by_ref() {
            match next {
                Ok(statement) => {
                    self.directives_in(statement.lead, found.is_empty());
                    self.part(&statement);
                    self.directives_in(statement.tail, false);
                    found.push(statement);
                }
                Err(error) => self.lexical(&error),
            }
        }
        self.directives_in(statements.rest(), found.is_empty());
        for index in std::mem::take(&mut self.next_guards) {
            let span = self.cut.guards[index].span;
            self.fault(
                "script/guard-of-nothing",
                span,
                "no statement follows this guard",
                Some("put it in front of its statement"),
            );
        }
        if let Some(span) = self.next_repeat.take() {
            self.fault(
                "script/repeat-of-nothing",
                span,
                "no statement follows `repeat`",
                Some("put it in front of its statement"),
            );
        }
        if let Some(index) = self.group.take() {
            let span = self.cut.guards[index].span;
            self.fault(
                "script/group-without-end",
                span,
                "this group has no end",
                Some("close it with `-- dbbuild: end`"),
            );
        }
        found
    }

    fn lexical(&mut self, error: &LexError) {
        let hint = match &error.kind {
            LexErrorKind::MetaCommand { name } => Some(instead_of(name)),
            LexErrorKind::UnterminatedString
            | LexErrorKind::UnterminatedIdentifier
            | LexErrorKind::UnterminatedComment
            | LexErrorKind::UnterminatedDollarQuote { .. }
            | LexErrorKind::UnterminatedCopyData => Some("close what begins here"),
            LexErrorKind::TextAfterCopy => Some("end the line behind `FROM stdin;`: the rows begin on the next one"),
            LexErrorKind::Nul => Some("remove it; if the file is UTF-16, save it as UTF-8"),
        };
        let code = match &error.kind {
            LexErrorKind::MetaCommand { .. } => "script/meta-command",
            LexErrorKind::Nul => "script/nul",
            _ => "script/unterminated",
        };
        self.fault(code, error.span, error.to_string(), hint);
    }

    fn directives_in(&mut self, span: Span, at_head: bool) {
        if !self.has_directives {
            return;
        }
        let text = self.text.as_str();
        let comments: Vec<Span> = Lexer::part(text, span, self.dialect)
            .map_while(Result::ok)
            .filter(|token| token.kind == TokenKind::LineComment)
            .map(|token| token.span)
            .collect();
        for comment in comments {
            let Some(body) = body(comment.text(text)) else { continue };
            match Directive::parse(body) {
                Ok(directive) => self.directive(directive, comment, at_head),
                Err(error) => {
                    self.fault("script/directive", comment, error.to_string(), Some("see docs/reference/directives.md"))
                }
            }
        }
    }

    fn directive(&mut self, directive: Directive, span: Span, at_head: bool) {
        if directive.is_about_the_file() {
            if at_head {
                self.about_the_file(directive);
            } else {
                let hint = Some("move it to the head of the file");
                self.fault("script/directive-not-at-head", span, "this directive is about the whole file", hint);
            }
            return;
        }
        match directive {
            Directive::Guard(guard) => {
                let group = guard.group;
                self.cut.guards.push(PlacedGuard { guard, span });
                let index = self.cut.guards.len() - 1;
                if !group {
                    self.next_guards.push(index);
                } else if self.group.is_some() {
                    self.fault("script/nested-group", span, "a group inside a group", Some("end the first one before"));
                } else {
                    self.group = Some(index);
                }
            }
            Directive::End if self.group.take().is_none() => {
                self.fault(
                    "script/end-of-nothing",
                    span,
                    "`end` without a group",
                    Some("begin one with `unless … begin`"),
                );
            }
            Directive::RepeatUntilNoRows => self.next_repeat = Some(span),
            // Includes are framed in before, and what lint allows is lint's.
            _ => {}
        }
    }

    fn about_the_file(&mut self, directive: Directive) {
        match directive {
            Directive::NoTransaction => self.cut.no_transaction = true,
            Directive::ForeignKeysOff => self.cut.foreign_keys_off = true,
            Directive::LockTimeout(limit) => self.cut.lock_timeout = Some(limit),
            Directive::StatementTimeout(limit) => self.cut.statement_timeout = Some(limit),
            Directive::After(names) => self.cut.after.extend(names),
            Directive::SuspendCode(names) => self.cut.suspends.extend(names),
            _ => {}
        }
    }

    fn part(&mut self, statement: &Statement) {
        let text = self.text.as_str();
        if self.has_directives && statement.text(text).contains("dbbuild:") {
            let inside = Lexer::part(text, statement.span, self.dialect).map_while(Result::ok);
            let misplaced = inside.filter(|token| token.kind == TokenKind::LineComment).map(|token| token.span);
            let misplaced: Vec<Span> = misplaced.filter(|span| body(span.text(text)).is_some()).collect();
            for span in misplaced {
                self.fault(
                    "script/directive-inside",
                    span,
                    "a directive inside a statement",
                    Some("put it in front of the statement"),
                );
            }
        }
        let tokens = statement.tokens(text, self.dialect);
        if only_writes_rows(tokens) {
            self.push(statement, Nature::default());
            return;
        }
        if statement.copy_data.is_none() && sql::copy_from_stdin(tokens) {
            let hint = "end the statement with `;`, and put the rows and a line `\\.` below it";
            self.fault(
                "script/copy-without-data",
                statement.span,
                "COPY … FROM stdin has no data behind it",
                Some(hint),
            );
        }
        let nature = Nature {
            refuses_transaction: sql::refuses_transaction(tokens).is_some(),
            may_commit: sql::may_commit(tokens),
            sets_session: sql::session_setting(tokens) == Some(sql::SessionSetting::Session),
        };
        self.push(statement, nature);
    }

    fn push(&mut self, statement: &Statement, nature: Nature) {
        self.cut.parts.push(Part {
            span: statement.span,
            copy_data: statement.copy_data,
            guards: self.group.into_iter().chain(std::mem::take(&mut self.next_guards)).collect(),
            repeat: self.next_repeat.take().is_some(),
            refuses_transaction: nature.refuses_transaction,
            may_commit: nature.may_commit,
            sets_session: nature.sets_session,
            digest: Checksum::default(),
        });
    }

    /// Looks at the statements as a whole: whose transaction it is, and what cannot run as the script says.
    fn judge(&mut self, statements: &[Statement]) {
        let mut own = vec![true; statements.len()];
        self.transaction_pairs(statements, &mut own);
        if !self.cut.no_transaction {
            self.foreign_keys_pragmas(statements, &mut own);
            self.isolation(statements, &mut own);
        }
        if self.cut.no_transaction && self.cut.foreign_keys_off && self.dialect == Dialect::Sqlite {
            self.faults.push(keys_without_transaction(self.text));
        }
        if self.cut.no_transaction && !self.cut.suspends.is_empty() {
            let place = self.text.place(Span::new(0, 0));
            let message = "`suspend-code` needs a transaction around the script, and this one runs without";
            let hint =
                "suspend the code objects in a script of its own, and put what needs no transaction into the next one";
            let fault = Fault::new("script/suspend-without-transaction", &place.file.clone(), message).at(place);
            self.faults.push(fault.hint(hint));
        }
        let text = self.text.as_str();
        for (index, statement) in statements.iter().enumerate().filter(|(index, _)| own[*index]) {
            let tokens = statement.tokens(text, self.dialect);
            if !only_writes_rows(tokens) {
                self.judge_statement(statement.span, tokens);
            }
            if self.cut.no_transaction {
                self.cut.parts[index].digest = digest(text, statement.span, self.dialect);
            } else if self.cut.parts[index].repeat {
                let hint = Some("put `-- dbbuild: no-transaction` at the head of the file: each pass commits");
                let message = "`repeat` works outside a transaction only";
                self.fault("script/repeat-in-transaction", statement.span, message, hint);
            }
        }
        let mut own = own.into_iter();
        self.cut.parts.retain(|_| own.next().unwrap_or(true));
    }

    /// Reads `PRAGMA foreign_keys=off … =on` as `foreign-keys off`, where nothing outside of it minds.
    fn foreign_keys_pragmas(&mut self, statements: &[Statement], own: &mut [bool]) {
        if self.dialect != Dialect::Sqlite {
            return;
        }
        let text = self.text.as_str();
        let tokens: Vec<_> = statements.iter().map(|statement| statement.tokens(text, self.dialect)).collect();
        let pragmas = sql::foreign_keys_switch(&tokens);
        self.cut.foreign_keys_off |= !pragmas.is_empty();
        pragmas.into_iter().for_each(|index| own[index] = false);
    }

    /// Reads pairs of `BEGIN … COMMIT` as the tool's own transaction: the script is then one transaction where
    /// its author had several, or one. `COMMIT … BEGIN` steps out of the transaction of a runner and into a new one:
    /// what runs between them asks for a script without a transaction by itself.
    fn transaction_pairs(&mut self, statements: &[Statement], own: &mut [bool]) {
        let control =
            |statement: &Statement| sql::transaction_control(statement.tokens(self.text.as_str(), self.dialect));
        let controls: Vec<_> =
            statements.iter().enumerate().filter_map(|(index, statement)| Some((index, control(statement)?))).collect();
        let kinds: Vec<_> = controls.iter().map(|(_, control)| *control).collect();
        let pairs = sql::transaction_pairs(&kinds);
        let wrapped = pairs == Some(TransactionPairs::Around) && !self.cut.no_transaction;
        if !wrapped && pairs != Some(TransactionPairs::Between) {
            return;
        }
        // What was committed in the middle may matter to what follows, so no other script shares the transaction.
        self.cut.fusible &= wrapped && controls.len() == 2;
        for (index, _) in controls {
            own[index] = false;
        }
    }

    /// Reads what a script asks of its transaction before all else: the journal's claim, which is in it too, would
    /// come too early for the script's own statement.
    fn isolation(&mut self, statements: &[Statement], own: &mut [bool]) {
        let asks = |statement: &Statement| sql::isolation(statement.tokens(self.text.as_str(), self.dialect));
        // The first is what the script's own `BEGIN` says; it is the tool's transaction by now, or refused.
        let begin = statements.first().filter(|_| own.first() == Some(&false));
        let first = own.iter().position(|is_own| *is_own);
        let set = first.filter(|first| *first <= 1).and_then(|at| Some((at, asks(statements.get(at)?)?)));
        self.cut.isolation = begin.and_then(asks);
        if let Some((at, isolation)) = set
            && sql::transaction_control(statements[at].tokens(self.text.as_str(), self.dialect)).is_none()
        {
            self.cut.isolation = Some(isolation);
            own[at] = false;
        }
        self.cut.fusible &= self.cut.isolation.is_none();
    }

    fn judge_statement(&mut self, span: Span, tokens: sql::Tokens<'_>) {
        if sql::transaction_control(tokens).is_some() {
            let hint = if self.cut.no_transaction {
                "take it out: in a script without a transaction each statement is committed by itself"
            } else {
                "take it out: the tool commits the script together with its journal entry; for a script that must run \
                 outside a transaction put `-- dbbuild: no-transaction` at its head"
            };
            self.fault("script/own-transaction", span, "the script controls the transaction itself", Some(hint));
        }
        // With the keys off around the whole script, its own pragmas in the middle do nothing, and nothing is lost.
        let is_settled = self.cut.foreign_keys_off && sql::foreign_keys_pragma(tokens).is_some();
        if let Some(what) = sql::refuses_transaction(tokens)
            && !self.cut.no_transaction
            && !is_settled
        {
            let hint = if sql::foreign_keys_pragma(tokens).is_some() {
                "put `-- dbbuild: foreign-keys off` at the head of the file: the tool switches them off around it and on \
                 again; if it must not be edited, `directives = [\"foreign-keys off\"]` under `[script.\"VERSION\"]` in \
                 dbbuild.toml"
            } else {
                "put `-- dbbuild: no-transaction` at the head of the file, or, if it must not be edited, \
                 `directives = [\"no-transaction\"]` under `[script.\"VERSION\"]` in dbbuild.toml"
            };
            self.fault("script/needs-no-transaction", span, what, Some(hint));
        }
        if let Some(what) = sql::session_object(tokens)
            && self.cut.no_transaction
        {
            let hint =
                "a script without a transaction may resume in a new session; use a table, or a script of its own";
            self.fault(
                "script/session-object",
                span,
                format!("{what} would be lost if the script is interrupted"),
                Some(hint),
            );
        }
        if sql::copy_to_stdout(tokens) {
            self.fault("script/copy-out", span, "COPY … TO STDOUT has nobody to read it here", Some("take it out"));
        }
        if sql::fusion_barrier(tokens).is_some() {
            self.cut.fusible = false;
        }
    }
}

/// What a statement does beside its work.
#[derive(Default)]
struct Nature {
    refuses_transaction: bool,
    may_commit: bool,
    sets_session: bool,
}

/// Returns true for a statement that by its first word can only write rows: nothing more needs to be asked of it,
/// and seeds have a hundred thousand of them.
fn only_writes_rows(tokens: sql::Tokens<'_>) -> bool {
    tokens.at_any(&["insert", "update", "delete", "replace", "merge"])
}

/// Returns what `PRAGMA foreign_keys = …` switches to; `None` for every other statement.
fn instead_of(command: &str) -> &'static str {
    match command.trim_start_matches(['\\', '.']) {
        "i" | "ir" | "include" | "include_relative" | "read" => "write `-- dbbuild: include path` instead",
        "c" | "connect" | "open" => "the target says which database it is; take it out",
        "set" | "unset" | "gset" | "if" | "elif" | "else" | "endif" => {
            "declare variables with `-- dbbuild: variables name` and give their values in dbbuild.toml"
        }
        "gexec" => "write a DO block with EXECUTE format(…) instead",
        "copy" | "import" => "write `COPY … FROM stdin;` with the rows below it, or a CSV seed",
        "restrict" | "unrestrict" => "pg_dump wrote it for psql; take both lines out",
        _ => "take it out: scripts hold SQL only",
    }
}
