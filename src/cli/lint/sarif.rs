//! Findings for other programs: SARIF 2.1.0 and GitHub's workflow commands.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use serde::Serialize;
use serde_json::{Value, json};

use super::Each;
use crate::lint::{Finding, Level, RULES};

/// One SARIF log.
#[derive(Serialize)]
pub struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    runs: [Run<'a>; 1],
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    column_kind: &'static str,
    results: Each<'a>,
    tool: Value,
}

/// Returns the findings as one SARIF log.
pub fn document(findings: &[Finding]) -> Log<'_> {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.name,
                "shortDescription": {"text": rule.summary},
                "fullDescription": {"text": rule.effect},
                "help": {"text": rule.remedy},
                "defaultConfiguration": {"level": level(rule.set.level())},
                "properties": {"tags": [rule.set.name()]},
            })
        })
        .collect();
    let tool = json!({"driver": {"name": "dbbuild", "version": env!("CARGO_PKG_VERSION"), "rules": rules}});
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        runs: [Run { column_kind: "unicodeCodePoints", results: Each(findings, result), tool }],
        version: "2.1.0",
    }
}

fn result(finding: &Finding) -> Value {
    let place = &finding.place;
    let index = RULES.iter().position(|rule| rule.name == finding.rule.name);
    json!({
        "ruleId": finding.rule.name,
        "ruleIndex": index,
        "level": level(finding.level),
        "message": {"text": message(finding)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": place.file.replace(' ', "%20"), "uriBaseId": "%SRCROOT%"},
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.line,
                "endColumn": place.column + place.width,
            },
        }}],
    })
}

fn message(finding: &Finding) -> String {
    match &finding.help {
        Some(help) => format!("{}; {help}", finding.message),
        None => finding.message.clone(),
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Off => "none",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

/// Returns a finding as an annotation of a GitHub workflow.
/// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
pub fn annotation(finding: &Finding) -> String {
    let place = &finding.place;
    let escaped = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escaped(text).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::{} file={},line={},col={},title={}::{}",
        if finding.level == Level::Error { "error" } else { "warning" },
        property(&place.file),
        place.line,
        place.column,
        property(finding.rule.name),
        escaped(&message(finding))
    )
}
