//! From a file to the text that runs: normalised, its section taken, includes framed in, variables put in.

use std::collections::{BTreeMap, BTreeSet};

use crate::project::{Layout, Project};
use crate::script::{
    Checksum, Directive, Fault, Filled, ScriptErrors, Text, directives, fill, has_directives, normalise,
};
use crate::sql::{self, Dialect, Span, VariableKind};

/// What a file's text is read as.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The grammar.
    pub dialect: Dialect,
    /// How the file is divided; `None` for code and seeds, which are not.
    pub layout: Option<Layout>,
    /// Values of variables beyond the pinned ones, for environment seeds.
    pub variables: Option<&'a BTreeMap<String, String>>,
}

/// A file's text, and what its layout's own markers say.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The text that runs.
    pub text: Text,
    /// True if the file's own markers ask to run outside a transaction.
    pub no_transaction: bool,
}

/// Reads a file of the project as it runs.
pub fn load(project: &Project, file: &str, reading: Reading<'_>) -> Result<Loaded, ScriptErrors> {
    if let Some(text) = project.texts.get(file) {
        // As it ran: cut, framed and filled in already.
        return Ok(Loaded { text: Text::of_file(file, text.clone()), no_transaction: false });
    }
    let raw = read(project, file)?;
    let (text, no_transaction) = match reading.layout {
        Some(layout) => {
            let sections = match layout.divide(&raw) {
                Ok(sections) => sections,
                Err(fault) => return Err(fault.in_file(&Text::of_file(file, raw.clone())).into()),
            };
            let (line, up) = sections.up;
            let no_transaction = sections.no_transaction
                || layout.name_asks_no_transaction(file)
                || sidecar_says_so(project, layout, file)?;
            // The usual case is the whole file, which is not copied again.
            let part = (up.len() < raw.len()).then(|| up.to_owned());
            let text = Text::of_section(file, part.unwrap_or(raw), line);
            (filled_in(project, text, reading, &mut vec![file.to_owned()])?, no_transaction)
        }
        None => (Text::of_file(file, raw), false),
    };
    let text = if has_directives(text.as_str()) {
        let text = includes(project, text, reading.dialect, &mut vec![file.to_owned()])?;
        variables(project, text, reading)?
    } else {
        text
    };
    Ok(Loaded { text, no_transaction })
}

/// Returns the checksum of a file of the project as it runs. `buffer` is room for its bytes: most files are what they
/// are, and are not copied.
pub fn checksum(
    project: &Project,
    file: &str,
    reading: Reading<'_>,
    buffer: &mut Vec<u8>,
) -> Result<Checksum, ScriptErrors> {
    if !project.texts.contains_key(file) {
        project.files.read_into(file, buffer).map_err(|error| unreadable(file, &error))?;
        if let Some(text) = as_it_is(project, file, reading, buffer) {
            return Ok(Checksum::of_text(text));
        }
    }
    load(project, file, reading).map(|loaded| loaded.text.checksum())
}

/// Returns the part of a file that runs, if nothing is to be changed in it and nothing is wrong with it.
fn as_it_is<'a>(project: &Project, file: &str, reading: Reading<'_>, bytes: &'a [u8]) -> Option<&'a str> {
    let changes = memchr::memchr2(0, b'\r', bytes).is_some() || bytes.starts_with("\u{feff}".as_bytes());
    let text = std::str::from_utf8(bytes).ok().filter(|text| !changes && !has_directives(text))?;
    let Some(layout) = reading.layout else { return Some(text) };
    let is_template = project.has_templates() && text.contains("{{");
    if is_template || layout.sidecar(file).is_some() {
        return None;
    }
    layout.divide(text).ok().map(|sections| sections.up.1)
}

