//! One text with its claim and its entry.

use super::super::guard;
use super::super::journal::{DIALECT, Journal};
use super::super::link::DISCARD;
use super::super::progress::Progress;
use super::super::quote::{ident, literal};
use super::super::statements::{LOGIN_ROLE, in_login_role, needs_session_lock};
use super::super::{connect::Connector, run};
use super::claim::{self, SEQUENCE};
use super::psql;
use crate::engine::offline::{comments_before, unindented};
use crate::engine::{EngineError, Part, PlacedGuard, Result, Unit};
use crate::journal::Run;
use crate::project::LockMode;
use crate::script::{RunIf, Test};

/// One text on its way to be a script for `psql`.
pub(super) struct Body<'a> {
    connector: &'a Connector,
    journal: &'a Journal,
    unit: &'a Unit,
}

/// How a COPY that is not to run gets rid of its data, which `psql` reads as commands wherever `\if` is false:
/// it goes to a table that keeps no row of it, each line one value.
const NOWHERE: &str = "copy pg_temp.dbbuild_nowhere (line) from stdin \
                       (format csv, delimiter E'\\001', quote E'\\002') where false";

impl<'a> Body<'a> {
    pub(super) fn new(connector: &'a Connector, journal: &'a Journal, unit: &'a Unit) -> Self {
        Self { connector, journal, unit }
    }

    /// Returns the text in one transaction with its entry.
    pub(super) fn transaction(&self, run: &Run, settings: &str) -> Result<String> {
        let isolation = self.unit.isolation.map_or("read committed", crate::sql::Isolation::as_str);
        let mut text = format!("begin isolation level {isolation} read write;\n");
        text.push_str(&claim::claim(self.journal, &self.unit.entry, None, run));
        let mut body = psql::echo(&self.title());
        body.push_str(&self.limits("local "));
        let mut tested = vec![false; self.unit.guards.len()];
        for (index, part) in self.unit.parts.iter().enumerate() {
            let parts = self.guarded(part, &mut tested, false)?;
            let run = self.unlimited(part, &self.statement(part));
            self.part(&mut text, &mut body, index, &parts, run)?;
        }
        body.push_str(&comments_before(self.unit, self.unit.parts.len(), DIALECT));
        let reset = one_message(&format!("set constraints all immediate;\n{DISCARD}"));
        body.push_str(&format!("{reset}{settings}{};\n", self.finish()));
        text.push_str(&runs(&body));
        text.push_str("commit;\n");
        Ok(text)
    }

    /// Returns the text statement by statement, with its progress in its entry.
    pub(super) fn statements(&self, run: &Run, settings: &str) -> Result<String> {
        if self.connector.target.lock == LockMode::Claim {
            return Err(needs_session_lock(self.unit));
        }
        let progress = Progress::of(self.unit, guard::Groups::new()).text()?;
        let mut text = claim::claim(self.journal, &self.unit.entry, Some(&progress), run);
        let mut body = psql::echo(&self.title());
        body.push_str(&self.limits(""));
        let mut tested = vec![false; self.unit.guards.len()];
        for (index, part) in self.unit.parts.iter().enumerate() {
            let guards = self.guarded(part, &mut tested, true)?;
            let advance = self.journal.advance(SEQUENCE, index + 1);
            let count = format!("{};\n", in_login_role(&advance));
            let statement = self.statement(part);
            let is_guarded = !part.guards.is_empty();
            let run = if part.repeat {
                self.repeated(part) + &count
            } else if part.refuses_transaction || part.may_commit {
                self.unlimited(part, &statement) + &count
            } else {
                let begin = "begin isolation level read committed read write;\n";
                let own = self.unlimited(part, &statement);
                format!("{begin}{own}set constraints all immediate;\n{LOGIN_ROLE}{advance};\ncommit;\n")
            };
            self.part(&mut text, &mut body, index, &guards, run)?;
            if is_guarded {
                body.push_str(&count);
            }
        }
        body.push_str(&comments_before(self.unit, self.unit.parts.len(), DIALECT));
        body.push_str(&format!("{DISCARD}{settings}{};\n", self.finish()));
        text.push_str(&runs(&body));
        Ok(text)
    }

