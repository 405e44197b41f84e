//! Proofs by building: what one set of texts makes, against another, and against a database.
//!
//! Promises: whatever is built is built in scratch databases; values that differ from build to build (the time, a
//! random key) prove nothing and are left out.

use std::collections::{BTreeMap, HashMap};

use super::fresh::compare;
use super::plan::{Plan, changed};
use super::unit::{planned_script, unit};
use super::{Checkout, Fresh, Refusal, Site, Survey, discover, reach, told};
use crate::engine::catalog::{Change, Difference, Patterns};
use crate::engine::{Access, Catalog, EngineError, Mode, Row, Session, TableRows, Unit, Wait};
use crate::engine::{Moved, Object};
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::journal::{Entry, Kind, State, Status};
use crate::project::{Project, SettingsError};
use crate::sql::Name;

/// What a set of texts makes.
pub struct Made {
    /// The scratch database that it was made in.
    pub fresh: Fresh,
    /// Every object.
    pub catalog: Catalog,
    /// The rows that the texts put there.
    pub rows: Vec<TableRows>,
}

/// Builds a project's checkout in a scratch database.
pub fn make(
    site: &Site<'_>,
    project: &Project,
    checkout: &Checkout,
    environment: Option<&str>,
    observer: &mut dyn Observer,
) -> Result<Made, Error> {
    let site = Site { project, ..site.clone() };
    let mut fresh = Fresh::open(&site, observer)?;
    fresh.build(&site, checkout, environment)?;
    let catalog = fresh.session.catalog()?;
    let rows = fresh.session.seeded()?;
    Ok(Made { fresh, catalog, rows })
}

/// Returns the project with texts of the journal in place of files that changed since.
pub fn with_texts(project: &Project, texts: impl IntoIterator<Item = (String, String)>) -> Project {
    let mut project = project.clone();
    project.texts.extend(texts);
    project
}

/// Says what is different between what two sets of texts make, a line each. `again` builds the first one once more;
/// it is asked only if rows differ.
pub fn unlike(
    one: &mut Made,
    other: &Made,
    ignore: &Patterns,
    again: impl FnOnce() -> Result<Made, Error>,
) -> Result<Vec<String>, Error> {
    let found = compare(&one.catalog, &other.catalog, ignore, &mut *one.fresh.session)?;
    let mut lines: Vec<String> = found.iter().filter(|difference| difference.change.counts()).map(line).collect();
    let mut rows = unlike_rows(&one.rows, &other.rows);
    if !rows.is_empty() {
        let steady = Steady::between(&one.rows, &again()?.rows);
        rows = unlike_rows(&steady.of(&one.rows), &steady.of(&other.rows));
    }
    lines.extend(rows);
    Ok(lines)
}

/// Returns a difference as a line.
pub fn line(difference: &Difference) -> String {
    let word = match difference.change {
        Change::Missing => "is missing",
        Change::Added => "is there",
        Change::Changed => "is another one",
        Change::Order => "has its columns in another order",
        Change::Name => "has another name",
    };
    format!("{} {} {word}", difference.kind, difference.name)
}

fn unlike_rows(ones: &[TableRows], others: &[TableRows]) -> Vec<String> {
    let mut tables: BTreeMap<String, (Option<&TableRows>, Option<&TableRows>)> = BTreeMap::new();
    for table in ones {
        tables.entry(table.table.to_string()).or_default().0 = Some(table);
    }
    for table in others {
        tables.entry(table.table.to_string()).or_default().1 = Some(table);
    }
    let count = |table: Option<&TableRows>| table.map_or(0, |table| table.rows.len());
    let sorted = |table: Option<&TableRows>| {
        let mut rows = table.map(|table| table.rows.clone()).unwrap_or_default();
        rows.sort();
        rows
    };
    tables
        .into_iter()
        .filter(|(_, (one, other))| sorted(*one) != sorted(*other))
        .map(|(name, (one, other))| match (count(one), count(other)) {
            (one, other) if one == other => format!("rows of {name} are other ones"),
            (one, other) => format!("{name} has {other} rows, not {one}"),
        })
        .collect()
}

/// What two builds of the same texts agree on.
struct Steady {
    /// By table: the columns whose values differ.
    columns: HashMap<String, Vec<usize>>,
    /// Tables whose keys differ.
    tables: Vec<String>,
}

