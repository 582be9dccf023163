//! Traces: what an operator sees of a logout's way, and what it may never cost.

use std::time::Duration;

use opentelemetry::trace::TraceId;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, status::StatusCode};
use tempfile::TempDir;

use crate::hub::Answer;
use crate::management_fake::{FakeApi, SECRET};
use crate::process::{HubProcess, config, free_port};
use crate::receiver::{Receiver, Says};
use crate::records;
use crate::support::issuer::{TestIssuer, TestSession};
use crate::traces_collector::{Collector, attribute, is_server};

const STRANGE_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A hub in a process of its own, and its collector.
struct Office {
    issuer: TestIssuer,
    folder: TempDir,
    collector: Collector,
}

impl Office {
    async fn open() -> Self {
        Self { issuer: TestIssuer::start().await, folder: TempDir::new().unwrap(), collector: Collector::start().await }
    }

    async fn hub(&self, tables: &str) -> HubProcess {
        HubProcess::start_with(&self.issuer, self.folder.path(), &(self.collector.table() + tables)).await
    }

    /// A hub with these lines in `[server]`, and these below `[traces]`.
    async fn hub_set(&self, server: &str, traces: &str) -> HubProcess {
        let (url, table) = (self.issuer.url(), self.collector.table() + traces);
        let server = format!("{server}\n[store]");
        let config = |port, admin_port| config(url, port, admin_port).replace("[store]", &server) + &table;
        HubProcess::start_from(self.folder.path(), config).await
    }

    /// The issuer posts a logout token.
    async fn receives(&self, hub: &HubProcess, who: &TestSession) -> Answer {
        let token = self.issuer.logout_token(who, "notes").sign();
        let request = hub.http.post(hub.url("/backchannel-logout")).body(format!("logout_token={token}"));
        Answer::of(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("hub.log")).unwrap()
    }

    fn traces(&self) -> Vec<String> {
        let requests = self.collector.spans().into_iter().filter(is_server);
        requests.map(|span| trace_id(&span.trace_id)).collect()
    }
}

fn trace_id(bytes: &[u8]) -> String {
    TraceId::from_bytes(bytes.try_into().unwrap()).to_string()
}

/// Spans end on several threads, whose readings of the time of day need not agree to the
/// microsecond: two milliseconds are forgiven.
fn lies_within(inner: &Span, outer: &Span) -> bool {
    const FORGIVEN: u64 = 2_000_000;
    outer.start_time_unix_nano <= inner.start_time_unix_nano + FORGIVEN
        && inner.end_time_unix_nano <= outer.end_time_unix_nano + FORGIVEN
}

async fn asks_with(hub: &HubProcess, url: String, traceparent: &str) {
    Answer::of(hub.http.get(url).header("traceparent", traceparent)).await;
}

