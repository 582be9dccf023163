//! Drills: a logout is rehearsed, and nobody is signed out.

use std::time::Duration;

use futures_util::future::join;
use serde_json::{Value, json};

use crate::admin::{TOKEN, governed};
use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::receiver::Receiver;
use crate::sse::Events;
use crate::stories::id_token;
use crate::tab::Tab;

const PATH: &str = "/api/v1/admin/drills";
/// A name that no rehearsal has.
const NO_REHEARSAL: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// The administrator drills at the first issuer.
async fn drills(hub: &TestHub, mut body: Value) -> Answer {
    body["issuer"] = hub.issuer.url().into();
    let request = hub.http.post(hub.admin_url(PATH)).bearer_auth(TOKEN).header("content-type", "application/json");
    Answer::of(request.body(body.to_string())).await
}

/// The next frame, which must be a rehearsal and nothing else.
async fn rehearsal(tab: &mut Tab) -> Value {
    let frame = tab.frame().await;
    let members: Vec<_> = frame.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((&frame["type"], members), (&json!("rehearsal"), vec!["id", "type"]), "{frame}");
    frame
}

fn acknowledged(client_id: &str, name: &str, channels: u64, milliseconds: u64) -> Value {
    json!({
        "client_id": client_id, "name": name, "via": "channel", "status": "acknowledged",
        "channels": channels, "answered": channels, "milliseconds": milliseconds,
    })
}

#[tokio::test]
async fn every_open_app_is_asked_by_socket_and_by_stream_and_nobody_is_signed_out() {
    let mail = Receiver::start().await;
    let hub = TestHub::start_with(&format!("admin_token = \"{TOKEN}\"\n{}", mail.app("mail", "hub"))).await;
    let ada = hub.issuer.sign_in("ada");
    let (notes, shop) = (id_token(&hub, &ada, "notes"), id_token(&hub, &ada, "shop"));
    let (mut in_notes, _) = Tab::live(&hub, NOTES, &notes).await;
    let mut in_shop = Events::open(&hub, SHOP, &shop).await;
    let ticket = in_shop.next().await.unwrap().1["resume"].as_str().unwrap().to_owned();

    let answers = async {
        let frame = rehearsal(&mut in_notes).await;
        let (name, event) = in_shop.next().await.unwrap();
        assert_eq!((name.as_str(), &event["type"]), ("rehearsal", &json!("rehearsal")));
        assert_ne!(frame["id"], event["id"], "each channel is told a name of its own");
        hub.advance(Duration::from_millis(40));
        in_notes.ack(&frame).await;
        in_notes.heard_nothing(&notes).await;
        hub.advance(Duration::from_millis(25));
        let path = hub.url(&format!("/api/v1/logouts/{}/acks", event["id"].as_str().unwrap()));
        let ack = Answer::of(hub.http.post(path).bearer_auth(&ticket).header("origin", SHOP)).await;
        assert_eq!(ack.status, 204, "{ack:?}");
    };
    let (answer, ()) = join(drills(&hub, json!({"sid": ada.sid})), answers).await;
    let said = answer.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(said["id"].as_str().is_some_and(|id| id.len() == 26), "{said}");
    let not_rehearsed = json!({"client_id": "mail", "name": "mail", "via": "backchannel", "status": "not_rehearsed"});
    let expected = [not_rehearsed, acknowledged("notes", "Notes", 1, 40), acknowledged("shop", "Shop", 1, 65)];
    assert_eq!(said["apps"], json!(expected));
    assert!(!answer.text.contains(&ada.sid) && !answer.text.contains("ada"), "{said}");

    in_notes.heard_nothing(&notes).await;
    assert_eq!(hub.recorded().await, 0);
    let done = hub.reports(&shop, SHOP, json!({})).await.expect(201);
    assert_eq!(done["notified"], 2, "both were signed in to the end");
    assert_eq!(in_notes.logged_out().await["id"], done["id"]);
    assert_eq!(in_shop.next().await.unwrap().0, "slo-event");
    assert_eq!(mail.post().await.txn(), done["id"].as_str().unwrap(), "the first post is the logout's");
}