impl Steady {
    fn between(ones: &[TableRows], others: &[TableRows]) -> Self {
        let mut steady = Self { columns: HashMap::new(), tables: Vec::new() };
        for one in ones {
            let name = one.table.to_string();
            let Some(other) = others.iter().find(|other| other.table == one.table) else {
                steady.tables.push(name);
                continue;
            };
            let key = |row: &Row| row.iter().take(one.key).cloned().collect::<Row>();
            let found: HashMap<Row, &Row> = other.rows.iter().map(|row| (key(row), row)).collect();
            for row in &one.rows {
                match found.get(&key(row)) {
                    Some(twin) => {
                        let differing = row.iter().zip(twin.iter()).enumerate().filter(|(_, (a, b))| a != b);
                        steady.columns.entry(name.clone()).or_default().extend(differing.map(|(at, _)| at));
                    }
                    None => steady.tables.push(name.clone()),
                }
            }
        }
        steady
    }

    fn of(&self, tables: &[TableRows]) -> Vec<TableRows> {
        let kept = tables.iter().filter(|table| !self.tables.contains(&table.table.to_string()));
        kept.map(|table| {
            let mut table = table.clone();
            for at in self.columns.get(&table.table.to_string()).into_iter().flatten() {
                for row in &mut table.rows {
                    if let Some(value) = row.get_mut(*at) {
                        *value = None;
                    }
                }
            }
            table
        })
        .collect()
    }
}

/// Reads the patterns of what does not count.
pub fn ignored(project: &Project) -> Result<Patterns, Error> {
    let settings = &project.settings.drift.ignore;
    Patterns::new(settings.iter().map(String::as_str)).map_err(|error| {
        let message = format!("a pattern of what drift ignores cannot be read: {error}");
        Error::from(SettingsError::new("settings/drift", message))
    })
}

