//! Units in a transaction that is undone. The server counts, for each table and each of its own catalogs, the rows
//! that a transaction has written so far: what was touched is known from two queries, at its beginning and at its end.
//!
//! <https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW>,
//! `pg_stat_get_xact_…`

use std::collections::{BTreeMap, BTreeSet};

use postgres::SimpleQueryMessage;

use super::catalog::{self, Extent, Reader};
use super::connect::Connector;
use super::dump::own;
use super::error::Trouble;
use super::guard::{self, Groups};
use super::held::{self, Counted, Counters, LOCKED, Locked, number};
use super::inspect::project_schemas;
use super::link::{column, rows, value};
use super::near;
use super::quote::{literal, qualified};
use super::run;
use super::session::PostgresSession;
use super::stop::Stop;
use super::transaction;
use crate::engine::trial::{Definitions, Digest, Digests, Held, Near, Tables, Touched, Trial};
use crate::engine::{Applied, Catalog, EngineError, Result, TableRows, Unit};
use crate::sql::{Kind, Name};

/// How many tables are asked for in one query.
const TOGETHER: usize = 200;

/// The number of the access method that tables have by default
/// (<https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_am.dat>).
const HEAP: u32 = 2;

/// A question that a session keeps prepared.
struct Prepared {
    /// Its name, which begins with `dbbuild_`, so that it is not taken for a script's.
    name: &'static str,
    /// The types of its parameters, in parentheses.
    types: &'static str,
    query: String,
}

/// The tool's own questions inside a script's transaction: whatever the script has set, and without leaving a trace.
const ASIDE: &str = "savepoint dbbuild_aside; set local session authorization default; set local role none";
const BACK: &str = "rollback to savepoint dbbuild_aside; release savepoint dbbuild_aside";

/// A transaction of one session, with the guards' answers for each unit.
pub(super) struct PostgresTrial<'a> {
    session: &'a mut PostgresSession,
    units: &'a [Unit],
    groups: Vec<Groups>,
    transaction: String,
    /// The unit whose settings hold.
    current: Option<usize>,
    /// What the counters said when the transaction began, by table, where they go on from the transactions before it.
    before: Counters,
    /// The locks that were held each time.
    noted: Vec<Vec<Locked>>,
}

/// The rows that this session has written to a table and the server has not handed over yet.
const WRITTEN: &str = "(pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid)
                        + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
                        + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid))";

/// What is counted before a transaction does anything.
const COUNTED: &str = "
    select * from (
        select c.oid::text as oid,
               pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid)
               + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
               + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) as written,
               pg_catalog.pg_stat_get_xact_numscans(c.oid) as scans
          from pg_catalog.pg_class c
         where c.relkind in ('r', 'm', 'p')
    ) as c
     where c.written > 0 or c.scans > 0";

/// The tables that a transaction may have written to: the server's own catalogs, and what it holds a lock on. The lock
/// on a table that is written to or altered is held to the end.
const IN_REACH: &str = "c.oid in (
    select oid from pg_catalog.pg_class where oid < 16384
    union all
    select l.relation
      from pg_catalog.pg_locks l
     where l.locktype = 'relation' and l.pid = pg_catalog.pg_backend_pid() and l.mode <> 'AccessShareLock'
)";

/// Returns what is counted before the next transaction of a session: nothing, if the server takes it over.
pub(super) fn counted(session: &mut PostgresSession) -> Result<Counters> {
    if hands_over(session)? {
        return Ok(Counters::new());
    }
    let answers = session.link.own("beginning a trial", COUNTED)?;
    let counted = |row| {
        let counted = Counted { written: number(row, "written"), scans: number(row, "scans") };
        Some((column(row, "oid")?.to_owned(), counted))
    };
    Ok(rows(&answers).filter_map(counted).collect())
}

/// Lets the server take over what it has counted so far, so that the next transaction counts from nothing. False
/// before 15, where that happens about once a second and not at our wish.
pub(super) fn hands_over(session: &mut PostgresSession) -> Result<bool> {
    let query = "select pg_catalog.pg_stat_force_next_flush()";
    let link = &mut session.link;
    link.ready()?;
    match link.send_own(query) {
        Ok(_) => Ok(true),
        Err(trouble) if trouble.code() == "42883" => Ok(false),
        Err(trouble) => Err(trouble.own("beginning a trial", &link.connector.shown())),
    }
}

