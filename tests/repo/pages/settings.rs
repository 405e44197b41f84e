//! The page of `dbbuild.toml`, from its JSON Schema.

use std::fmt::Write as _;

use serde_json::Value;

pub fn page() -> String {
    let schema: Value = serde_json::from_str(&dbbuild::project::settings_schema()).unwrap();
    let mut page = super::made_from("`project::settings` in src/project/settings.rs");
    page += "# dbbuild.toml\n\n";
    writeln!(page, "{}", said(&schema)).unwrap();
    page += "The same as a JSON Schema, for editors: [dbbuild.schema.json](dbbuild.schema.json). `dbbuild config` prints\n\
             each value with where it was said.\n\n";
    for (name, part) in object(&schema["properties"]) {
        let each = part.get("additionalProperties");
        let (heading, definition) = match each {
            Some(each) if each.get("$ref").is_some() => (format!("[{name}.NAME]"), resolve(&schema, each)),
            Some(_) => (format!("[{name}]"), None),
            None => (format!("[{name}]"), resolve(&schema, part)),
        };
        writeln!(page, "## `{heading}`\n\n{}\n", said(part)).unwrap();
        let Some(definition) = definition else {
            page += "```toml\n";
            writeln!(page, "[{name}]\nname = \"value\"\n```\n").unwrap();
            continue;
        };
        page += "| key | value | |\n|---|---|---|\n";
        for (key, property) in object(&definition["properties"]) {
            let kind = kind(&schema, property);
            writeln!(page, "| `{key}` | {} | {} |", super::cell(&kind), super::cell(&said(property))).unwrap();
        }
        page += "\n";
    }
    page += "## Values that come from elsewhere\n\nA URL, a password and the like are a text, or say where the text comes from:\n\n";
    page += "| written | |\n|---|---|\n| `\"text\"` | The value itself. |\n";
    for form in schema["$defs"]["Value"]["anyOf"].as_array().unwrap().iter().filter(|form| form["type"] == "object") {
        for (key, what) in object(&form["properties"]) {
            let meaning = format!("{} {}", said(form), said(what));
            writeln!(page, "| `{{ {key} = \"…\" }}` | {} |", super::cell(&meaning)).unwrap();
        }
    }
    page += "\n## Layouts\n\nThe values of `style` under `[layout]`:\n\n| style | |\n|---|---|\n";
    for layout in schema["$defs"]["Layout"]["oneOf"].as_array().unwrap() {
        writeln!(page, "| `{}` | {} |", layout["const"].as_str().unwrap(), super::cell(&said(layout))).unwrap();
    }
    page
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().unwrap().iter()
}

fn said(value: &Value) -> String {
    value["description"].as_str().unwrap_or_default().to_owned()
}

fn resolve<'a>(schema: &'a Value, value: &Value) -> Option<&'a Value> {
    schema.pointer(value["$ref"].as_str()?.trim_start_matches('#'))
}

/// Returns what a value looks like, in words.
fn kind(schema: &Value, value: &Value) -> String {
    if let Some(target) = resolve(schema, value) {
        if value["$ref"] == "#/$defs/Value" {
            return "[value](#values-that-come-from-elsewhere)".into();
        }
        if value["$ref"] == "#/$defs/Layout" {
            return "[layout](#layouts)".into();
        }
        return kind(schema, target);
    }
    let list = |values: &Value, of: &dyn Fn(&Value) -> String| {
        let shown: Vec<String> = values.as_array().unwrap().iter().map(of).filter(|kind| kind != "null").collect();
        shown.join(", ")
    };
    if value.get("anyOf").is_some() {
        return list(&value["anyOf"], &|value| kind(schema, value));
    }
    if value.get("oneOf").is_some() {
        return list(&value["oneOf"], &|value| kind(schema, value));
    }
    if value.get("enum").is_some() {
        return list(&value["enum"], &|value| value.as_str().map_or("null".into(), |word| format!("`{word}`")));
    }
    if let Some(word) = value["const"].as_str() {
        return format!("`{word}`");
    }
    if value.get("items").is_some() {
        let item = kind(schema, &value["items"]);
        return if item == "text" { "list of texts".into() } else { format!("list of {item}") };
    }
    if value.get("properties").is_some() {
        let keys: Vec<String> = object(&value["properties"]).map(|(key, _)| format!("`{key}`")).collect();
        return format!("table with {}", keys.join(", "));
    }
    if value.get("additionalProperties").is_some_and(Value::is_object) {
        return "table of texts".into();
    }
    let types = match &value["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        _ => Vec::new(),
    };
    let word = |name: &str| match name {
        "string" => "text",
        "boolean" => "`true`, `false`",
        "integer" => "number",
        _ => "null",
    };
    let words: Vec<&str> = types.into_iter().map(word).filter(|word| *word != "null").collect();
    if words.is_empty() { "null".into() } else { words.join(", ") }
}
