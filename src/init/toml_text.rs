//! The text of a `dbbuild.toml`, with a comment where a reader may ask why.

use std::fmt::Write as _;

use super::recognise::{Folders, Recognised};
use crate::project::{EngineName, Layout};

/// Writes the settings that fit what was recognised.
pub fn of(recognised: &Recognised) -> String {
    let mut lines = Lines::default();
    lines.add("# Settings of dbbuild, which `dbbuild init` wrote for the scripts that are here.");
    lines.add("");
    lines.add("[project]");
    lines.add(&format!("name = {}", quoted(&recognised.name)));
    let engines: Vec<String> = recognised.engines.iter().map(|engine| quoted(engine_name(*engine))).collect();
    lines.add(&format!("engines = [{}]", engines.join(", ")));
    if let Some(newest) = &recognised.newest {
        lines.add(&format!(
            "history = {}   # scripts up to here are as they are: no findings, no fixes",
            quoted(&newest.to_string())
        ));
    }
    if recognised.engines.len() > 1 {
        lines.add("default-target = \"sqlite\"");
    }
    layout(&mut lines, recognised);
    targets(&mut lines, recognised);
    if !recognised.directives.is_empty() {
        lines.add("");
        lines.add("# These hold what the database refuses inside a transaction. As directives here, their files stay as they are.");
        for (index, (version, directives)) in recognised.directives.iter().enumerate() {
            if index > 0 {
                lines.add("");
            }
            let directives: Vec<String> = directives.iter().map(|directive| quoted(directive)).collect();
            lines.add(&format!("[script.{}]", quoted(&version.to_string())));
            lines.add(&format!("directives = [{}]", directives.join(", ")));
        }
    }
    lines.0
}

fn layout(lines: &mut Lines, recognised: &Recognised) {
    let settings = recognised.layout_settings();
    lines.add("");
    lines.add("[layout]");
    if recognised.layout != Layout::Plain {
        lines.add(&format!("style = {}", quoted(recognised.layout.name())));
    }
    match &recognised.folders {
        Folders::One(_) => lines.add(&format!("scripts = {}", quoted(&settings.scripts.unwrap_or_default()))),
        Folders::PerEngine(folders) => {
            let pairs: Vec<String> = folders
                .iter()
                .map(|(engine, folder)| format!("{} = {}", engine_name(*engine), quoted(folder)))
                .collect();
            lines.add(&format!("engine-scripts = {{ {} }}", pairs.join(", ")));
        }
    }
    if let Some(seed) = &settings.seed {
        lines.add(&format!("seed = {}   # `seed/` holds something else", quoted(seed)));
    }
    if !settings.ignore.is_empty() {
        let globs: Vec<String> = settings.ignore.iter().map(|glob| format!("    {},", quoted(glob))).collect();
        lines.add(&format!("ignore = [   # no scripts\n{}\n]", globs.join("\n")));
    }
    if settings.dates {
        lines.add("dates = true   # versions are dates that are spelt in more than one way");
    }
    if recognised.templates {
        lines.add("templates = true   # filled in with the values under [variables]");
    }
    if !settings.versions.is_empty() {
        lines.add("");
        lines.add("# These have no number of their own, or that of another script, behind which they run.");
        lines.add("[layout.versions]");
        for (file, version) in &settings.versions {
            lines.add(&format!("{} = {}", quoted(file), quoted(version)));
        }
    }
}

fn targets(lines: &mut Lines, recognised: &Recognised) {
    let several = recognised.engines.len() > 1;
    for engine in &recognised.engines {
        let variable = recognised.variable.as_deref();
        let url = match (engine, variable) {
            (EngineName::Postgres, name) => format!("{{ env = {} }}", quoted(name.unwrap_or("DATABASE_URL"))),
            (EngineName::Sqlite, Some(name)) if !several => format!("{{ env = {} }}", quoted(name)),
            (EngineName::Sqlite, _) => quoted(&sqlite_url(&recognised.name)),
        };
        lines.add("");
        lines.add(&format!("[targets.{}]", if several { engine_name(*engine) } else { "dev" }));
        lines.add(&format!("url = {url}"));
        lines.add("environment = \"development\"");
    }
}

/// Writes the settings of a project from nothing.
pub fn scaffold(name: &str, engine: EngineName) -> String {
    let url = match engine {
        EngineName::Postgres => "{ env = \"DATABASE_URL\" }".to_owned(),
        EngineName::Sqlite => quoted(&sqlite_url(name)),
    };
    let name = quoted(name);
    format!(
        "# Settings of dbbuild. Scripts are in `db/`, lookup data in `seed/`; the baseline is written to `baseline/`.\n\
         \n\
         [project]\n\
         name = {name}\n\
         \n\
         # `dbbuild` alone builds this one.\n\
         [targets.dev]\n\
         url = {url}\n\
         environment = \"development\"\n\
         \n\
         # [targets.production]\n\
         # url = {{ env = \"PRODUCTION_DATABASE_URL\" }}\n\
         # environment = \"production\"\n\
         # protected = true\n"
    )
}

/// Returns the URL of a database file beside the settings.
fn sqlite_url(name: &str) -> String {
    format!("sqlite:{}", database_file(name))
}

/// Returns the name of the database's file.
pub fn database_file(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' }).collect();
    format!("{plain}.db")
}

/// Returns an engine's name as the settings write it.
fn engine_name(engine: EngineName) -> &'static str {
    match engine {
        EngineName::Postgres => "postgres",
        EngineName::Sqlite => "sqlite",
    }
}

/// Quotes a text as TOML does.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, line: &str) {
        // Writing to a text cannot fail.
        writeln!(self.0, "{line}").unwrap_or_default();
    }
}
