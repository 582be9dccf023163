//! Front-channel frames: an app's page, loaded on the hub's, that signs out there.

use serde_json::{Value, json};
use url::Url;

use crate::browser::{Browser, param, refresh, state_of};
use crate::hub::{Answer, TestHub};
use crate::stories::id_token;
use crate::support::issuer::TestSession;

const LEGACY: &str = r#"
[[apps]]
client_id = "legacy"
issuer = "ISSUER"
name = "Legacy"
frontchannel_logout_uri = "https://legacy.example/slo?tenant=a%20b"
[[apps]]
client_id = "other"
issuer = "ISSUER"
name = "Other"
frontchannel_logout_uri = "https://other.example:8443/x;y,z"
"#;

async fn page_of(hub: &TestHub, browser: &mut Browser<'_>, who: &TestSession) -> (Url, Answer) {
    let token = id_token(hub, who, "shop");
    let answer = browser.gets("/logout", &[("id_token_hint", &token)]).await;
    browser.lands(&answer).await
}

/// What the page's script knows of its frames.
fn frames(page: &Answer) -> Vec<Value> {
    let text = page.text.split("data-frames=\"").nth(1).unwrap().split('"').next().unwrap();
    let text = text.replace("&#34;", "\"").replace("&#38;", "&").replace("&quot;", "\"").replace("&amp;", "&");
    serde_json::from_str(&text).unwrap()
}

fn frame_of(page: &Answer, client_id: &str) -> Value {
    frames(page).into_iter().find(|frame| frame["client_id"] == client_id).unwrap()
}

/// The page's script passes on what a frame said.
async fn says(hub: &TestHub, browser: &Browser<'_>, page: &Url, frame: &Value, says: &str) -> Answer {
    let body = json!({
        "ticket": param(page, "ticket"), "client_id": frame["client_id"], "nonce": frame["nonce"], "says": says,
    });
    posts(hub, browser, &body).await
}

