//! TLS without a proxy: pages, channels and logouts over it, and who is turned away.

use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, pause, sleep, timeout};

use crate::certificates::{HOST, Office};
use crate::hub::{Answer, NOTES, TestHub};
use crate::stories::{id_token, logout_token};
use crate::tab::Tab;

/// What a client that speaks TLS 1.1 at most begins with (RFC 4346, section 7.4.1.2).
fn hello_of_tls_1_1() -> Vec<u8> {
    let signatures = [0, 8, 0, 13, 0, 4, 0, 2, 4, 3];
    let body = [&[3, 2][..], &[7; 32], &[0], &[0, 4, 0xC0, 0x09, 0, 0x2F], &[1, 0], &signatures].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length], &body[..]].concat()
}

async fn start(office: &Office) -> TestHub {
    TestHub::start_with(&office.table("tls")).await
}

#[tokio::test]
async fn a_logout_that_came_by_tls_is_pushed_by_tls() {
    let office = Office::open();
    let hub = start(&office).await;
    let ada = hub.issuer.sign_in("ada");
    let mut tab = Tab::over(office.connect(hub.addr()).await, NOTES).await;
    tab.subscribe(&id_token(&hub, &ada, "notes")).await;
    assert_eq!(tab.frame().await["type"], "subscribed");

    let url = format!("https://{HOST}:{}/backchannel-logout", hub.addr().port());
    let post = office.client(hub.addr()).post(url).header("content-type", "application/x-www-form-urlencoded");
    let post = post.body(format!("logout_token={}", logout_token(&hub, &ada, "notes")));
    Answer::of(post).await.expect(200);
    let event = tab.logged_out().await;
    tab.ack(&event).await;
    assert_eq!(tab.closed().await, (4510, "logged_out".to_owned()));
    let receipt = hub_receipt(&office, &hub, event["id"].as_str().unwrap()).await;
    assert_eq!(receipt["deliveries"][0]["status"], "acknowledged", "{receipt}");
}

async fn hub_receipt(office: &Office, hub: &TestHub, id: &str) -> serde_json::Value {
    let url = format!("https://{HOST}:{}/api/v1/logouts/{id}", hub.addr().port());
    let get = office.client(hub.addr()).get(url).basic_auth("desk", Some(crate::hub::DESK_SECRET));
    Answer::of(get).await.expect(200)
}

#[tokio::test]
async fn a_page_by_tls_says_that_there_is_no_other_way_and_one_without_does_not() {
    let office = Office::open();
    let hub = start(&office).await;
    let page = office.client(hub.addr()).get(format!("https://{HOST}:{}/logout", hub.addr().port()));
    let page = Answer::of(page).await;
    assert_eq!((page.status, page.header("strict-transport-security")), (200, "max-age=31536000"), "{page:?}");
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");

    let plain = TestHub::start().await;
    let page = Answer::of(plain.http.get(plain.url("/logout"))).await;
    assert!(!page.headers.contains_key("strict-transport-security"), "{page:?}");
}

#[tokio::test]
async fn what_speaks_plain_http_to_tls_is_told_so() {
    let office = Office::open();
    let hub = start(&office).await;
    Answer::of(hub.http.get(hub.admin_url("/healthz"))).await.expect(200);
    let answer = Answer::of(hub.http.get(hub.url("/logout"))).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("https_needed")), "{answer:?}");
    // What is neither is hung up on, and the next caller is served.
    for strange in [&b"\0\0\0\0"[..], b"\x16\x03\x01\x00\x05hello", &[0xFF; 300]] {
        let mut stream = TcpStream::connect(hub.addr()).await.unwrap();
        stream.write_all(strange).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.expect("it is closed").ok();
        assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
    }
    office.connect(hub.addr()).await;
}

