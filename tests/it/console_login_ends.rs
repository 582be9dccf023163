//! The console keeps the hub's own promise: it closes with the session that the operator signed
//! in from. And who ordered what is told apart.

use std::time::Duration;

use serde_json::{Value, json};
use slo_hub::domain::ids::{Issuer, Sid, Subject};
use slo_hub::hub::admin_logout::{Order, Whom};
use slo_hub::store::AuditTrail;

use crate::admin::TOKEN;
use crate::console_visitor::{Visitor, as_operator, hub};
use crate::hub::TestHub;
use crate::stories::{everywhere, logout_token};
use crate::support::issuer::TestSession;

const MINUTE: Duration = Duration::from_secs(60);

/// Something that ends a session.
#[derive(Clone, Copy, Debug)]
enum End {
    AtAnApp,
    AtTheHubsOwnClient,
    OfThePerson,
    FromADesk,
    Order(fn(&TestSession) -> Whom),
    EveryoneBefore,
}

impl End {
    const ALL: [Self; 7] = [
        Self::AtAnApp,
        Self::AtTheHubsOwnClient,
        Self::OfThePerson,
        Self::FromADesk,
        Self::Order(|who| Whom::Session(Sid::parse(&who.sid).unwrap())),
        Self::Order(|who| Whom::Person(Subject::parse(&who.sub).unwrap())),
        Self::EveryoneBefore,
    ];

    async fn of(self, hub: &TestHub, who: &TestSession) {
        let issuer = Issuer::parse(hub.issuer.url()).ok();
        let orders = async |whom, before| {
            let order = Order { issuer, whom, before, reason: None };
            hub.running.hub.order_logout(order).await.unwrap();
        };
        let receives = async |token: String| {
            hub.receives(&token).await.expect(200);
        };
        match self {
            Self::AtAnApp => receives(logout_token(hub, who, "notes")).await,
            Self::AtTheHubsOwnClient => receives(logout_token(hub, who, "slo-hub")).await,
            Self::OfThePerson => receives(everywhere(hub, who, "notes")).await,
            Self::FromADesk => drop(hub.desk_reports(json!({ "scope": "user", "sub": who.sub })).await.expect(201)),
            Self::Order(whom) => orders(whom(who), None).await,
            Self::EveryoneBefore => orders(Whom::Everyone, Some(hub.running.hub.clock.now())).await,
        }
    }
}

#[tokio::test]
async fn an_operator_whose_session_has_ended_is_out_at_the_next_request_whatever_ended_it() {
    let hub = hub().await;
    for (number, end) in End::ALL.into_iter().enumerate() {
        let name = format!("ada-{number}");
        let (ada, grace) = (hub.issuer.sign_in(&name), hub.issuer.sign_in("grace"));
        let (mut looks, mut polls, mut acts) =
            (Visitor::of(&hub, &ada).await, Visitor::of(&hub, &ada).await, Visitor::of(&hub, &ada).await);
        let mut other = Visitor::of(&hub, &grace).await;
        let form = acts.opens("/console/end").await;
        let token = crate::console_operator::token_of(&form);
        assert!(looks.is_in().await && polls.is_in().await);
        hub.advance(Duration::from_secs(1));
        end.of(&hub, &ada).await;

        looks.opens("/console/apps").await.is_refusal(403, "logged_out");
        looks.opens("/console/apps").await.goes_to("/console/sign-in");
        polls.refreshes("/console").await.is_refusal(403, "logged_out");
        polls.refreshes("/console").await.is_refusal(403, "not_signed_in");
        polls.opens("/console").await.goes_to("/console/sign-in");
        let order = [("token", token.as_str()), ("whom", "everyone"), ("issuer", hub.issuer.url())];
        acts.posts("/console/end", &order).await.is_refusal(403, "logged_out");
        assert_eq!(other.is_in().await, !matches!(end, End::EveryoneBefore), "{end:?}: of whom it was not");

        hub.advance(MINUTE);
        let again = hub.issuer.sign_in(&name);
        assert!(Visitor::of(&hub, &again).await.is_in().await, "{end:?}: a new session is another");
    }
}

#[tokio::test]
async fn who_has_typed_the_token_is_nobodys_session_and_stays() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut visitor = Visitor::of(&hub, &ada).await;
    visitor.posts("/console/sign-in", &[("admin_token", TOKEN)]).await.goes_to("/console");
    hub.advance(Duration::from_secs(1));
    End::EveryoneBefore.of(&hub, &ada).await;
    assert!(visitor.is_in().await);
}

#[tokio::test]
async fn a_session_that_was_over_before_its_operator_came_lets_nobody_in() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut visitor = Visitor::new(&hub);
    let asked = visitor.asked().await;
    let grant = as_operator(&hub, &ada, &asked);
    hub.advance(Duration::from_secs(1));
    hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    visitor.comes_back(&asked, grant).await.is_refusal(403, "logged_out");
    assert!(!visitor.is_in().await && !visitor.has("__Host-slo-console"));
}