#[tokio::test]
async fn a_logouts_trace_shows_verification_commit_push_and_delivery() {
    let office = Office::open().await;
    let mail = Receiver::start().await;
    let hub = office.hub(&mail.app("mail", "hub")).await;
    office.receives(&hub, &office.issuer.sign_in("ada")).await.expect(200);
    let id = mail.post().await.txn();

    let collector = &office.collector;
    let request = collector.span("POST /backchannel-logout").await;
    assert!(is_server(&request) && request.parent_span_id.is_empty());
    assert_eq!(attribute(&request, "http.request.method").as_deref(), Some("POST"));
    assert_eq!(attribute(&request, "http.route").as_deref(), Some("/backchannel-logout"));
    assert_eq!(attribute(&request, "http.response.status_code").as_deref(), Some("200"));
    assert_eq!(attribute(&request, "slo_hub.request.id").map(|id| id.len()), Some(26));
    let verified = collector.child("verify token", &request).await;
    let recorded = collector.child("record logout", &request).await;
    let committed = collector.child("commit", &recorded).await;
    let batch = collector.child("store batch", &committed).await;
    let pushed = collector.child("push", &recorded).await;
    let delivered = collector.child("deliver", &recorded).await;
    for (inner, outer) in [
        (&verified, &request),
        (&recorded, &request),
        (&committed, &recorded),
        (&batch, &committed),
        (&pushed, &recorded),
    ] {
        let times = |span: &Span| (span.start_time_unix_nano, span.end_time_unix_nano);
        let both = (times(inner), times(outer));
        assert!(lies_within(inner, outer), "{} within {}: {both:?}", inner.name, outer.name);
    }
    assert!(committed.end_time_unix_nano <= pushed.start_time_unix_nano, "commit, then push");
    for span in [&recorded, &pushed, &delivered] {
        assert_eq!(attribute(span, "slo_hub.logout.id"), Some(id.clone()), "{}", span.name);
    }
    assert_eq!(attribute(&recorded, "slo_hub.logout.outcome").as_deref(), Some("recorded"));
    assert_eq!(attribute(&delivered, "slo_hub.app.client_id").as_deref(), Some("mail"));
    assert_eq!(attribute(&delivered, "server.address").as_deref(), Some("mail.localhost"));
    assert_eq!(attribute(&delivered, "http.response.status_code").as_deref(), Some("204"));

    let keys = collector.span("fetch keys").await;
    assert_ne!(keys.trace_id, request.trace_id, "fetched at the start, for nobody");
    for asked in ["issuer metadata", "issuer keys"] {
        let asked = collector.child(asked, &keys).await;
        assert_eq!(attribute(&asked, "http.response.status_code").as_deref(), Some("200"));
    }
    for (key, value) in [("service.name", "slo-hub"), ("service.instance.id", "hub-1")] {
        assert_eq!(collector.resource(key).as_deref(), Some(value));
    }
    assert_eq!(collector.resource("service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    let lines = office.log();
    assert!(lines.contains("logout recorded") && !lines.contains("slo_hub::traces"), "the log shows no spans");
}

#[tokio::test]
async fn a_delivery_that_is_tried_again_has_a_trace_of_its_own_that_names_the_first() {
    let office = Office::open().await;
    let mail = Receiver::start().await;
    mail.then(Says::Status(503));
    let hub = office.hub(&mail.app("mail", "hub")).await;
    office.receives(&hub, &office.issuer.sign_in("ada")).await.expect(200);
    mail.post().await;
    mail.post().await;
    let recorded = office.collector.span("record logout").await;
    let failed = office.collector.child("deliver", &recorded).await;
    assert_eq!(failed.status.as_ref().map(Status::code), Some(StatusCode::Error));
    assert_eq!(attribute(&failed, "error.type").as_deref(), Some("not_delivered"));
    let is_second = |span: &Span| attribute(span, "http.request.resend_count").as_deref() == Some("1");
    let again = crate::wait::until("the second attempt", async || office.collector.spans().into_iter().find(is_second));
    let again = again.await;
    assert_ne!(again.trace_id, recorded.trace_id);
    assert_eq!((&again.links[0].trace_id, &again.links[0].span_id), (&recorded.trace_id, &recorded.span_id));
    assert_eq!(attribute(&again, "slo_hub.logout.id"), attribute(&failed, "slo_hub.logout.id"));
}

#[tokio::test]
async fn a_sessions_end_at_its_issuer_is_in_the_logouts_trace() {
    let office = Office::open().await;
    let api = FakeApi::default();
    office.issuer.also_serves(api.routes());
    let config = |port, admin_port| {
        let client = format!("[issuers.auth0_management]\nclient_id = \"hub\"\nclient_secret = \"{SECRET}\"\n[[apps]]");
        config(office.issuer.url(), port, admin_port).replace("[[apps]]", &client) + &office.collector.table()
    };
    let hub = HubProcess::start_from(office.folder.path(), config).await;
    let ada = office.issuer.sign_in("ada");
    api.has(&ada.sid, "ada", "2020-01-01T00:00:00.000Z");
    let token = office.issuer.id_token(&ada, "notes").sign();
    let request = hub.http.post(hub.url("/api/v1/logouts")).header("origin", "https://notes.example");
    Answer::of(request.bearer_auth(token).header("content-type", "application/json").body(r#"{"scope":"session"}"#))
        .await
        .expect(201);
    let request = office.collector.span("POST /api/v1/logouts").await;
    let recorded = office.collector.child("record logout", &request).await;
    let ended = office.collector.child("end at issuer", &recorded).await;
    office.collector.child("token endpoint", &ended).await;
    let called = office.collector.child("Management API", &ended).await;
    assert!(attribute(&called, "http.response.status_code").is_some());
}

#[tokio::test]
async fn a_strangers_traceparent_is_not_followed_and_a_trusted_proxys_is() {
    let traceparent = format!("00-{STRANGE_TRACE}-00f067aa0ba902b7-01");
    for (server, is_followed) in [("", false), ("trusted_proxies = [\"127.0.0.1\"]", true)] {
        let office = Office::open().await;
        // Nothing is kept of what begins here.
        let hub = office.hub_set(server, "sample = 0.0\n").await;
        asks_with(&hub, hub.url("/api/v1/session"), &traceparent).await;
        // Whoever can call the admin listener is believed: it shows that the first is not just late.
        asks_with(&hub, hub.admin_url("/console"), &traceparent.replace("4bf9", "0000")).await;
        office.collector.span("GET /console").await;
        let mut expected = vec![STRANGE_TRACE.replace("4bf9", "0000")];
        if is_followed {
            expected.insert(0, STRANGE_TRACE.to_owned());
        }
        assert_eq!(office.traces(), expected, "{server}");
    }
}

#[tokio::test]
async fn what_a_trusted_proxy_does_not_keep_the_hub_does_not_keep_either() {
    let office = Office::open().await;
    let hub = office.hub_set("trusted_proxies = [\"127.0.0.1\"]", "").await;
    asks_with(&hub, hub.url("/api/v1/session"), &format!("00-{STRANGE_TRACE}-00f067aa0ba902b7-00")).await;
    asks_with(&hub, hub.url("/api/v1/session"), "rubbish").await;
    office.collector.span("GET /api/v1/session").await;
    let traces = office.traces();
    assert!(traces.len() == 1 && traces[0] != STRANGE_TRACE, "{traces:?}");
}

#[tokio::test]
async fn a_refusal_is_named_and_a_path_that_is_none_is_not_told() {
    let office = Office::open().await;
    let hub = office.hub("").await;
    Answer::of(hub.http.get(hub.url("/secret-path?sid=secret-sid"))).await;
    Answer::of(hub.http.get(hub.url("/api/v1/session"))).await;
    Answer::of(hub.http.get(hub.admin_url("/healthz"))).await;
    let session = office.collector.span("GET /api/v1/session").await;
    assert_eq!(attribute(&session, "http.response.status_code").as_deref(), Some("401"));
    assert!(attribute(&session, "error.type").is_some());
    assert_eq!(session.status.as_ref().map(Status::code), Some(StatusCode::Unset), "the caller's fault, not ours");
    let names: Vec<_> = office.collector.spans().into_iter().filter(is_server).map(|span| span.name).collect();
    assert_eq!(names, ["GET", "GET /api/v1/session"], "no probe, and no path");
}

#[tokio::test]
async fn a_collector_that_is_away_or_never_answers_costs_no_logout_and_no_stop() {
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for port in [free_port(), deaf.local_addr().unwrap().port()] {
        let issuer = TestIssuer::start().await;
        let office = Office { issuer, folder: TempDir::new().unwrap(), collector: Collector::default() };
        let tables = format!("[traces]\nendpoint = \"http://127.0.0.1:{port}\"\n");
        let mut hub = HubProcess::start_with(&office.issuer, office.folder.path(), &tables).await;
        for _ in 0..20 {
            office.receives(&hub, &office.issuer.sign_in("ada")).await.expect(200);
        }
        let asked = tokio::time::Instant::now();
        assert!(hub.terminate().await.success());
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        assert!(office.log().contains("spans were lost"), "{}", office.log());
    }
}

#[tokio::test]
async fn what_is_not_sent_yet_is_sent_before_the_hub_ends() {
    let office = Office::open().await;
    let mut hub = office.hub("").await;
    office.receives(&hub, &office.issuer.sign_in("ada")).await.expect(200);
    assert!(hub.terminate().await.success());
    let names: Vec<_> = office.collector.spans().into_iter().map(|span| span.name).collect();
    assert!(names.iter().any(|name| name == "POST /backchannel-logout"), "{names:?}");
    assert!(!office.log().contains("spans were lost"));
}

#[tokio::test]
async fn the_collectors_headers_come_from_a_file_and_are_in_no_log() {
    let office = Office::open().await;
    std::fs::write(office.folder.path().join("otel-headers"), "Authorization: Bearer hunter2\nX-Team: slo\n").unwrap();
    let _hub = office.hub_set("", "headers_file = \"otel-headers\"\n").await;
    office.collector.span("fetch keys").await;
    let (headers, _) = office.collector.requests().remove(0);
    assert_eq!(
        (&headers["authorization"], &headers["x-team"]),
        (&"Bearer hunter2".parse().unwrap(), &"slo".parse().unwrap())
    );
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert!(!office.log().contains("hunter2"));
}

#[tokio::test]
async fn without_an_endpoint_nothing_is_sent_whatever_the_environment_says() {
    let office = Office::open().await;
    let folder = office.folder.path();
    let env = [("OTEL_EXPORTER_OTLP_ENDPOINT", office.collector.url.as_str()), ("OTEL_TRACES_SAMPLER", "always_on")];
    let url = records::url(folder);
    let config = |port, admin_port| config(office.issuer.url(), port, admin_port).replace("sqlite://hub.db", &url);
    let mut hub = HubProcess::start_among(&env, folder, config).await;
    office.receives(&hub, &office.issuer.sign_in("ada")).await.expect(200);
    assert!(hub.terminate().await.success());
    assert_eq!(office.collector.requests().len(), 0);
}