impl<'a> PostgresTrial<'a> {
    pub(super) fn begin(session: &'a mut PostgresSession, units: &'a [Unit]) -> Result<Self> {
        // Who runs nothing counts nothing.
        let before = if units.is_empty() { Counters::new() } else { counted(session)? };
        let begin = "begin isolation level read committed read write;
                     select pg_catalog.pg_current_xact_id()::text as transaction";
        let answers = session.link.own("beginning a trial", begin)?;
        let transaction = value(&answers, "transaction").unwrap_or_default().to_owned();
        let groups = units.iter().map(|_| Groups::new()).collect();
        Ok(Self { session, units, groups, transaction, current: None, before, noted: Vec::new() })
    }

    /// Gives a statement the settings of its unit.
    fn enter(&mut self, unit: usize) -> Result<()> {
        if self.current == Some(unit) {
            return Ok(());
        }
        let reset = if self.current.is_some() {
            "set local session authorization default;\nset local role none;\n"
        } else {
            ""
        };
        let settings = format!("{reset}{}", transaction::settings(&self.session.link, &self.units[unit]));
        self.session.link.inside("setting up a trial", &settings)?;
        self.current = Some(unit);
        Ok(())
    }

    fn failed(&self, stop: Stop, unit: usize) -> EngineError {
        if self.session.link.interrupt.is_raised() {
            return EngineError::Interrupted { kept: "nothing of a proof is kept".into() };
        }
        stop.into_error(&self.units[unit], unit, None, &self.session.link.connector.shown())
    }

    /// Asks the server something; it leaves no trace.
    fn ask(&mut self, doing: &str, query: &str) -> Result<Vec<SimpleQueryMessage>> {
        self.session.link.inside(doing, &format!("{ASIDE};\n{query};\n{BACK}"))
    }

    /// Asks something that is asked over and over, and so is kept prepared: to plan it costs more than to answer it.
    fn ask_prepared(&mut self, doing: &str, prepared: &Prepared, parameters: &str) -> Result<Vec<SimpleQueryMessage>> {
        let Prepared { name, types, query } = prepared;
        let link = &mut self.session.link;
        let parameters = if parameters.is_empty() { String::new() } else { format!("({parameters})") };
        let execute = format!("execute {name}{parameters};\n{BACK}");
        match link.send_own(&format!("{ASIDE};\n{execute}")) {
            // 26000: it is not, or a script has forgotten it.
            Err(trouble) if trouble.code() == "26000" => {
                let again = "rollback to savepoint dbbuild_aside";
                link.inside(doing, &format!("{again};\nprepare {name}{types} as {query};\n{execute}"))
            }
            answers => answers.map_err(|trouble| trouble.own(doing, &link.connector.shown())),
        }
    }

    fn aside<T>(&mut self, doing: &str, work: impl FnOnce(&mut Reader<'_>, &Connector) -> Result<T>) -> Result<T> {
        self.session.link.lend_reader(|reader, connector| {
            let sql = own(connector, doing);
            reader.client.batch_execute(ASIDE).map_err(&sql)?;
            let result = work(reader, connector);
            reader.client.batch_execute(BACK).map_err(&sql)?;
            result
        })
    }

    fn look(&mut self, extent: Extent<'_>) -> Result<Catalog> {
        let journal = self.session.journal.clone();
        let read =
            |reader: &mut Reader<'_>, connector: &Connector| catalog::read_inside(reader, connector, &journal, extent);
        self.aside("reading the catalog", read)
    }

    /// Says which definitions may have changed, if these of the server's catalogs were written to.
    fn definitions(&mut self, written: &BTreeSet<String>) -> Result<Definitions> {
        if written.is_empty() {
            return Ok(Definitions::None);
        }
        let Some(kinds) = near::kinds(written) else { return Ok(Definitions::All) };
        let comments = written.contains(near::COMMENTS);
        let question = Prepared { name: "dbbuild_written", types: "(text, bool)", query: near::written() };
        let parameters = format!("{}, {comments}", literal(&self.transaction));
        let numbers = near::numbers(&self.ask_prepared("reading what was written", &question, &parameters)?);
        let names = self.names(&numbers)?;
        Ok(Definitions::Near(Near { kinds, numbers, names, comments }))
    }

    fn names(&mut self, numbers: &BTreeMap<char, BTreeSet<u32>>) -> Result<BTreeMap<String, String>> {
        let types = "(oid[], oid[], oid[])";
        let question = Prepared { name: "dbbuild_names", types, query: near::NAMES.to_owned() };
        Ok(near::named(&self.ask_prepared("reading names", &question, &near::parameters(numbers))?))
    }

    fn schemas(&self) -> String {
        project_schemas(&self.session.link.connector.target.schemas, &self.session.journal)
    }
}

impl Trial for PostgresTrial<'_> {
    fn run(&mut self, unit: usize, part: usize) -> Result<bool> {
        self.session.link.check_interrupt(|| "nothing of a proof is kept".into())?;
        self.enter(unit)?;
        let text = &self.units[unit];
        let link = &mut self.session.link;
        let lets = guard::lets_run(link, text, &text.parts[part], &mut self.groups[unit]);
        if !lets.map_err(|stop| self.failed(stop, unit))? {
            return Ok(false);
        }
        loop {
            let ran = run::part(&mut self.session.link, text, &text.parts[part], &mut Applied::default());
            let rows = ran.map_err(|stop| self.failed(stop, unit))?;
            if !text.parts[part].repeat || rows == 0 {
                self.session.link.take_notices();
                return Ok(true);
            }
        }
    }