#[tokio::test]
async fn while_nobody_can_tell_whether_the_session_lasts_the_console_is_closed() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut visitor = Visitor::of(&hub, &ada).await;
    // A page that reads nothing by itself.
    visitor.opens("/console/end").await.shows("End sessions");
    hub.running.hub.store.close().await;
    visitor.opens("/console/end").await.is_refusal(503, "store_unavailable");
}

#[tokio::test]
async fn who_is_away_for_half_an_hour_or_four_hours_signs_in_again() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut visitor = Visitor::of(&hub, &ada).await;
    hub.advance(29 * MINUTE);
    visitor.refreshes("/console").await.shows("Overview");
    hub.advance(MINUTE);
    visitor.opens("/console").await.goes_to("/console/sign-in");

    let mut visitor = Visitor::of(&hub, &ada).await;
    for _ in 0..8 {
        hub.advance(29 * MINUTE);
        assert!(visitor.is_in().await);
    }
    hub.advance(8 * MINUTE);
    visitor.opens("/console").await.goes_to("/console/sign-in");
}

#[tokio::test]
async fn signing_out_closes_the_console_and_offers_to_sign_out_everywhere() {
    let hub = hub().await;
    let ada = hub.issuer.sign_in("ada");
    let mut visitor = Visitor::of(&hub, &ada).await;
    visitor.sends("/console", "/console/sign-out", &[]).await.goes_to("/console/signed-out");
    assert!(!visitor.is_in().await);
    let page = visitor.opens("/console/signed-out").await;
    page.shows("You are still signed in at").shows("href=\"https://logout.example/logout\"").lacks("ada");
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_own_sign_in_by_name_as_well() {
    let hub = hub().await;
    let (ada, grace) = (hub.issuer.sign_in("ada"), hub.issuer.sign_in("grace"));
    let (mut visitor, mut other) = (Visitor::of(&hub, &ada).await, Visitor::of(&hub, &grace).await);
    let token = crate::console_operator::token_of(&other.opens("/console/end").await);
    let order = [("token", token.as_str()), ("whom", "everyone"), ("issuer", hub.issuer.url())];
    visitor.posts("/console/end", &order).await.is_refusal(403, "foreign_form");
    visitor.posts("/console/end", &order[1..]).await.is_refusal(403, "foreign_form");
}

/// Ends a person's sessions by the console's forms, with the dry run first.
async fn ends(visitor: &mut Visitor<'_>, hub: &TestHub, fields: &[(&str, &str)]) {
    let all = [&[("issuer", hub.issuer.url())], fields].concat();
    visitor.sends("/console/end", "/console/end", &all).await.goes_to("/console/end/confirm");
    let page = visitor.opens("/console/end/confirm").await;
    let counted = crate::account::field(&page.text, "counted");
    let fields = [("counted", counted.as_str()), ("sessions", "0")];
    let answer = visitor.sends("/console/end/confirm", "/console/end/confirm", &fields).await;
    assert_eq!(answer.status, 303, "{answer:?}");
}

/// What the trail says: kinds and bodies.
async fn trail(hub: &TestHub) -> Vec<(String, String)> {
    let mut trail = AuditTrail::open(&crate::records::url(hub.folder.path()), 1).await.unwrap();
    trail.next_page().await.unwrap().into_iter().map(|row| (row.kind, row.body)).collect()
}

#[tokio::test]
async fn the_trail_tells_an_operator_from_another_and_from_the_token_and_names_nobody() {
    let hub = hub().await;
    let (ada, grace) = (hub.issuer.sign_in("ada-lovelace"), hub.issuer.sign_in("grace-hopper"));
    let mut by_token = Visitor::new(&hub);
    by_token.posts("/console/sign-in", &[("admin_token", TOKEN)]).await.goes_to("/console");
    let (mut by_ada, mut by_grace) = (Visitor::of(&hub, &ada).await, Visitor::of(&hub, &grace).await);
    let before = [("whom", "person"), ("name", "somebody"), ("before", "2020-01-01T00:00:00Z")];
    ends(&mut by_ada, &hub, &[("whom", "person"), ("name", "bob")]).await;
    ends(&mut by_grace, &hub, &[("whom", "person"), ("name", "carol")]).await;
    ends(&mut by_token, &hub, &[("whom", "person"), ("name", "dan")]).await;
    ends(&mut by_ada, &hub, &before).await;
    ends(&mut by_token, &hub, &before).await;

    let rows = trail(&hub).await;
    let of = |kind: &str| -> Vec<Value> {
        rows.iter().filter(|row| row.0 == kind).map(|row| serde_json::from_str(&row.1).unwrap()).collect()
    };
    let issuer = Issuer::parse(hub.issuer.url()).unwrap();
    let hash = |sub: &str| json!(hub.running.hub.log_name(&issuer, sub));
    let operators = |bodies: &[Value]| bodies.iter().map(|body| body["operator"].clone()).collect::<Vec<_>>();
    assert_eq!(operators(&of("logout_recorded")), [hash("ada-lovelace"), hash("grace-hopper"), Value::Null]);
    assert_eq!(operators(&of("sweep_ordered")), [hash("ada-lovelace"), Value::Null]);
    for (_, body) in &rows {
        assert!(!body.contains("ada") && !body.contains("grace") && !body.contains(&ada.sid), "{body}");
    }
}
