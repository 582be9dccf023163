use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use super::*;

const TICK: Duration = Duration::from_millis(200);
const SHORT: Deadlines = Deadlines { handshake: TICK, head: TICK, write: TICK, drain: Duration::from_secs(2) };
const HELLO: &[u8] = b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n";

fn limits(max_connections_per_ip: usize) -> Limits {
    Limits { max_connections: 1_000, max_connections_per_ip, trusted_proxies: Vec::new() }
}

fn start(routes: Router, limits: Limits) -> (SocketAddr, Tasks) {
    let (addr, tasks, _) = start_watched(routes, limits);
    (addr, tasks)
}

fn start_watched(routes: Router, limits: Limits) -> (SocketAddr, Tasks, Watch) {
    let listener = Listener::bind_with("127.0.0.1:0".parse().unwrap(), Port::Alone, SHORT).unwrap();
    let (addr, tasks, watch) = (listener.local_addr(), Tasks::default(), listener.watch());
    tasks.spawn(listener.serve(routes, limits, tasks.clone()));
    (addr, tasks, watch)
}

fn hello() -> Router {
    Router::new().route("/hello", get(|| async { "hello" }))
}

/// Everything until the connection ends.
async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut all)).await.expect("it is cut");
    drop(read);
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_silent_connection_is_cut() {
    let (addr, _tasks) = start(hello(), limits(10));
    let answer = rest(TcpStream::connect(addr).await.unwrap()).await;
    assert!(!answer.contains("200"), "{answer}");
}

#[tokio::test]
async fn a_dripping_head_is_cut() {
    let (addr, _tasks) = start(hello(), limits(10));
    let (mut read, mut write) = TcpStream::connect(addr).await.unwrap().into_split();
    let drip = async move {
        for byte in b"GET /hello HTTP/1.1\r\nx: ".iter().chain(std::iter::repeat(&b'a')) {
            if write.write_all(&[*byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let mut all = Vec::new();
    let ended = timeout(Duration::from_secs(10), async {
        tokio::select! {
            () = drip => {}
            ended = read.read_to_end(&mut all) => drop(ended),
        }
    });
    ended.await.expect("it is cut");
    assert!(!String::from_utf8_lossy(&all).contains("200 OK"));
}

#[tokio::test]
async fn a_connection_that_is_idle_between_requests_is_cut() {
    let (addr, _tasks) = start(hello(), limits(10));
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(HELLO).await.unwrap();
    assert!(rest(stream).await.ends_with("hello"));
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_cut() {
    let endless = || async { Body::from_stream(futures_util::stream::repeat(Ok::<_, Infallible>(vec![0_u8; 65_536]))) };
    let (addr, tasks) = start(Router::new().route("/hello", get(endless)), limits(10));
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(HELLO).await.unwrap();
    let token_of_this_test = tasks.token();
    tasks.stop();
    drop(token_of_this_test);
    timeout(Duration::from_secs(10), tasks.ended()).await.expect("the write deadline ends it");
}

#[tokio::test]
async fn one_address_has_a_bounded_number_of_connections() {
    let (addr, _tasks, watch) = start_watched(hello(), limits(1));
    let mut open = Vec::new();
    for _ in 0..=HEADROOM_PER_ADDR {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(b"GET /hello HTTP/1.1\r\n").await.unwrap();
        open.push(stream);
    }
    let mut one_more = TcpStream::connect(addr).await.unwrap();
    one_more.write_all(HELLO).await.ok();
    assert_eq!(rest(one_more).await, "");
    assert_eq!(watch.turned_away(), 1, "and that is counted");
    let mut first = open.remove(0);
    first.write_all(b"host: x\r\n\r\n").await.unwrap();
    assert!(rest(first).await.ends_with("hello"), "who is in is served");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_not_served() {
    let (addr, _tasks) = start(hello(), limits(10));
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!("GET /hello HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(4 * HEAD_MAX_BYTES));
    stream.write_all(head.as_bytes()).await.ok();
    // The 431 may be lost with the connection: the peer was still sending.
    assert!(!rest(stream).await.contains("200 OK"));
}

#[tokio::test]
async fn stopping_lets_a_request_finish_and_takes_no_new_ones() {
    let (begun, has_begun) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let parts = Arc::new(tokio::sync::Mutex::new(Some((begun, released))));
    let slow = move || async move {
        let (begun, released) = parts.lock().await.take().unwrap();
        begun.send(()).unwrap();
        released.await.unwrap();
        "finished"
    };
    let (addr, tasks) = start(Router::new().route("/hello", get(slow)), limits(10));
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(HELLO).await.unwrap();
    has_begun.await.unwrap();

    tasks.stop();
    while TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    assert!(rest(stream).await.ends_with("finished"));
    timeout(Duration::from_secs(5), tasks.ended()).await.expect("everything has ended");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_is_tuned_as_its_listener_is() {
    for addr in ["127.0.0.1:0", "[::1]:0"] {
        let listener = Listener::bind(addr.parse().unwrap()).unwrap();
        let (_peer, accepted) = tokio::join!(TcpStream::connect(listener.local_addr()), listener.socket.accept());
        let (stream, _) = accepted.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_AFTER);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNCONFIRMED));
    }
}

#[tokio::test]
async fn a_port_is_shared_by_those_who_all_ask_for_it_and_by_nobody_else() {
    let any = "127.0.0.1:0".parse().unwrap();
    let shared = Listener::bind_with(any, Port::Shared, SHORT).unwrap();
    assert!(Listener::bind_with(shared.local_addr(), Port::Shared, SHORT).is_ok());
    assert!(Listener::bind_with(shared.local_addr(), Port::Alone, SHORT).is_err());
    let alone = Listener::bind_with(any, Port::Alone, SHORT).unwrap();
    assert!(Listener::bind_with(alone.local_addr(), Port::Shared, SHORT).is_err());
}
