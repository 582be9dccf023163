//! The records are at a server, and the way there breaks. Only where there is a server for
//! tests: what these promise has no meaning for a file.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use slo_hub::tasks::Tasks;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::hub::{Answer, NOTES, TestHub};
use crate::process::{self, HubProcess};
use crate::records;
use crate::stories::{id_token, logout_token};
use crate::support::issuer::TestIssuer;
use crate::tab::Tab;
use crate::wait::until;

/// The longest that a caller waits, with some patience for a busy machine.
const IN_TIME: Duration = Duration::from_secs(4);
/// What no log may show.
const PASSWORD: &str = "hunter2-hunter2";

/// How the way to the server is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Nobody answers; what was connected is cut.
    Refused,
    /// Everything is taken, and nothing is carried.
    Silent,
}

/// A way to the server that a test can break.
struct Wire {
    port: u16,
    way: watch::Sender<Way>,
    folder: TempDir,
}

impl Wire {
    /// `None` where there is no server.
    async fn laid() -> Option<Self> {
        let Some(server) = records::server() else {
            eprintln!("no server for tests: scripts/with-postgres starts one");
            return None;
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, is) = watch::channel(Way::Open);
        Tasks::default().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut is = is.clone();
                let now = *is.borrow_and_update();
                if now != Way::Refused {
                    Tasks::default().spawn(carry(client, server_address(&server), now, is));
                }
            }
        });
        Some(Self { port, way, folder: TempDir::new().unwrap() })
    }

    /// The address of a schema at the end of it.
    fn url(&self) -> String {
        let url = records::url(self.folder.path());
        let (_, schema) = url.split_once('?').unwrap();
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/postgres?{schema}", self.port)
    }

    fn becomes(&self, way: Way) {
        self.way.send_replace(way);
    }
}

fn server_address(url: &str) -> SocketAddr {
    let (_, rest) = url.split_once('@').unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}

/// Carries one connection for as long as the way stays as it is.
async fn carry(mut client: TcpStream, server: SocketAddr, way: Way, mut is: watch::Receiver<Way>) {
    if way == Way::Open {
        let mut server = TcpStream::connect(server).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            changed = is.changed() => if changed.is_err() { return },
        }
    }
    while *is.borrow_and_update() == Way::Silent && is.changed().await.is_ok() {}
}

async fn is_in_time(answer: impl Future<Output = Answer>) -> Answer {
    timeout(IN_TIME, answer).await.expect("an answer in time")
}

#[tokio::test]
async fn a_node_that_cannot_reach_the_database_keeps_its_sockets_and_comes_back_by_itself() {
    let Some(wire) = Wire::laid().await else { return };
    let hub = TestHub::start_at(&wire.url()).await;
    for way in [Way::Refused, Way::Silent] {
        let ada = hub.issuer.sign_in("ada");
        let (mut tab, _) = Tab::live(&hub, NOTES, &id_token(&hub, &ada, "notes")).await;
        wire.becomes(way);
        let token = logout_token(&hub, &ada, "notes");
        is_in_time(hub.receives(&token)).await.refused(503, "temporarily_unavailable", "store_unavailable");
        let asked = is_in_time(hub.gets("/api/v1/session", &id_token(&hub, &ada, "notes"))).await;
        asked.refused(503, "temporarily_unavailable", "store_unavailable");
        let ready = Answer::of(hub.http.get(hub.admin_url("/readyz"))).await;
        assert_eq!(ready.expect(503)["failing"], "store");
        assert_eq!(Answer::of(hub.http.get(hub.admin_url("/healthz"))).await.status, 200, "it is alive all the same");

        wire.becomes(Way::Open);
        until("it is ready", async || {
            (Answer::of(hub.http.get(hub.admin_url("/readyz"))).await.status == 200).then_some(())
        })
        .await;
        hub.receives(&token).await.expect(200);
        tab.logged_out().await;
    }
}

#[tokio::test]
async fn connections_that_break_while_nobody_uses_them_cost_no_logout() {
    let Some(wire) = Wire::laid().await else { return };
    let hub = TestHub::start_at(&wire.url()).await;
    for _ in 0..3 {
        wire.becomes(Way::Refused);
        wire.becomes(Way::Open);
        let ada = hub.issuer.sign_in("ada");
        hub.receives(&logout_token(&hub, &ada, "notes")).await.expect(200);
    }
}

#[tokio::test]
async fn of_those_who_ask_after_all_connections_broke_one_has_to_ask_again() {
    let Some(wire) = Wire::laid().await else { return };
    let hub = TestHub::start_at(&wire.url()).await;
    let token = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    let ask = || hub.gets("/api/v1/session", &token);
    // Several connections at once.
    futures_util::future::join_all((0..20).map(|_| ask())).await.iter().for_each(|answer| drop(answer.expect(200)));
    wire.becomes(Way::Refused);
    wire.becomes(Way::Open);
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(ask().await.status == 503);
    }
    assert!(refused <= 1, "{refused} were refused");
}

#[tokio::test]
async fn a_hub_says_neither_the_password_nor_the_address_of_its_server() {
    let Some(wire) = Wire::laid().await else { return };
    let (issuer, folder) = (TestIssuer::start().await, TempDir::new().unwrap());
    let config = |port, admin_port| process::config(issuer.url(), port, admin_port);
    let hub = HubProcess::start_at(&wire.url(), folder.path(), config).await;
    wire.becomes(Way::Refused);
    let token = issuer.logout_token(&issuer.sign_in("ada"), "notes").sign();
    let request = hub.http.post(hub.url("/backchannel-logout")).body(format!("logout_token={token}"));
    let answer = Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await;
    answer.refused(503, "temporarily_unavailable", "store_unavailable");
    drop(hub);
    let log = std::fs::read_to_string(folder.path().join("hub.log")).unwrap();
    for secret in [PASSWORD, "search_path"] {
        assert!(!log.contains(secret) && !answer.text.contains(secret), "{secret} is in\n{log}{}", answer.text);
    }
    assert_eq!(answer.json()["code"], json!("store_unavailable"));
}

#[tokio::test]
async fn nodes_that_start_for_the_first_time_together_make_one_schema() {
    let Some(wire) = Wire::laid().await else { return };
    let url = wire.url();
    let started = (0..6).map(|_| async {
        slo_hub::store::Store::open(&url, &Tasks::default()).await.map(|store| async move { store.close().await })
    });
    for store in futures_util::future::join_all(started).await {
        store.unwrap().await;
    }
}

#[tokio::test]
async fn one_node_after_another_records_what_the_others_then_tell() {
    let Some(wire) = Wire::laid().await else { return };
    let (one, other) = (TestHub::start_at(&wire.url()).await, TestHub::start_at(&wire.url()).await);
    // Each has issuers of its own, and nobody confuses them.
    for hub in [&one, &other] {
        let ada = hub.issuer.sign_in("ada");
        hub.receives(&logout_token(hub, &ada, "notes")).await.expect(200);
        let session = hub.gets("/api/v1/session", &id_token(hub, &ada, "notes")).await.expect(200);
        assert_eq!(session["active"], false);
        assert_eq!(hub.recorded().await, 1);
    }
}
