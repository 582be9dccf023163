//! `GET /openapi.json` and `GET /asyncapi.json`: what is here, for machines. Written by hand
//! in `specifications/`, because requests are read by hand too: what a type could say of them
//! is not what is refused. The tests hold them to the code.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use serde_json::Value;

use super::documents::revalidated;

/// What issuers, apps and browsers call.
const OPENAPI: &str = include_str!("specifications/openapi.json");
/// What administrators call.
const ADMIN_OPENAPI: &str = include_str!("specifications/admin-openapi.json");
/// The channel `slo.v1`.
const ASYNCAPI: &str = include_str!("specifications/asyncapi.json");

/// A document as it is served.
#[derive(Clone)]
struct Document(Bytes);

/// The public listener's, of the hub with that address.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(public_url: &str) -> Router<S> {
    let openapi = Router::new().route("/openapi.json", get(serve)).with_state(openapi(public_url));
    let asyncapi = Router::new().route("/asyncapi.json", get(serve)).with_state(asyncapi(public_url));
    openapi.merge(asyncapi)
}

/// The admin listener's. It says nothing that a configuration holds, so nobody shows a token.
pub(super) fn admin_routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let document = Document(Bytes::from_static(ADMIN_OPENAPI.as_bytes()));
    Router::new().route("/openapi.json", get(serve)).with_state(document)
}

async fn serve(State(Document(text)): State<Document>, headers: HeaderMap) -> Response {
    revalidated(&headers, "application/json", text)
}

fn openapi(public_url: &str) -> Document {
    changed(OPENAPI, |document| document["servers"][0]["url"] = public_url.into())
}

fn asyncapi(public_url: &str) -> Document {
    let (scheme, host) = public_url.split_once("://").unwrap_or(("https", public_url));
    changed(ASYNCAPI, |document| {
        document["info"]["externalDocs"]["url"] = format!("{public_url}/openapi.json").into();
        let servers = &mut document["servers"];
        for (name, protocol) in [("hub", scheme.replacen("http", "ws", 1)), ("events", scheme.to_owned())] {
            servers[name]["host"] = host.into();
            servers[name]["protocol"] = protocol.into();
        }
    })
}

fn changed(text: &str, change: impl FnOnce(&mut Value)) -> Document {
    let mut document = serde_json::from_str(text).unwrap_or_default();
    change(&mut document);
    Document(document.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &Document) -> Value {
        serde_json::from_slice(&document.0).unwrap()
    }

    #[test]
    fn the_documents_name_the_hub_that_serves_them() {
        let document = read(&openapi("https://logout.acme.example"));
        assert_eq!(document["servers"][0]["url"], "https://logout.acme.example");
        let document = read(&asyncapi("http://localhost:8080"));
        assert_eq!(document["servers"]["hub"]["host"], "localhost:8080");
        assert_eq!(
            (&document["servers"]["hub"]["protocol"], &document["servers"]["events"]["protocol"]),
            (&"ws".into(), &"http".into())
        );
        assert_eq!(document["info"]["externalDocs"]["url"], "http://localhost:8080/openapi.json");
    }
}