async fn posts(hub: &TestHub, browser: &Browser<'_>, body: &Value) -> Answer {
    let request = hub.http.post(hub.url("/logout/frames")).header("origin", "https://logout.example");
    let request = request.header("cookie", browser.cookie());
    Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn row(hub: &TestHub, client_id: &str) -> Value {
    let issuer = slo_hub::domain::ids::Issuer::parse(hub.issuer.url()).unwrap();
    let logouts = hub.running.hub.store.logouts_after(&issuer, 0, 10).await.unwrap();
    let receipt = hub.receipt(&logouts.last().unwrap().1.id.to_string()).await;
    let rows = receipt["deliveries"].as_array().unwrap();
    rows.iter().find(|row| row["client_id"] == client_id).unwrap_or_else(|| panic!("{receipt}")).clone()
}

#[tokio::test]
async fn a_frame_is_given_issuer_and_session_and_its_own_query_is_kept() {
    let hub = TestHub::start_with(LEGACY).await;
    let ada = hub.issuer.sign_in("ada");
    let (_, page) = page_of(&hub, &mut Browser::new(&hub), &ada).await;
    let src = Url::parse(frame_of(&page, "legacy")["src"].as_str().unwrap()).unwrap();
    assert_eq!((src.host_str(), src.path()), (Some("legacy.example"), "/slo"));
    assert_eq!(param(&src, "tenant"), "a b");
    assert_eq!((param(&src, "iss"), param(&src, "sid")), (hub.issuer.url().to_owned(), ada.sid.clone()));
    assert_eq!(frame_of(&page, "other")["origin"], "https://other.example:8443");
    let policy = page.header("content-security-policy");
    let wanted = "frame-src https://legacy.example/slo https://other.example:8443/x%3By%2Cz;";
    assert!(policy.contains(wanted), "exactly these: {policy}");
}

#[tokio::test]
async fn an_app_is_signed_out_when_its_frame_has_said_so() {
    let hub = TestHub::start_with(LEGACY).await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (url, page) = page_of(&hub, &mut browser, &ada).await;
    assert_eq!(state_of(&page, "legacy"), "signing-out");
    assert_eq!(
        (row(&hub, "legacy").await["via"].as_str(), row(&hub, "legacy").await["status"].as_str()),
        (Some("frontchannel"), Some("pending"))
    );

    assert_eq!(says(&hub, &browser, &url, &frame_of(&page, "legacy"), "done").await.status, 204);
    assert_eq!(says(&hub, &browser, &url, &frame_of(&page, "other"), "partitioned").await.status, 204);
    let page = browser.opens(url.as_str()).await;
    assert_eq!((state_of(&page, "legacy").as_str(), state_of(&page, "other").as_str()), ("signed-out", "unconfirmed"));
    assert_eq!(row(&hub, "legacy").await["status"], "acknowledged");
    assert!(row(&hub, "other").await["error"].as_str().unwrap().contains("storage"), "the receipt says why");
    assert!(frames(&page).is_empty(), "neither is loaded again");
}

#[tokio::test]
async fn a_frame_that_never_answers_is_not_confirmed() {
    let hub = TestHub::start_with(LEGACY).await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (url, page) = page_of(&hub, &mut browser, &ada).await;
    assert_eq!(page.text.matches("<iframe").count(), 2, "also without scripts: {page:?}");
    assert_eq!(page.text.matches("sandbox=\"allow-scripts allow-same-origin allow-forms\"").count(), 2);
    browser.goes_on(&url).await;
    let row = row(&hub, "legacy").await;
    assert_eq!((row["status"].as_str(), row["attempts"].as_u64()), (Some("failed"), Some(1)), "{row}");
    assert_eq!(row["error"], "the app did not confirm in time");
}

#[tokio::test]
async fn nobody_speaks_for_a_frame_without_its_own_nonce() {
    let hub = TestHub::start_with(LEGACY).await;
    let (ada, eve) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("eve"));
    let (eves, eves_page) = page_of(&hub, &mut Browser::new(&hub), &eve).await;
    let mut browser = Browser::new(&hub);
    let (url, page) = page_of(&hub, &mut browser, &ada).await;
    let (legacy, other) = (frame_of(&page, "legacy"), frame_of(&page, "other"));
    let ticket = param(&url, "ticket");
    let body = |ticket: &str, client_id: &str, nonce: &Value| json!({"ticket": ticket, "client_id": client_id, "nonce": nonce, "says": "done"});
    for forged in [
        body(&ticket, "legacy", &other["nonce"]),
        body(&ticket, "legacy", &frame_of(&eves_page, "legacy")["nonce"]),
        body(&param(&eves, "ticket"), "legacy", &legacy["nonce"]),
        body(&ticket, "legacy", &json!("9999999999.AAAA")),
        body("made-up", "legacy", &legacy["nonce"]),
        body(&ticket, "notes", &legacy["nonce"]),
    ] {
        posts(&hub, &browser, &forged).await.refused(404, "not_found", "not_found");
    }
    for strange in [json!({}), json!([]), json!({"ticket": 5}), body(&ticket, "legacy", &json!(null))] {
        posts(&hub, &browser, &strange).await.refused(400, "invalid_request", "bad_json");
    }
    let good = body(&ticket, "legacy", &legacy["nonce"]);
    let from = |origin: &str| hub.http.post(hub.url("/logout/frames")).header("origin", origin.to_owned());
    let elsewhere = from("https://legacy.example").header("content-type", "application/json").body(good.to_string());
    Answer::of(elsewhere).await.refused(403, "invalid_origin", "invalid_origin");
    let as_text = from("https://logout.example").header("content-type", "text/plain").body(good.to_string());
    Answer::of(as_text).await.refused(415, "invalid_request", "bad_content_type");
    assert_eq!(row(&hub, "legacy").await["status"], "pending", "none of them was believed");
}

#[tokio::test]
async fn never_more_than_eight_frames_at_once_and_each_gets_its_turn() {
    let many = |number| {
        format!(
            "[[apps]]\nclient_id = \"app-{number}\"\nissuer = \"ISSUER\"\nfrontchannel_logout_uri = \"https://a{number}.example/slo\"\n"
        )
    };
    let hub = TestHub::start_with(&(0..19).map(many).collect::<String>()).await;
    let ada = hub.issuer.sign_in("ada");
    let mut browser = Browser::new(&hub);
    let (_, mut page) = page_of(&hub, &mut browser, &ada).await;
    assert_eq!(frames(&page).len(), 19);
    let mut turns = vec![page.text.matches("<iframe").count()];
    while refresh(&page).contains("turn=") {
        page = browser.opens(&refresh(&page)).await;
        turns.push(page.text.matches("<iframe").count());
    }
    assert_eq!(turns, [8, 8, 3, 0]);
}
