//! Several nodes share what is to be done: each post is tried by one of them at a time, and
//! an issuer is asked by one.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::hub::{Answer, NOTES};
use crate::management_fake::{self, FakeApi, SECRET};
use crate::nodes::{Node, Schema};
use crate::process::HubProcess;
use crate::receiver::{Receiver, Says};
use crate::support::issuer::{TestIssuer, TestSession};

const WAITING: &str = "select count(*) from outbox where state = 0";

/// Mail's back end, and two nodes that tell it.
struct Office {
    schema: Schema,
    issuer: TestIssuer,
    mail: Receiver,
    nodes: [Node; 2],
}

impl Office {
    /// `None` where there is no server for tests.
    async fn open() -> Option<Self> {
        let schema = Schema::make().await?;
        let (issuer, mail) = (TestIssuer::start().await, Receiver::start().await);
        let tables = mail.app("mail", "hub") + &mail.app("crm", "hub") + &mail.app("desk", "hub");
        let nodes = [start(&schema, &issuer, "", &tables).await, start(&schema, &issuer, "", &tables).await];
        Some(Self { schema, issuer, mail, nodes })
    }

    /// Waits until every post of one logout has come; says which logout.
    async fn hears(&self) -> String {
        let posts = [self.mail.post().await, self.mail.post().await, self.mail.post().await];
        let apps: BTreeSet<_> = posts.iter().map(|post| post.claim("aud").to_string()).collect();
        assert_eq!((apps.len(), posts[0].txn(), posts[1].txn()), (3, posts[1].txn(), posts[2].txn()));
        posts[0].txn()
    }

    async fn until_nothing_waits(&self) {
        self.nodes[1].hub.until("nothing waits", async || self.schema.number(WAITING).await == 0).await;
    }
}

async fn start(schema: &Schema, issuer: &TestIssuer, first: &str, tables: &str) -> Node {
    Node::start(schema, issuer, first, tables).await
}

