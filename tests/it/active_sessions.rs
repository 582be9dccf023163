//! Which of a person's sessions are listed as active, which are probably over, and that
//! "everywhere else" ends both.

use std::time::Duration;

use chrono::DateTime;
use serde_json::{Value, json};
use slo_hub::domain::clock::Clock as _;

use crate::account::{self, LAPTOP, PHONE, count, field, opens_list, uses};
use crate::browser::{Browser, HUB};
use crate::hub::{Answer, NOTES, TestHub};
use crate::issuer_ends::Bureau;
use crate::stories::id_token;
use crate::support::issuer::TestSession;
use crate::tab::Tab;

const OTHERS: &str = "?except=current";
const DAY: u64 = 24 * 3600;

/// The API is asked for the sessions of somebody who proved just now who they are.
async fn asks(hub: &TestHub, method: &str, query: &str, who: &TestSession) -> Value {
    let token = hub.issuer.id_token(who, "notes").with("auth_time", json!(hub.issuer.now())).sign();
    let url = hub.url(&format!("/api/v1/me/sessions{query}"));
    let request = hub.http.request(method.parse().unwrap(), url).bearer_auth(token);
    Answer::of(request.header("origin", NOTES).header("user-agent", LAPTOP)).await.expect(200)
}

fn listed(list: &Value) -> usize {
    list["sessions"].as_array().unwrap().len()
}

fn passes(hub: &TestHub, seconds: u64) {
    hub.advance(Duration::from_secs(seconds));
}

/// So many minutes ago, as the issuer writes it.
fn ago(hub: &TestHub, minutes: i64) -> String {
    DateTime::from_timestamp_millis(hub.clock.now().0 - minutes * 60_000).unwrap().to_rfc3339()
}

/// Notes was used in so many sessions of a person.
async fn crowd(hub: &TestHub, sub: &str, size: usize) {
    for _ in 0..size {
        let token = id_token(hub, &hub.issuer.sign_in(sub), "notes");
        let request = hub.http.get(hub.url("/api/v1/session")).bearer_auth(token);
        Answer::of(request.header("origin", NOTES).header("user-agent", PHONE)).await.expect(200);
    }
    hub.running.hub.look_after_sessions().await;
}

#[tokio::test]
async fn a_session_that_nobody_saw_for_a_month_is_not_listed_and_everywhere_else_ends_it_all_the_same() {
    let hub = TestHub::start().await;
    let phone = hub.issuer.sign_in("ada");
    uses(&hub, &phone, PHONE, &["notes"]).await;
    passes(&hub, 29 * DAY);
    let laptop = hub.issuer.sign_in("ada");
    let list = asks(&hub, "GET", "", &laptop).await;
    assert_eq!((listed(&list), &list["others"]), (2, &json!({"sessions": 1, "devices": 1, "apps": 1, "lapsed": 0})));

    passes(&hub, DAY);
    let list = asks(&hub, "GET", "", &laptop).await;
    assert_eq!((listed(&list), &list["others"]), (1, &json!({"sessions": 0, "devices": 0, "apps": 0, "lapsed": 1})));
    assert_eq!(hub.recorded().await, 0, "that it is not listed is no logout");

    let ended = asks(&hub, "DELETE", OTHERS, &laptop).await;
    assert_eq!((&ended["ended"][0]["logout"]["sid"], &ended["more"]), (&json!(phone.sid), &json!(0)));
    assert_eq!(asks(&hub, "GET", "", &laptop).await["others"]["lapsed"], 0);
}

#[tokio::test]
async fn while_an_app_of_it_is_open_a_session_is_listed_however_long_it_did_nothing() {
    let hub = TestHub::start().await;
    let phone = hub.issuer.sign_in("ada");
    let (_notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &phone, "notes")).await;
    passes(&hub, 31 * DAY);
    let laptop = hub.issuer.sign_in("ada");
    let list = asks(&hub, "GET", "", &laptop).await;
    assert_eq!((listed(&list), &list["sessions"][1]["active"]), (2, &json!(true)), "{list}");
}

/// How many are listed, how many are probably over, and what the second is known to be.
fn standing(list: &Value) -> (usize, &Value, &Value) {
    (listed(list), &list["others"]["lapsed"], &list["sessions"][1]["ended_at_issuer"])
}

