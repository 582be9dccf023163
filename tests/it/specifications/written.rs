//! What is served as JSON is written as YAML, in parts that the documents share.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{ADMIN_OPENAPI, ASYNCAPI, OPENAPI};

const FOLDER: &str = "src/http/specifications";

/// One document: its name, as it is committed, and the parts it is made of.
struct Document {
    name: &'static str,
    committed: &'static str,
    parts: &'static [&'static str],
}

const DOCUMENTS: [Document; 3] = [
    Document {
        name: "openapi.json",
        committed: OPENAPI,
        parts: &["shared/names", "shared/token-codes", "shared/schemas", "shared/responses", "public"],
    },
    Document {
        name: "admin-openapi.json",
        committed: ADMIN_OPENAPI,
        parts: &["shared/names", "shared/schemas", "shared/responses", "admin"],
    },
    Document { name: "asyncapi.json", committed: ASYNCAPI, parts: &["shared/names", "shared/token-codes", "slo.v1"] },
];

#[test]
fn the_documents_are_those_that_are_written() {
    for document in &DOCUMENTS {
        let text = format!("{:#}\n", assembled(document));
        let path = Path::new(FOLDER).join(document.name);
        if std::env::var_os("WRITE_SPECIFICATIONS").is_some() {
            std::fs::write(path, text).unwrap();
        } else {
            assert!(text == document.committed, "{} is not what is written: run make specifications", path.display());
        }
    }
}

/// A reference that leads nowhere, or a part that nobody refers to, is a slip of the pen.
#[test]
fn every_reference_leads_somewhere_and_every_part_is_used() {
    for document in &DOCUMENTS {
        let whole = super::read(document.committed);
        let mut used = Vec::new();
        references(&whole, &mut used);
        for reference in &used {
            assert!(whole.pointer(&reference[1..]).is_some(), "{}: {reference}", document.name);
        }
        for (kind, parts) in whole["components"].as_object().unwrap() {
            let is_used = |name: &String| used.contains(&format!("#/components/{kind}/{name}"));
            let idle: Vec<_> = parts.as_object().unwrap().keys().filter(|name| !is_used(name)).collect();
            // Security schemes are named, not referred to; close codes stand by themselves.
            let is_fine = kind == "securitySchemes" || idle.iter().all(|name| *name == "CloseCode");
            assert!(is_fine, "{}: {kind} {idle:?}", document.name);
        }
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

fn assembled(document: &Document) -> Value {
    let mut whole = json!({});
    for part in document.parts {
        let path = Path::new(FOLDER).join(part);
        let mut files = vec![path.with_extension("yaml")];
        if path.is_dir() {
            files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
        }
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let part: Value =
                serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            lay_together(&mut whole, part);
        }
    }
    whole["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    answer_as_all_do(&mut whole);
    whole
}

/// Objects member by member. Anything else stands in one part only.
fn lay_together(whole: &mut Value, part: Value) {
    let (Value::Object(members), Value::Object(more)) = (&mut *whole, part) else { panic!("written twice: {whole}") };
    for (name, value) in more {
        match members.get_mut(&name) {
            Some(own) => lay_together(own, value),
            None => drop(members.insert(name, value)),
        }
    }
}

/// What stands around every handler: each answer carries the request's id, and each request's
/// head is bounded. Said here once, not a hundred times over there.
fn answer_as_all_do(whole: &mut Value) {
    let header = json!({"$ref": "#/components/headers/RequestId"});
    for path in members(whole, "paths") {
        let operations = path.as_object_mut().unwrap().values_mut();
        for operation in operations.filter(|operation| operation.get("responses").is_some()) {
            operation["responses"]["431"] = json!({"$ref": "#/components/responses/HeadTooLarge"});
            for answer in members(operation, "responses") {
                if answer.get("$ref").is_none() {
                    answer["headers"]["X-Request-Id"] = header.clone();
                }
            }
        }
    }
    for answer in whole.get_mut("components").into_iter().flat_map(|components| members(components, "responses")) {
        answer["headers"]["X-Request-Id"] = header.clone();
    }
}

fn members<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(name).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
}
