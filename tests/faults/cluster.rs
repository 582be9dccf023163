//! What `tests/cluster` calls a cluster, of one hub: a door that is always at the same
//! address, and the hub behind it, which is not.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::hub::{Ended, Hub};
use crate::relay::{Relay, Target};

/// How many nodes there are.
pub const NODES: usize = 1;
/// The back end that reports and follows, and its secret.
pub const DESK: (&str, &str) = ("desk", "desk-secret-0123456789");
/// The app that tabs have open, and where its pages are.
pub const NOTES: (&str, &str) = ("notes", "https://notes.example");

pub struct Cluster {
    pub hub: Mutex<Hub>,
    front: Relay,
    pub http: reqwest::Client,
}

impl Cluster {
    /// Starts a hub with its configuration, log and clock in one folder and its records in
    /// another; it takes so many sockets of one address.
    pub async fn start(folder: &Path, records: &Path, issuer: &str, sockets: usize) -> Self {
        let hub = Hub::new(folder, records, &config(issuer, records, sockets));
        let front = Relay::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Vec::new()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).pool_max_idle_per_host(0);
        let cluster = Self { hub: Mutex::new(hub), front, http: http.build().unwrap() };
        cluster.start_again(false).await;
        cluster.until_ready().await;
        cluster
    }

    /// Starts the hub, under strace or not.
    ///
    /// # Panics
    /// When it ends instead.
    pub async fn start_again(&self, is_traced: bool) {
        if let Err(Ended { status, said }) = self.try_to_start(is_traced).await {
            panic!("the hub does not start ({status}):\n{said}");
        }
    }

    /// The same, where it may end.
    pub async fn try_to_start(&self, is_traced: bool) -> Result<(), Ended> {
        let at = self.hub.lock().await.start(is_traced).await?;
        self.front.lead_to(vec![Target::Tcp(at.public)]);
        Ok(())
    }

    /// Waits until the hub says that it is ready.
    pub async fn until_ready(&self) {
        for _ in 0..600 {
            let at = self.hub.lock().await.at();
            let asked = self.http.get(format!("http://{}/readyz", at.admin)).send().await;
            if asked.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the hub is never ready:\n{}", self.hub.lock().await.last_words());
    }

    /// Where a client goes.
    pub fn door(&self, _chance: usize) -> SocketAddr {
        self.front.addr()
    }
}

fn config(issuer: &str, records: &Path, sockets: usize) -> String {
    let ((notes, origin), (desk, secret)) = (NOTES, DESK);
    let (records, all) = (records.join("hub.db"), sockets + 2_000);
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
public_url = "http://localhost:4000"
admin_listen = "127.0.0.1:0"
[store]
url = "sqlite://{}"
[limits]
max_connections = {all}
max_connections_per_ip = {sockets}
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
"#,
        records.display()
    )
}
