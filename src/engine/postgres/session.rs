//! One session of the tool with a PostgreSQL database: the engine's trait, spelled out in the files beside this one.

use std::collections::BTreeSet;
use std::path::Path;

use super::attempt::Asked;
use super::connect::{Connection, Connector};
use super::journal::Journal;
use super::link::{Link, value};
use super::quote::{literal, qualified};
use super::trial::PostgresTrial;
use super::{
    attempt, blockers, catalog, code, contents, dump, fused, inspect, load, measured, prepare, reset, roles, seed,
    statements, traceless, transaction, watched,
};
use crate::engine::catalog::{Catalog, Object, Row, TableRows};
use crate::engine::contents::{Contents, moved};
use crate::engine::trial::{Held, Seen, Trial};
use crate::engine::{
    Access, Applied, CodeWork, DumpInfo, DumpWish, Inspection, Keeping, Load, Loaded, Mode, Outcome, Result, RowSeed,
    Session, Unit, Wait,
};
use crate::event::{Event, Observer};
use crate::interrupt::Interrupt;
use crate::journal::{Kind, Mark, NewEntry, Run};
use crate::project::LockMode;
use crate::sql::Name;

/// An open session.
pub(super) struct PostgresSession {
    pub(super) link: Link,
    pub(super) journal: Journal,
    /// A second connection, which sees what is committed, once one was needed.
    pub(super) witness: Option<Connection>,
}

impl PostgresSession {
    /// Connects.
    pub(super) fn open(connector: &Connector, interrupt: &Interrupt, access: Access) -> Result<Self> {
        let journal = Journal::new(&connector.target.journal_name);
        Ok(Self { link: Link::open(connector.clone(), interrupt, access)?, journal, witness: None })
    }

    /// Points out a host that looks like a transaction pooler, where a session's lock holds nothing.
    fn point_out_pooler(&self, observer: &mut dyn Observer) {
        let is_pooler = |server: &super::conninfo::Server| {
            !server.is_socket() && (server.host.contains("-pooler") || server.port == 6432)
        };
        if let Some(server) = self.link.connector.conninfo.servers.iter().find(|server| is_pooler(server)) {
            let message = format!(
                "{} port {} looks like a transaction pooler, where the build lock does not hold; connect to the server \
                 itself, or set `lock = \"claim\"`",
                server.host, server.port
            );
            observer.event(Event::Note { code: "pooler".into(), message });
        }
    }
}

impl Session for PostgresSession {
    fn inspect(&mut self, project: &str) -> Result<Inspection> {
        inspect::inspect(&mut self.link, &self.journal, project)
    }

    fn exclusive(&mut self, wait: Wait, observer: &mut dyn Observer) -> Result<()> {
        roles::are_there(&mut self.link)?;
        match self.link.connector.target.lock {
            LockMode::Session => {
                self.point_out_pooler(observer);
                self.link.lock(wait, observer)
            }
            // The claims keep builders apart.
            LockMode::Claim => Ok(()),
        }
    }

    fn prepare(&mut self, mark: Option<&Mark>, _: bool) -> Result<()> {
        prepare::prepare(&mut self.link, &self.journal, mark)
    }

    fn mark(&mut self, mark: &Mark) -> Result<()> {
        prepare::mark(&mut self.link, &self.journal, mark)
    }

    fn apply(&mut self, units: &[Unit], run: &Run, observer: &mut dyn Observer) -> Result<Vec<Outcome>> {
        match units {
            [] => Ok(Vec::new()),
            [unit] => {
                let journal = &self.journal;
                let outcome = blockers::told(&mut self.link, &unit.step_name(), observer, |link, observer| match unit
                    .mode
                {
                    Mode::Statements => statements::apply(link, journal, unit, run, observer),
                    // Foreign keys cannot be off here, and need not: constraints are altered, not tables rebuilt.
                    Mode::Transaction | Mode::ForeignKeysOff => transaction::apply(link, journal, unit, run, observer),
                })?;
                Ok(vec![outcome])
            }
            units if units.iter().any(|unit| unit.mode == Mode::Statements) => Err(fused::not_fusible()),
            units => fused::apply(&mut self.link, &self.journal, units, run, observer),
        }
    }

    fn keep_code(&mut self, work: &CodeWork, run: &Run, observer: &mut dyn Observer) -> Result<Keeping> {
        code::keep(&mut self.link, &self.journal, work, run, observer)
    }

    fn attempt(
        &mut self,
        units: &[Unit],
        wanted: &[TableRows],
        keep: crate::engine::Judge<'_>,
        run: &Run,
        observer: &mut dyn Observer,
    ) -> Result<Option<Vec<Applied>>> {
        let journal = self.journal.clone();
        let tables: BTreeSet<Name> = wanted.iter().map(|table| table.table.clone()).collect();
        let look = |link: &mut Link| {
            contents::hold(link, &journal)?;
            contents::read(link, &journal, &tables, None)
        };
        let mut judge = |link: &mut Link, before: &Contents| {
            let found = link.lend_reader(|reader, connector| {
                catalog::read_inside(reader, connector, &journal, catalog::Extent::Whole)
            })?;
            let rows: Result<Vec<_>> = wanted
                .iter()
                .map(|table| link.lend(|client, connector, _| catalog::rows_like_inside(client, connector, table)))
                .collect();
            let after = contents::read(link, &journal, &tables, Some(before))?;
            Ok(keep(&found, &rows?, &moved(before, &after)))
        };
        let mut asked = Asked { look: &look, judge: &mut judge };
        attempt::attempt(&mut self.link, &self.journal, units, run, &mut asked, observer)
    }

