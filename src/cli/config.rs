//! `dbbuild config`: each setting with where it was said.

use serde_json::{Value, json};

use super::{Context, Exit, Outcome};
use crate::project::{Origin, SETTINGS, Settings};

/// Prints the settings.
pub fn run(context: &Context) -> Outcome {
    let project = context.project()?;
    let said = flatten(&serde_json::to_value(&project.settings).unwrap_or_default());
    let defaults = flatten(&serde_json::to_value(Settings::default()).unwrap_or_default());
    let mut rows = vec![row(
        "project.name",
        json!(project.name),
        if project.settings.project.name.is_some() { SETTINGS } else { "default: the folder's name" },
    )];
    match project.target(&context.selection(), &context.host) {
        Ok((target, origin)) => {
            let shown = match crate::build::open(&target, &context.host, &context.interrupt) {
                Ok(engine) => engine.describe(),
                Err(_) => target.shown.clone(),
            };
            let name = target.name.map_or_else(|| shown.clone(), |name| format!("{name} ({shown})"));
            rows.push(row("target", json!(name), &origin_word(&origin)));
        }
        Err(error) => rows.push(row("target", Value::Null, &error.to_string())),
    }
    for (name, value) in said {
        if name == "project.name" {
            continue;
        }
        let is_empty = value.as_array().is_some_and(Vec::is_empty);
        let is_default =
            value.is_null() || is_empty || defaults.iter().any(|(known, default)| *known == name && *default == value);
        // A password stands in the settings at most by mistake; it is not shown for that.
        let value =
            if !value.is_null() && (name.ends_with(".password") || name.ends_with(".url") && holds_password(&value)) {
                json!("***")
            } else {
                value
            };
        rows.push(row(&name, value, if is_default { "default" } else { SETTINGS }));
    }
    if context.is_json() {
        context.document(&json!({"v": 1, "settings": rows}));
    } else {
        for row in rows {
            let text = match &row["value"] {
                Value::Null => "-".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let (name, origin) = (row["name"].as_str().unwrap_or_default(), row["origin"].as_str().unwrap_or_default());
            context.print(format!("{name:<32} {text:<40} {origin}"));
        }
    }
    Ok(Exit::Done)
}

fn row(name: &str, value: Value, origin: &str) -> Value {
    json!({"name": name, "value": value, "origin": origin})
}

fn origin_word(origin: &Origin) -> String {
    match origin {
        Origin::Flag(flag) => (*flag).to_owned(),
        Origin::Variable(name) => format!("variable {name}"),
        Origin::File => SETTINGS.to_owned(),
        Origin::Default => "default".to_owned(),
    }
}

fn holds_password(value: &Value) -> bool {
    let Some(url) = value.as_str() else { return false };
    url.contains("password=")
        || url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).is_some_and(|(user, _)| user.contains(':'))
}

/// Returns every leaf of a value with its dotted name.
fn flatten(value: &Value) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    descend(String::new(), value, &mut leaves);
    leaves
}

fn descend(name: String, value: &Value, leaves: &mut Vec<(String, Value)>) {
    let is_source = value.as_object().is_some_and(|object| {
        object.len() == 1 && ["env", "command", "file"].iter().any(|key| object.contains_key(*key))
    });
    match value {
        Value::Object(object) if !is_source => {
            for (key, value) in object {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                descend(name, value, leaves);
            }
        }
        _ => leaves.push((name, value.clone())),
    }
}