#[tokio::test]
async fn a_tab_that_does_not_answer_makes_its_app_silent_after_five_seconds_and_its_late_answer_harms_nobody() {
    let hub = governed().await;
    let ada = hub.issuer.sign_in("ada");
    let token = id_token(&hub, &ada, "notes");
    let (mut quick, _) = Tab::live(&hub, NOTES, &token).await;
    let (mut asleep, _) = Tab::live(&hub, NOTES, &token).await;
    let (mut in_shop, _) = Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;
    let answers = async {
        let frame = rehearsal(&mut quick).await;
        quick.ack(&frame).await;
        quick.heard_nothing(&token).await;
        let unanswered = rehearsal(&mut asleep).await;
        rehearsal(&mut in_shop).await;
        tokio::time::pause();
        unanswered
    };
    let began = tokio::time::Instant::now();
    let (answer, unanswered) = join(drills(&hub, json!({"sid": ada.sid})), answers).await;
    tokio::time::resume();
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    let apps = &answer.expect(200)["apps"];
    let row = |client_id: &str, name: &str, channels: u64, answered: u64| {
        json!({
            "client_id": client_id, "name": name, "via": "channel", "status": "silent",
            "channels": channels, "answered": answered,
        })
    };
    let mut notes = row("notes", "Notes", 2, 1);
    notes["milliseconds"] = 0.into();
    assert_eq!(*apps, json!([notes, row("shop", "Shop", 1, 0)]));

    asleep.ack(&unanswered).await;
    asleep.heard_nothing(&token).await;
    assert_eq!(hub.recorded().await, 0);
}

#[tokio::test]
async fn an_app_that_hangs_up_instead_of_answering_is_silent_and_nobody_waits_for_it() {
    let hub = governed().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let hangs_up = async {
        rehearsal(&mut tab).await;
        tab.leave().await;
    };
    let began = tokio::time::Instant::now();
    let (answer, ()) = join(drills(&hub, json!({"sid": ada.sid})), hangs_up).await;
    assert_eq!(answer.expect(200)["apps"][0]["status"], "silent");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_app_that_was_used_and_is_closed_is_away() {
    let hub = governed().await;
    let ada = hub.issuer.sign_in("ada");
    Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await.0.leave().await;
    hub.running.hub.look_after_sessions().await;
    hub.until("Shop is closed", || hub.running.hub.channels.untold(|_| true).is_empty()).await;
    let away = json!([{
        "client_id": "shop", "name": "Shop", "via": "channel", "status": "away", "channels": 0, "answered": 0,
    }]);
    for body in [json!({"sid": ada.sid}), json!({"sub": "ada"})] {
        assert_eq!(drills(&hub, body).await.expect(200)["apps"], away);
    }
    hub.reports(&id_token(&hub, &ada, "shop"), SHOP, json!({})).await.expect(201);
    let over = drills(&hub, json!({"sid": ada.sid})).await.expect(200);
    assert_eq!(over["apps"], json!([]), "a session that is over has nobody to rehearse with");
}

#[tokio::test]
async fn other_sessions_hear_nothing_unless_the_whole_person_is_drilled() {
    let hub = governed().await;
    let (laptop, phone, eve) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("ada"), hub.issuer.sign_in("eve"));
    let tokens = [&laptop, &phone, &eve].map(|who| id_token(&hub, who, "notes"));
    let elsewhere = hub.other.id_token(&hub.other.sign_in("ada"), "notes").sign();
    let (mut on_laptop, _) = Tab::live(&hub, NOTES, &tokens[0]).await;
    let (mut on_phone, _) = Tab::live(&hub, NOTES, &tokens[1]).await;
    let (mut of_eve, _) = Tab::live(&hub, NOTES, &tokens[2]).await;
    let (mut at_other, _) = Tab::live(&hub, NOTES, &elsewhere).await;

    let answers = async {
        let frame = rehearsal(&mut on_laptop).await;
        on_laptop.ack(&frame).await;
    };
    let (answer, ()) = join(drills(&hub, json!({"sid": laptop.sid})), answers).await;
    assert_eq!(answer.expect(200)["apps"], json!([acknowledged("notes", "Notes", 1, 0)]));
    on_phone.heard_nothing(&tokens[1]).await;

    let answers = async {
        for tab in [&mut on_laptop, &mut on_phone] {
            let frame = rehearsal(tab).await;
            tab.ack(&frame).await;
        }
    };
    let (answer, ()) = join(drills(&hub, json!({"sub": "ada"})), answers).await;
    assert_eq!(answer.expect(200)["apps"], json!([acknowledged("notes", "Notes", 2, 0)]));
    of_eve.heard_nothing(&tokens[2]).await;
    at_other.heard_nothing(&elsewhere).await;
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_and_one_by_somebody_else_count_for_nothing() {
    let hub = governed().await;
    let (ada, eve) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("eve"));
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let (mut of_eve, _) = Tab::live(&hub, NOTES, &id_token(&hub, &eve, "notes")).await;
    let adas_shop = id_token(&hub, &ada, "shop");
    let refused = async |tab: &mut Tab| {
        let frame = tab.frame().await;
        assert_eq!((&frame["type"], &frame["code"]), (&json!("error"), &json!("not_found")), "{frame}");
    };
    tab.ack(&json!({"id": NO_REHEARSAL})).await;
    refused(&mut tab).await;

    let answers = async {
        let frame = rehearsal(&mut tab).await;
        of_eve.ack(&frame).await;
        refused(&mut of_eve).await;
        let path = hub.url(&format!("/api/v1/logouts/{}/acks", frame["id"].as_str().unwrap()));
        let of_shop = hub.http.post(path).bearer_auth(&adas_shop).header("origin", SHOP);
        Answer::of(of_shop).await.refused(404, "not_found", "not_found");
        hub.advance(Duration::from_millis(30));
        tab.ack(&frame).await;
    };
    let (answer, ()) = join(drills(&hub, json!({"sid": ada.sid})), answers).await;
    let apps = &answer.expect(200)["apps"];
    assert_eq!(apps[0], acknowledged("notes", "Notes", 1, 30), "only its own answer was counted");
}

