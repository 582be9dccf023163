//! A person's list holds what the issuer's Management API knows, and stands without it.

use serde_json::{Value, json};

use crate::account::{LAPTOP, PHONE, altered, uses};
use crate::hub::{Answer, NOTES};
use crate::issuer_ends::Bureau;
use crate::management_fake::Says;
use crate::support::issuer::TestSession;

pub const ALL: &str = "/api/v1/me/sessions";

/// Notes' token of somebody who signed in just now.
pub fn proved(bureau: &Bureau, who: &TestSession) -> String {
    bureau.hub.issuer.id_token(who, "notes").with("auth_time", json!(bureau.hub.issuer.now())).sign()
}

pub async fn asks(bureau: &Bureau, method: &str, path: &str, token: &str) -> Answer {
    let request = bureau.hub.http.request(method.parse().unwrap(), bureau.hub.url(path)).bearer_auth(token);
    Answer::of(request.header("origin", NOTES).header("user-agent", LAPTOP)).await
}

/// A session that no app has shown to the hub yet.
fn only_there(bureau: &Bureau, sid: &str, sub: &str) -> Value {
    let session = json!({
        "id": sid, "user_id": sub,
        "created_at": "2026-01-05T08:00:00Z", "authenticated_at": "2026-01-05T08:00:00Z",
        "last_interacted_at": "2026-01-06T08:00:00Z",
        "device": {"last_user_agent": PHONE, "last_ip": "203.0.113.7"},
        "clients": [{"client_id": "shop"}, {"client_id": "registered-nowhere"}],
    });
    bureau.api.has_as(session.clone());
    session
}

#[tokio::test]
async fn a_session_that_only_the_issuer_knows_is_listed_and_can_be_ended() {
    let bureau = Bureau::open().await;
    let ada = bureau.signs_in("ada");
    only_there(&bureau, "phone", "ada");
    only_there(&bureau, "bobs", "bob");
    let token = proved(&bureau, &ada);

    let list = asks(&bureau, "GET", ALL, &token).await.expect(200);

    assert_eq!((list["sessions"].as_array().unwrap().len(), &list["complete"]), (2, &json!(true)), "{list}");
    let phone = &list["sessions"][1];
    assert_eq!((&phone["device"], &phone["address"]), (&json!("Chrome on Android"), &json!("203.0.113.7")));
    assert_eq!(phone["apps"], json!([{"name": "Shop", "client_id": "shop"}]));
    assert_eq!((&phone["active"], &phone["started_at"]), (&json!(false), &json!("2026-01-05T08:00:00.000Z")));
    let id = phone["id"].as_str().unwrap();
    assert!(id.len() == 32 && !list.to_string().contains("\"phone\""), "no sid leaves the hub: {list}");

    let path = format!("{ALL}/{id}");
    asks(&bureau, "DELETE", &format!("{ALL}/{}", altered(id)), &token).await.refused(404, "not_found", "not_found");
    let ended = asks(&bureau, "DELETE", &path, &token).await.expect(200);
    let logout = ended["ended"][0]["logout"]["id"].as_str().unwrap();
    bureau.until(logout, "ended").await;
    assert_eq!(bureau.api.revoked(), ["phone"]);
    asks(&bureau, "DELETE", &path, &token).await.refused(404, "not_found", "not_found");
}

