//! What is checked before a script does anything: that the database is the one that it was written for.

use super::super::inspect::objects_there;
use super::super::journal::Journal;
use super::super::quote::literal;
use super::psql::dollar;
use crate::engine::offline::{Premise, unindented};
use crate::journal::{FORMAT, Kind};
use crate::project::Target;

/// Returns a statement that fails with a message.
pub(super) fn raise(message: &str, hint: &str) -> String {
    format!("do {};\n", dollar(&format!(" begin {} end ", exception(&literal(message), hint))))
}

/// Returns a PL/pgSQL statement that fails; `message` is SQL.
fn exception(message: &str, hint: &str) -> String {
    format!("raise exception using message = {message}, hint = {};", literal(hint))
}

/// Returns the checks.
pub(super) fn checks(journal: &Journal, target: &Target, premise: &Premise<'_>) -> String {
    let schema = &journal.schema;
    let mut body = String::from("\ndeclare\n    found text;\nbegin\n");
    let mut check = |query: &str, message: &str, hint: &str| {
        body.push_str(&format!(
            "    found := ({query});\n    if found is not null then\n        {}\n    end if;\n",
            exception(&format!("pg_catalog.format({}, found)", literal(message)), hint)
        ));
    };
    if premise.first.is_none() {
        check(
            &format!("select 'x' where pg_catalog.to_regclass({}) is null", literal(&format!("{schema}.journal"))),
            "this database has no journal: it is not at the version that this script begins at",
            "write the script for the version that the database is at: `dbbuild plan --sql --from VERSION`",
        );
    }
    let lone = format!(
        "    if pg_catalog.to_regclass({}) is null then\n        found := (select pg_catalog.string_agg(object, ', ') from (\n{}\n) there);\n        \
         if found is not null then\n            {}\n        end if;\n        return;\n    end if;\n",
        literal(&format!("{schema}.journal")),
        unindented(&objects_there(&target.schemas, journal)),
        exception(
            "pg_catalog.format('this database has objects and no journal: %s', found)",
            "nobody knows which scripts it has; run this on an empty database"
        )
    );
    if premise.first.is_some() {
        body.push_str(&lone);
    }
    with_journal(journal, premise, &mut body);
    body.push_str("end ");
    format!("-- Is this the database that the script was written for?\ndo {};\n", dollar(&body))
}

fn with_journal(journal: &Journal, premise: &Premise<'_>, body: &mut String) {
    let schema = &journal.schema;
    let project = literal(premise.project);
    let mut check = |query: String, message: &str, hint: &str| {
        body.push_str(&format!(
            "    found := ({query});\n    if found is not null then\n        {}\n    end if;\n",
            exception(&format!("pg_catalog.format({}, found)", literal(message)), hint)
        ));
    };
    check(
        format!("select pg_catalog.max(format) from {schema}.environment where format > {FORMAT}"),
        "a newer dbbuild wrote the journal: its format is %s",
        "write the script with that one",
    );
    check(
        format!(
            "select pg_catalog.min(project) from {schema}.journal\n        \
             having pg_catalog.count(*) > 0 and pg_catalog.count(*) filter (where project = {project}) = 0"
        ),
        "the journal is another project's: %s",
        "name this project's database",
    );
    if let Some(environment) = premise.environment {
        check(
            format!("select environment from {schema}.environment where environment <> {}", literal(environment)),
            &format!("this database is marked %s, and the script is for {}", environment.replace('%', "%%")),
            "name the right database",
        );
    }
    if let Some(protected) = premise.protected {
        check(
            format!(
                "select environment from {schema}.environment where environment is not null and protected <> {protected}"
            ),
            "the mark %s of this database is protected where the settings say it is not, or the other way round",
            "name the right database, or mend the target in dbbuild.toml",
        );
    }
    let claims: Vec<String> =
        premise.claims.iter().map(|(kind, key, _)| format!("({}, {})", literal(kind.as_str()), literal(key))).collect();
    if !claims.is_empty() {
        check(
            format!(
                "select pg_catalog.min(j.key) from {schema}.journal j\n          join (values {}) c (kind, key) on c.kind = j.kind and c.key = j.key\n         \
                 where j.project = {project} and j.state = 'running'\n           {}",
                claims.join(", "),
                is_newest(schema)
            ),
            "%s is half-way: an earlier run was cut short",
            "let `dbbuild` finish it",
        );
    }
    known(journal, premise, &project, &mut check);
}

/// Scripts that must be there, and scripts that must be the same if they are.
fn known(journal: &Journal, premise: &Premise<'_>, project: &str, check: &mut impl FnMut(String, &str, &str)) {
    if premise.scripts.is_empty() {
        return;
    }
    let schema = &journal.schema;
    let rows: Vec<String> = premise
        .scripts
        .iter()
        .map(|script| format!("({}, {}, {})", literal(&script.key), literal(&script.token_checksum), script.required))
        .collect();
    let rows = rows.join(",\n            ");
    let done = format!(
        "select from {schema}.journal j where j.project = {project} and j.kind = {} and j.key = k.key\n                \
         and j.state not in ('reverted', 'running') {}",
        literal(Kind::Script.as_str()),
        is_newest(schema)
    );
    let required = premise.scripts.iter().any(|script| script.required);
    if required {
        let version = premise.version.clone().unwrap_or_default().replace('%', "%%");
        check(
            format!(
                "select pg_catalog.string_agg(k.key, ', ') from (values\n            {rows}) k (key, tokens, required)\n         \
                 where k.required and not exists (\n             {done})"
            ),
            &format!("this database is not at version {version}: it lacks %s"),
            "write the script for the version that the database is at: `dbbuild plan --sql --from VERSION`",
        );
    }
    check(
        format!(
            "select pg_catalog.string_agg(k.key, ', ') from (values\n            {rows}) k (key, tokens, required)\n         \
             where exists (\n             {done} and j.token_checksum <> k.tokens)"
        ),
        "changed since they were applied here: %s",
        "put the applied text back, and make the change in a new script",
    );
}

fn is_newest(schema: &str) -> String {
    format!(
        "and not exists (select from {schema}.journal n where n.project = j.project and n.kind = j.kind\n                            \
         and n.key = j.key and n.attempt > j.attempt)"
    )
}