#[tokio::test]
async fn a_second_drill_waits_for_the_first() {
    let hub = governed().await;
    let ada = hub.issuer.sign_in("ada");
    let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let answers = async {
        for _ in 0..2 {
            let frame = rehearsal(&mut tab).await;
            tab.ack(&frame).await;
        }
    };
    let two = join(drills(&hub, json!({"sid": ada.sid})), drills(&hub, json!({"sub": "ada"})));
    let ((one, other), ()) = join(two, answers).await;
    for answer in [one, other] {
        assert_eq!(answer.expect(200)["apps"], json!([acknowledged("notes", "Notes", 1, 0)]));
    }
}

#[tokio::test]
async fn only_an_administrator_drills_and_names_one_session_or_one_person() {
    let hub = governed().await;
    let post = || hub.http.post(hub.admin_url(PATH)).header("content-type", "application/json").body(r#"{"sid":"s"}"#);
    Answer::of(post()).await.refused(401, "invalid_token", "not_an_administrator");
    Answer::of(post().bearer_auth("wrong")).await.refused(401, "invalid_token", "not_an_administrator");
    let from_page = post().bearer_auth(TOKEN).header("origin", NOTES);
    Answer::of(from_page).await.refused(403, "invalid_origin", "invalid_origin");
    let in_public = hub.http.post(hub.url(PATH)).bearer_auth(TOKEN).body("{}");
    Answer::of(in_public).await.refused(404, "not_found", "not_found");
    Answer::of(post().bearer_auth(TOKEN)).await.refused(400, "invalid_request", "unknown_issuer");

    let faults = [
        (json!({}), "bad_target"),
        (json!({"sid": "s", "sub": "ada"}), "bad_target"),
        (json!({"client_id": "notes"}), "unexpected_member"),
        (json!({"sid": ""}), "sid_invalid"),
        (json!({"sub": 1}), "sub_invalid"),
    ];
    for (body, code) in faults {
        drills(&hub, body).await.refused(400, "invalid_request", code);
    }
    let nobody = drills(&hub, json!({"sid": "nobody"})).await.expect(200);
    assert_eq!(nobody["apps"], json!([]));
}