    fn settle(&mut self, unit: usize) -> Result<()> {
        let link = &mut self.session.link;
        let sent =
            link.send("set constraints all immediate; select pg_catalog.pg_current_xact_id()::text as transaction");
        let last = self.units[unit].parts.last().map(|part| part.span);
        let shown = self.session.link.connector.shown();
        let answers = sent.map_err(|trouble| self.failed(Stop::at_the_end(trouble, last, &shown), unit))?;
        if super::link::value(&answers, "transaction") == Some(&self.transaction) {
            return Ok(());
        }
        Err(EngineError::Refused {
            code: "trial/ended",
            message: format!("{} ended the transaction that it ran in", self.units[unit].step_name()),
            place: None,
            hint: Some("take COMMIT and ROLLBACK out of the script".into()),
        })
    }

    fn would_fail(&mut self) -> Result<bool> {
        let link = &mut self.session.link;
        link.inside("trying the commit", "savepoint dbbuild_aside")?;
        let answer = link.send("set constraints all immediate");
        link.inside("trying the commit", BACK)?;
        Ok(matches!(answer, Err(Trouble::Answer(..))))
    }

    fn touched(&mut self) -> Result<Touched> {
        // What the transaction has rewritten or altered is known by its row in pg_class; TRUNCATE counts no rows.
        let query = format!(
            "select pg_catalog.current_setting('track_counts') as counts, c.*
               from (select) one
               left join (
                 select c.oid::text as oid, n.nspname as schema, c.relname as name, {WRITTEN} as written,
                        n.nspname = 'pg_catalog' as system,
                        n.nspname <> 'pg_catalog' and c.xmin::text::bigint >= $1::bigint % 4294967296 as altered
                   from pg_catalog.pg_class c
                   join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                  where c.relkind in ('r', 'm', 'p')
                    and {IN_REACH}
                    and (n.nspname = 'pg_catalog' or ({}))
                    and c.relname not in ('pg_statistic', 'pg_statistic_ext_data')
             ) as c on c.written > 0 or c.altered",
            self.schemas()
        );
        let question = Prepared { name: "dbbuild_touched", types: "(text)", query };
        let answers = self.ask_prepared("reading what was written", &question, &literal(&self.transaction))?;
        if value(&answers, "counts") == Some("off") {
            // A script has switched the counters off: what it wrote since is not counted.
            return Ok(Touched { definitions: Definitions::All, tables: Tables::All });
        }
        let (mut written, mut tables) = (BTreeSet::new(), BTreeSet::new());
        for row in rows(&answers) {
            let (Some(schema), Some(name)) = (column(row, "schema"), column(row, "name")) else { continue };
            let before = column(row, "oid").and_then(|oid| self.before.get(oid)).copied().unwrap_or_default();
            if column(row, "altered") != Some("t") && number(row, "written") <= before.written {
                continue;
            }
            if column(row, "system") == Some("t") {
                written.insert(name.to_owned());
            } else {
                tables.insert(Name::new([schema, name]));
            }
        }
        Ok(Touched { definitions: self.definitions(&written)?, tables: Tables::Of(tables) })
    }

    fn catalog(&mut self) -> Result<Catalog> {
        self.look(Extent::Whole)
    }

    fn catalog_of(&mut self, kinds: &BTreeSet<Kind>) -> Result<Catalog> {
        self.look(Extent::Kinds(kinds))
    }

    fn catalog_near(&mut self, near: &Near) -> Result<Option<Catalog>> {
        if near::is_renamed(near, &self.names(&near.numbers)?) {
            return Ok(None);
        }
        self.session.link.inside("reading the catalog", &near::settings(near))?;
        self.look(Extent::Near(near)).map(Some)
    }