    fn title(&self) -> String {
        format!("{} {}", self.unit.entry.kind.as_str(), self.unit.text.file())
    }

    fn finish(&self) -> String {
        let entry = &self.unit.entry;
        let row =
            format!("({SEQUENCE}::bigint, {}, {}, null::bigint)", literal(entry.state.as_str()), entry.statements);
        unindented(&self.journal.finish_values(&row, ""))
    }

    /// Returns what is set before the text runs.
    fn limits(&self, scope: &str) -> String {
        let target = &self.connector.target;
        let statement_timeout = self.unit.statement_timeout.unwrap_or(target.statement_timeout).as_millis();
        let mut text = format!(
            "set {scope}lock_timeout = {};\nset {scope}statement_timeout = {statement_timeout};\n",
            self.lock_timeout()
        );
        if let Some(role) = &target.owner_role {
            text.push_str(&format!("set {scope}role {};\n", ident(role)));
        }
        text
    }

    fn lock_timeout(&self) -> u128 {
        self.unit.lock_timeout.unwrap_or(self.connector.target.lock_timeout).as_millis()
    }

    fn statement(&self, part: &Part) -> String {
        psql::statement(self.unit.text.as_str(), part.span)
    }

    /// Returns a statement with its end, and without a limit for its waits where the engine sets none.
    fn unlimited(&self, part: &Part, statement: &str) -> String {
        if run::waits_without_limit(self.unit, part) {
            format!("set lock_timeout = 0;\n{statement};\nset lock_timeout = {};\n", self.lock_timeout())
        } else {
            format!("{statement};\n")
        }
    }

    /// Returns a batch that runs until it changes no row, one commit a pass.
    fn repeated(&self, part: &Part) -> String {
        let statement = literal(part.span.text(self.unit.text.as_str()));
        let body = format!(
            "\ndeclare\n    changed bigint;\nbegin\n    loop\n        execute {statement};\n        \
             get diagnostics changed = row_count;\n        commit;\n        exit when changed = 0;\n    end loop;\nend "
        );
        format!("do {};\n", psql::dollar(&body))
    }

    /// Adds one part, with its comments and between the `\if`s of its guards. A COPY leaves the `\if` around the
    /// text, since its data is read whether it runs or not.
    fn part(&self, text: &mut String, body: &mut String, index: usize, guards: &Guards, run: String) -> Result<()> {
        let part = &self.unit.parts[index];
        body.push_str(&comments_before(self.unit, index, DIALECT));
        body.push_str(&guards.before);
        let Some(data) = part.copy_data else {
            body.push_str(&run);
            body.push_str(&guards.after);
            return Ok(());
        };
        let data = data.text(self.unit.text.as_str());
        if data.contains(['\r', '\u{1}', '\u{2}']) {
            return Err(EngineError::Refused {
                code: "offline/copy-data",
                message: "the data of this COPY holds control characters, which a script for psql cannot skip".into(),
                place: Some(self.unit.text.place(part.span)),
                hint: Some("let `dbbuild` run this script, or write the characters as `\\r`, `\\x01`".into()),
            });
        }
        // What stands around the statement itself: a transaction, limits, progress.
        let statement = self.statement(part) + ";\n";
        let (ahead, behind) = run.split_once(&statement).unwrap_or(("", ""));
        body.push_str(ahead);
        body.push_str(&format!(
            "\\set dbbuild_copy {}\n\\set dbbuild_copies on\n",
            psql::argument(statement.trim_end().trim_end_matches(';'))
        ));
        body.push_str(&guards.after);
        text.push_str(&format!("\\set dbbuild_copy {}\n\\set dbbuild_copies off\n", psql::argument(NOWHERE)));
        text.push_str(&runs(body));
        body.clear();
        text.push_str(
            "\\if :dbbuild_copies\n\\else\ncreate temporary table if not exists dbbuild_nowhere (line text);\n\\endif\n:dbbuild_copy;\n",
        );
        text.push_str(data);
        if !data.is_empty() && !data.ends_with('\n') {
            text.push('\n');
        }
        text.push_str("\\.\n");
        text.push_str("\\if :dbbuild_copies\n\\else\ndrop table pg_temp.dbbuild_nowhere;\n\\endif\n");
        if !behind.is_empty() {
            body.push_str(&format!("\\if :dbbuild_copies\n{behind}\\endif\n"));
        }
        Ok(())
    }

