//! Schemas of a document, as validators.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// A validator of what is at that place in a document.
///
/// A client is told what there is, and may be told more one day: the documents leave their
/// objects open. Here they are closed, so that a member which no document names is found.
pub fn validator(document: &Value, schema: &Value) -> Validator {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [closed_within(schema)],
        "unevaluatedProperties": false,
    });
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let schemas: Map<_, _> = schemas.iter().map(|(name, own)| (name.clone(), closed_within(own))).collect();
    schema["components"] = json!({ "schemas": schemas });
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

/// The schema, with whatever stands in a member or an item of it closed.
fn closed_within(schema: &Value) -> Value {
    let Value::Object(keywords) = schema else { return schema.clone() };
    let each = |(keyword, value): (&String, &Value)| {
        let value = match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                properties.iter().map(|(name, own)| (name.clone(), closed(own))).collect::<Map<_, _>>().into()
            }
            ("items", own) => closed(own),
            ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => all.iter().map(closed_within).collect(),
            _ => value.clone(),
        };
        (keyword.clone(), value)
    };
    Value::Object(keywords.iter().map(each).collect())
}

fn closed(schema: &Value) -> Value {
    json!({"allOf": [closed_within(schema)], "unevaluatedProperties": false})
}

/// Panics where the value does not fit, with every reason.
#[track_caller]
pub fn fits(validator: &Validator, value: &Value, what: &str) {
    let faults: Vec<_> = validator
        .iter_errors(value)
        .map(|error| format!("{} at {:?}", error, error.instance_path().as_str()))
        .collect();
    assert!(faults.is_empty(), "{what}: {value}\n{}", faults.join("\n"));
}

#[test]
fn a_member_that_no_document_names_is_found_at_any_depth() {
    let document = json!({"components": {"schemas": {
        "Inner": {"type": "object", "properties": {"a": {"type": "integer"}}},
        "Outer": {"allOf": [{"$ref": "#/components/schemas/Inner"}, {"properties": {"list": {"items": {"$ref": "#/components/schemas/Inner"}}}}]},
    }}});
    let validator = validator(&document, &json!({"$ref": "#/components/schemas/Outer"}));
    assert!(validator.is_valid(&json!({"a": 1, "list": [{"a": 2}]})));
    assert!(!validator.is_valid(&json!({"a": 1, "b": 1})));
    assert!(!validator.is_valid(&json!({"a": 1, "list": [{"b": 2}]})));
}