#[tokio::test]
async fn the_admin_listener_has_a_certificate_of_its_own() {
    let office = Office::open();
    let hub = TestHub::start_with(&office.table("admin_tls")).await;
    let port = hub.running.admin_addr.port();
    let client = office.client(hub.running.admin_addr);
    Answer::of(client.get(format!("https://{HOST}:{port}/healthz"))).await.expect(200);
    assert_eq!(Answer::of(hub.http.get(hub.url("/.well-known/slo-hub"))).await.status, 200, "the public one has none");
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_with_http_1_1_and_nothing_older() {
    let office = Office::open();
    let hub = start(&office).await;
    for version in [&TLS12, &TLS13] {
        let stream = office.connect_by(hub.addr(), &[version]).await.unwrap();
        let session = stream.get_ref().1;
        assert_eq!(session.protocol_version(), Some(version.version));
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    let mut stream = TcpStream::connect(hub.addr()).await.unwrap();
    stream.write_all(&hello_of_tls_1_1()).await.unwrap();
    let mut alert = Vec::new();
    stream.read_to_end(&mut alert).await.unwrap();
    let fatal_protocol_version = alert.starts_with(&[21]) && alert.ends_with(&[0, 2, 2, 70]);
    assert!(fatal_protocol_version, "{alert:?}");
}

/// How long until the hub hangs up on a connection that says so, a byte a second.
async fn cut_after(hub: &TestHub, says: &[u8]) -> Duration {
    let (mut read, mut write) = TcpStream::connect(hub.addr()).await.unwrap().into_split();
    pause();
    let began = Instant::now();
    let drip = async {
        for byte in says {
            sleep(Duration::from_secs(1)).await;
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut rest = Vec::new();
    tokio::select! {
        () = drip => unreachable!("a drip has no end"),
        _ = read.read_to_end(&mut rest) => {}
        () = sleep(Duration::from_secs(120)) => panic!("never cut"),
    }
    tokio::time::resume();
    began.elapsed()
}

#[tokio::test]
async fn a_handshake_that_is_silent_or_drips_is_cut_after_ten_seconds() {
    let office = Office::open();
    let hub = start(&office).await;
    let hello = [&[22, 3, 1, 0, 200, 1, 0, 0, 196][..], &[3; 190]].concat();
    for says in [&b""[..], &hello] {
        let after = cut_after(&hub, says).await;
        assert!((Duration::from_secs(10)..Duration::from_secs(12)).contains(&after), "{after:?}");
    }
    // A handshake alone is no request either.
    let mut silent = office.connect(hub.addr()).await;
    pause();
    let began = Instant::now();
    let _ended = silent.read_to_end(&mut Vec::new()).await;
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
}

#[tokio::test]
async fn handshakes_count_among_an_addresss_connections_and_hold_up_nobody() {
    let office = Office::open();
    let hub = TestHub::start_with(&format!("[limits]\nmax_connections_per_ip = 1\n{}", office.table("tls"))).await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(hub.addr()).await.unwrap());
    }
    let served = office.connect(hub.addr()).await;
    let mut one_more = TcpStream::connect(hub.addr()).await.unwrap();
    let ended = timeout(Duration::from_secs(5), one_more.read_to_end(&mut Vec::new())).await;
    assert!(ended.expect("closed at once, not after ten seconds").is_ok_and(|read| read == 0));
    let mut tab = Tab::over(served, NOTES).await;
    tab.subscribe("rubbish").await;
    tab.refused("not_compact_jws", 4501).await;
}

#[tokio::test]
async fn what_a_slow_reader_left_lying_arrives_when_it_reads_on() {
    let office = Office::open();
    let hub = start(&office).await;
    let ada = hub.issuer.sign_in("ada");
    let mut tab = Tab::over(office.connect(hub.addr()).await, NOTES).await;
    let token = id_token(&hub, &ada, "notes");
    // Each renewal is answered at length; nothing of that is read yet.
    for _ in 0..100 {
        tab.subscribe(&token).await;
    }
    for _ in 0..100 {
        assert_eq!(tab.frame().await["type"], "subscribed");
    }
    tab.send(&json!({"type": "ack", "id": "rubbish"})).await;
    assert_eq!(tab.frame().await["code"], "bad_id");
}
