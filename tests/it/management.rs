//! The client for Auth0's Management API: what it asks, and what it makes of every fault.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use slo_hub::delivery::{Lookup, SystemLookup};
use slo_hub::domain::app::{Directory, HubClient, IssuerSettings, SigningAlg};
use slo_hub::domain::clock::{Clock, HandClock, UnixMillis};
use slo_hub::domain::ids::{ClientId, Issuer, Sid, Subject};
use slo_hub::domain::secret::Secret;
use slo_hub::oidc::management::{
    Ended, FAULTS_IN_A_ROW, FIRST_PAUSE, MAX_BODY_BYTES, MAX_PAGES, Management, ManagementFault, Managements, Room,
    Scope, Scopes,
};
use tokio::sync::Semaphore;

use crate::management_fake::{FakeApi, SECRET, Says};
use crate::receiver::Intranet;

pub const NOW: UnixMillis = UnixMillis(784_111_777_000);
const LONG_AGO: &str = "1994-11-01T00:00:00.000Z";

/// A hub's client, the API that it asks, and their clock.
pub struct Desk {
    pub api: FakeApi,
    pub client: Arc<Management>,
    pub clock: Arc<HandClock>,
}

impl Desk {
    pub async fn open() -> Self {
        let (api, url) = FakeApi::start().await;
        api.has("laptop", "auth0|ada", LONG_AGO);
        api.has("phone", "auth0|ada", LONG_AGO);
        api.has("tablet", "auth0|bob", LONG_AGO);
        let clock = Arc::new(HandClock::at(NOW));
        let client = client(&url, SECRET, &clock, &system());
        Self { api, client, clock }
    }

    pub async fn sids(&self) -> Result<Vec<String>, ManagementFault> {
        let sessions = self.client.sessions_of(&ada()).await?;
        Ok(sessions.into_iter().map(|session| session.sid.as_str().to_owned()).collect())
    }

