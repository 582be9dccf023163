//! Every answer that any test gets of a hub is held to the documents.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::Value;

use super::schemas::{fits, validator};
use super::{ADMIN_OPENAPI, OPENAPI, read};
use crate::hub::Answer;

static PUBLIC: LazyLock<Value> = LazyLock::new(|| read(OPENAPI));
static ADMIN: LazyLock<Value> = LazyLock::new(|| read(ADMIN_OPENAPI));
/// Validators that were made already, by the place of their answer.
static READY: LazyLock<Mutex<HashMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);

impl Answer {
    /// Panics where the documents do not have this answer to that request.
    #[track_caller]
    pub fn is_as_documented(&self, method: &str, path: &str) {
        // No operation is documented with another method, or of another path, to be refused.
        let is_plain_http = self.status == 400 && self.text.contains("\"https_needed\"");
        if is_plain_http || self.status == 405 || method == "OPTIONS" || method == "HEAD" {
            return;
        }
        let Some((document, route, operations)) = found(path) else { return };
        let place = format!("{method} {route} {}", self.status);
        let answer = &operations[method.to_lowercase()]["responses"][self.status.to_string()];
        if self.status == 404 && answer.is_null() && self.json()["code"] == "not_found" {
            // Asked of the other listener, which has no such path.
            return;
        }
        let answer = resolved(document, answer);
        assert!(answer.is_object(), "no document has {place}: {}", self.text);
        for (name, header) in answer["headers"].as_object().into_iter().flatten() {
            let header = resolved(document, header);
            let value = self.headers.get(name.as_str()).and_then(|value| value.to_str().ok());
            assert!(value.is_some() || header["required"] != true, "{place} comes without {name}");
            if let Some(value) = value {
                fits(&validator(document, &header["schema"]), &value.into(), &format!("{place}, {name}"));
            }
        }
        self.has_a_documented_body(document, answer, &place);
    }

    fn has_a_documented_body(&self, document: &Value, answer: &Value, place: &str) {
        let essence = self.header("content-type").split(';').next().unwrap_or_default();
        let Some(content) = answer["content"].as_object() else {
            assert!(self.text.is_empty(), "{place} has a body: {}", self.text);
            return;
        };
        let Some(kind) = content.get(essence) else { panic!("no document has {place} as {essence:?}") };
        if essence == "application/json" {
            let body = serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{place}: {}", self.text));
            let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
            let validator = *ready
                .entry(place.to_owned())
                .or_insert_with(|| Box::leak(Box::new(validator(document, &kind["schema"]))));
            drop(ready);
            fits(validator, &body, place);
        }
    }
}

/// The document that has a path, the path as it is written there, and what may be asked.
fn found(path: &str) -> Option<(&'static Value, &'static str, &'static Value)> {
    let matches = |route: &str| {
        let (mut own, mut asked) = (route.split('/'), path.split('/'));
        let all = own.by_ref().zip(asked.by_ref()).all(|(own, asked)| own == asked || own.starts_with('{'));
        all && route.matches('/').count() == path.matches('/').count()
    };
    [&*PUBLIC, &*ADMIN].into_iter().find_map(|document| {
        let paths = document["paths"].as_object().unwrap();
        let exact = paths.get_key_value(path);
        let (route, operations) = exact.or_else(|| paths.iter().find(|(route, _)| matches(route)))?;
        Some((document, route.as_str(), operations))
    })
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"].as_str().map_or(value, |place| document.pointer(&place[1..]).unwrap())
}