#[tokio::test]
async fn a_session_that_the_issuer_has_let_run_out_keeps_its_button_for_days() {
    let bureau = Bureau::open_with_pages().await;
    let (ada, phone) = (bureau.signs_in("ada"), bureau.signs_in("ada"));
    uses(&bureau.hub, &phone, PHONE, &["notes"]).await;
    bureau.api.forgets(&phone.sid);
    let list = asks(&bureau.hub, "GET", "", &ada).await;
    assert_eq!(standing(&list), (2, &json!(0), &json!(false)), "the issuer's list may lag behind: {list}");

    // An app that was rendered on its server asks the hub for nothing.
    passes(&bureau.hub, 300);
    let list = asks(&bureau.hub, "GET", "", &ada).await;
    assert_eq!(standing(&list), (2, &json!(0), &json!(true)), "{list}");
    assert_eq!((&list["others"]["sessions"], &list["sessions"][0]["ended_at_issuer"]), (&json!(1), &json!(false)));
    let mut browser = Browser::called(&bureau.hub, LAPTOP);
    let page = opens_list(&bureau.hub, &mut browser, &ada, 0).await;
    assert_eq!((count(&page), page.text.matches("<button type=\"submit\"").count()), (2, 2), "{page:?}");
    let said = "has ended; apps there may still be signed in.</p>";
    assert_eq!(page.text.matches(said).count(), 1, "{page:?}");

    let one = format!("/{}", list["sessions"][1]["id"].as_str().unwrap());
    let ended = asks(&bureau.hub, "DELETE", &one, &ada).await;
    assert_eq!(ended["ended"][0]["logout"]["sid"], json!(phone.sid));
}

#[tokio::test]
async fn a_session_that_the_issuer_has_let_run_out_is_listed_again_after_three_days_only_when_it_is_used() {
    let bureau = Bureau::open().await;
    let (ada, phone) = (bureau.signs_in("ada"), bureau.signs_in("ada"));
    uses(&bureau.hub, &phone, PHONE, &["notes"]).await;
    bureau.api.forgets(&phone.sid);
    passes(&bureau.hub, 3 * DAY);
    let list = asks(&bureau.hub, "GET", "", &ada).await;
    assert_eq!((listed(&list), &list["others"]["lapsed"], &list["complete"]), (1, &json!(1), &json!(true)), "{list}");
    bureau.api.always("list", Some(crate::management_fake::Says::Status(503)));
    let list = asks(&bureau.hub, "GET", "", &ada).await;
    assert_eq!((listed(&list), &list["complete"]), (2, &json!(false)), "no answer is no word against it");
    bureau.api.always("list", None);

    let state = bureau.hub.gets("/api/v1/session", &id_token(&bureau.hub, &phone, "notes")).await.expect(200);
    assert_eq!((&state["active"], bureau.hub.recorded().await), (&json!(true), 0), "nothing was recorded of it");
    bureau.hub.running.hub.look_after_sessions().await;
    assert_eq!(listed(&asks(&bureau.hub, "GET", "", &ada).await), 2);
    passes(&bureau.hub, 3 * DAY);
    let ended = asks(&bureau.hub, "DELETE", OTHERS, &ada).await;
    assert_eq!(ended["ended"][0]["logout"]["sid"], json!(phone.sid));
}

#[tokio::test]
async fn a_session_whose_time_at_the_issuer_is_up_is_not_listed_and_one_that_has_some_left_is() {
    let bureau = Bureau::open().await;
    let ada = bureau.signs_in("ada");
    let (past, future) = (ago(&bureau.hub, 1), ago(&bureau.hub, -60));
    for (sid, expires_at, idle_expires_at) in
        [("aged", &past, &future), ("idle", &future, &past), ("alive", &future, &future)]
    {
        let device = json!({"last_user_agent": PHONE, "last_ip": "203.0.113.7", "last_asn": "64500"});
        bureau.api.has_as(json!({
            "id": sid, "user_id": "ada", "created_at": ago(&bureau.hub, 600), "device": device,
            "expires_at": expires_at, "idle_expires_at": idle_expires_at,
        }));
    }
    let list = asks(&bureau.hub, "GET", "", &ada).await;
    assert_eq!((listed(&list), &list["others"]["lapsed"]), (2, &json!(0)), "{list}");
    assert_eq!((&list["sessions"][1]["address"], &list["sessions"][1]["asn"]), (&json!("203.0.113.7"), &json!(64500)));
    passes(&bureau.hub, 3600);
    assert_eq!(listed(&asks(&bureau.hub, "GET", "", &ada).await), 1);
}