    /// How the list fails when the API answers it so.
    async fn fault(&self, says: Says) -> ManagementFault {
        self.api.then("list", says);
        self.client.sessions_of(&ada()).await.unwrap_err()
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn client(url: &str, secret: &str, clock: &Arc<HandClock>, lookup: &Arc<dyn Lookup>) -> Arc<Management> {
    let issuer = Issuer::parse(url).unwrap();
    let management = HubClient { client_id: ClientId::parse("hub-m2m").unwrap(), client_secret: Secret::new(secret) };
    let settings = IssuerSettings {
        issuer: issuer.clone(),
        signing_algs: vec![SigningAlg::RS256],
        require_logout_jwt_typ: false,
        allow_missing_exp: false,
        client: None,
        management: Some(management),
    };
    let directory = Directory::new(vec![settings], vec![]);
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Arc::clone(Managements::of(&directory, lookup, &clock).unwrap().at(&issuer).unwrap())
}

fn system() -> Arc<dyn Lookup> {
    Arc::new(SystemLookup)
}

pub fn ada() -> Subject {
    Subject::parse("auth0|ada").unwrap()
}

pub fn sid(text: &str) -> Sid {
    Sid::parse(text).unwrap()
}

fn scopes(all: &[Scope]) -> Scopes {
    all.iter().copied().collect()
}

fn problem(status: u16, body: Value) -> Says {
    Says::With(status, "content-type", "application/json".to_owned(), body)
}

#[tokio::test]
async fn a_persons_sessions_are_theirs_from_every_page_and_one_token_serves_for_all() {
    let desk = Desk::open().await;
    desk.api.pages_of(1);
    assert_eq!(desk.sids().await.unwrap(), ["laptop", "phone"]);
    assert_eq!(desk.api.kinds(), ["token", "list", "list"]);
    let [first, second] = desk.api.asked("list").try_into().unwrap();
    assert_eq!((first.path.as_str(), first.token.as_str()), ("/api/v2/users/auth0%7Cada/sessions", "Bearer t0"));
    assert_eq!((first.query.as_str(), second.query.as_str()), ("take=100", "take=100&from=1"));

    let [asked] = desk.api.asked("token").try_into().unwrap();
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(asked.body.as_bytes());
        fields.find_map(|(own, value)| (own == name).then(|| value.into_owned())).unwrap()
    };
    assert_eq!((field("grant_type").as_str(), field("client_id").as_str()), ("client_credentials", "hub-m2m"));
    assert_eq!(field("scope"), "read:sessions delete:sessions", "and no more than that");
    assert!(field("audience").ends_with("/api/v2/"));
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_its_end_and_asked_for_once_by_however_many() {
    let desk = Desk::open().await;
    desk.api.tokens_last(json!(3600));
    join_all((0..8).map(|_| desk.sids())).await.into_iter().for_each(|sids| assert_eq!(sids.unwrap().len(), 2));
    desk.advance(3600 - 61);
    desk.sids().await.unwrap();
    assert_eq!(desk.api.count("token"), 1);
    desk.advance(1);
    desk.sids().await.unwrap();
    assert_eq!(desk.api.count("token"), 2);
}

#[tokio::test]
async fn each_kind_of_work_has_a_token_with_its_own_scopes() {
    let desk = Desk::open().await;
    let notes = ClientId::parse("notes").unwrap();
    assert_eq!(desk.client.client(&notes).await.unwrap().unwrap().client_id, notes);
    desk.client.patch_client(&notes, &json!({"oidc_logout": {}})).await.unwrap().unwrap();
    let scopes = desk.api.asked("token").into_iter().map(|asked| {
        let mut fields = form_urlencoded::parse(asked.body.as_bytes()).into_owned();
        fields.find_map(|(name, value)| (name == "scope").then_some(value)).unwrap()
    });
    assert_eq!(scopes.collect::<Vec<_>>(), ["read:clients", "read:clients update:clients"]);
    assert_eq!(desk.api.asked("patch")[0].body, r#"{"oidc_logout":{}}"#);
    assert!(desk.api.asked("client")[0].query.contains("fields=client_id%2Cname"), "never their secrets");
}

#[tokio::test]
async fn a_401_has_the_token_fetched_anew_once() {
    let desk = Desk::open().await;
    desk.sids().await.unwrap();
    desk.api.then("list", Says::Status(401));
    assert_eq!(desk.sids().await.unwrap().len(), 2);
    assert_eq!(desk.api.kinds(), ["token", "list", "list", "token", "list"]);

    desk.api.always("list", Some(Says::Status(401)));
    assert_eq!(desk.sids().await, Err(ManagementFault::Unauthorized));
    assert_eq!(desk.api.count("token"), 3, "one more, and no further");
    assert_eq!(desk.client.room(), Room::Free, "whoever says no is not ill");
}

#[tokio::test]
async fn a_secret_that_is_not_taken_is_unauthorized_and_a_client_without_the_grant_forbidden() {
    let (api, url) = FakeApi::start().await;
    let wrong = client(&url, "another-secret", &Arc::new(HandClock::at(NOW)), &system());
    assert_eq!(wrong.sessions_of(&ada()).await, Err(ManagementFault::Unauthorized));
    assert_eq!(api.kinds(), ["token", "token"], "by the form, then by the header; nothing without a token");

    let desk = Desk::open().await;
    let said = "Client has not been granted scopes: delete:sessions";
    desk.api.then("token", problem(403, json!({"error": "access_denied", "error_description": said})));
    assert_eq!(desk.sids().await, Err(ManagementFault::Forbidden(Scope::DeleteSessions.into())));
}

#[tokio::test]
async fn what_the_client_was_not_granted_is_known_from_its_tokens_alone() {
    let desk = Desk::open().await;
    assert_eq!(desk.client.lacking_scopes().await, Ok(Scopes::default()));
    assert_eq!(desk.api.kinds(), ["token", "token"], "no session and no client was asked for");

    let lacking = async |granted: &'static [&'static str]| {
        let (api, url) = FakeApi::start().await;
        api.grants(granted);
        client(&url, SECRET, &Arc::new(HandClock::at(NOW)), &system()).lacking_scopes().await.unwrap()
    };
    assert_eq!(lacking(&["read:sessions", "read:clients"]).await, Scope::DeleteSessions.into());
    assert_eq!(lacking(&["delete:sessions"]).await, scopes(&[Scope::ReadSessions, Scope::ReadClients]));
    let desk = Desk::open().await;
    desk.api.then("token", Says::Status(503));
    assert!(matches!(desk.client.lacking_scopes().await, Err(ManagementFault::Unavailable(_))));
}

/// Auth0 may refuse a token, instead of one with less in it.
#[tokio::test]
async fn a_refused_token_lacks_every_scope_that_is_named_and_all_it_was_for_where_none_is() {
    let both = scopes(&[Scope::ReadSessions, Scope::DeleteSessions]);
    for (said, lacking) in [
        ("Client has not been granted scopes: delete:sessions", Scope::DeleteSessions.into()),
        ("Client has not been granted scopes: read:sessions, delete:sessions.", both),
        ("Client has not been granted scopes: read:sessions_all", both),
        ("Client is not authorized to access the API. You might need to create a client-grant.", both),
        ("", both),
    ] {
        for status in [400, 403] {
            let desk = Desk::open().await;
            let refused = || problem(status, json!({"error": "access_denied", "error_description": said}));
            desk.api.then("token", refused());
            assert_eq!(desk.client.lacking_scopes().await, Ok(lacking), "{said}");
            let desk = Desk::open().await;
            desk.api.then("token", refused());
            assert_eq!(desk.sids().await, Err(ManagementFault::Forbidden(lacking)), "{said}");
        }
    }
    let lacks = ManagementFault::Forbidden(both).description();
    assert_eq!(lacks, "the hub's client at the issuer lacks the scopes read:sessions and delete:sessions");
}

#[tokio::test]
async fn a_403_names_the_scope_that_is_missing() {
    let desk = Desk::open().await;
    let said = json!({"message": "Insufficient scope, expected any of: x", "errorCode": "insufficient_scope"});
    desk.api.always("revoke", Some(problem(403, said)));
    let fault = desk.client.end_session(&sid("laptop")).await.unwrap_err();
    assert_eq!(fault, ManagementFault::Forbidden(Scope::DeleteSessions.into()));
    assert!(fault.to_string().contains("delete:sessions"));
    assert_eq!(desk.api.count("delete"), 0, "it needs the same scope");
}

#[tokio::test]
async fn a_429_is_heeded_in_seconds_and_by_date_and_nothing_is_asked_before() {
    let desk = Desk::open().await;
    for (said, seconds) in [("7", 7), ("Sun, 06 Nov 1994 08:50:44 GMT", 60)] {
        let until = UnixMillis(desk.clock.now().0 + seconds * 1000);
        let limited = desk.fault(Says::With(429, "retry-after", said.to_owned(), json!({}))).await;
        assert_eq!(limited, ManagementFault::RateLimited { until });
        let asked = desk.api.kinds().len();
        desk.clock.advance(Duration::from_millis(u64::try_from(seconds).unwrap() * 1000 - 1));
        assert_eq!(desk.sids().await, Err(ManagementFault::Resting { until }));
        assert_eq!(desk.api.kinds().len(), asked, "no call");
        desk.clock.advance(Duration::from_millis(1));
        assert_eq!(desk.sids().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn faults_in_a_row_have_the_api_left_alone_until_one_call_finds_it_well() {
    let desk = Desk::open().await;
    for _ in 0..FAULTS_IN_A_ROW {
        assert!(matches!(desk.fault(Says::Status(503)).await, ManagementFault::Unavailable(_)));
    }
    let until = UnixMillis(NOW.0 + i64::try_from(FIRST_PAUSE.as_millis()).unwrap());
    let asked = desk.api.kinds().len();
    assert_eq!(desk.sids().await, Err(ManagementFault::Resting { until }));
    assert_eq!((desk.client.room(), desk.api.kinds().len()), (Room::None { until }, asked));

    desk.clock.advance(FIRST_PAUSE);
    assert_eq!(desk.client.room(), Room::One);
    let gate = Arc::new(Semaphore::new(0));
    desk.api.then("list", Says::Held(Arc::clone(&gate)));
    let (probe, others) = tokio::join!(desk.sids(), async {
        while desk.api.kinds().len() == asked {
            tokio::task::yield_now().await;
        }
        let others = join_all((0..5).map(|_| desk.sids())).await;
        gate.add_permits(1);
        others
    });
    assert_eq!(probe.unwrap().len(), 2);
    assert!(others.iter().all(|one| matches!(one, Err(ManagementFault::Resting { .. }))), "{others:?}");
    assert_eq!(desk.api.kinds().len(), asked + 1);
    assert_eq!(desk.client.room(), Room::Free);
}

#[tokio::test]
async fn huge_answers_are_not_read_to_their_end() {
    let desk = Desk::open().await;
    assert_eq!(desk.fault(Says::Huge(MAX_BODY_BYTES)).await, ManagementFault::TooLarge);
    desk.api.pages_of(1);
    (0..MAX_PAGES).for_each(|number| desk.api.has(&format!("s{number}"), "auth0|ada", LONG_AGO));
    let before = desk.api.count("list");
    assert_eq!(desk.sids().await, Err(ManagementFault::TooLarge));
    assert_eq!(desk.api.count("list") - before, MAX_PAGES);
}

#[tokio::test]
async fn strange_answers_are_faults_and_never_a_list() {
    let desk = Desk::open().await;
    let bobs = json!({"sessions": [{"id": "laptop", "user_id": "auth0|bob"}]});
    for strange in [
        "",
        "<html>",
        "null",
        "[]",
        "5",
        "{}",
        r#"{"sessions":{}}"#,
        r#"{"sessions":[{"id":[]}]}"#,
        r#"{"sessions":[],"sessions":[]}"#,
        &bobs.to_string(),
        r#"{"sessions":[],"next":["x"]}"#,
    ] {
        let fault = desk.fault(Says::Text(strange.to_owned())).await;
        assert!(matches!(fault, ManagementFault::Strange(_)), "{strange}: {fault:?}");
        // Between two of them all is well.
        desk.sids().await.unwrap();
    }
    desk.api.always("list", Some(Says::Text(r#"{"sessions":[],"next":"again"}"#.to_owned())));
    assert!(matches!(desk.sids().await, Err(ManagementFault::Strange(_))), "a list that turns in a circle");
    desk.api.always("list", Some(Says::With(302, "location", "https://evil.example/".to_owned(), json!({}))));
    assert!(matches!(desk.sids().await, Err(ManagementFault::Strange(_))), "a redirect is not followed");
}

#[tokio::test]
async fn an_api_that_does_not_answer_is_left_after_five_seconds() {
    let desk = Desk::open().await;
    let started = tokio::time::Instant::now();
    let slow = desk.fault(Says::Never).await;
    assert_eq!(slow, ManagementFault::Unavailable("the issuer's Management API did not answer within 5 seconds"));
    assert!(started.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn an_issuer_behind_a_public_name_is_not_sought_on_a_private_machine() {
    let clock = Arc::new(HandClock::at(NOW));
    let intranet: Arc<dyn Lookup> = Arc::new(Intranet);
    let client = client("https://acme.example/", SECRET, &clock, &intranet);
    let fault = client.sessions_of(&ada()).await.unwrap_err();
    assert_eq!(fault, ManagementFault::Unavailable("the issuer's name leads to a private address"));
}

#[tokio::test]
async fn ending_revokes_and_deletes_only_where_there_is_no_revoking() {
    let desk = Desk::open().await;
    assert_eq!(desk.client.end_session(&sid("laptop")).await, Ok(Ended::Revoked));
    assert_eq!(desk.client.end_session(&sid("laptop")).await, Ok(Ended::WasGone));
    assert_eq!((desk.api.count("delete"), desk.api.revoked()), (0, vec!["laptop".to_owned()]));

    let none = json!({"statusCode": 404, "error": "Not Found", "message": "Not Found"});
    for none in [problem(404, none), Says::Status(405), problem(403, json!({"message": "Not in your plan"}))] {
        desk.api.has("desk", "auth0|ada", LONG_AGO);
        desk.api.then("revoke", none);
        assert_eq!(desk.client.end_session(&sid("desk")).await, Ok(Ended::Deleted));
    }
    assert_eq!(desk.api.lasting(), ["phone", "tablet"]);
    desk.api.always("revoke", Some(Says::Status(404)));
    desk.api.always("delete", Some(Says::Status(404)));
    assert_eq!(desk.client.end_session(&sid("phone")).await, Err(ManagementFault::NoSuchEndpoint));
}

#[tokio::test]
async fn an_id_is_one_segment_of_a_path_whatever_it_holds() {
    let desk = Desk::open().await;
    for id in [".", ".."] {
        let somebody = Subject::parse(id).unwrap();
        assert_eq!(desk.client.sessions_of(&somebody).await, Err(ManagementFault::NotTheirs));
        assert_eq!(desk.client.end_session(&sid(id)).await, Err(ManagementFault::NotTheirs));
    }
    assert_eq!(desk.client.end_session(&sid("../users/auth0|bob/sessions#")).await, Ok(Ended::WasGone));
    let way = "/api/v2/sessions/..%2Fusers%2Fauth0%7Cbob%2Fsessions%23/revoke";
    assert_eq!(desk.api.asked("revoke").last().unwrap().path, way);
    assert_eq!(desk.api.kinds(), ["token", "revoke"], "steps were not asked for at all");
    assert_eq!(desk.api.lasting(), ["laptop", "phone", "tablet"]);
}

#[tokio::test]
async fn no_fault_says_who_or_with_what() {
    let desk = Desk::open().await;
    let body = json!({"message": "auth0|ada laptop t0", "errorCode": SECRET});
    for says in [Says::Status(500), problem(403, body.clone()), problem(400, body), Says::Text("laptop".to_owned())] {
        let text = format!("{0} {0:?}", desk.fault(says).await);
        for secret in ["ada", "laptop", "t0", SECRET, "127.0.0.1"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