/// Notes reports at that node that the session has ended; says the logout's id.
async fn ends(hub: &HubProcess, issuer: &TestIssuer, who: &TestSession) -> String {
    let request = hub.http.post(hub.url("/api/v1/logouts")).bearer_auth(issuer.id_token(who, "notes").sign());
    let request = request.header("origin", NOTES).header("content-type", "application/json").body("{}");
    Answer::of(request).await.expect(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn of_ninety_nine_posts_that_two_nodes_see_each_back_end_is_asked_once() {
    let Some(office) = Office::open().await else { return };
    let people: Vec<_> = (0..33).map(|_| office.issuer.sign_in("ada")).collect();
    let reports = people.iter().enumerate();
    let reports = reports.map(|(number, who)| ends(&office.nodes[number % 2].hub, &office.issuer, who));
    let ids: BTreeSet<_> = join_all(reports).await.into_iter().collect();
    office.until_nothing_waits().await;
    let mut told = BTreeSet::new();
    for _ in 0..99 {
        let post = office.mail.post().await;
        assert!(told.insert((post.txn(), post.claim("aud").to_string())), "{post:?} came twice");
    }
    assert_eq!(told.iter().map(|(id, _)| id.clone()).collect::<BTreeSet<_>>(), ids);
    office.mail.has_nothing_more();
    for node in &office.nodes {
        node.hub.until_metric("slo_hub_delivery_attempts_total{outcome=\"acknowledged\"", 1.0).await;
    }
}

#[tokio::test]
async fn a_node_that_dies_in_the_middle_of_a_post_is_relieved_when_its_lease_is_over() {
    let Some(mut office) = Office::open().await else { return };
    (0..3).for_each(|_| office.mail.then(Says::Never));
    let (ada, grace) = (office.issuer.sign_in("ada"), office.issuer.sign_in("grace"));
    let id = ends(&office.nodes[0].hub, &office.issuer, &ada).await;
    assert_eq!(office.hears().await, id);
    office.nodes[0].hub.kill();

    // The other node looks into the outbox, and leaves alone what is not its own.
    let next = ends(&office.nodes[1].hub, &office.issuer, &grace).await;
    assert_eq!(office.hears().await, next);
    office.nodes[1].hub.until("the rest waits", async || office.schema.number(WAITING).await == 3).await;
    office.mail.has_nothing_more();

    office.schema.leases_end().await;
    assert_eq!(office.hears().await, id);
    office.until_nothing_waits().await;
    office.mail.has_nothing_more();
}

#[tokio::test]
async fn a_node_that_is_told_to_stop_hands_its_posts_over_at_once() {
    let Some(mut office) = Office::open().await else { return };
    (0..3).for_each(|_| office.mail.then(Says::Never));
    let ada = office.issuer.sign_in("ada");
    let id = ends(&office.nodes[0].hub, &office.issuer, &ada).await;
    assert_eq!(office.hears().await, id);
    assert!(office.nodes[0].hub.terminate().await.success());
    assert_eq!(office.hears().await, id);
    office.until_nothing_waits().await;
}

/// Two nodes that may ask their issuer's Management API.
async fn bureau() -> Option<(Schema, TestIssuer, FakeApi, [Node; 2])> {
    let schema = Schema::make().await?;
    let (issuer, api) = (TestIssuer::start().await, FakeApi::default());
    issuer.also_serves(api.routes());
    let first = format!("[issuers.auth0_management]\nclient_id = \"hub-m2m\"\nclient_secret = \"{SECRET}\"");
    let nodes = [start(&schema, &issuer, &first, "").await, start(&schema, &issuer, &first, "").await];
    Some((schema, issuer, api, nodes))
}

fn signs_in(issuer: &TestIssuer, api: &FakeApi, sub: &str) -> TestSession {
    let who = issuer.sign_in(sub);
    api.has_as(json!({"id": who.sid, "user_id": sub}));
    who
}

async fn until_asked(hub: &HubProcess, api: &FakeApi, kind: &str, times: usize) {
    hub.until(kind, async || api.count(kind) == times).await;
}

#[tokio::test]
async fn an_issuer_is_asked_by_one_node_whoever_recorded_the_logout() {
    let Some((schema, issuer, api, mut nodes)) = bureau().await else { return };
    let gate = Arc::new(Semaphore::new(0));
    api.then("revoke", management_fake::Says::Held(Arc::clone(&gate)));
    let people = ["ada", "grace", "linus"].map(|sub| signs_in(&issuer, &api, sub));
    ends(&nodes[0].hub, &issuer, &people[0]).await;
    until_asked(&nodes[0].hub, &api, "revoke", 1).await;
    // The first node is at it, and finds by itself what the second has recorded.
    ends(&nodes[1].hub, &issuer, &people[1]).await;
    until_asked(&nodes[0].hub, &api, "revoke", 2).await;
    gate.add_permits(1);
    nodes[0].hub.until_metric("slo_hub_issuer_ends_total{outcome=\"revoked\"", 2.0).await;
    assert_eq!(api.count("token"), 1, "the second node has never asked: {:?}", api.kinds());

    nodes[0].hub.kill();
    schema.leases_end().await;
    ends(&nodes[1].hub, &issuer, &people[2]).await;
    until_asked(&nodes[1].hub, &api, "revoke", 3).await;
    assert_eq!(api.count("token"), 2);
    nodes[1].hub.until("all have ended", async || api.lasting().is_empty()).await;
}

#[tokio::test]
async fn an_issuer_that_wants_rest_gets_it_from_all_nodes() {
    let Some((schema, issuer, api, mut nodes)) = bureau().await else { return };
    let limited = management_fake::Says::With(429, "retry-after", "3600".to_owned(), json!({}));
    api.always("revoke", Some(limited));
    let people = ["ada", "grace"].map(|sub| signs_in(&issuer, &api, sub));
    ends(&nodes[0].hub, &issuer, &people[0]).await;
    until_asked(&nodes[0].hub, &api, "revoke", 1).await;
    schema.leases_end().await;
    let left = "select held_until - database_time() from issuer_lines";
    nodes[0].hub.until("the line is kept", async || schema.number(left).await > 0).await;
    ends(&nodes[1].hub, &issuer, &people[1]).await;
    // Kept twice more: meanwhile the other node has looked, which does so every second.
    for _ in 0..2 {
        let until = "select held_until from issuer_lines";
        let before = schema.number(until).await;
        nodes[1].hub.until("it is kept again", async || schema.number(until).await > before).await;
    }
    assert_eq!(api.kinds(), ["token", "revoke"]);

    api.always("revoke", None);
    assert!(nodes[0].hub.terminate().await.success());
    until_asked(&nodes[1].hub, &api, "revoke", 2).await;
}
