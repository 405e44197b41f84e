//! What is generated from the command line itself: completions and man pages.

use std::io::Write;
use std::path::Path;

use clap_complete::Shell;

use super::{Context, Exit, Outcome, command};
use crate::error::Error;

/// Prints a completion script.
pub fn completions(context: &Context, shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "dbbuild", &mut script);
    context.print(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}

/// Writes a man page for the tool and one for each verb.
pub fn man(context: &Context, folder: &Path) -> Outcome {
    let io = |path: &Path, source| Error::Io { path: path.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
    let tool = command();
    let mut pages = vec![("dbbuild".to_owned(), tool.clone())];
    pages.extend(tool.get_subcommands().map(|verb| (format!("dbbuild-{}", verb.get_name()), verb.clone())));
    let count = pages.len();
    for (name, page) in pages {
        let path = folder.join(format!("{name}.1"));
        let mut text = Vec::new();
        clap_mangen::Man::new(page).title(name).render(&mut text).map_err(|error| io(&path, error))?;
        std::fs::File::create(&path).and_then(|mut file| file.write_all(&text)).map_err(|error| io(&path, error))?;
    }
    if context.is_json() {
        context.document(&serde_json::json!({"v": 1, "folder": folder, "pages": count}));
    }
    context.say(format!("{count} pages written to {}", folder.display()));
    Ok(Exit::Done)
}
