//! What an operator sees at the console, and does there.

use std::time::Duration;

use serde_json::json;
use slo_hub::domain::clock::Clock;

use crate::admin::{TOKEN, governed};
use crate::console_operator::Operator;
use crate::hub::{Answer, NOTES, SHOP, TestHub};
use crate::receiver::{Receiver, Says};
use crate::stories::{everywhere, id_token, logout_token};
use crate::support::issuer::TestSession;
use crate::tab::Tab;
use crate::wait::until;

const MINUTE: Duration = Duration::from_secs(60);

/// Ada's session ends, by Notes; says the logout's id.
async fn ends_by_notes(hub: &TestHub, who: &TestSession) -> String {
    let done = hub.reports(&id_token(hub, who, "notes"), NOTES, json!({})).await.expect(201);
    done["id"].as_str().unwrap().to_owned()
}

/// The name of the dry run that a page shows.
fn counted(page: &Answer) -> String {
    page.text.split("name=\"counted\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// Where an answer leads.
fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").to_owned()
}

#[tokio::test]
async fn the_overview_says_in_words_what_is_wrong_and_when_all_is_well() {
    let hub = governed().await;
    Operator::of(&hub).await.opens("/console").await.shows("Everything is as it should be.");

    let hub = TestHub::start_prepared_with(&format!("admin_token = \"{TOKEN}\""), |issuer| issuer.fail_with(503)).await;
    let operator = Operator::of(&hub).await;
    until("the fetch has failed", async || {
        let page = operator.opens("/console").await;
        page.text.contains("answered 503 Service Unavailable instead of 200").then_some(())
    })
    .await;
    let page = operator.opens("/console").await;
    page.shows("No keys of").shows("data-mark=\"wrong\"").lacks("Everything is as it should be.");
}

#[tokio::test]
async fn the_log_shows_who_was_told_and_who_confirmed_and_names_nobody() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    let ada = hub.issuer.sign_in("ada-lovelace");
    let (mut in_notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
    let (_in_shop, _) = Tab::live(&hub, SHOP, &id_token(&hub, &ada, "shop")).await;
    let id = ends_by_notes(&hub, &ada).await;
    let event = in_notes.logged_out().await;
    in_notes.ack(&event).await;
    hub.until_receipt(&id, "confirmed by Notes", |it| it.to_string().contains("acknowledged")).await;

    for path in ["/console", "/console/logouts", "/console/logouts?app=shop", &format!("/console/logouts/{id}")] {
        let page = operator.opens(path).await;
        page.shows("1 of 2 confirmed").shows("confirmed").shows("Shop").lacks("ada-lovelace").lacks(&ada.sid);
    }
    operator.opens("/console/logouts?app=desk").await.shows("No logout.");
    let page = operator.opens(&format!("/console/logouts/{id}")).await;
    page.shows("WebSocket").shows("told, no answer").shows("One session ended").shows(&id);
    operator.opens("/console/apps").await.shows("1 no answer");
    operator.opens("/console/logouts/01ARZ3NDEKTSV4RRFFQ69G5FAV").await.is_refusal(404, "not_found");
}

#[tokio::test]
async fn the_log_is_read_page_by_page_to_its_beginning() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    let mut ids = Vec::new();
    for _ in 0..60 {
        ids.push(ends_by_notes(&hub, &hub.issuer.sign_in("ada")).await);
    }
    let (mut path, mut seen) = ("/console/logouts".to_owned(), Vec::new());
    loop {
        let page = operator.opens(&path).await;
        let links = page.text.split("href=\"/console/logouts/").skip(1);
        seen.extend(links.map(|rest| rest.split('"').next().unwrap().to_owned()));
        let Some(next) = page.text.split("href=\"/console/logouts?before=").nth(1) else { break };
        path = format!("/console/logouts?before={}", next.split('"').next().unwrap());
    }
    ids.reverse();
    assert_eq!(seen, ids);
    let answer = operator.opens("/console/logouts?before=x").await;
    answer.is_refusal(400, "unknown_cursor");
}

#[tokio::test]
async fn a_search_finds_whom_it_names_and_shows_the_name_nowhere() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    let (ada, eve) = (hub.issuer.sign_in("ada-lovelace"), hub.issuer.sign_in("eve"));
    let (first, other) = (ends_by_notes(&hub, &ada).await, ends_by_notes(&hub, &eve).await);
    let phone = hub.issuer.sign_in("ada-lovelace");
    id_token(&hub, &phone, "notes");
    hub.receives(&everywhere(&hub, &phone, "notes")).await.expect(200);
    let searches =
        async |text: &str| operator.sends("/console/logouts", "/console/logouts/search", &[("text", text)]).await;
    let by_sid = searches(&ada.sid).await;
    by_sid.shows(&first).lacks(&other).lacks(&ada.sid);
    let by_sub = searches(" ada-lovelace ").await;
    by_sub.shows(&first).shows("All of a person’s sessions").lacks(&other).lacks("ada-lovelace");
    assert!(!by_sub.headers.contains_key("location"), "{by_sub:?}");
    searches("nobody").await.shows("No logout names that session or person.").lacks("nobody");
    assert_eq!(place(&searches(&first.to_lowercase()).await), format!("/console/logouts/{first}"));
    assert_eq!(place(&searches("shop").await), "/console/logouts?app=shop");
    assert_eq!(place(&operator.opens("/console/logouts/search").await), "/console/logouts");
}

