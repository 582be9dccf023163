//! The documents have every route, with its methods, and no other.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{ADMIN_OPENAPI, OPENAPI, read};
use crate::hub::TestHub;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Where only the hub's own pages, their scripts and its own redirects lead a browser. They
/// may change with any version.
const OWN: [&str; 15] = [
    "/logout/signed-in",
    "/logout/signing-out",
    "/logout/onward",
    "/logout/chain",
    "/logout/callback",
    "/logout/progress",
    "/logout/frames",
    "/logout/receipt/{id}",
    "/sessions/sign-in",
    "/sessions/prove",
    "/sessions/callback",
    "/sessions/end",
    "/sessions/ended",
    "/sessions/progress",
    "/api/{*nothing}",
];

/// Every path that the edges hand to their routers.
fn in_code() -> BTreeSet<String> {
    let files = ["http", "pages", "pages/sessions", "ws"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(format!("src/{folder}")).unwrap().map(|entry| entry.unwrap().path()));
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    let paths = texts.flat_map(|text| {
        let after = text.split(".route(").skip(1);
        after.filter_map(|rest| Some(rest.split('"').nth(1)?.to_owned())).collect::<Vec<_>>()
    });
    paths.filter(|path| !path.starts_with("/assets/")).collect()
}

fn paths_of(document: &Value) -> BTreeSet<String> {
    document["paths"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_path_of_the_routers_is_in_a_document_and_the_other_way_round() {
    let mut documented = paths_of(&read(OPENAPI));
    documented.extend(paths_of(&read(ADMIN_OPENAPI)));
    let own: BTreeSet<_> = OWN.into_iter().map(str::to_owned).collect();
    let in_code = in_code();
    assert!(in_code.is_superset(&own), "{:?} are no more", own.difference(&in_code).collect::<Vec<_>>());
    assert_eq!(in_code.difference(&own).cloned().collect::<BTreeSet<_>>(), documented);
}

#[tokio::test]
async fn a_path_takes_the_methods_that_its_document_has_and_no_others() {
    let hub = TestHub::start_with_admin_token("admin-token-0123456789").await;
    let mut faults = Vec::new();
    for (document, base) in [(read(OPENAPI), hub.url("")), (read(ADMIN_OPENAPI), hub.admin_url(""))] {
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in METHODS {
                let url = format!("{base}{}", path.replace("{id}", "current"));
                let request = hub.http.request(method.parse().unwrap(), url).bearer_auth("admin-token-0123456789");
                let status = request.send().await.unwrap().status().as_u16();
                let is_documented = operations.get(method.to_lowercase()).is_some();
                if (status != 405) != is_documented {
                    faults.push(format!("{method} {path}: {status}, documented: {is_documented}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[tokio::test]
async fn the_documents_are_served_and_named_where_clients_look_first() {
    let hub = TestHub::start().await;
    let get = async |url: String| crate::hub::Answer::of(hub.http.get(url)).await;
    let about = get(hub.url("/.well-known/slo-hub")).await.expect(200);
    assert_eq!(about["openapi"], "https://logout.example/openapi.json");
    assert_eq!(about["asyncapi"], "https://logout.example/asyncapi.json");
    let openapi = get(hub.url("/openapi.json")).await;
    assert_eq!(openapi.expect(200)["servers"][0]["url"], "https://logout.example");
    assert_eq!(
        (openapi.header("access-control-allow-origin"), openapi.header("cache-control")),
        ("*", "public, no-cache")
    );
    let asyncapi = get(hub.url("/asyncapi.json")).await.expect(200);
    assert_eq!(asyncapi["servers"]["hub"]["host"], "logout.example");
    let again = hub.http.get(hub.url("/openapi.json")).header("if-none-match", openapi.header("etag"));
    assert_eq!(crate::hub::Answer::of(again).await.status, 304);
    let admin = get(hub.admin_url("/openapi.json")).await.expect(200);
    assert!(admin["paths"]["/api/v1/admin/logouts"].is_object(), "{admin}");
    assert!(openapi.json()["paths"]["/api/v1/admin/logouts"].is_null(), "the public has no use for it");
}