/// The public names of what somebody is listed.
async fn ids(bureau: &Bureau, who: &TestSession) -> Vec<String> {
    let list = asks(bureau, "GET", ALL, &proved(bureau, who)).await.expect(200);
    let sessions = list["sessions"].as_array().unwrap();
    sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn another_persons_id_an_altered_one_and_a_path_in_one_are_refused_without_a_call() {
    let bureau = Bureau::open().await;
    let (ada, bob) = (bureau.signs_in("ada"), bureau.signs_in("bob"));
    only_there(&bureau, "phone", "ada");
    only_there(&bureau, "bobs phone", "bob");
    uses(&bureau.hub, &bob, PHONE, &["notes"]).await;
    let (own, bobs) = (ids(&bureau, &ada).await, ids(&bureau, &bob).await);
    assert_eq!((own.len(), bobs.len()), (2, 2), "one that the hub has seen, one that the issuer alone knows");
    let phone = &own[1];
    let mut foreign = bobs.clone();
    foreign.extend([altered(phone), bob.sid.clone(), ada.sid.clone(), "phone".to_owned()]);
    for path in ["../users/bob/sessions", "phone/revoke", "phone?x", "phone#", "\u{0}"] {
        foreign.push(percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC).to_string());
    }
    foreign.extend([format!("..%2F{phone}"), format!("{phone}%2Frevoke"), format!("%252e%252e%252F{phone}")]);
    let asked = bureau.api.kinds().len();

    for id in &foreign {
        let answer = asks(&bureau, "DELETE", &format!("{ALL}/{id}"), &proved(&bureau, &ada)).await;
        answer.refused(404, "not_found", "not_found");
    }

    assert_eq!(bureau.hub.recorded().await, 0, "nothing is on its way to the issuer either");
    assert_eq!(bureau.api.kinds()[asked..], vec!["list"; foreign.len()], "but for the person's own list");
    let lists = bureau.api.asked("list").split_off(asked - bureau.api.count("token"));
    assert!(lists.iter().all(|list| list.path == "/api/v2/users/ada/sessions"), "{lists:?}");

    let ended = asks(&bureau, "DELETE", &format!("{ALL}/{phone}"), &proved(&bureau, &ada)).await.expect(200);
    bureau.until(ended["ended"][0]["logout"]["id"].as_str().unwrap(), "ended").await;
    assert_eq!((bureau.api.count("revoke"), bureau.api.count("delete")), (1, 0), "all that was ever ended");
    assert_eq!(bureau.api.revoked(), ["phone"]);
}

#[tokio::test]
async fn a_name_that_a_session_had_before_the_hub_saw_it_stays_good() {
    let bureau = Bureau::open().await;
    let (ada, phone) = (bureau.signs_in("ada"), bureau.signs_in("ada"));
    let token = proved(&bureau, &ada);
    let list = asks(&bureau, "GET", ALL, &token).await.expect(200);
    let id = list["sessions"][1]["id"].as_str().unwrap().to_owned();

    uses(&bureau.hub, &phone, PHONE, &["notes"]).await;

    let seen = asks(&bureau, "GET", ALL, &token).await.expect(200);
    assert_ne!(seen["sessions"][1]["id"], json!(id));
    let ended = asks(&bureau, "DELETE", &format!("{ALL}/{id}"), &token).await.expect(200);
    assert_eq!(ended["ended"][0]["logout"]["sid"], json!(phone.sid));
}

#[tokio::test]
async fn without_the_issuers_word_the_hubs_own_list_stands_and_says_that_it_may_lack_some() {
    let bureau = Bureau::open().await;
    let (ada, phone) = (bureau.signs_in("ada"), bureau.signs_in("ada"));
    uses(&bureau.hub, &phone, PHONE, &["notes"]).await;
    let token = proved(&bureau, &ada);
    bureau.api.always("list", Some(Says::Status(503)));
    let list = asks(&bureau, "GET", ALL, &token).await.expect(200);
    assert_eq!((list["sessions"].as_array().unwrap().len(), &list["complete"]), (2, &json!(false)), "{list}");
    let ended = asks(&bureau, "DELETE", &format!("{ALL}?except=current"), &token).await.expect(200);
    assert_eq!((&ended["ended"][0]["logout"]["sid"], &ended["complete"]), (&json!(phone.sid), &json!(false)));
    let again = asks(&bureau, "DELETE", &format!("{ALL}?except=current"), &token).await.expect(200);
    assert_eq!(again, json!({"ended": [], "more": 0, "complete": false}), "there may be more, and nobody could say");
    bureau.api.always("list", None);
    let now = asks(&bureau, "DELETE", &format!("{ALL}?except=current"), &token).await.expect(200);
    assert_eq!(now["complete"], json!(true));
}

#[tokio::test]
async fn a_session_that_is_over_here_is_not_listed_because_the_issuer_lags_behind() {
    let bureau = Bureau::open().await;
    let (ada, phone) = (bureau.signs_in("ada"), bureau.signs_in("ada"));
    uses(&bureau.hub, &phone, PHONE, &["notes"]).await;
    bureau.api.always("revoke", Some(Says::Status(503)));
    bureau.ends(&phone, json!({})).await;
    let list = asks(&bureau, "GET", ALL, &proved(&bureau, &ada)).await.expect(200);
    assert!(bureau.api.lasting().contains(&phone.sid));
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1, "{list}");
}
