//! `dbbuild squash`: a frozen base stands in for old scripts.

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Outcome};
use crate::build::{self, Refusal, Site, discover};
use crate::engine::Object;
use crate::error::{Class, Error};
use crate::new_version::{NewVersion, new_version};
use crate::project::{Address, Project, Secret, Selection, Target};
use crate::script::{Script, Version};
use crate::sql::{Dialect, Kind, quote_identifier, quote_literal};
use crate::squash::{self, Comment, Done};

/// What `squash` understands.
#[derive(Debug, Clone, Args)]
pub struct SquashArgs {
    /// Squash the scripts up to this version.
    #[arg(long, value_name = "VERSION")]
    pub to: Version,
    /// Delete the scripts that the base stands for.
    #[arg(long)]
    pub delete: bool,
    /// Write a script with `comment on` for what the old scripts' comments say of tables and columns (PostgreSQL).
    #[arg(long)]
    pub carry_comments: bool,
}

/// What came of one engine.
type Result_ = (Dialect, Result<Done, Error>);

/// Squashes for every engine of the project.
pub fn run(context: &Context, args: &SquashArgs) -> Outcome {
    let project = context.project()?;
    let dialects = dialects(context, &project);
    refuse_unknown(&project, &dialects, &args.to)?;
    // Before the scripts may be gone.
    let comments = read_comments(&project, &dialects, &args.to)?;
    let mut results = Vec::new();
    for dialect in &dialects {
        let target = target(context, &project, *dialect)?;
        let engine = build::open(&target, &context.host, &context.interrupt)?;
        let site = Site::new(&project, &target, &*engine, &context.interrupt);
        match squash::squash(&site, &args.to, &mut *context.listener()) {
            Err(error) if error.class() != Class::Outside => return Err(error),
            result => results.push((*dialect, result)),
        }
    }
    if results.iter().all(|(_, result)| result.is_err())
        && let Some((_, Err(error))) = results.pop()
    {
        return Err(error);
    }
    let carried = if args.carry_comments { carry(context, &project, &comments)? } else { Vec::new() };
    let obsolete = squash::obsolete(&project, &dialects)?;
    if args.delete {
        squash::delete(&project, &obsolete)?;
    }
    if context.is_json() {
        context.document(&document(args, &results, &obsolete, &carried, &comments));
    } else {
        text(context, args, &results, &obsolete, &carried, &comments);
    }
    let failed = results.iter().find_map(|(_, result)| result.as_ref().err());
    Ok(failed.map_or(Exit::Done, |_| Exit::Outside))
}

/// The engines of the project: as the settings say, else those of its targets.
fn dialects(context: &Context, project: &Project) -> Vec<Dialect> {
    if let Some(engines) = &project.settings.project.engines {
        return engines.iter().copied().map(Dialect::from).collect();
    }
    let named = project.settings.targets.keys().map(|name| Selection { target: Some(name.clone()), url: None });
    let all = named.chain([context.selection()]);
    let targets = all.filter_map(|selection| project.target(&selection, &context.host).ok());
    let mut found: Vec<Dialect> = targets.map(|(target, _)| target.address.dialect()).collect();
    found.sort();
    found.dedup();
    found
}

/// Returns a target of an engine: the one that was asked for, another of the settings, or a database of its own.
fn target(context: &Context, project: &Project, dialect: Dialect) -> Result<Target, Error> {
    let named = project.settings.targets.keys().map(|name| Selection { target: Some(name.clone()), url: None });
    let mut all = [context.selection()].into_iter().chain(named);
    let fitting = all.find_map(|selection| {
        let (target, _) = project.target(&selection, &context.host).ok()?;
        (target.address.dialect() == dialect).then_some(target)
    });
    Ok(fitting.unwrap_or_else(|| match dialect {
        Dialect::Sqlite => Target::at(Address::Sqlite(None), "sqlite::memory:"),
        Dialect::Postgres => {
            Target::at(Address::Postgres(Secret::new("postgresql:///postgres")), "postgresql:///postgres")
        }
    }))
}

fn refuse_unknown(project: &Project, dialects: &[Dialect], to: &Version) -> Result<(), Error> {
    let mut all: Vec<Version> = Vec::new();
    for dialect in dialects {
        let checkout = discover(project, *dialect)?;
        all.extend(checkout.base.map(|base| base.version));
        all.extend(checkout.scripts.into_iter().map(|script| script.version));
    }
    if all.contains(to) {
        return Ok(());
    }
    let refusal = Refusal::new("squash/version", format!("there is no script of version {to}"));
    Err(match all.iter().max() {
        Some(newest) => refusal.hint(format!("the newest one is {newest}")),
        None => refusal.hint("there are no scripts to squash"),
    }
    .into())
}

/// The comments of what will be squashed: counted by file, and those on tables and columns of PostgreSQL. SQLite
/// keeps comments with its tables.
struct Comments {
    counts: Vec<(String, usize)>,
    on: Vec<Comment>,
}

fn read_comments(project: &Project, dialects: &[Dialect], to: &Version) -> Result<Comments, Error> {
    let mut all = Comments { counts: Vec::new(), on: Vec::new() };
    for dialect in dialects {
        let checkout = discover(project, *dialect)?;
        let is_new = |script: &&Script| script.version <= *to;
        let scripts: Vec<&Script> = checkout.scripts.iter().filter(is_new).collect();
        let (counts, on) = squash::comments(project, &checkout, &scripts)?;
        all.counts.extend(counts);
        if *dialect == Dialect::Postgres {
            all.on = on;
        }
    }
    all.counts.sort();
    all.counts.dedup();
    Ok(all)
}

