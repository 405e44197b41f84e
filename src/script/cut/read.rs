//! The first pass: the statements, each with the directives in front of it.

use super::{Part, PlacedGuard, Reader, only_writes_rows};
use crate::script::{Checksum, Directive, body};
use crate::sql::{self, LexError, LexErrorKind, Lexer, Span, Statement, Statements, TokenKind};

impl Reader<'_> {
    /// Reads the statements and the directives between them.
    pub(super) fn read(&mut self) -> Vec<Statement> {
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

    /// Takes over a directive about the whole file.
    pub(super) fn about_the_file(&mut self, directive: Directive) {
        match directive {
            Directive::NoTransaction => self.cut.no_transaction = true,
            Directive::ForeignKeysOff => self.cut.foreign_keys_off = true,
            Directive::DoubleQuotedText => self.cut.double_quoted_text = true,
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
}

/// What a statement does beside its work.
#[derive(Default)]
struct Nature {
    refuses_transaction: bool,
    may_commit: bool,
    sets_session: bool,
}

/// Says what to write where a shell's command stands.
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