#[tokio::test]
async fn whichever_of_hub_and_issuer_saw_a_session_last_says_what_it_is_used_on() {
    let bureau = Bureau::open().await;
    let ada = bureau.signs_in("ada");
    let sessions = [bureau.hub.issuer.sign_in("ada"), bureau.hub.issuer.sign_in("ada")];
    let [at_hub, at_issuer] = &sessions;
    // A browser that does not say what it is.
    uses(&bureau.hub, at_hub, "", &["notes"]).await;
    uses(&bureau.hub, at_issuer, LAPTOP, &["notes"]).await;
    passes(&bureau.hub, 600);
    for (who, used_ago) in [(at_hub, 60), (at_issuer, 3)] {
        bureau.api.has_as(json!({
            "id": who.sid, "user_id": "ada", "created_at": ago(&bureau.hub, 90),
            "last_interacted_at": ago(&bureau.hub, used_ago),
            "device": {"last_user_agent": PHONE, "last_ip": "203.0.113.7", "last_asn": "64500"},
            "clients": [{"client_id": "shop"}],
        }));
    }

    let list = asks(&bureau.hub, "GET", "", &ada).await;

    let facts = |at: usize| {
        let session = &list["sessions"][at];
        (session["device"].as_str(), session["address"].as_str(), session["asn"].as_u64(), &session["active"])
    };
    let phone = Some("Chrome on Android");
    assert_eq!(facts(1), (phone, Some("203.0.113.7"), Some(64500), &json!(true)), "the issuer's word is newer: {list}");
    assert_eq!(facts(2), (phone, Some("127.0.0.1"), None, &json!(false)), "the hub's is, as far as it goes: {list}");
    for at in [1, 2] {
        let apps = json!([{"name": "Notes", "client_id": "notes"}, {"name": "Shop", "client_id": "shop"}]);
        assert_eq!(list["sessions"][at]["apps"], apps);
    }
}

#[tokio::test]
async fn of_very_many_sessions_the_latest_hundred_are_listed_and_everywhere_else_ends_all() {
    let hub = account::hub().await;
    crowd(&hub, "ada", 1).await;
    passes(&hub, 31 * DAY);
    let laptop = hub.issuer.sign_in("ada");
    crowd(&hub, "ada", 130).await;
    // The issuer's clock has gone on meanwhile, and the hub's has not.
    passes(&hub, 60);
    let list = asks(&hub, "GET", "", &laptop).await;
    let others = json!({"sessions": 130, "devices": 1, "apps": 1, "lapsed": 1});
    assert_eq!((listed(&list), &list["others"]), (100, &others));

    let mut browser = Browser::called(&hub, LAPTOP);
    let page = opens_list(&hub, &mut browser, &laptop, 0).await;
    assert_eq!(count(&page), 100);
    assert!(page.text.contains("There are 31 more; “Sign out everywhere else” ends them too."), "{page:?}");
    assert!(page.text.contains("Not listed: 1 earlier session that is probably over."), "{page:?}");
    let asked = browser.gets("/sessions/end", &[("others", "1")]).await;
    let all = "This ends 130 sessions on 1 device, 1 app, and 1 earlier session that is probably over.";
    assert!(asked.text.contains(all) && asked.text.contains("Sign out 131 sessions"), "{asked:?}");
    assert!(asked.text.contains("Those used last are shown. 30 more are ended too."), "{asked:?}");
    assert_eq!(count(&asked), 100);

    let ended = asks(&hub, "DELETE", OTHERS, &laptop).await;
    assert_eq!((ended["ended"].as_array().unwrap().len(), &ended["more"]), (100, &json!(31)));
    assert_eq!(hub.recorded().await, 131);
    let list = asks(&hub, "GET", "", &laptop).await;
    assert_eq!(list["others"], json!({"sessions": 0, "devices": 0, "apps": 0, "lapsed": 0}));
}

#[tokio::test]
async fn a_person_whose_other_sessions_are_probably_over_can_make_sure_of_it() {
    let hub = account::hub().await;
    let phone = hub.issuer.sign_in("ada");
    uses(&hub, &phone, PHONE, &["notes"]).await;
    passes(&hub, 31 * DAY);
    let laptop = hub.issuer.sign_in("ada");
    let mut browser = Browser::called(&hub, LAPTOP);
    let page = opens_list(&hub, &mut browser, &laptop, 0).await;
    assert!(page.text.contains("You are signed in nowhere else, as far as we know."), "{page:?}");
    assert!(page.text.contains("<a href=\"/sessions/end?others=1\">Make sure of it</a>"), "{page:?}");

    let asked = browser.gets("/sessions/end", &[("others", "1")]).await;
    assert!(asked.text.contains("This ends 1 earlier session that is probably over. You stay"), "{asked:?}");
    assert_eq!((count(&asked), hub.recorded().await), (0, 0));
    let token = field(&asked.text, "token");
    let answer = browser.posts_from(HUB, "/sessions/end", &[("others", "1"), ("token", &token)]).await;
    let (_, ended) = browser.lands(&answer).await;
    assert!(ended.text.contains("1 session ended"), "{ended:?}");
    assert!(ended.text.contains("Also ended: 1 session not shown here"), "{ended:?}");
    let state = hub.gets("/api/v1/session", &id_token(&hub, &phone, "notes")).await.expect(200);
    assert_eq!(state["active"], false);
    assert!(account::list(&mut browser).await.text.contains("You are signed in nowhere else.</p>"));
}
