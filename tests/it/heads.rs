//! The limits of one request, byte by byte: its head and its body, in one piece or dripping;
//! and whose request it is.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, pause, sleep};

use crate::hub::{Answer, NOTES, TestHub};
use crate::stories::id_token;

/// The longest head, in bytes.
const HEAD_MAX: usize = 32 * 1024;

/// A head of exactly so many bytes.
fn head(path: &str, bytes: usize) -> Vec<u8> {
    let (begin, end) = (format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: "), "\r\n\r\n");
    let padding = "a".repeat(bytes - begin.len() - end.len());
    [begin.as_bytes(), padding.as_bytes(), end.as_bytes()].concat()
}

/// What is answered to these bytes, sent in pieces with a moment between.
async fn says(addr: std::net::SocketAddr, bytes: &[u8], piece: usize) -> String {
    let (mut read, mut write) = TcpStream::connect(addr).await.unwrap().into_split();
    let send = async {
        for piece in bytes.chunks(piece) {
            if write.write_all(piece).await.is_err() {
                break;
            }
            // So that the hub reads it by itself.
            sleep(Duration::from_millis(5)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut all = Vec::new();
    tokio::select! {
        () = send => {}
        _ = read.read_to_end(&mut all) => {}
        () = sleep(Duration::from_secs(60)) => panic!("no end"),
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_head_of_32_kib_is_served_and_one_byte_more_is_not_in_one_piece_or_many() {
    let hub = TestHub::start().await;
    for piece in [usize::MAX, 8_191, 700] {
        let (fits, over) = (head("/.well-known/slo-hub", HEAD_MAX), head("/.well-known/slo-hub", HEAD_MAX + 1));
        let answer = says(hub.addr(), &fits, piece).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "in pieces of {piece}: {answer}");
        let answer = says(hub.addr(), &over, piece).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "in pieces of {piece}: {answer}");
    }
    let whole = says(hub.addr(), &head("/.well-known/slo-hub", 40_000), usize::MAX).await;
    assert!(whole.starts_with("HTTP/1.1 431") && whole.contains("\"code\":\"head_too_large\""), "{whole}");
    assert!(whole.contains("x-request-id"), "{whole}");
    let admin = says(hub.running.admin_addr, &head("/healthz", 40_000), usize::MAX).await;
    assert!(admin.starts_with("HTTP/1.1 431"), "{admin}");
    Answer::of(hub.http.get(hub.url("/.well-known/slo-hub"))).await.expect(200);
}

#[tokio::test]
async fn a_long_address_counts_and_so_do_many_headers_and_blanks() {
    let hub = TestHub::start().await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(HEAD_MAX));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", format!("x: {}\r\n", "a".repeat(500)).repeat(90));
    let blanks = format!("GET / HTTP/1.1\r\nhost: x\r\nx:{}a\r\n\r\n", " ".repeat(4 * HEAD_MAX));
    for (bytes, what) in [(long, "a long address"), (many, "many headers"), (blanks, "blanks")] {
        let answer = says(hub.addr(), bytes.as_bytes(), usize::MAX).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{what}: {answer}");
    }
}

#[tokio::test]
async fn a_head_and_a_body_that_drip_are_cut_after_ten_seconds() {
    let hub = TestHub::start().await;
    let post = "POST /backchannel-logout HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\n";
    for (at_once, answered) in [("GET /", ""), (post, "HTTP/1.1 408")] {
        let (mut read, mut write) = TcpStream::connect(hub.addr()).await.unwrap().into_split();
        write.write_all(at_once.as_bytes()).await.unwrap();
        pause();
        let began = Instant::now();
        let drip = async {
            while write.write_all(b"a").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
            std::future::pending::<()>().await;
        };
        let mut all = Vec::new();
        tokio::select! {
            () = drip => {}
            _ = read.read_to_end(&mut all) => {}
            () = sleep(Duration::from_secs(120)) => panic!("never cut"),
        }
        let (after, answer) = (began.elapsed(), String::from_utf8_lossy(&all).into_owned());
        tokio::time::resume();
        assert!(answer.starts_with(answered) && !answer.contains(" 200 "), "{answer}");
        // A body that was cut leaves a connection that says nothing more, which is cut as well.
        assert!((Duration::from_secs(10)..Duration::from_secs(22)).contains(&after), "{at_once}: {after:?}");
    }
}

/// Whether another failing request for that `X-Forwarded-For` is held back, where one is
/// allowed in a minute.
async fn is_held_back(hub: &TestHub, forwarded: &[&str]) -> bool {
    let mut request = hub.http.post(hub.url("/backchannel-logout")).body("logout_token=rubbish");
    request = request.header("content-type", "application/x-www-form-urlencoded");
    for line in forwarded {
        request = request.header("x-forwarded-for", *line);
    }
    match Answer::of(request).await.status {
        400 => false,
        429 => true,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_a_trusted_proxy_says_of_its_caller_is_believed_and_nothing_beyond() {
    let hub = TestHub::start_with("[limits]\ninvalid_requests_per_minute_per_ip = 1").await;
    assert!(!is_held_back(&hub, &["198.51.100.1"]).await);
    for stranger in [&["198.51.100.2"][..], &["2001:db8::1"], &["127.0.0.1"], &[]] {
        assert!(is_held_back(&hub, stranger).await, "nobody is a proxy here: {stranger:?}");
    }

    let hub = TestHub::start_with(
        "trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\", \"::1\"]\n[limits]\ninvalid_requests_per_minute_per_ip = 1",
    )
    .await;
    let again = |forwarded: &'static [&'static str], wanted: bool, why: &'static str| {
        let hub = &hub;
        async move { assert_eq!(is_held_back(hub, forwarded).await, wanted, "{why}: {forwarded:?}") }
    };
    again(&["198.51.100.1"], false, "a caller").await;
    again(&["198.51.100.1"], true, "the same").await;
    again(&["198.51.100.2"], false, "another").await;
    again(&["203.0.113.66, 198.51.100.1"], true, "the caller wrote the first itself").await;
    again(&["203.0.113.66", "198.51.100.1"], true, "in a line of its own").await;
    again(&["198.51.100.1, 10.1.2.3, 10.4.5.6"], true, "over several of our proxies").await;
    again(&["203.0.113.7, 198.51.100.3, 10.1.2.3"], false, "a third caller, over one").await;
    again(&["198.51.100.1:4711"], true, "with a port").await;
    again(&["::ffff:198.51.100.1"], true, "as IPv6 writes it").await;
    again(&["2001:db8::1"], false, "an IPv6 caller").await;
    again(&["[2001:db8::ffff]:443"], true, "its whole /64 is one").await;
    again(&["2001:db8:0:1::1"], false, "the next /64").await;
    again(&[], false, "the proxy itself, without a word").await;
    for garbage in
        [&["rubbish"][..], &[""], &["198.51.100.77, rubbish"], &["999.1.1.1"], &["198.51.100.77;"], &["unknown"]]
    {
        assert!(is_held_back(&hub, garbage).await, "the proxy's own, not a name that garbage chose: {garbage:?}");
    }
}

#[tokio::test]
async fn channels_are_counted_by_the_address_that_a_trusted_proxy_names() {
    let hub = TestHub::start_with("trusted_proxies = [\"127.0.0.1\"]\n[limits]\nmax_connections_per_ip = 1").await;
    let token = id_token(&hub, &hub.issuer.sign_in("ada"), "notes");
    let open = |from: &'static str| {
        let request = hub.http.get(hub.url("/api/v1/events")).bearer_auth(&token).header("origin", NOTES);
        request.header("x-forwarded-for", from).send()
    };
    let first = open("198.51.100.1").await.unwrap();
    assert_eq!(first.status(), 200);
    assert_eq!(open("203.0.113.66, 198.51.100.1").await.unwrap().status(), 429, "a name in front changes nothing");
    let second = open("198.51.100.2").await.unwrap();
    assert_eq!(second.status(), 200);
    drop((first, second));
}
