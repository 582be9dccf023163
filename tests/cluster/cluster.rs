//! Three nodes on one database, and cables between all of them that can be broken:
//!
//! ```text
//! clients ── balancer ──┬─ front 0 ── node 0 ── back 0 ─┐
//!                       ├─ front 1 ── node 1 ── back 1 ─┼─ PostgreSQL
//!                       └─ front 2 ── node 2 ── back 2 ─┘
//! ```

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::Mutex;

use crate::node::{Node, is_ready, tail};
use crate::postgres::Postgres;
use crate::relay::{Mode, Relay, Target};

/// How many nodes there are.
pub const NODES: usize = 3;
/// How far their clocks are from the issuer's, in seconds: apart by a minute.
pub const OFFSETS: [i64; NODES] = [-30, 0, 30];
/// The back end that reports and follows, and its secret.
pub const DESK: (&str, &str) = ("desk", "desk-secret-0123456789");
/// The app that tabs have open, and where its pages are.
pub const NOTES: (&str, &str) = ("notes", "https://notes.example");

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub struct Cluster {
    pub postgres: Mutex<Postgres>,
    pub nodes: [Mutex<Node>; NODES],
    /// Between a node and its clients.
    pub fronts: Vec<Relay>,
    /// Between a node and the database.
    pub backs: Vec<Relay>,
    pub balancer: Relay,
    pub http: reqwest::Client,
}

impl Cluster {
    /// Starts everything in that folder, for one issuer.
    pub async fn start(folder: &Path, issuer: &str) -> Self {
        let postgres = Postgres::start(&folder.join("postgres")).await;
        let (mut nodes, mut fronts, mut backs) = (Vec::new(), Vec::new(), Vec::new());
        for (number, offset) in OFFSETS.into_iter().enumerate() {
            let back = Relay::start(ANY_PORT, vec![Target::Unix(postgres.socket())]).await.unwrap();
            let config = config(issuer, back.addr());
            nodes.push(Mutex::new(Node::new(folder.join(format!("node-{number}")), &config, offset)));
            fronts.push(Relay::start(ANY_PORT, Vec::new()).await.unwrap());
            backs.push(back);
        }
        let targets = fronts.iter().map(|front| Target::Tcp(front.addr())).collect();
        let balancer = Relay::start(ANY_PORT, targets).await.unwrap();
        let Ok(nodes) = nodes.try_into() else { unreachable!("as many nodes as offsets") };
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).pool_max_idle_per_host(0);
        let cluster =
            Self { postgres: Mutex::new(postgres), nodes, fronts, backs, balancer, http: http.build().unwrap() };
        // All at once, on an empty database: one makes the tables, the others wait.
        tokio::join!(cluster.run(0), cluster.run(1), cluster.run(2));
        cluster.until_ready().await;
        cluster
    }

    /// Starts a node, or starts it again.
    pub async fn run(&self, number: usize) {
        let mut node = self.nodes[number].lock().await;
        let Some(at) = node.start(60).await else {
            panic!("node {number} does not start:\n{}", tail(&node.log(), 20));
        };
        self.fronts[number].lead_to(vec![Target::Tcp(at.public)]);
    }

    /// Mends whatever is broken, and waits until every node is ready.
    pub async fn heal(&self) {
        for relay in self.fronts.iter().chain(&self.backs) {
            relay.set(Mode::Pass);
        }
        self.postgres.lock().await.run().await;
        for node in &self.nodes {
            node.lock().await.signal(Signal::CONT);
        }
        self.until_ready().await;
    }

    async fn until_ready(&self) {
        for (number, node) in self.nodes.iter().enumerate() {
            let mut tries = 0;
            loop {
                let at = node.lock().await.at();
                if let Some(at) = at
                    && is_ready(&self.http, at).await
                {
                    break;
                }
                tries += 1;
                assert!(tries < 300, "node {number} is never ready:\n{}", tail(&node.lock().await.log(), 20));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    /// Where a client may go: to one of the nodes, or to the balancer.
    pub fn door(&self, chance: usize) -> SocketAddr {
        self.fronts.get(chance).unwrap_or(&self.balancer).addr()
    }
}

fn config(issuer: &str, database: SocketAddr) -> String {
    let ((notes, origin), (desk, secret)) = (NOTES, DESK);
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
public_url = "http://localhost:4000"
admin_listen = "127.0.0.1:0"
[store]
url = "postgres://postgres@{database}/postgres"
[[issuers]]
issuer = "{issuer}"
[[apps]]
client_id = "{notes}"
name = "Notes"
origins = ["{origin}"]
[[apps]]
client_id = "{desk}"
name = "Desk"
origins = []
allow_no_origin = true
secret = "{secret}"
"#
    )
}
