//! The JSON Schema of `dbbuild.toml`, for editors that check and complete TOML.

use super::Settings;

/// Returns the schema as `docs/reference/dbbuild.schema.json` holds it.
pub fn settings_schema() -> String {
    let mut schema = schemars::schema_for!(Settings);
    schema.insert("title".to_owned(), "dbbuild.toml".into());
    schemars::transform::transform_subschemas(&mut without_default, &mut schema);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Takes defaults out: they are empty values here, and the descriptions say what holds instead.
fn without_default(schema: &mut schemars::Schema) {
    schema.remove("default");
    schemars::transform::transform_subschemas(&mut without_default, schema);
}