/// Reads how a script is taken back: from the file that says so, else from the section of its own file.
pub fn load_down(
    project: &Project,
    file: &str,
    down: Option<&str>,
    reading: Reading<'_>,
) -> Result<Option<Loaded>, ScriptErrors> {
    if let Some(down) = down {
        let layout = reading.layout.filter(|_| down == file);
        if layout.is_none() {
            return load(project, down, Reading { layout: None, ..reading }).map(Some);
        }
    }
    let Some(layout) = reading.layout else { return Ok(None) };
    let raw = read(project, file)?;
    let sections = match layout.divide(&raw) {
        Ok(sections) => sections,
        Err(fault) => return Err(fault.in_file(&Text::of_file(file, raw.clone())).into()),
    };
    let Some((line, text)) = sections.down else { return Ok(None) };
    let text = Text::of_section(file, text.to_owned(), line);
    let text = filled_in(project, text, reading, &mut vec![file.to_owned()])?;
    let text = includes(project, text, reading.dialect, &mut vec![file.to_owned()])?;
    let text = variables(project, text, reading)?;
    Ok(Some(Loaded { text, no_transaction: sections.down_no_transaction }))
}

/// Returns true if the file beside a script, in which its layout's tool keeps options, asks for no transaction.
fn sidecar_says_so(project: &Project, layout: Layout, file: &str) -> Result<bool, Fault> {
    match layout.sidecar(file).filter(|sidecar| project.files.has(&sidecar.path)) {
        Some(sidecar) => Ok(sidecar.asks_no_transaction(&read(project, &sidecar.path)?)),
        None => Ok(false),
    }
}

fn read(project: &Project, file: &str) -> Result<String, Fault> {
    let bytes = project.files.read(file).map_err(|error| unreadable(file, &error))?;
    normalise(file, bytes)
}

fn unreadable(file: &str, error: &std::io::Error) -> Fault {
    Fault::new("script/unreadable", file, format!("cannot be read: {error}")).hint("make it readable, or take it out")
}

/// Fills in a script that is a template. Its files are named from the scripts' folder.
fn filled_in(
    project: &Project,
    mut text: Text,
    reading: Reading<'_>,
    open: &mut Vec<String>,
) -> Result<Text, ScriptErrors> {
    if !project.has_templates() || !text.as_str().contains("{{") {
        return Ok(text);
    }
    let placed = |text: &Text, span: Span, code: &'static str, message: String, hint: String| {
        let place = text.place(span);
        ScriptErrors::from(Fault::new(code, &place.file.clone(), message).at(place).hint(hint))
    };
    let found = fill(text.as_str(), &|name: &str| project.settings.variables.get(name).cloned())
        .map_err(|fault| placed(&text, fault.span, "script/template", fault.message, fault.hint))?;
    for (span, by) in found.into_iter().rev() {
        let inner = match by {
            Filled::Text(value) => {
                let place = text.place(span);
                Text::of_section(&place.file, value, place.line)
            }
            Filled::File(name) => {
                let path = format!("{}/{name}", project.scripts_folder(reading.dialect));
                let path = path.trim_start_matches("./").to_owned();
                let wrong =
                    |message: String, hint: &str| placed(&text, span, "script/template", message, hint.to_owned());
                if open.contains(&path) {
                    let chain = [open.as_slice(), &[path]].concat().join(" → ");
                    return Err(wrong(format!("a loop of templates: {chain}"), "take one of them out"));
                }
                if path.split('/').any(|part| part == "..")
                    || !project.files.has(&path)
                    || !project.files.is_inside(&path)
                {
                    let hint = "templates are named from the scripts' folder";
                    return Err(wrong(format!("there is no file `{path}` in the project"), hint));
                }
                let inner = Text::of_file(&path, read(project, &path)?);
                open.push(path);
                let inner = filled_in(project, inner, reading, open)?;
                open.pop();
                inner
            }
        };
        text = text.replace(span, &inner);
    }
    Ok(text)
}

