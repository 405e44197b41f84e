//! What is checked before a script does anything. The shell fails where a row breaks a constraint; its name is the
//! message.

use super::super::names::Names;
use super::shell::literal;
use crate::engine::offline::Premise;
use crate::journal::{FORMAT, Kind};
use crate::sql::{Dialect, quote_identifier};

/// Returns the check that comes before the journal is made.
pub(super) fn before(names: &Names, premise: &Premise<'_>) -> String {
    let journal = literal(&names.stored("journal"));
    let is_there = format!("exists (select 1 from sqlite_schema where name = {journal} collate nocase)");
    match premise.first {
        Some(_) => check(
            "this database has objects and no journal: nobody knows which scripts it has",
            &format!(
                "{is_there} or not exists (select 1 from sqlite_schema where name not like 'sqlite\\_%' escape '\\')"
            ),
        ),
        None => check("this database has no journal: it is not at the version that this script begins at", &is_there),
    }
}

/// Returns the checks of the journal.
pub(super) fn checks(names: &Names, premise: &Premise<'_>) -> String {
    let Names { journal, environment, .. } = names;
    let project = literal(premise.project);
    let mut text = check(
        "a newer dbbuild wrote the journal",
        &format!("not exists (select 1 from {environment} where format > {FORMAT})"),
    );
    text.push_str(&check(
        "the journal is another project's",
        &format!("not exists (select 1 from {journal}) or exists (select 1 from {journal} where project = {project})"),
    ));
    if let Some(said) = premise.environment {
        text.push_str(&check(
            &format!("this database is not marked {said}"),
            &format!("not exists (select 1 from {environment} where environment <> {})", literal(said)),
        ));
    }
    if let Some(protected) = premise.protected {
        let protected = u8::from(protected);
        text.push_str(&check(
            "the mark of this database and the settings disagree about its protection",
            &format!(
                "not exists (select 1 from {environment} where environment is not null and protected <> {protected})"
            ),
        ));
    }
    let newest = format!(
        "select kind, key, max(attempt), state, checksum, token_checksum from {journal} where project = {project} group by kind, key"
    );
    scripts(&newest, premise, &mut text);
    claims(&newest, premise, &mut text);
    text
}

fn scripts(newest: &str, premise: &Premise<'_>, text: &mut String) {
    if premise.scripts.is_empty() {
        return;
    }
    let script = literal(Kind::Script.as_str());
    let rows: Vec<String> = premise
        .scripts
        .iter()
        .map(|known| {
            format!("({}, {}, {})", literal(&known.key), literal(&known.token_checksum), u8::from(known.required))
        })
        .collect();
    let with =
        format!("with newest as ({newest}),\nknown (key, tokens, required) as (values\n  {})", rows.join(",\n  "));
    let done = format!(
        "select 1 from newest where newest.kind = {script} and newest.key = known.key and state not in ('reverted', 'running')"
    );
    if premise.scripts.iter().any(|known| known.required) {
        let version = premise.version.clone().unwrap_or_default();
        text.push_str(&check_with(
            &format!("this database is not at version {version}"),
            &with,
            &format!("not exists (select 1 from known where required and not exists ({done}))"),
        ));
    }
    text.push_str(&check_with(
        "scripts were changed since they were applied here",
        &with,
        &format!("not exists (select 1 from known where exists ({done} and token_checksum <> tokens))"),
    ));
}

fn claims(newest: &str, premise: &Premise<'_>, text: &mut String) {
    if premise.claims.is_empty() {
        return;
    }
    let rows: Vec<String> = premise
        .claims
        .iter()
        .map(|(kind, key, checksum)| format!("({}, {}, {})", literal(kind.as_str()), literal(key), literal(checksum)))
        .collect();
    let with = format!("with newest as ({newest}),\nclaim (kind, key, checksum) as (values\n  {})", rows.join(",\n  "));
    let same = "newest.kind = claim.kind and newest.key = claim.key";
    text.push_str(&check_with(
        "an earlier run was cut short half-way through a script: let dbbuild finish it",
        &with,
        &format!("not exists (select 1 from claim join newest on {same} where state = 'running')"),
    ));
    text.push_str(&check_with(
        "there is nothing to do: everything in this script has run here",
        &with,
        &format!(
            "exists (select 1 from claim where not exists (\n    select 1 from newest where {same} and newest.checksum = claim.checksum and state not in ('reverted', 'running')))"
        ),
    ));
}

fn check(message: &str, condition: &str) -> String {
    check_with(message, "", condition)
}

fn check_with(message: &str, with: &str, condition: &str) -> String {
    let name = quote_identifier(Dialect::Sqlite, message);
    let with = if with.is_empty() { String::new() } else { format!("{with}\n") };
    format!(
        "create temp table dbbuild_check (holds constraint {name} check (holds));\n\
         {with}insert into dbbuild_check select {condition};\ndrop table dbbuild_check;\n"
    )
}
