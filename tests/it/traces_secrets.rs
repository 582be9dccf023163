//! Nothing of who is signed in is in what a collector gets.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use tempfile::TempDir;

use crate::hub::Answer;
use crate::process::HubProcess;
use crate::receiver::Receiver;
use crate::support::issuer::TestIssuer;
use crate::traces_collector::Collector;

/// How a secret may look in what was sent: as it is, percent-encoded, in hex, or somewhere
/// within something in base64, which looks different at each of three places.
fn looks(secret: &str) -> Vec<Vec<u8>> {
    let percent = percent_encoding::percent_encode(secret.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let hex: Vec<String> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut looks =
        vec![secret.as_bytes().to_vec(), percent.into_bytes(), form.into_bytes(), hex.concat().into_bytes()];
    for skipped in 0..3 {
        // Whole groups of three bytes only: what stands around a secret changes no more.
        let whole = (secret.len() - skipped) / 3 * 3;
        let inner = &secret.as_bytes()[skipped..skipped + whole];
        looks.push(STANDARD_NO_PAD.encode(inner).into_bytes());
        looks.push(URL_SAFE_NO_PAD.encode(inner).into_bytes());
    }
    looks
}

fn shows(sent: &[u8], secret: &str) -> bool {
    looks(secret).iter().any(|look| sent.windows(look.len()).any(|window| window == look))
}

#[test]
fn a_secret_is_found_in_whatever_shape_it_was_sent() {
    let secret = "auth0|ada+lovelace@example.com";
    let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for around in ["", "x", "xy"] {
        for sent in [
            format!("{around}{secret}{around}"),
            format!("GET /logout?sub={around}{encoded}"),
            STANDARD_NO_PAD.encode(format!("{around}{secret}{around}")),
            URL_SAFE_NO_PAD.encode(format!("{around}{secret}\"")),
        ] {
            assert!(shows(sent.as_bytes(), secret), "{sent}");
        }
    }
    assert!(!shows(b"auth0|bob", secret));
}

#[tokio::test]
async fn no_token_sid_sub_or_state_is_in_what_the_collector_got() {
    let (issuer, collector, mail) = (TestIssuer::start().await, Collector::start().await, Receiver::start().await);
    let folder = TempDir::new().unwrap();
    let tables = format!("{}{}", collector.table(), mail.app("mail", "hub"));
    let mut hub = HubProcess::start_with(&issuer, folder.path(), &tables).await;
    let who = issuer.session("auth0|ada+lovelace@example.com", "session-0f9c-of-ada");
    let (id_token, logout_token) = (issuer.id_token(&who, "notes").sign(), issuer.logout_token(&who, "notes").sign());
    let state = "state-of-ada-5c1e77";

    let request = hub.http.post(hub.url("/api/v1/logouts")).header("origin", "https://notes.example");
    let done = Answer::of(
        request.bearer_auth(&id_token).header("content-type", "application/json").body(r#"{"scope":"session"}"#),
    )
    .await
    .expect(201);
    let token = mail.post().await.token().to_owned();
    let url = hub.url(&format!("/api/v1/logouts/{}", done["id"].as_str().unwrap()));
    Answer::of(hub.http.get(url).bearer_auth(&id_token)).await.expect(200);
    let form = |token: &str| format!("logout_token={token}");
    for body in [form(&logout_token), form(&logout_token), form(&format!("{logout_token}x"))] {
        let request = hub.http.post(hub.url("/backchannel-logout")).body(body);
        Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await;
    }
    let query = [("id_token_hint", id_token.as_str()), ("state", state), ("sid", &who.sid), ("logout_hint", &who.sub)];
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    for path in ["/logout", "/logout/callback", "/sessions", "/api/v1/me/sessions", "/nothing"] {
        let request = hub.http.get(hub.url(&format!("{path}?{query}"))).header("cookie", format!("a={state}"));
        Answer::of(request).await;
    }
    assert!(hub.terminate().await.success());

    let sent: Vec<u8> = collector.requests().into_iter().flat_map(|(_, body)| body).collect();
    let names: Vec<_> = collector.spans().into_iter().map(|span| span.name).collect();
    for name in ["POST /api/v1/logouts", "POST /backchannel-logout", "GET /logout", "verify token", "deliver"] {
        assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
    }
    assert!(shows(&sent, done["id"].as_str().unwrap()), "what may be sent is found");
    let parts = [&id_token, &logout_token, &token].into_iter().flat_map(|token| token.split('.').skip(1));
    for secret in parts.chain([who.sid.as_str(), who.sub.as_str(), state, "example.com"]) {
        assert!(!shows(&sent, secret), "{secret}");
    }
}
