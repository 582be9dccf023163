//! Several nodes share what is to be done: each post is tried by one of them at a time, and
//! an issuer is asked by one.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

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
        let schema = Schema::make()?;
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
    let acknowledged = "slo_hub_delivery_attempts_total{outcome=\"acknowledged\"";
    let [one, other] = &office.nodes;
    let both = async || one.hub.metric(acknowledged).await + other.hub.metric(acknowledged).await;
    one.hub.until("the two count what they have posted between them", async || both().await >= 99.0).await;
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

const ENDED: &str = "select count(*) from issuer_ends where state = 1";

/// Nodes that may ask their issuer's Management API.
struct Bureau {
    schema: Schema,
    issuer: TestIssuer,
    api: FakeApi,
}

impl Bureau {
    /// `None` where there is no server for tests.
    async fn open() -> Option<Self> {
        let bureau = Self { schema: Schema::make()?, issuer: TestIssuer::start().await, api: FakeApi::default() };
        bureau.issuer.also_serves(bureau.api.routes());
        Some(bureau)
    }

    async fn node(&self) -> Node {
        let first = format!("[issuers.auth0_management]\nclient_id = \"hub-m2m\"\nclient_secret = \"{SECRET}\"");
        start(&self.schema, &self.issuer, &first, "").await
    }

    /// Somebody's session, and its end as that node is told.
    async fn ends(&self, node: &Node, sub: &str) {
        let who = self.issuer.sign_in(sub);
        self.api.has_as(json!({"id": who.sid, "user_id": sub}));
        ends(&node.hub, &self.issuer, &who).await;
    }

    /// Waits until it is written down that so many have ended at the issuer.
    async fn until_ended(&self, node: &Node, many: i64) {
        node.hub.until("they have ended at the issuer", async || self.schema.number(ENDED).await == many).await;
    }
}

#[tokio::test]
async fn an_issuer_is_asked_by_one_node_whoever_recorded_the_logout() {
    let Some(bureau) = Bureau::open().await else { return };
    let mut first = bureau.node().await;
    bureau.ends(&first, "ada").await;
    bureau.until_ended(&first, 1).await;
    // The line is the first node's, which finds by itself what the second has recorded.
    let second = bureau.node().await;
    bureau.ends(&second, "grace").await;
    bureau.until_ended(&second, 2).await;
    assert_eq!(bureau.api.kinds(), ["token", "revoke", "revoke"], "the second has never asked: it has no token");

    first.hub.kill();
    bureau.schema.leases_end().await;
    bureau.ends(&second, "linus").await;
    bureau.until_ended(&second, 3).await;
    assert_eq!(bureau.api.kinds()[3..], ["token", "revoke"]);
    assert!(bureau.api.lasting().is_empty());
}

#[tokio::test]
async fn an_issuer_that_wants_rest_gets_it_from_all_nodes() {
    let Some(bureau) = Bureau::open().await else { return };
    let limited = management_fake::Says::With(429, "retry-after", "3600".to_owned(), json!({}));
    bureau.api.always("revoke", Some(limited));
    let mut first = bureau.node().await;
    bureau.ends(&first, "ada").await;
    first.hub.until("it is asked", async || bureau.api.count("revoke") == 1).await;

    let second = bureau.node().await;
    bureau.schema.leases_end().await;
    let left = "select good_until - database_time() from leases where name like 'issuer %'";
    first.hub.until("the line is kept", async || bureau.schema.number(left).await > 0).await;
    bureau.ends(&second, "grace").await;
    // Kept twice more: meanwhile the other node has looked, which does so every second.
    for _ in 0..2 {
        let until = "select good_until from leases where name like 'issuer %'";
        let before = bureau.schema.number(until).await;
        second.hub.until("it is kept again", async || bureau.schema.number(until).await > before).await;
    }
    assert_eq!(bureau.api.kinds(), ["token", "revoke"]);

    bureau.api.always("revoke", None);
    assert!(first.hub.terminate().await.success());
    bureau.until_ended(&second, 1).await;
    assert_eq!(bureau.api.kinds()[2..], ["token", "revoke"], "whoever stops lets the line go");
}
