//! From a planned file to what an engine runs: the text read again, held to the plan's checksum, cut and judged.

use super::load::{Loaded, Reading, load};
use super::{Checkout, Refusal, Seed, SeedForm};
use crate::engine::{Mode, RowSeed, RowSource, Unit};
use crate::error::Error;
use crate::journal::{Entry, Kind, NewEntry, Stored};
use crate::project::{Files, Project, Target};
use crate::script::{Checksum, Cut, Directive, Fault, ScriptErrors, Text, Version, cut, token_checksum};
use crate::sql::{self, Dialect};

/// A file to run, as the plan has it.
#[derive(Debug, Clone)]
pub struct Planned<'a> {
    /// What it is.
    pub kind: Kind,
    /// The journal's key.
    pub key: String,
    /// The script's version.
    pub version: Option<&'a Version>,
    /// The script's name, or the file.
    pub name: &'a str,
    /// The file.
    pub file: &'a str,
    /// The checksum that the plan was made with.
    pub checksum: &'a Checksum,
    /// The newest attempt that the journal has.
    pub attempt: i32,
    /// Of a script that an earlier run left half-way: its entry.
    pub running: Option<Entry>,
    /// True for a seed of one environment, which may use that target's variables.
    pub of_environment: bool,
}

/// Makes the unit of a script, a code object or an SQL seed.
pub fn unit(project: &Project, target: &Target, dialect: Dialect, planned: &Planned<'_>) -> Result<Unit, Error> {
    let layout = (planned.kind == Kind::Script).then(|| project.layout());
    let variables = planned.of_environment.then_some(&target.variables);
    let loaded = load(project, planned.file, Reading { dialect, layout, variables })?;
    if loaded.text.checksum() != *planned.checksum {
        return Err(changed_meanwhile(planned.file).into());
    }
    of_loaded(project, dialect, planned, loaded)
}

/// Makes the unit of a text that was read.
pub fn of_loaded(project: &Project, dialect: Dialect, planned: &Planned<'_>, loaded: Loaded) -> Result<Unit, Error> {
    let text = loaded.text;
    let mut settings: Vec<Directive> =
        planned.version.map(|version| project.script_directives(version).to_vec()).unwrap_or_default();
    if loaded.no_transaction {
        settings.push(Directive::NoTransaction);
    } else if planned.kind == Kind::Script && project.layout().turns_foreign_keys_off(dialect) {
        settings.push(Directive::ForeignKeysOff);
    }
    let mut cut = cut(&text, dialect, &settings).map_err(ScriptErrors)?;
    if planned.running.is_some() {
        cut.go_on(&text, dialect).map_err(ScriptErrors::from)?;
    }
    if planned.kind == Kind::Code {
        refuse_no_code(&text, dialect, &cut)?;
    }
    let statements = i32::try_from(cut.parts.len()).unwrap_or(i32::MAX);
    let objects = match planned.kind {
        Kind::Code => objects(text.as_str(), dialect, &cut.parts),
        _ => Vec::new(),
    };
    let keeps_text =
        !matches!(planned.kind, Kind::Seed | Kind::TestData) && project.settings.journal.texts != Some(false);
    // Whether only comments changed is asked of scripts and code; seeds may be large, and count as they are written.
    let token_checksum = match planned.kind {
        Kind::Seed | Kind::TestData => planned.checksum.clone(),
        _ => token_checksum(text.as_str(), dialect),
    };
    let entry = NewEntry {
        project: project.name.clone(),
        kind: planned.kind,
        key: planned.key.clone(),
        order_key: planned.version.map_or_else(|| planned.key.clone(), Version::order_key),
        attempt: planned.attempt + 1,
        name: planned.name.to_owned(),
        checksum: planned.checksum.clone(),
        token_checksum,
        text: keeps_text.then(|| text.as_str().to_owned()),
        state: Stored::Applied,
        statements,
        objects,
    };
    let mode = match (cut.no_transaction, cut.foreign_keys_off) {
        (true, _) => Mode::Statements,
        (false, true) => Mode::ForeignKeysOff,
        (false, false) => Mode::Transaction,
    };
    Ok(Unit {
        entry,
        text,
        parts: cut.parts,
        guards: cut.guards,
        mode,
        lock_timeout: cut.lock_timeout,
        statement_timeout: cut.statement_timeout,
        running: planned.running.clone(),
        fusible: cut.fusible && !cut.double_quoted_text && mode == Mode::Transaction && cut.suspends.is_empty(),
        suspends: cut.suspends,
        isolation: cut.isolation,
        double_quoted_text: cut.double_quoted_text,
    })
}

