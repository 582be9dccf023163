//! The messages of `slo.v1`: the document of them, the golden frames in `tests/wire`, and
//! the code have the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};
use slo_hub::channels::IdleSignal;
use slo_hub::ws::close_code::CloseCode;

use super::schemas::{fits, validator};
use super::{ASYNCAPI, read};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| read(ASYNCAPI));

/// What the hub sends, by type.
static HEARD: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let schemas = messages("hear").into_iter().map(|(_, schema)| schema);
    schemas.map(|schema| (type_of(&schema), validator(&DOCUMENT, &schema))).collect()
});

/// Panics for a frame that the hub may not send.
#[track_caller]
pub fn is_a_documented_frame(frame: &Value) {
    let kind = frame["type"].as_str().unwrap_or_default();
    let Some(validator) = HEARD.get(kind) else { panic!("no document has {frame}") };
    fits(validator, frame, kind);
}

/// The messages of an operation, and what each looks like.
fn messages(operation: &str) -> Vec<(String, Value)> {
    let named = |reference: &Value| {
        let in_channel = at(reference["$ref"].as_str().unwrap());
        let message = in_channel["$ref"].as_str().unwrap();
        let schema = at(message)["payload"]["$ref"].as_str().unwrap();
        (message.rsplit('/').next().unwrap().to_owned(), at(schema).clone())
    };
    DOCUMENT["operations"][operation]["messages"].as_array().unwrap().iter().map(named).collect()
}

fn at(reference: &str) -> &'static Value {
    DOCUMENT.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

fn type_of(schema: &Value) -> String {
    schema["properties"]["type"]["const"].as_str().unwrap().to_owned()
}

fn golden(name: &str) -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(format!("tests/wire/{name}")).unwrap()).unwrap()
}

#[test]
fn every_golden_frame_is_one_message_of_its_side_and_every_message_has_one() {
    for (direction, operation) in [("client", "say"), ("hub", "hear")] {
        let rows: Vec<_> = golden("frames.json").into_iter().filter(|row| row["direction"] == direction).collect();
        let mut shown = BTreeSet::new();
        let messages = messages(operation);
        for row in &rows {
            let is_one = |(_, schema): &&(String, Value)| validator(&DOCUMENT, schema).is_valid(&row["frame"]);
            let fitting: Vec<_> = messages.iter().filter(is_one).map(|(name, _)| name.clone()).collect();
            assert_eq!(fitting.len(), 1, "{row}: {fitting:?}");
            shown.extend(fitting);
        }
        assert_eq!(shown.len(), messages.len(), "{operation}: only {shown:?} are shown by golden frames");
    }
}

#[test]
fn the_document_has_every_message_that_the_code_has_and_no_other() {
    let words = |file: &str, before: &str| -> BTreeSet<String> {
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        code.split(before).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let of = |operation| messages(operation).iter().map(|(_, schema)| type_of(schema)).collect::<BTreeSet<_>>();
    assert_eq!(of("say"), words("src/ws/frame.rs", "Some(\""));
    let idle = [IdleSignal::Warning { seconds_left: 60 }, IdleSignal::Cancelled].map(|it| it.name().to_owned());
    let mut hubs = words("src/hub/event.rs", "r#type: \"");
    hubs.extend(words("src/ws/frame.rs", "r#type: \""));
    let own: BTreeSet<_> = hubs.into_iter().chain(idle).collect();
    assert_eq!(of("hear"), own);
    // No tongue of its own: the stream of events says what the socket says, but for refusals.
    let mut events = of("hear");
    events.remove("error");
    assert_eq!(of("hearEvents"), events);
}

#[test]
fn the_close_codes_are_those_of_the_code() {
    let documented = DOCUMENT["components"]["schemas"]["CloseCode"]["oneOf"].as_array().unwrap();
    let documented: Vec<_> = documented.iter().map(|code| json!([code["const"], code["title"]])).collect();
    let own: Vec<_> = CloseCode::ALL.into_iter().map(|code| json!([code.number(), code.name()])).collect();
    assert_eq!(documented, own);
}