#[tokio::test]
async fn a_post_that_was_given_up_goes_out_once_more_when_an_operator_says_so() {
    let (crm, mail) = (Receiver::start().await, Receiver::start().await);
    let apps = crm.app("crm", "issuer") + &mail.app("mail", "hub");
    let hub = TestHub::start_with(&format!("admin_token = \"{TOKEN}\"\n{apps}")).await;
    let operator = Operator::of(&hub).await;
    for back_end in [&crm, &mail] {
        back_end.says(Says::Status(400));
    }
    let ada = hub.issuer.sign_in("ada");
    hub.receives(&logout_token(&hub, &ada, "crm")).await.expect(200);
    crm.post().await;
    let refused = mail.post().await;
    let id = refused.txn();
    hub.until_receipt(&id, "refused by both", |it| it.to_string().matches("\"failed\"").count() == 2).await;

    operator.opens("/console").await.shows("2 deliveries given up");
    let page = operator.opens("/console/deliveries").await;
    page.shows("Its token was the issuer’s").shows("Try all of mail again").lacks("Try all of crm again");
    mail.says(Says::Status(200));
    let post = page.text.split("name=\"post\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = operator.sends("/console/deliveries", "/console/deliveries/retry", &[("post", &post)]).await;
    answer.goes_to("/console/deliveries?again=1");
    operator.opens("/console/deliveries?again=1").await.shows("1 delivery tried again now.");
    let again = mail.post().await;
    assert_eq!(again.txn(), id);
    assert_ne!(again.claim("jti"), refused.claim("jti"), "a token that is good now");
    hub.until_receipt(&id, "taken by Mail", |it| it.to_string().contains("acknowledged")).await;
    let answer = operator.sends("/console/deliveries", "/console/deliveries/retry", &[("post", &post)]).await;
    answer.is_refusal(404, "not_found");
    crm.has_nothing_more();
}

#[tokio::test]
async fn all_of_an_app_is_tried_again_at_once_what_waits_and_what_was_given_up() {
    let mail = Receiver::start().await;
    let hub = TestHub::start_with(&format!("admin_token = \"{TOKEN}\"\n{}", mail.app("mail", "hub"))).await;
    let operator = Operator::of(&hub).await;
    for (name, status) in [("ada", 400), ("eve", 503)] {
        mail.says(Says::Status(status));
        let id = ends_by_notes(&hub, &hub.issuer.sign_in(name)).await;
        mail.post().await;
        hub.until_receipt(&id, "tried", |it| it.to_string().contains("\"attempts\":1")).await;
    }
    mail.says(Says::Status(200));
    let issuer = hub.issuer.url().to_owned();
    let fields = [("issuer", issuer.as_str()), ("client_id", "mail")];
    let answer = operator.sends("/console/deliveries", "/console/deliveries/retry", &fields).await;
    answer.goes_to("/console/deliveries?again=2");
    mail.post().await;
    mail.post().await;
    until("nothing waits", async || {
        let page = operator.opens("/console/deliveries").await;
        (page.text.contains("Nothing waits.") && page.text.contains("Nothing was given up.")).then_some(())
    })
    .await;
    let unknown = [("issuer", issuer.as_str()), ("client_id", "notes")];
    let answer = operator.sends("/console/deliveries", "/console/deliveries/retry", &unknown).await;
    answer.is_refusal(404, "not_found");
}

#[tokio::test]
async fn sessions_end_once_the_count_of_the_dry_run_was_typed_back() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    let (laptop, phone) = (hub.issuer.sign_in("ada-lovelace"), hub.issuer.sign_in("ada-lovelace"));
    let on_phone = id_token(&hub, &phone, "shop");
    let (mut in_notes, _) = Tab::live(&hub, NOTES, &id_token(&hub, &laptop, "notes")).await;
    let (mut in_shop, _) = Tab::live(&hub, SHOP, &on_phone).await;
    hub.advance(MINUTE);
    operator.opens("/console/end/confirm").await.goes_to("/console/end");

    let issuer = hub.issuer.url().to_owned();
    let order = [
        ("issuer", issuer.as_str()),
        ("whom", "person"),
        ("name", "ada-lovelace"),
        ("reason", "Your account was closed"),
    ];
    operator.sends("/console/end", "/console/end", &order).await.goes_to("/console/end/confirm");
    let page = operator.opens("/console/end/confirm").await;
    page.shows("2 sessions of 1 person").shows("Your account was closed").lacks("ada-lovelace").lacks(&laptop.sid);
    in_shop.heard_nothing(&on_phone).await;

    let counted = counted(&page);
    let confirm = async |typed: &str| {
        let fields = [("counted", counted.as_str()), ("sessions", typed)];
        operator.sends("/console/end", "/console/end/confirm", &fields).await
    };
    let wrong = confirm("3").await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    assert!(wrong.text.contains("Nothing was ended."), "{wrong:?}");
    assert_eq!(hub.recorded().await, 0);

    let done = place(&confirm(" 2 ").await);
    for event in [in_notes.logged_out().await, in_shop.logged_out().await] {
        assert_eq!(event["reason"], "Your account was closed");
        assert_eq!(done, format!("/console/logouts/{}", event["id"].as_str().unwrap()));
    }
    operator.opens(&done).await.shows("An administrator").lacks("ada-lovelace");
    confirm("2").await.goes_to("/console/end/confirm");
    operator.opens("/console/end/confirm").await.goes_to("/console/end");
    assert_eq!(hub.recorded().await, 1, "a form that is sent twice orders once");
}