/// Frames in what `-- dbbuild: include path` names, relative to the project.
fn includes(project: &Project, text: Text, dialect: Dialect, open: &mut Vec<String>) -> Result<Text, ScriptErrors> {
    let found: Vec<(Span, String)> = directives(text.as_str(), dialect)
        .into_iter()
        .filter_map(|(span, body)| match Directive::parse(body) {
            Ok(Directive::Include(path)) => Some((span, path)),
            _ => None,
        })
        .collect();
    let mut text = text;
    for (span, path) in found.into_iter().rev() {
        let place = text.place(span);
        let fault = |code: &'static str, message: String, hint: &str| {
            ScriptErrors::from(Fault::new(code, &place.file.clone(), message).at(place.clone()).hint(hint))
        };
        let path = path.trim_start_matches("./").to_owned();
        let leaves = path.starts_with('/') || path.split('/').any(|part| part == "..");
        if leaves || (project.files.has(&path) && !project.files.is_inside(&path)) {
            return Err(fault(
                "script/include-outside",
                format!("`{path}` is outside the project"),
                "include files of the project only; the path begins at its folder",
            ));
        }
        if open.contains(&path) {
            let chain = [open.as_slice(), &[path]].concat().join(" → ");
            return Err(fault(
                "script/include-loop",
                format!("an include loop: {chain}"),
                "take one of the includes out",
            ));
        }
        if !project.files.has(&path) {
            return Err(fault(
                "script/include-missing",
                format!("there is no file `{path}` in the project"),
                "the path begins at the project's folder",
            ));
        }
        let inner = Text::of_file(&path, read(project, &path)?);
        open.push(path);
        let inner = includes(project, inner, dialect, open)?;
        open.pop();
        text = text.replace(span, &inner);
    }
    Ok(text)
}

/// Returns the files of the project that a file includes, and those that they include.
pub fn included(project: &Project, file: &str, dialect: Dialect) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![file.to_owned()];
    while let Some(file) = open.pop() {
        // What cannot be read is told by whoever reads it to run it.
        let Ok(text) = read(project, &file) else { continue };
        for (_, body) in directives(&text, dialect) {
            let Ok(Directive::Include(path)) = Directive::parse(body) else { continue };
            let path = path.trim_start_matches("./").to_owned();
            if found.insert(path.clone()) {
                open.push(path);
            }
        }
    }
    found
}

/// Puts in the values of the variables that the file declares.
fn variables(project: &Project, text: Text, reading: Reading<'_>) -> Result<Text, ScriptErrors> {
    let mut declared: Vec<String> = Vec::new();
    for (_, body) in directives(text.as_str(), reading.dialect) {
        if let Ok(Directive::Variables(names)) = Directive::parse(body) {
            declared.extend(names);
        }
    }
    if declared.is_empty() {
        return Ok(text);
    }
    // What cannot be lexed is told by the cut, with its place.
    let Ok(uses) = sql::variables(text.as_str(), reading.dialect) else { return Ok(text) };
    let value_of = |name: &str| {
        let own = reading.variables.and_then(|values| values.get(name));
        own.or_else(|| project.settings.variables.get(name))
    };
    let mut text = text;
    for used in uses.into_iter().rev() {
        let place = text.place(used.span);
        let fault = |message: String, hint: String| {
            ScriptErrors::from(Fault::new("script/variable", &place.file.clone(), message).at(place.clone()).hint(hint))
        };
        if !declared.contains(&used.name) {
            return Err(fault(
                format!("the variable `{}` is not declared", used.name),
                format!("add it to `-- dbbuild: variables {}`", declared.join(", ")),
            ));
        }
        let Some(value) = value_of(&used.name) else {
            return Err(fault(
                format!("the variable `{}` has no pinned value", used.name),
                format!("give it one in dbbuild.toml: under `[variables]`, `{} = \"…\"`", used.name),
            ));
        };
        let written = match used.kind {
            VariableKind::Literal => sql::quote_literal(reading.dialect, value),
            VariableKind::Identifier => sql::quote_identifier(reading.dialect, value),
        };
        text = text.replace(used.span, &Text::of_section(&place.file, written, place.line));
    }
    Ok(text)
}
