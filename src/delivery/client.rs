//! One post to a back end.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use url::Url;

use super::verdict::{self, Verdict};
use crate::oidc::fetch::outbound;
use crate::oidc::guard::{Guarded, Lookup};
use crate::telemetry::spans::answered;

/// How long a back end may take, in all.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// Then a connection is not used again: most servers close theirs soon after.
const IDLE: Duration = Duration::from_secs(20);

/// What a back end said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) verdict: Verdict,
    /// Its `Retry-After`, as it came.
    pub(super) retry_after: Option<String>,
}

/// Posts logout tokens: no redirects, no proxies, no private addresses behind public
/// names, one deadline for everything. Clones share their connections.
#[derive(Clone)]
pub(super) struct Client(reqwest::Client);

impl Client {
    pub(super) fn new(lookup: Arc<dyn Lookup>, deadline: Duration) -> Result<Self, reqwest::Error> {
        let client = outbound(Guarded(lookup), deadline).pool_idle_timeout(IDLE).pool_max_idle_per_host(2);
        Ok(Self(client.build()?))
    }

    /// Posts one token. The status says it all: the body of the answer is not read, so
    /// it may be of any size, and come as slowly as it likes.
    pub(super) async fn post(&self, uri: &Url, token: &str) -> Reply {
        let body: String = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", token).finish();
        let request = self.0.post(uri.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        match request.body(body).send().await {
            Ok(answer) => {
                answered(answer.status().as_u16());
                Reply {
                    verdict: verdict::of_status(answer.status().as_u16()),
                    retry_after: answer.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok()).map(str::to_owned),
                }
            }
            Err(failure) => Reply { verdict: verdict::of_failure(&failure), retry_after: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::oidc::guard::{Found, SystemLookup};
    use crate::tasks::Tasks;

    /// A name server that knows one address for every name.
    struct Everything(IpAddr);

    impl Lookup for Everything {
        fn lookup<'a>(&'a self, _: &'a str) -> Found<'a> {
            Box::pin(std::future::ready(Ok(vec![self.0])))
        }
    }

    fn client(deadline: Duration) -> Client {
        Client::new(Arc::new(SystemLookup), deadline).unwrap()
    }

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    fn uri(host: &str, port: u16) -> Url {
        Url::parse(&format!("http://{host}:{port}/slo")).unwrap()
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_private_address_is_not_connected_to() {
        let (listener, port) = listener().await;
        let client = Client::new(Arc::new(Everything([127, 0, 0, 1].into())), DEADLINE).unwrap();
        let reply = client.post(&uri("desk.example", port), "a.b.c").await;
        assert_eq!(reply.verdict, Verdict::Again("the app's name leads to a private address"));
        let accepted = std::pin::pin!(listener.accept());
        assert!(futures_util::poll!(accepted).is_pending(), "nobody called");
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_from_a_machine_that_does_not_answer() {
        struct Nothing;
        impl Lookup for Nothing {
            fn lookup<'a>(&'a self, _: &'a str) -> Found<'a> {
                Box::pin(std::future::ready(Err(std::io::ErrorKind::NotFound.into())))
            }
        }
        let nowhere = Client::new(Arc::new(Nothing), DEADLINE).unwrap();
        let reply = nowhere.post(&uri("desk.example", 80), "a.b.c").await;
        assert_eq!(reply.verdict, Verdict::Again("the app's name has no address"));

        let (listener, port) = listener().await;
        drop(listener);
        let reply = client(DEADLINE).post(&uri("127.0.0.1", port), "a.b.c").await;
        assert_eq!(reply.verdict, Verdict::Again("the app cannot be connected to"));
    }

    #[tokio::test]
    async fn an_app_that_takes_the_token_and_says_nothing_is_left_after_the_deadline() {
        let (listener, port) = listener().await;
        let posting = client(Duration::from_millis(50));
        let uri = uri("127.0.0.1", port);
        let (reply, accepted) = tokio::join!(posting.post(&uri, "a.b.c"), listener.accept());
        drop(accepted);
        assert_eq!(reply.verdict, Verdict::Again("the app did not answer within 5 seconds"));
    }

    #[tokio::test]
    async fn a_body_of_any_size_that_never_ends_does_not_hold_the_answer_up() {
        let (listener, port) = listener().await;
        let tasks = Tasks::default();
        tasks.spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            peer.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
            peer.write_all(head.as_bytes()).await.unwrap();
            // Until the hub hangs up.
            while peer.write_all(&[b'x'; 4096]).await.is_ok() {}
        });
        let reply = client(DEADLINE).post(&uri("desk.localhost", port), "a.b.c").await;
        assert_eq!(reply.verdict, Verdict::Taken);
        tasks.stop();
        tasks.ended().await;
    }

    #[tokio::test]
    async fn what_is_no_http_is_a_broken_connection() {
        let (listener, port) = listener().await;
        let tasks = Tasks::default();
        tasks.spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            peer.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
            peer.write_all(b"+OK POP3 ready\r\n").await.unwrap();
        });
        let reply = client(DEADLINE).post(&uri("127.0.0.1", port), "a.b.c").await;
        assert_eq!(reply.verdict, Verdict::Again("the connection broke before the app answered"));
    }
}
