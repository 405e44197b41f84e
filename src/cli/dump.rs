//! `dbbuild dump`: a database as one text, the same bytes for the same content, for documentation and for `diff`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Outcome};
use crate::engine::{Access, DumpPart, DumpWish};
use crate::error::Error;

/// What `dump` understands.
#[derive(Debug, Clone, Default, Args)]
pub struct DumpArgs {
    /// One schema alone (PostgreSQL).
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// No rows, and not where the sequences stand.
    #[arg(long)]
    pub schema_only: bool,
    /// Write to this file, if it is not the same already; without it the dump is printed.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Dumps.
pub fn run(context: &Context, args: &DumpArgs) -> Outcome {
    let opened = context.open()?;
    let wish = DumpWish {
        part: if args.schema_only { DumpPart::Schema } else { DumpPart::Whole },
        schema: args.schema.clone(),
        without_journals: true,
    };
    let folder = tempfile::Builder::new().prefix("dbbuild-dump-").tempdir_in(&context.host.temporary);
    let folder = folder.map_err(io(&context.host.temporary))?;
    let mut session = opened.engine.connect(Access::Read)?;
    session.dump_some(&wish, folder.path(), &mut *context.listener())?;
    let files = in_order(folder.path())?;
    let Some(output) = &args.output else {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let printed = join(&files, &mut out).and_then(|()| out.flush().map_err(io(Path::new("the output"))));
        return match printed {
            // Whoever closed the pipe has read enough.
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Done),
            printed => printed.map(|()| Exit::Done),
        };
    };
    let is_new = write(&files, output)?;
    let target = opened.engine.describe();
    if context.is_json() {
        context.document(&json!({"v": 1, "target": target, "output": output, "changed": is_new}));
    } else {
        let answer = if is_new { "written" } else { "up to date" };
        context.print(format!("{target} · {} · {answer}", output.display()));
    }
    Ok(Exit::Done)
}

/// Writes beside the file and puts it in place: who reads it sees the old one or the new one. The same bytes leave it
/// alone. A link stays one, and what is no file (`/dev/stdout`, a pipe) is written to.
fn write(files: &[PathBuf], output: &Path) -> Result<bool, Error> {
    let there = output.metadata().ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        let file = OpenOptions::new().write(true).open(output).map_err(io(output))?;
        join(files, &mut std::io::BufWriter::new(file))?;
        return Ok(true);
    }
    let output = &output.canonicalize().unwrap_or_else(|_| output.to_owned());
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Not for one's own eyes only, as temporary files are.
    let new = tempfile::Builder::new().prefix(".dbbuild-").make_in(folder, |path| File::create_new(path));
    let mut new = new.map_err(io(folder))?;
    if let Some(there) = there {
        std::fs::set_permissions(new.path(), there.permissions()).map_err(io(output))?;
    }
    join(files, &mut std::io::BufWriter::new(&mut new))?;
    if same(new.path(), output) {
        return Ok(false);
    }
    new.persist(output).map_err(|error| io(output)(error.error))?;
    Ok(true)
}

fn same(one: &Path, other: &Path) -> bool {
    let digest = |path: &Path| {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path).ok()?).ok()?;
        Some(hasher.finalize())
    };
    digest(one).is_some_and(|one| Some(one) == digest(other))
}

/// Puts the files of a dump into one text, a blank line between them.
fn join(files: &[PathBuf], out: &mut impl Write) -> Result<(), Error> {
    for (at, path) in files.iter().enumerate() {
        if at > 0 {
            out.write_all(b"\n").map_err(io(path))?;
        }
        let mut file = File::open(path).map_err(io(path))?;
        std::io::copy(&mut file, out).map_err(io(path))?;
    }
    out.flush().map_err(io(Path::new("the output")))
}

/// Returns a dump's files in the order in which a load takes them: what rows need, rows, what needs rows.
fn in_order(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|error| io(folder)(error.into()))?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    let place = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_row = path.parent() != Some(folder);
        match name.as_str() {
            _ if is_row => 1,
            name if name.starts_with("post-") => 3,
            name if name.starts_with("sequences") => 2,
            _ => 0,
        }
    };
    files.sort_by_key(place);
    Ok(files)
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> Error + use<> {
    let path = path.to_path_buf();
    move |source| Error::Io { path: path.clone(), source }
}
