//! What an idle socket costs in memory where the hub speaks TLS itself: a count, not a clock.

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::certificates::Office;
use crate::hub::NOTES;
use crate::process::{HubProcess, config};
use crate::support::issuer::TestIssuer;
use crate::tab::Tab;

/// What one more may add to the hub's private memory, everything included. It is about
/// 11.3 KiB in a build that is not optimised: 9 more than without TLS, four of them the
/// buffer that rustls reads into.
const BYTES_A_SOCKET: i64 = 14_000;
/// Opened before anything is counted: they pay for what grows once.
const BEFORE: usize = 150;
const COUNTED: usize = 200;

type TlsTab = Tab<TlsStream<TcpStream>>;

async fn open(hub: &HubProcess, office: &Office, issuer: &TestIssuer, count: usize) -> Vec<TlsTab> {
    let one = async |number: usize| {
        let token = issuer.id_token(&issuer.sign_in(&format!("person-{number}")), "notes").sign();
        let mut tab = Tab::over(office.connect(hub.addr()).await, NOTES).await;
        tab.subscribe(&token).await;
        assert_eq!(tab.frame().await["type"], "subscribed");
        tab
    };
    let mut tabs = Vec::with_capacity(count);
    for begin in (0..count).step_by(10) {
        tabs.extend(join_all((begin..begin + 10).map(one)).await);
    }
    tabs
}

#[tokio::test]
async fn one_more_idle_socket_by_tls_adds_a_bounded_amount_to_the_hubs_memory() {
    let (issuer, office, folder) = (TestIssuer::start().await, Office::open(), TempDir::new().unwrap());
    let hub = HubProcess::start_from(folder.path(), |port, admin_port| {
        let text = config(issuer.url(), port, admin_port);
        let text = text.replace("public_url = \"http://localhost", "public_url = \"https://localhost");
        text + &office.table("tls")
    });
    let hub = hub.await;
    let first = open(&hub, &office, &issuer, BEFORE).await;
    let before = hub.private_bytes();
    let counted = open(&hub, &office, &issuer, COUNTED).await;
    let each = (hub.private_bytes() - before) / i64::try_from(COUNTED).unwrap();
    println!("{each} bytes a socket");
    assert_eq!(first.len() + counted.len(), BEFORE + COUNTED);
    assert!((1_000..=BYTES_A_SOCKET).contains(&each), "{each} bytes a socket");
}