    /// Returns what asks a part's guards, and what ends their `\if`s. A group is asked once.
    fn guarded(&self, part: &Part, tested: &mut [bool], progress: bool) -> Result<Guards> {
        let mut guards = Guards::default();
        for index in &part.guards {
            let Some(placed) = self.unit.guards.get(*index) else { continue };
            if !placed.guard.group || !tested[*index] {
                guards.before.push_str(&format!("{} as dbbuild_guard_{index}\n\\gset\n", self.question(placed)?));
                if placed.guard.group && progress {
                    guards.before.push_str(&self.entered(*index));
                }
                tested[*index] = true;
            }
            guards.before.push_str(&format!("\\if :dbbuild_guard_{index}\n"));
            guards.after.push_str("\\endif\n");
        }
        Ok(guards)
    }

    /// Returns the statement that keeps whether a group was entered, for whoever resumes.
    fn entered(&self, index: usize) -> String {
        let update = format!(
            "update {}.journal\n   set progress = pg_catalog.jsonb_set(progress::jsonb, array['groups', {}], \
             pg_catalog.to_jsonb(:'dbbuild_guard_{index}'::boolean))::text\n where sequence = {SEQUENCE}",
            self.journal.schema,
            literal(&guard::group_name(self.unit, index))
        );
        format!("{};\n", in_login_role(&update))
    }

    fn question(&self, placed: &PlacedGuard) -> Result<String> {
        let present = match &placed.guard.test {
            Test::Object(kind, name) => {
                let condition =
                    guard::condition(*kind, name).ok_or_else(|| guard::no_name(*kind, name, self.unit, placed.span))?;
                format!("exists ({condition})")
            }
            Test::Query(query) => finds_something(query),
        };
        Ok(match placed.guard.run {
            RunIf::Absent => format!("select not {present}"),
            RunIf::Present => format!("select {present}"),
        })
    }
}

/// What stands around a guarded part.
#[derive(Debug, Default)]
struct Guards {
    before: String,
    after: String,
}

/// Returns an expression that is true if the query's first row begins with something that is neither NULL, false
/// nor 0.
fn finds_something(query: &str) -> String {
    let query = psql::statement(query, crate::sql::Span::new(0, query.len()));
    format!(
        "coalesce((\n    with answer (first) as (\n{query}\n    )\n    \
         select first is not null and case\n        \
         when pg_catalog.pg_typeof(first)::text = 'boolean' then first::text <> 'false'\n        \
         when pg_catalog.pg_typeof(first)::text in ('smallint', 'integer', 'bigint', 'real', 'double precision', \
         'numeric', 'oid')\n        then first::text !~ '^-?0*([.]0*)?$'\n        \
         else true end\n      from answer limit 1), false)"
    )
}

fn runs(body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("\\if :dbbuild_run\n{body}\\endif\n") }
}

/// Joins the tool's own statements to one message, as the engine sends them: a history of a thousand scripts would
/// else wait for ten thousand answers.
fn one_message(statements: &str) -> String {
    let last = statements.trim_end().trim_end_matches(';');
    format!("{};\n", last.replace(";\n", " \\;\n"))
}
