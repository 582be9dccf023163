//! The documents have every code that a refusal can have, and no other.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use slo_hub::hub::denied::RequestFault;
use slo_hub::oidc::fault::TokenFault;
use slo_hub::ws::close_code::CloseCode;

use super::schemas::{fits, validator};
use super::{ADMIN_OPENAPI, ASYNCAPI, OPENAPI, read};

type Words = BTreeSet<String>;

/// What the documents list as values of the member `code`.
fn documented(texts: &[&str]) -> Words {
    let mut words = Words::new();
    for document in texts.iter().map(|text| read(text)) {
        listed(&document, &document, false, &mut words);
    }
    words
}

fn listed(document: &Value, value: &Value, is_code: bool, words: &mut Words) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("enum", Value::Array(values)) if is_code => {
                        words.extend(values.iter().map(|word| word.as_str().unwrap().to_owned()));
                    }
                    ("$ref", Value::String(to)) if is_code => {
                        listed(document, document.pointer(&to[1..]).unwrap(), true, words);
                    }
                    ("example" | "examples", _) => {}
                    _ => listed(document, member, is_code || name == "code", words),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| listed(document, item, is_code, words)),
        _ => {}
    }
}

/// The texts that stand in quotes right behind `before`, in the code of a file.
fn quoted(file: &str, before: &str) -> Words {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let squeezed = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let after = squeezed.split(before).skip(1).map(str::trim_start);
    after.filter_map(|rest| Some(rest.strip_prefix('"')?.split('"').next()?.to_owned())).collect()
}

/// What refuses a request or a token, wherever it is said.
fn of_faults() -> Words {
    let tokens = TokenFault::ALL.iter().map(|fault| fault.code());
    tokens.chain(RequestFault::ALL.iter().map(|fault| fault.code())).map(str::to_owned).collect()
}

/// The codes that are written where the hub's refusals are turned outward.
fn of_problems() -> Words {
    let file = "src/web/problem.rs";
    let mut words = quoted(file, "code:");
    words.extend(quoted(file, "unavailable("));
    words.extend(quoted(file, "NOT_FRESH: &str ="));
    // A refusal by 403 has one word for both members; by 401 the finer one comes second.
    words.extend(quoted(file, "forbidden("));
    for error in ["\"invalid_token\",", "\"invalid_client\","] {
        words.extend(quoted(file, &format!("unauthorized( {error}")));
        words.extend(quoted(file, &format!("unauthorized({error}")));
    }
    words.remove("access_denied");
    for file in ["src/ws/mod.rs", "src/ws/handshake.rs"] {
        words.extend(quoted(file, "code:"));
    }
    words
}

/// Those of messages, of which HTTP knows nothing.
fn of_messages() -> Words {
    let files = ["src/ws/frame.rs", "src/ws/serve.rs", "src/ws/follow.rs"];
    let mut words: Words = files.iter().flat_map(|file| quoted(file, "BadMessage(")).collect();
    words.extend(quoted("src/ws/frame.rs", "error(CloseCode::BadMessage,"));
    // Those of `Conversation::say`: the close code's name, where there is nothing finer.
    words.extend([CloseCode::SubscribeTimeout, CloseCode::OtherSession].map(|code| code.name().to_owned()));
    words
}

#[test]
fn every_code_is_in_a_document_and_every_documented_code_is_in_the_code() {
    let own: Words = [of_faults(), of_problems(), of_messages()].into_iter().flatten().collect();
    // A path that takes no such method has no operation to say so in.
    let own: Words = own.into_iter().filter(|word| word != "method_not_allowed").collect();
    assert!(own.len() > 70, "{own:?}");
    assert_eq!(documented(&[OPENAPI, ADMIN_OPENAPI, ASYNCAPI]), own);
    let over_http: Words = own.difference(&of_messages()).cloned().collect();
    let both = documented(&[OPENAPI, ADMIN_OPENAPI]);
    let missing: Vec<_> = over_http.difference(&both).filter(|word| *word != "unknown_cursor").collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_rule_for_logout_tokens_is_among_their_codes() {
    let document = read(OPENAPI);
    let listed = |name: &str| -> Words {
        let words = document["components"]["schemas"][name]["enum"].as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let all: Words = TokenFault::ALL.iter().map(|fault| fault.code().to_owned()).collect();
    let only_of_id_tokens = ["not_an_id_token", "token_expired"].map(str::to_owned);
    assert_eq!(listed("LogoutTokenCode"), all.difference(&only_of_id_tokens.into()).cloned().collect());
    assert!(listed("TokenCode").is_subset(&all));
}

#[test]
fn every_example_fits_its_schema() {
    let mut seen = 0;
    for document in [read(OPENAPI), read(ADMIN_OPENAPI)] {
        check_examples(&document, &document, &mut seen);
    }
    assert!(seen >= 15, "{seen} examples");
}

fn check_examples(document: &Value, value: &Value, seen: &mut usize) {
    match value {
        Value::Object(members) => {
            if let Some(schema) = members.get("schema") {
                let named = members.get("examples").and_then(Value::as_object).into_iter().flatten();
                let examples = named.map(|(_, example)| &example["value"]).chain(members.get("example"));
                for example in examples {
                    fits(&validator(document, schema), example, "an example");
                    *seen += 1;
                }
            }
            if let (Some(Value::Array(examples)), true) = (members.get("examples"), members.contains_key("type")) {
                for example in examples {
                    fits(&validator(document, value), example, "an example");
                    *seen += 1;
                }
            }
            members.values().for_each(|member| check_examples(document, member, seen));
        }
        Value::Array(items) => items.iter().for_each(|item| check_examples(document, item, seen)),
        _ => {}
    }
}