/// Writes the script that carries comments over: databases that are there already get them as new ones do.
fn carry(context: &Context, project: &Project, comments: &Comments) -> Result<Vec<String>, Error> {
    if comments.on.is_empty() {
        return Ok(Vec::new());
    }
    let target = target(context, project, Dialect::Postgres)?;
    let engine = build::open(&target, &context.host, &context.interrupt)?;
    let site = Site::new(project, &target, &*engine, &context.interrupt);
    let checkout = discover(project, Dialect::Postgres)?;
    let mut fresh = build::Fresh::built(&site, &checkout, None, &mut *context.listener())?;
    let catalog = fresh.session.catalog()?;
    let mut text = String::from("-- What the squashed scripts' comments said.\n");
    let mut count = 0;
    for comment in &comments.on {
        let is_it = |object: &&Object| object.kind == Kind::Table && object.name.matches(&comment.table);
        let Some(table) = catalog.objects().find(is_it).map(|object| &object.name) else { continue };
        let quoted = |name: &str| quote_identifier(Dialect::Postgres, name);
        let name: Vec<String> = table.parts().iter().map(|part| quoted(part)).collect();
        let (kind, key, name) = match &comment.column {
            None => ("table", format!("table {table}"), name.join(".")),
            Some(column) => {
                let mut parts = table.parts().to_vec();
                parts.push(column.clone());
                let key = format!("column {}", crate::sql::Name::new(parts));
                ("column", key, format!("{}.{}", name.join("."), quoted(column)))
            }
        };
        // What is gone since has no comment any more, and what has one keeps it.
        if catalog.get(&key).is_some_and(|object| object.comment.is_none()) {
            let words = quote_literal(Dialect::Postgres, &comment.text);
            text += &format!("comment on {kind} {name} is {words};\n");
            count += 1;
        }
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let dialects = dialects(context, project);
    let wanted = NewVersion {
        name: "comments of squashed scripts",
        down: false,
        engine: (dialects.len() > 1).then_some(Dialect::Postgres),
        no_transaction: false,
        now: jiff::Timestamp::now(),
    };
    let made = new_version(project, &wanted)?;
    if let (Some(root), Some(file)) = (project.files.root(), made.files.first()) {
        let path = root.join(file);
        std::fs::write(&path, text).map_err(|source| Error::Io { path, source })?;
    }
    Ok(made.files)
}

fn document(
    args: &SquashArgs,
    results: &[Result_],
    obsolete: &[String],
    carried: &[String],
    comments: &Comments,
) -> serde_json::Value {
    let bases: Vec<_> = results
        .iter()
        .map(|(dialect, result)| match result {
            Ok(done) => json!({
                "engine": dialect.name(),
                "folder": done.folder,
                "scripts": done.scripts,
                "files": done.files,
                "baseline_stays": done.baseline_stays,
                "left_out": done.left_out,
            }),
            Err(error) => json!({"engine": dialect.name(), "error": error.to_string(), "code": error.code()}),
        })
        .collect();
    let counts: Vec<_> = comments.counts.iter().map(|(file, count)| json!({"file": file, "comments": count})).collect();
    json!({
        "v": 1,
        "version": args.to,
        "bases": bases,
        "obsolete": obsolete,
        "deleted": args.delete,
        "comments": counts,
        "carried": carried,
    })
}

fn text(
    context: &Context,
    args: &SquashArgs,
    results: &[Result_],
    obsolete: &[String],
    carried: &[String],
    comments: &Comments,
) {
    for (dialect, result) in results {
        match result {
            Ok(Done { folder, scripts, files: 0, .. }) => {
                context.print(format!("  base      {folder:<24} {scripts} scripts, as it was"));
            }
            Ok(done) => {
                let (scripts, files) = (plural(done.scripts, "script"), plural(done.files, "file"));
                context.print(format!("  base      {:<24} stands for {scripts}, {files} written", done.folder));
                for left in &done.left_out {
                    context.note(&format!("  note      {left}, which a base does not hold: do it in a new script"));
                }
            }
            Err(error) => {
                context.note(&format!("  note      {} was left out: {error}", dialect.name()));
            }
        }
    }
    for file in carried {
        context.print(format!("  comments  {file:<24} written; run `dbbuild`"));
    }
    let count: usize = comments.counts.iter().map(|(_, count)| count).sum();
    if count > 0 && carried.is_empty() && !obsolete.is_empty() {
        let files = plural(comments.counts.len(), "file");
        let said = format!("  note      {} in {files} will be gone with the scripts", plural(count, "comment"));
        context.note(&said);
        if !args.carry_comments && !comments.on.is_empty() {
            let on = comments.on.len();
            context.note(&format!(
                "            {on} of them on tables and columns: `--carry-comments` writes them as COMMENT ON"
            ));
        }
    }
    let word = if args.delete { "deleted" } else { "obsolete" };
    for file in obsolete {
        context.print(format!("  {word:<9} {file}"));
    }
    context.print(match (obsolete.len(), args.delete) {
        (0, _) => format!("squashed to {}", args.to),
        (_, true) => format!("squashed to {} · commit the base with what was deleted", args.to),
        (_, false) => {
            format!("squashed to {} · the obsolete scripts may go: `dbbuild squash --to {} --delete`", args.to, args.to)
        }
    });
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