    fn stamp(&mut self) -> Result<Option<String>> {
        let query = format!(
            "select case when pg_catalog.current_setting('track_counts')::bool
                         then coalesce(pg_catalog.string_agg(c.written, ',' order by c.written), '') end as stamp
               from (
                   select concat_ws(':', c.oid, pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid),
                                    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid),
                                    pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)) as written
                     from pg_catalog.pg_class c
                    where c.relkind in ('r', 'm', 'p') and {WRITTEN} > 0 and {IN_REACH}
               ) c"
        );
        let question = Prepared { name: "dbbuild_stamp", types: "", query };
        let answers = self.ask_prepared("reading what was written", &question, "")?;
        Ok(value(&answers, "stamp").map(str::to_owned))
    }

    fn digests(&mut self, tables: &Tables) -> Result<Digests> {
        let known = format!(
            "select n.nspname as schema, c.relname as name
               from pg_catalog.pg_class c
               join pg_catalog.pg_namespace n on n.oid = c.relnamespace
              where c.relkind in ('r', 'm') and (c.relkind = 'r' or c.relispopulated) and {}
                -- A heap without a page has no row; of other ways to keep rows that is not known.
                and (c.relam <> {HEAP} or pg_catalog.pg_relation_size(c.oid) > 0)
              order by 1, 2",
            self.schemas()
        );
        let question = Prepared { name: "dbbuild_filled", types: "", query: known };
        let answers = self.ask_prepared("reading rows", &question, "")?;
        let names = rows(&answers)
            .map(|row| Name::new([column(row, "schema").unwrap_or_default(), column(row, "name").unwrap_or_default()]));
        let names: Vec<Name> = names
            .filter(|name| match tables {
                Tables::All => true,
                Tables::Of(wanted) => wanted.contains(name),
            })
            .collect();
        let mut digests = Digests::new();
        for names in names.chunks(TOGETHER) {
            let one = |(at, name): (usize, &Name)| {
                format!(
                    "select {at} as at, count(*) as rows,
                            coalesce(sum(pg_catalog.hashtextextended(t::text, 0)::numeric), 0) as digest
                       from only {} t",
                    qualified(name.parts().iter().map(String::as_str))
                )
            };
            let queries: Vec<String> = names.iter().enumerate().map(one).collect();
            let query = format!("{};\n{}", super::dump::SETTINGS, queries.join("\nunion all\n"));
            let answers = self.ask("reading rows", &query)?;
            for row in rows(&answers) {
                let number = |name: &str| column(row, name).and_then(|text| text.parse::<u64>().ok());
                let at = number("at").and_then(|at| usize::try_from(at).ok());
                let (Some(name), Some(count @ 1..)) = (at.and_then(|at| names.get(at)), number("rows")) else {
                    continue;
                };
                let digest = column(row, "digest").unwrap_or_default().to_owned();
                digests.insert(name.clone(), Digest { rows: count, digest });
            }
        }
        Ok(digests)
    }

    fn rows(&mut self, tables: &BTreeSet<Name>) -> Result<Vec<TableRows>> {
        self.aside("reading rows", |reader, connector| catalog::whole(reader.client, connector, tables))
    }

    fn counters(&mut self) -> Result<BTreeMap<String, i64>> {
        let query = format!(
            "select quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename) as name,
                    coalesce(s.last_value, s.start_value - s.increment_by)::text as value
               from pg_catalog.pg_sequences s
               join pg_catalog.pg_namespace n on n.nspname = s.schemaname
              where {}",
            self.schemas()
        );
        let answers = self.ask("reading sequences", &query)?;
        let pair = |row| {
            let value = column(row, "value").and_then(|text| text.parse().ok());
            Some((column(row, "name")?.to_owned(), value?))
        };
        Ok(rows(&answers).filter_map(pair).collect())
    }

    fn watch(&mut self) -> Result<bool> {
        let answers = self.ask("reading the locks", LOCKED)?;
        self.noted.push(rows(&answers).filter_map(|row| held::locked(row, &self.before)).collect());
        Ok(true)
    }

    fn locks(&mut self) -> Result<Vec<Vec<Held>>> {
        // What is there when all is undone is what was there before.
        self.session.link.undo();
        self.current = None;
        let noted = std::mem::take(&mut self.noted);
        let query = held::names(&held::numbers(noted.iter().flatten()), &self.schemas());
        let answers = self.session.link.own("reading what was locked", &query)?;
        Ok(held::told(&noted, &answers))
    }
}

impl Drop for PostgresTrial<'_> {
    fn drop(&mut self) {
        if self.units.is_empty() {
            self.session.link.rollback();
        } else {
            self.session.link.undo();
        }
    }
}
