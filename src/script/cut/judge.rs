//! The second pass, over the statements as a whole: whose transaction it is, and what cannot run as the script
//! says.

use super::{Reader, digest, keys_without_transaction, only_writes_rows};
use crate::script::Fault;
use crate::sql::{self, Dialect, Span, Statement, TransactionPairs};

impl Reader<'_> {
    /// Finds what cannot run, and takes out the statements that are the tool's own work.
    pub(super) fn judge(&mut self, statements: &[Statement]) {
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

    /// Reads `PRAGMA foreign_keys=off … =on` as `foreign-keys off`, where nothing outside of it minds, and so
    /// `PRAGMA legacy_alter_table=on`: a rename would take the references along to a table that goes.
    fn foreign_keys_pragmas(&mut self, statements: &[Statement], own: &mut [bool]) {
        if self.dialect != Dialect::Sqlite {
            return;
        }
        let text = self.text.as_str();
        let tokens: Vec<_> = statements.iter().map(|statement| statement.tokens(text, self.dialect)).collect();
        let pragmas = sql::foreign_keys_switch(&tokens);
        self.cut.foreign_keys_off |= !pragmas.is_empty() || sql::keeps_references(&tokens);
        pragmas.into_iter().for_each(|index| own[index] = false);
    }

    /// Reads pairs of `BEGIN … COMMIT` as the tool's own transaction: the script is then one transaction where
    /// its author had several, or one. `COMMIT … BEGIN` steps out of the transaction of a runner and into a new one:
    /// what runs between them asks for a script without a transaction by itself. `COMMIT` alone steps out for good,
    /// and says nothing in a script without a transaction.
    fn transaction_pairs(&mut self, statements: &[Statement], own: &mut [bool]) {
        let control =
            |statement: &Statement| sql::transaction_control(statement.tokens(self.text.as_str(), self.dialect));
        let controls: Vec<_> =
            statements.iter().enumerate().filter_map(|(index, statement)| Some((index, control(statement)?))).collect();
        let kinds: Vec<_> = controls.iter().map(|(_, control)| *control).collect();
        let pairs = sql::transaction_pairs(&kinds);
        let wrapped = pairs == Some(TransactionPairs::Around) && !self.cut.no_transaction;
        let is_none = match pairs {
            Some(TransactionPairs::Around) => wrapped,
            Some(TransactionPairs::Between) => true,
            Some(TransactionPairs::Out) => self.cut.no_transaction,
            None => false,
        };
        if !is_none {
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
                 outside a transaction put `-- dbbuild: no-transaction` at its head, or, if it must not be edited, \
                 `directives = [\"no-transaction\"]` under `[script.\"VERSION\"]` in dbbuild.toml"
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
