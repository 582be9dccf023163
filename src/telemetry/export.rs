//! Spans on their way to the collector: a bounded queue, and the one who empties it. Whoever
//! ends a span never waits: where the queue is full the span is lost, and counted.
//!
//! The SDK's own batch processor would do, but for two things: it works on a thread of its
//! own with no runtime for our HTTP client, and it tells nobody how much it has lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use opentelemetry::trace::Status;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanEvents, SpanProcessor};
use prost::Message as _;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::spans::ATTRIBUTES;

/// How many spans wait at most.
const QUEUE_MAX: usize = 4096;
/// How many go into one request.
const BATCH_MAX: usize = 512;
/// How long the first of them waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How often a batch is tried.
const TRIES: u32 = 4;
/// How long after the first try; doubles with each.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest that a collector may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long whoever stops waits for what is left to be sent.
const LAST_CALL: Duration = Duration::from_secs(1);
/// How often the log says that spans are lost.
const SAY_EVERY: Duration = Duration::from_secs(60);
/// The largest answer that is looked at, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// Where spans go.
pub(super) struct Collector {
    pub(super) client: Client,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
}

/// Spans that were lost, by what became of them.
#[derive(Debug, Default)]
struct Losses {
    no_room: AtomicU64,
    undelivered: AtomicU64,
    rejected: AtomicU64,
}

impl Losses {
    fn add(counter: &AtomicU64, spans: usize) {
        counter.fetch_add(spans as u64, Ordering::Relaxed);
    }
}