#[tokio::test]
async fn what_another_window_has_counted_since_is_not_ended_by_an_older_form() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    for name in ["ada", "eve"] {
        Tab::live(&hub, NOTES, &id_token(&hub, &hub.issuer.sign_in(name), "notes")).await;
    }
    let issuer = hub.issuer.url().to_owned();
    let counts = async |name: &str| {
        let order = [("issuer", issuer.as_str()), ("whom", "person"), ("name", name)];
        operator.sends("/console/end", "/console/end", &order).await.goes_to("/console/end/confirm");
        counted(&operator.opens("/console/end/confirm").await)
    };
    let (of_ada, of_eve) = (counts("ada").await, counts("eve").await);
    let confirms = async |counted: &str| {
        let fields = [("counted", counted), ("sessions", "1")];
        operator.sends("/console/end", "/console/end/confirm", &fields).await
    };
    confirms(&of_ada).await.goes_to("/console/end/confirm");
    assert_eq!(hub.recorded().await, 0);
    assert!(place(&confirms(&of_eve).await).starts_with("/console/logouts/"));
}

#[tokio::test]
async fn a_sweep_is_shown_until_it_is_done_and_an_old_count_counts_no_more() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    for name in ["ada", "eve"] {
        Tab::live(&hub, NOTES, &id_token(&hub, &hub.issuer.sign_in(name), "notes")).await;
    }
    let issuer = hub.issuer.url().to_owned();
    let orders = async |whom: &str| {
        let order = [("issuer", issuer.as_str()), ("whom", whom), ("client_id", "notes"), ("before", "")];
        operator.sends("/console/end", "/console/end", &order).await
    };
    orders("app").await.goes_to("/console/end/confirm");
    hub.advance(10 * MINUTE);
    operator.opens("/console/end/confirm").await.goes_to("/console/end");
    orders("everyone").await.goes_to("/console/end/confirm");
    let counted = counted(&operator.opens("/console/end/confirm").await);
    let fields = [("counted", counted.as_str()), ("sessions", "2")];
    let done = operator.sends("/console/end", "/console/end/confirm", &fields).await;
    let sweep = place(&done);
    until("the sweep is done", async || {
        let page = operator.opens(&sweep).await;
        page.text.contains(">Sessions ended</h1>").then_some(page)
    })
    .await
    .shows("2 sessions ended")
    .shows("everyone");
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_said_so_and_counts_nothing() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    let issuer = hub.issuer.url().to_owned();
    let tomorrow = slo_hub::hub::event::rfc3339(hub.clock.now().plus_seconds(86_400));
    for (fields, says) in [
        (vec![("whom", "person")], "sub must be"),
        (vec![("whom", "app"), ("client_id", "unknown")], "client_id must be"),
        (vec![("whom", "nobody")], "Name exactly one"),
        (vec![("whom", "everyone"), ("before", tomorrow.as_str())], "before must be"),
    ] {
        let fields = [vec![("issuer", issuer.as_str())], fields].concat();
        let answer = operator.sends("/console/end", "/console/end", &fields).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.text.contains(says), "{says}: {answer:?}");
    }
    operator.opens("/console/end/confirm").await.goes_to("/console/end");
}

#[tokio::test]
async fn issuers_and_keys_are_shown_with_their_health_and_the_checks_run_when_asked() {
    let hub = governed().await;
    let operator = Operator::of(&hub).await;
    let page = operator.opens("/console/issuers").await;
    page.shows("Keys at hand").shows("usable, fetched").shows(">current</span>").lacks("BEGIN");
    operator.opens("/console/checks").await.shows("They have not been run");
    operator.sends("/console/checks", "/console/checks", &[]).await.goes_to("/console/checks");
    until("the checks are over", async || {
        let page = operator.opens("/console/checks").await;
        page.text.contains("class=\"findings\"").then_some(page)
    })
    .await
    .shows(hub.issuer.url());
}
