//! The page of events, from the doc comments of `src/event.rs`.

use std::fmt::Write as _;

/// A variant of the enum with its fields.
struct Variant {
    name: String,
    meaning: String,
    fields: Vec<(String, String, String)>,
}

pub fn page() -> String {
    let source = super::read("src/event.rs");
    let mut page = super::made_from("src/event.rs");
    page += "# Events\n\n\
             With `--format json`, `dbbuild build` prints one JSON object a line, each when it happens:\n\n\
             ```json\n\
             {\"v\":1,\"event\":\"step-finished\",\"at\":\"2026-01-31T12:00:00.123Z\",\"step\":\"apply\",\"name\":\"0007_search\",\"duration_ms\":12,\"statements\":3,\"skipped\":1,\"passes\":0,\"rows_changed\":0}\n\
             ```\n\n\
             Every event has `v` (1), `event` and `at` (UTC). Fields and events may be added under the same `v`; none is\n\
             taken away or changes its meaning. The last line is always `finished`, with the exit code of the program\n\
             ([exit-codes.md](exit-codes.md)); a failure or refusal is told by `failed` just before it.\n\n";
    for variant in variants(&source, "pub enum Event {") {
        writeln!(page, "## `{}`\n\n{}\n", variant.name, variant.meaning).unwrap();
        fields(&mut page, &variant.fields);
    }
    page +=
        "## What a step came to\n\n`step-finished` has the fields of one of these, by what kind of step it was:\n\n";
    for variant in variants(&source, "pub enum StepResult {") {
        writeln!(page, "{}\n", variant.meaning).unwrap();
        fields(&mut page, &variant.fields);
    }
    page += "## `failed`\n\nThe command failed or refused.\n\n| field | type | |\n|---|---|---|\n\
             | `errors` | list | At least one; each as in [json.md](json.md#errors). |\n\n\
             ## `finished`\n\nThe last event.\n\n| field | type | |\n|---|---|---|\n\
             | `exit_code` | number | The program's exit code. |\n\n## Kinds of step\n\n";
    let kinds = source.split("pub enum StepKind {").nth(1).unwrap().split('}').next().unwrap();
    let kinds: Vec<String> = kinds
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .map(|name| format!("`{}`", kebab(name)))
        .collect();
    writeln!(page, "The values of `step`: {}.", kinds.join(", ")).unwrap();
    page
}

fn fields(page: &mut String, fields: &[(String, String, String)]) {
    if fields.is_empty() {
        return;
    }
    *page += "| field | type | |\n|---|---|---|\n";
    for (name, kind, meaning) in fields {
        if kind == "StepResult" {
            *page += "| … | | What it came to: [more fields](#what-a-step-came-to). |\n";
        } else {
            writeln!(page, "| `{name}` | {} | {} |", json_type(kind), super::cell(meaning)).unwrap();
        }
    }
    *page += "\n";
}

/// Reads the variants of an enum of structs: doc comments, names, fields.
fn variants(source: &str, head: &str) -> Vec<Variant> {
    let body = source.split(head).nth(1).unwrap().split("\n}\n").next().unwrap();
    let (mut variants, mut said, mut renamed): (Vec<Variant>, Vec<&str>, Option<String>) =
        (Vec::new(), Vec::new(), None);
    for line in body.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            said.push(text.trim());
        } else if let Some(name) = line.strip_prefix("#[serde(rename = \"").and_then(|rest| rest.strip_suffix("\")]")) {
            renamed = Some(name.to_owned());
        } else if let Some(name) = line.strip_suffix(" {") {
            let name = renamed.take().unwrap_or_else(|| kebab(name));
            variants.push(Variant { name, meaning: said.join(" "), fields: Vec::new() });
            said.clear();
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(": ") {
            let field = (name.to_owned(), kind.to_owned(), said.join(" "));
            variants.last_mut().unwrap().fields.push(field);
            said.clear();
        }
    }
    assert!(variants.len() > 3 && variants.iter().all(|variant| !variant.meaning.is_empty()));
    variants
}

fn json_type(kind: &str) -> String {
    if let Some(inner) = kind.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>')) {
        return format!("{} or null", json_type(inner));
    }
    match kind {
        "String" => "text".to_owned(),
        "bool" => "boolean".to_owned(),
        "u64" | "u32" | "usize" => "number".to_owned(),
        "Vec<String>" => "list of texts".to_owned(),
        "(u64, u64)" => "two numbers".to_owned(),
        "StepKind" => "[step](#kinds-of-step)".to_owned(),
        other => panic!("the page of events has no word for {other}"),
    }
}

fn kebab(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(c.to_lowercase());
    }
    word
}