    fn foreign(&mut self, table: &str, column: &str, condition: &str) -> Result<Option<Vec<String>>> {
        let query = format!("select ({column})::text as value from {} where {condition}", qualified(table.split('.')));
        self.link.ready()?;
        match self.link.send_own(&query) {
            Ok(answers) => {
                let texts = super::link::rows(&answers).filter_map(|row| super::link::column(row, "value"));
                Ok(Some(texts.map(str::to_owned).collect()))
            }
            Err(trouble) if matches!(trouble.code(), "42P01" | "3F000") => Ok(None),
            Err(trouble) => Err(trouble.own("reading another tool's journal", &self.link.connector.shown())),
        }
    }

    fn load_rows(&mut self, seed: &RowSeed, run: &Run, observer: &mut dyn Observer) -> Result<Option<Loaded>> {
        seed::load(&mut self.link, &self.journal, seed, run, observer)
    }

    fn record(&mut self, entries: &[NewEntry], tracked: &[RowSeed], run: &Run) -> Result<()> {
        self.link.ready()?;
        let recorded = seed::digests_of(&mut self.link, &self.journal, entries, tracked, run);
        if recorded.is_err() {
            self.link.rollback();
        }
        recorded
    }

    fn entry_text(&mut self, project: &str, kind: Kind, key: &str) -> Result<Option<String>> {
        let query = format!(
            "select text from {}.journal where project = {} and kind = {} and key = {} order by attempt desc limit 1",
            self.journal.schema,
            literal(project),
            literal(kind.as_str()),
            literal(key)
        );
        self.link.ready()?;
        match self.link.send_own(&query) {
            Ok(answers) => Ok(value(&answers, "text").map(str::to_owned)),
            Err(trouble) if matches!(trouble.code(), "42P01" | "3F000") => Ok(None),
            Err(trouble) => Err(trouble.own("reading a script's text", &self.link.connector.shown())),
        }
    }

    fn reset(&mut self, observer: &mut dyn Observer) -> Result<()> {
        reset::reset(&mut self.link, &self.journal, observer)
    }

    fn dump_some(&mut self, wish: &DumpWish, folder: &Path, observer: &mut dyn Observer) -> Result<DumpInfo> {
        self.link.lend(|client, connector, interrupt| dump::dump(client, connector, interrupt, wish, folder, observer))
    }

    fn load(&mut self, load: &Load<'_>, run: &Run, observer: &mut dyn Observer) -> Result<bool> {
        let loaded = load::load(&mut self.link, &self.journal, load, run, observer);
        if loaded.is_err() {
            self.link.rollback();
        }
        // Behind a transaction pooler everything was set for the transaction alone.
        if self.link.connector.target.lock == LockMode::Session {
            self.link.reset();
        }
        loaded
    }

    fn catalog(&mut self) -> Result<Catalog> {
        let journal = self.journal.clone();
        self.link.lend_reader(|reader, connector| catalog::read(reader, connector, &journal))
    }

    fn reread(&mut self, objects: &[&Object]) -> Result<Vec<Option<String>>> {
        self.link.lend(|client, connector, _| catalog::reread(client, connector, objects))
    }

    fn seeded(&mut self) -> Result<Vec<TableRows>> {
        let journal = self.journal.clone();
        self.link.lend(|client, connector, _| catalog::seeded(client, connector, &journal))
    }

    fn rows_like(&mut self, wanted: &TableRows) -> Result<Option<Vec<Row>>> {
        self.link.lend(|client, connector, _| catalog::rows_like(client, connector, wanted))
    }

    fn trial<'a>(&'a mut self, units: &'a [Unit]) -> Result<Box<dyn Trial + 'a>> {
        Ok(Box::new(PostgresTrial::begin(self, units)?))
    }

    fn leaves_no_trace(&mut self, unit: &Unit) -> Result<bool> {
        traceless::is(&mut self.link, unit)
    }

    fn measured(&mut self, unit: &Unit, run: &Run) -> Result<Option<(u64, Vec<Seen>)>> {
        measured::measured(self, unit, run)
    }

    fn watched(&mut self, unit: &Unit, run: &Run, seen: &mut Vec<Held>) -> Result<Vec<Outcome>> {
        watched::watched(self, unit, run, seen)
    }

    /// Gathers statistics, and waits for nobody.
    fn settle(&mut self) -> Result<()> {
        self.link.own("gathering statistics", "analyze").map(|_| ())
    }
}