/// Refuses what cannot be made anew at will, and what cannot be done in one transaction.
fn refuse_no_code(text: &Text, dialect: Dialect, cut: &Cut) -> Result<(), ScriptErrors> {
    let mut faults = Vec::new();
    if cut.no_transaction {
        let place = text.place(sql::Span::new(0, 0));
        let message = "the code objects are kept in one transaction, and this file asks for none";
        let hint = "take `no-transaction` out; what cannot run inside a transaction belongs into a script";
        faults.push(Fault::new("code/no-transaction", text.file(), message).at(place).hint(hint));
    }
    for part in &cut.parts {
        let head = sql::Head::of(sql::Tokens::new(text.as_str(), part.span, dialect));
        if head.verb == sql::Verb::Create && head.kind.is_some_and(sql::Kind::is_code) && is_temporary(&head) {
            let place = text.place(head.name_span.unwrap_or(part.span));
            let message = "a code object stays, and a temporary one goes with the session that makes it";
            let hint = "make it a lasting one, or leave it to the program that uses it";
            faults.push(Fault::new("code/temporary", text.file(), message).at(place).hint(hint));
        }
        let holds_rows = matches!(
            head.kind,
            Some(sql::Kind::Table | sql::Kind::VirtualTable | sql::Kind::ForeignTable | sql::Kind::Sequence)
        );
        let message = match head.verb {
            sql::Verb::Create => "a code file is made anew at will, and this holds data",
            sql::Verb::Drop => "a code file runs whenever it is made anew, and this holds data",
            _ => continue,
        };
        if !head.temporary && holds_rows {
            let place = text.place(head.name_span.unwrap_or(part.span));
            let hint = "tables and sequences belong into scripts";
            faults.push(Fault::new("code/table", text.file(), message).at(place).hint(hint));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ScriptErrors(faults)) }
}

/// Returns true if what a statement makes is gone when the session ends, by a word or by its schema.
fn is_temporary(head: &sql::Head) -> bool {
    let schema = head.name.as_ref().and_then(sql::Name::schema);
    head.temporary || schema.is_some_and(|schema| matches!(schema, "temp" | "pg_temp"))
}

/// Returns the names of what a code file makes: `view public.customer_view`.
fn objects(text: &str, dialect: Dialect, parts: &[crate::script::Part]) -> Vec<String> {
    let created = parts.iter().flat_map(|part| sql::creates(sql::Tokens::new(text, part.span, dialect)));
    created.map(|(kind, name)| format!("{kind} {name}")).collect()
}

/// The refusal of a file that is no longer the one that was planned.
pub fn changed_meanwhile(file: &str) -> Refusal {
    Refusal::new("build/changed-meanwhile", format!("{file} changed while the build was looking at it"))
        .hint("run `dbbuild` again")
}

/// Makes the rows of a CSV seed ready to load; `None` for an SQL seed.
pub fn row_seed(project: &Project, seed: &Seed, kind: Kind, attempt: i32) -> Option<RowSeed> {
    let SeedForm::Rows { table, key, mode, null } = &seed.form else { return None };
    let file = &seed.source.file;
    let source = match &project.files {
        Files::Folder(root) => RowSource::File(root.join(file)),
        Files::Embedded(files) => {
            RowSource::Embedded(files.iter().find(|(path, _)| path == file).map(|(_, content)| *content)?)
        }
    };
    Some(RowSeed {
        entry: file_entry(project, kind, file, &seed.source.checksum, attempt),
        file: file.clone(),
        source,
        table: table.clone(),
        key: key.clone(),
        mode: *mode,
        null: null.clone(),
    })
}

/// Makes the entry of a file that has no text in the journal.
fn file_entry(project: &Project, kind: Kind, file: &str, checksum: &Checksum, attempt: i32) -> NewEntry {
    NewEntry {
        project: project.name.clone(),
        kind,
        key: file.to_owned(),
        order_key: file.to_owned(),
        attempt: attempt + 1,
        name: file.to_owned(),
        checksum: checksum.clone(),
        token_checksum: checksum.clone(),
        text: None,
        state: Stored::Applied,
        statements: 0,
        objects: Vec::new(),
    }
}

/// Makes the entries, and the tracked seeds, of everything that a baseline contains.
pub fn contained(
    project: &Project,
    target: &Target,
    checkout: &Checkout,
) -> Result<(Vec<NewEntry>, Vec<RowSeed>), Error> {
    let (mut entries, mut tracked) = (Vec::new(), Vec::new());
    let is_gone =
        |squashed: &&crate::script::Squashed| !checkout.scripts.iter().any(|script| script.version == squashed.version);
    entries.extend(checkout.squashed().iter().filter(is_gone).map(|gone| super::base::entry(&project.name, gone)));
    for script in &checkout.scripts {
        let planned = planned_script(&script.version, &script.name, &script.file, &script.checksum, 0);
        entries.push(unit(project, target, checkout.dialect, &planned)?.entry);
    }
    for source in &checkout.code {
        let planned = planned_file(Kind::Code, &source.file, &source.checksum, 0);
        entries.push(unit(project, target, checkout.dialect, &planned)?.entry);
    }
    for seed in checkout.seeds.iter().filter(|seed| seed.environment.is_none()) {
        entries.push(file_entry(project, Kind::Seed, &seed.source.file, &seed.source.checksum, 0));
        if let Some(rows) = row_seed(project, seed, Kind::Seed, 0)
            && rows.mode == crate::engine::SeedMode::Tracked
        {
            tracked.push(rows);
        }
    }
    Ok((entries, tracked))
}

/// Makes a planned script that no builder has begun.
pub fn planned_script<'a>(
    version: &'a Version,
    name: &'a str,
    file: &'a str,
    checksum: &'a Checksum,
    attempt: i32,
) -> Planned<'a> {
    Planned {
        kind: Kind::Script,
        key: version.to_string(),
        version: Some(version),
        name,
        file,
        checksum,
        attempt,
        running: None,
        of_environment: false,
    }
}

/// Makes a planned code file or seed.
pub fn planned_file<'a>(kind: Kind, file: &'a str, checksum: &'a Checksum, attempt: i32) -> Planned<'a> {
    Planned {
        kind,
        key: file.to_owned(),
        version: None,
        name: file,
        file,
        checksum,
        attempt,
        running: None,
        of_environment: false,
    }
}