/// Runs the altered scripts of an unprotected target again, in one transaction, and keeps that only if the target then
/// is what a fresh build of the current texts is. Returns how many; the refusal, with what is in the way, if not.
pub fn rerun(site: &Site<'_>, survey: &Survey, refusal: Refusal, observer: &mut dyn Observer) -> Result<usize, Error> {
    let altered: Vec<&Status> = survey.reconciled.in_state(State::Altered).collect();
    let units = match units(site, survey, &altered)? {
        Ok(units) => units,
        Err(why) => return Err(refusal.note(why).into()),
    };
    let mut session = site.engine.connect(Access::Write)?;
    session.exclusive(Wait { limit: site.target.lock_wait }, observer)?;
    if session.inspect(&site.project.name)?.journal != survey.inspection.journal {
        return Err(refusal.note("another builder changed the journal meanwhile").hint("run `dbbuild` again").into());
    }
    let environment = survey.inspection.mark.as_ref().map(|mark| mark.environment.clone());
    let (now, then) = match sides(site, survey, &altered, &mut *session)? {
        Ok(sides) => sides,
        Err(why) => return Err(refusal.note(why).into()),
    };
    let build = |side: &Side, observer: &mut dyn Observer| {
        make(site, &side.project, &side.checkout, environment.as_deref(), observer)
    };
    let mut fresh = match build(&now, observer) {
        Ok(made) => made,
        Err(error) => return Err(refusal.note(format!("a fresh build of the new texts fails: {error}")).into()),
    };
    let before = match build(&then, observer) {
        Ok(made) => made,
        Err(error) => return Err(refusal.note(format!("a fresh build of the old texts fails: {error}")).into()),
    };
    let ignore = ignored(site.project)?;
    let left = left_behind(&before.rows, &fresh.rows);
    let wanted: Vec<TableRows> = fresh.rows.iter().chain(&left).cloned().collect();
    let there = session.catalog()?;
    let (expected, count) = (fresh.catalog.clone(), fresh.rows.len());
    let mut failed = None;
    let mut why = Vec::new();
    let mut keep = |found: &Catalog, rows: &[Option<Vec<Row>>], moved: &[Moved]| {
        why.extend(harm(moved, &before.rows, &wanted[..count]));
        let is_lost = |object: &&Object| {
            let key = object.key();
            before.catalog.get(&key).is_none() && found.get(&key).is_none()
        };
        why.extend(
            there.objects().filter(is_lost).map(|object| format!("{}, which is somebody's, is gone", object.key())),
        );
        match compare(&expected, found, &ignore, &mut *fresh.fresh.session) {
            Ok(differences) => why.extend(differences.iter().filter(|one| one.change.counts()).map(line)),
            Err(error) => failed = Some(error),
        }
        let there: Vec<TableRows> = wanted
            .iter()
            .zip(rows)
            .map(|(table, rows)| TableRows { rows: rows.clone().unwrap_or_default(), ..table.clone() })
            .collect();
        let mut rows = unlike_rows(&wanted[..count], &there[..count]);
        if !rows.is_empty() {
            match build(&now, &mut crate::event::Silent) {
                Ok(again) => {
                    let steady = Steady::between(&wanted[..count], &again.rows);
                    rows = unlike_rows(&steady.of(&wanted[..count]), &steady.of(&there[..count]));
                }
                Err(error) => failed = Some(error),
            }
        }
        why.extend(rows);
        let stale = there[count..].iter().filter(|table| !table.rows.is_empty());
        why.extend(stale.map(|table| format!("{} has rows that only the old text brought", table.table)));
        failed.is_none() && why.is_empty()
    };
    let kept = session.attempt(&units, &wanted, &mut keep, &site.run, observer);
    if let Some(error) = failed {
        return Err(error);
    }
    match kept {
        Ok(Some(applied)) => {
            let names: Vec<&str> = altered.iter().map(|status| status.name.as_str()).collect();
            let message = format!(
                "changed since applied, run again, and proven to be what a fresh build makes: {}",
                altered
                    .iter()
                    .zip(names)
                    .map(|(status, name)| format!("{} {name}", status.version))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            observer.event(Event::Note { code: "altered-proven".into(), message });
            for (unit, applied) in units.iter().zip(&applied) {
                observer.event(told::finished(site, unit, applied));
            }
            Ok(units.len())
        }
        Ok(None) => {
            let mut refusal =
                refusal.note("run again here, it would not be what a fresh build makes; nothing of it was kept");
            for line in why.iter().take(10) {
                refusal = refusal.note(format!("then {line}"));
            }
            Err(refusal.into())
        }
        Err(EngineError::Unit(failure)) => {
            let place = failure.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
            let message =
                format!("run again here, it fails{place}: {}; nothing of it was kept", failure.failure.message);
            Err(refusal.note(message).into())
        }
        Err(other) => Err(other.into()),
    }
}

/// Makes the units of the altered scripts, or says why they are not run again.
fn units(site: &Site<'_>, survey: &Survey, altered: &[&Status]) -> Result<Result<Vec<Unit>, String>, Error> {
    let mut units = Vec::new();
    for status in altered {
        let Some(script) = status.script.and_then(|index| survey.checkout.scripts.get(index)) else { continue };
        let planned = planned_script(&script.version, &script.name, &script.file, &script.checksum, status.attempt);
        let unit = unit(site.project, site.target, survey.checkout.dialect, &planned)?;
        if unit.mode == Mode::Statements {
            return Ok(Err(format!("{} runs without a transaction, so it is not run again for a proof", script.file)));
        }
        if let Some(what) = reach::out_of_a_transaction(unit.text.as_str(), survey.checkout.dialect) {
            return Ok(Err(format!(
                "{} has {what}, which no transaction takes back, so it is not run again for a proof",
                script.file
            )));
        }
        if !unit.suspends.is_empty() {
            return Ok(Err(format!("{} suspends code objects, so it is not run again for a proof", script.file)));
        }
        site.engine.judge(&unit)?;
        units.push(unit);
    }
    Ok(Ok(units))
}

/// A set of texts.
struct Side {
    project: Project,
    checkout: Checkout,
}

/// Returns what the target should be after the scripts ran again, and what it was made from: both as far as it is
/// built, with code objects and seeds as the journal has them.
fn sides(
    site: &Site<'_>,
    survey: &Survey,
    altered: &[&Status],
    session: &mut dyn Session,
) -> Result<Result<(Side, Side), String>, Error> {
    let entries = survey.inspection.journal.as_deref().unwrap_or_default();
    let mut code = Vec::new();
    for source in &survey.checkout.code {
        let entry = entry_of(entries, Kind::Code, &source.file);
        if entry.is_some_and(|entry| entry.checksum != source.checksum) {
            match session.entry_text(&site.project.name, Kind::Code, &source.file)? {
                Some(text) => code.push((source.file.clone(), text)),
                None => return Ok(Err(format!("the journal has no text of {}", source.file))),
            }
        }
    }
    let mut scripts = Vec::new();
    for status in altered {
        let Some(script) = status.script.and_then(|index| survey.checkout.scripts.get(index)) else { continue };
        match session.entry_text(&site.project.name, Kind::Script, &script.version.to_string())? {
            Some(text) => scripts.push((script.file.clone(), text)),
            None => return Ok(Err(format!("the journal has no text of {}, so nothing can be compared", script.file))),
        }
    }
    let side = |texts: Vec<(String, String)>| -> Result<Side, Error> {
        let project = with_texts(site.project, texts);
        let mut checkout = discover(&project, survey.checkout.dialect)?;
        let is_to_run =
            |status: &Status, version: &crate::script::Version| status.version == *version && status.state.is_to_run();
        checkout
            .scripts
            .retain(|script| !survey.reconciled.statuses.iter().any(|status| is_to_run(status, &script.version)));
        checkout.code.retain(|source| entry_of(entries, Kind::Code, &source.file).is_some());
        checkout.seeds.retain(|seed| changed(&seed.source, entries, Kind::Seed).is_none());
        Ok(Side { project, checkout })
    };
    let now = side(code.clone())?;
    let then = side(code.into_iter().chain(scripts).collect())?;
    Ok(Ok((now, then)))
}

fn entry_of<'a>(entries: &'a [Entry], kind: Kind, key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.kind == kind && entry.key == key)
}