/// Takes the spans that end.
#[derive(Debug)]
pub(super) struct Queue {
    spans: mpsc::Sender<SpanData>,
    losses: Arc<Losses>,
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.spans.try_send(bare(span)).is_err() {
            Losses::add(&self.losses.no_room, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The span with nothing but what may leave the hub: its times, its name, and what is on
/// the list.
fn bare(mut span: SpanData) -> SpanData {
    span.attributes.retain(|attribute| ATTRIBUTES.contains(&attribute.key.as_str()));
    span.events = SpanEvents::default();
    if matches!(span.status, Status::Error { .. }) {
        span.status = Status::error("");
    }
    span
}

/// Sends what the queue holds.
pub struct Export {
    spans: mpsc::Receiver<SpanData>,
    resource: ResourceAttributesWithSchema,
    collector: Collector,
    losses: Arc<Losses>,
    said_at: Option<Instant>,
}

/// A batch, as it is sent.
struct Request {
    body: Bytes,
    spans: usize,
}

/// What became of one request.
enum Sent {
    Taken {
        rejected: usize,
    },
    /// It may be taken later.
    Again(Option<Duration>),
    Refused,
}

impl Export {
    /// A queue, and the one who empties it.
    pub(super) fn new(resource: ResourceAttributesWithSchema, collector: Collector) -> (Queue, Self) {
        let (sender, spans) = mpsc::channel(QUEUE_MAX);
        let losses = Arc::<Losses>::default();
        let queue = Queue { spans: sender, losses: Arc::clone(&losses) };
        (queue, Self { spans, resource, collector, losses, said_at: None })
    }

    /// Sends spans as they come, until `stopping`; then what is left of them, for a second
    /// at most.
    pub async fn run(mut self, stopping: impl Future<Output = ()>) {
        tokio::pin!(stopping);
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            tokio::select! {
                () = &mut stopping => break,
                is_something = gather(&mut self.spans, &mut batch) => if !is_something { break },
            }
            let request = self.request(&mut batch);
            let is_stopping = tokio::select! {
                () = &mut stopping => true,
                () = send(&self.collector, &self.losses, &request) => false,
            };
            if is_stopping {
                // It may have arrived and may not: twice is better than never.
                self.finish(Some(request), batch).await;
                return;
            }
            self.say_losses(SAY_EVERY);
        }
        self.finish(None, batch).await;
    }

    async fn finish(mut self, mut under_way: Option<Request>, mut batch: Vec<SpanData>) {
        self.spans.close();
        let until = Instant::now() + LAST_CALL;
        loop {
            while batch.len() < BATCH_MAX
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
            let request = match under_way.take() {
                Some(request) => request,
                None if batch.is_empty() => break,
                None => self.request(&mut batch),
            };
            match timeout_at(until, self.collector.post(&request)).await {
                Ok(Sent::Taken { rejected }) => Losses::add(&self.losses.rejected, rejected),
                _ => Losses::add(&self.losses.undelivered, request.spans),
            }
        }
        self.say_losses(Duration::ZERO);
    }

    fn request(&self, batch: &mut Vec<SpanData>) -> Request {
        let spans = std::mem::replace(batch, Vec::with_capacity(BATCH_MAX));
        let count = spans.len();
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec().into();
        Request { body, spans: count }
    }

    fn say_losses(&mut self, every: Duration) {
        if self.said_at.is_some_and(|at| at.elapsed() < every) {
            return;
        }
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        let (no_room, undelivered, rejected) =
            (take(&self.losses.no_room), take(&self.losses.undelivered), take(&self.losses.rejected));
        if no_room + undelivered + rejected > 0 {
            self.said_at = Some(Instant::now());
            tracing::warn!(no_room, undelivered, rejected, "spans were lost; logouts were not held up by that");
        }
    }
}

/// Waits for a span, and a moment for more of them. False where there will be none. What
/// was gathered stays in `batch` where the future is dropped.
async fn gather(spans: &mut mpsc::Receiver<SpanData>, batch: &mut Vec<SpanData>) -> bool {
    if batch.is_empty() && spans.recv_many(batch, BATCH_MAX).await == 0 {
        return false;
    }
    let until = Instant::now() + GATHER;
    while batch.len() < BATCH_MAX {
        let room = BATCH_MAX - batch.len();
        match timeout_at(until, spans.recv_many(batch, room)).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    true
}

async fn send(collector: &Collector, losses: &Losses, request: &Request) {
    let mut pause = PAUSE;
    for tried in 1..=TRIES {
        match collector.post(request).await {
            Sent::Taken { rejected } => return Losses::add(&losses.rejected, rejected),
            Sent::Refused => break,
            Sent::Again(_) if tried == TRIES => break,
            Sent::Again(asked) => sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await,
        }
        pause *= 2;
    }
    Losses::add(&losses.undelivered, request.spans);
}

impl Collector {
    async fn post(&self, request: &Request) -> Sent {
        let post = self.client.post(self.url.clone()).headers(self.headers.clone());
        let post = post.header(CONTENT_TYPE, "application/x-protobuf").body(request.body.clone());
        match post.send().await {
            Err(_) => Sent::Again(None),
            Ok(answer) if answer.status().is_success() => Sent::Taken { rejected: rejected(answer).await },
            // Those that the protocol names as worth another try.
            Ok(answer) => match answer.status() {
                StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT => Sent::Again(asked_pause(answer.headers())),
                _ => Sent::Refused,
            },
        }
    }
}

fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// How many spans the collector has not taken, though it has taken the request.
async fn rejected(mut answer: Response) -> usize {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        if body.len() + chunk.len() > ANSWER_MAX {
            return 0;
        }
        body.extend_from_slice(&chunk);
    }
    let said = ExportTraceServiceResponse::decode(body.as_slice()).ok().and_then(|said| said.partial_success);
    said.and_then(|partial| usize::try_from(partial.rejected_spans).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn collector(port: u16) -> Collector {
        let client = Client::builder().no_proxy().build().unwrap();
        let url = Url::parse(&format!("http://127.0.0.1:{port}/v1/traces")).unwrap();
        Collector { client, url, headers: HeaderMap::new() }
    }

    fn queue() -> (SdkTracerProvider, Export) {
        let (queue, export) = Export::new(ResourceAttributesWithSchema::default(), collector(1));
        (SdkTracerProvider::builder().with_span_processor(queue).build(), export)
    }

    #[test]
    fn a_full_queue_loses_spans_and_counts_them() {
        let (provider, export) = queue();
        let tracer = provider.tracer("test");
        for _ in 0..QUEUE_MAX + 3 {
            tracer.start("push").end();
        }
        assert_eq!(export.spans.len(), QUEUE_MAX);
        assert_eq!(export.losses.no_room.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn only_what_is_on_the_list_leaves() {
        let (provider, mut export) = queue();
        let mut span = provider.tracer("test").start("push");
        span.set_attribute(KeyValue::new("http.route", "/logout"));
        span.set_attribute(KeyValue::new("url.full", "/logout?sid=laptop"));
        span.add_event("hunter2", vec![KeyValue::new("sub", "ada")]);
        span.set_status(Status::error("hunter2"));
        span.end();
        let span = export.spans.try_recv().unwrap();
        assert_eq!(span.attributes, [KeyValue::new("http.route", "/logout")]);
        assert_eq!((span.events.len(), span.status), (0, Status::error("")));
    }

    /// Sends five spans to a collector that gives these answers, and nothing after them; says
    /// how many were lost on the way, and how many were rejected.
    async fn losses(answers: Vec<Vec<u8>>) -> (u64, u64) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (losses, request) = (Losses::default(), Request { body: Bytes::from_static(b"spans"), spans: 5 });
        let answering = async {
            for answer in answers {
                let (mut peer, _) = listener.accept().await.unwrap();
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\nspans") {
                    assert!(peer.read_buf(&mut asked).await.unwrap() > 0, "it hung up");
                }
                peer.write_all(&answer).await.unwrap();
            }
        };
        let collector = collector(listener.local_addr().unwrap().port());
        tokio::join!(send(&collector, &losses, &request), answering);
        (losses.undelivered.into_inner(), losses.rejected.into_inner())
    }

    fn answer(status: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "HTTP/1.1 {status}\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    #[tokio::test]
    async fn a_collector_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
        let (busy, taken) = (answer("503 Busy", b""), answer("200 OK", b""));
        assert_eq!(losses(vec![busy.clone(), busy.clone(), busy.clone(), taken]).await, (0, 0));
        assert_eq!(losses(vec![busy.clone(), busy.clone(), busy.clone(), busy]).await, (5, 0), "four tries");
        assert_eq!(losses(vec![answer("400 Bad Request", b"")]).await, (5, 0), "one try");
    }

    #[tokio::test]
    async fn what_a_collector_takes_in_part_is_counted() {
        let partial = ExportTracePartialSuccess { rejected_spans: 2, error_message: "too old".to_owned() };
        let said = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        assert_eq!(losses(vec![answer("200 OK", &said)]).await, (0, 2));
    }
}