/// Returns the rows that old texts brought and new ones do not.
fn left_behind(old: &[TableRows], new: &[TableRows]) -> Vec<TableRows> {
    let mut left = Vec::new();
    for table in old {
        let key = |row: &Row| row.iter().take(table.key).cloned().collect::<Row>();
        // A table may have gained a column: its key tells its rows apart.
        let same = new.iter().find(|other| {
            other.table == table.table && other.columns.get(..other.key) == table.columns.get(..table.key)
        });
        let kept: Vec<Row> = same.into_iter().flat_map(|other| other.rows.iter().map(key)).collect();
        let rows: Vec<Row> = table.rows.iter().filter(|row| !kept.contains(&key(row))).cloned().collect();
        if !rows.is_empty() {
            left.push(TableRows { rows, ..table.clone() });
        }
    }
    left
}

/// Says what running again did to rows that no text accounts for. Rows that old texts brought may go if they are as
/// they were brought, and rows that a fresh build has may come; all others are somebody's.
fn harm(moved: &[Moved], old: &[TableRows], new: &[TableRows]) -> Vec<String> {
    let brings = |side: &[TableRows], table: &Name, columns: &[String], row: &Row, by_key: bool| {
        side.iter().filter(|brought| brought.table == *table).any(|brought| {
            let width = if by_key { brought.key } else { brought.columns.len() };
            let places: Option<Vec<usize>> = brought.columns[..width]
                .iter()
                .map(|column| columns.iter().position(|known| known == column))
                .collect();
            places.is_some_and(|places| {
                let of_row: Vec<&Option<String>> = places.iter().filter_map(|at| row.get(*at)).collect();
                brought.rows.iter().any(|brought| brought[..width].iter().eq(of_row.iter().copied()))
            })
        })
    };
    let mut lines = Vec::new();
    for moved in moved {
        match moved {
            Moved::Table(table) => lines.push(format!("{table} is gone with rows that are somebody's")),
            Moved::Columns(table, columns) => {
                lines.push(format!("rows of {table} have lost what they have in {}", columns.join(", ")));
            }
            Moved::Rows { table, columns, rows } => {
                let is_told = rows.as_ref().is_some_and(|(gone, come)| {
                    gone.iter().all(|row| brings(old, table, columns, row, false))
                        && come.iter().all(|row| brings(new, table, columns, row, true))
                });
                if !is_told {
                    lines.push(format!("rows of {table} that are somebody's are changed, gone or twice"));
                }
            }
            Moved::Counter(name) => lines.push(format!("{name} counts from a number that it gave before")),
        }
    }
    lines
}

/// Returns true if a plan has nothing but the refusal of altered scripts in its way.
pub fn is_about_altered(plan: &Result<Plan, Refusal>) -> bool {
    matches!(plan, Err(refusal) if refusal.code == "journal/altered")
}
