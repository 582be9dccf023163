//! A collector of traces: OTLP over HTTP, on a real port.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use prost::Message as _;
use slo_hub::tasks::Tasks;

use crate::wait::until;

/// What a collector was sent.
#[derive(Clone, Default)]
pub struct Collector {
    requests: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    pub url: String,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { url, ..Self::default() };
        let routes = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        Tasks::default().spawn(async move { axum::serve(listener, routes).await.unwrap() });
        collector
    }

    /// Its table in the hub's configuration.
    pub fn table(&self) -> String {
        format!("[traces]\nendpoint = \"{}\"\nnode = \"hub-1\"\n", self.url)
    }

    pub fn requests(&self) -> Vec<(HeaderMap, Bytes)> {
        self.requests.lock().unwrap().clone()
    }

    fn decoded(&self) -> Vec<ExportTraceServiceRequest> {
        self.requests().into_iter().map(|(_, body)| ExportTraceServiceRequest::decode(body).unwrap()).collect()
    }

    /// Every span so far.
    pub fn spans(&self) -> Vec<Span> {
        let resources = self.decoded().into_iter().flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// What it was told of who sent the spans.
    pub fn resource(&self, key: &str) -> Option<String> {
        let resource = self.decoded().into_iter().flat_map(|request| request.resource_spans).next()?.resource?;
        text(&resource.attributes, key)
    }

    /// Waits for the first span of that name.
    pub async fn span(&self, name: &str) -> Span {
        until(name, async || self.spans().into_iter().find(|span| span.name == name)).await
    }

    /// Waits for a span of that name beneath another.
    pub async fn child(&self, name: &str, parent: &Span) -> Span {
        let is_it = |span: &Span| span.name == name && span.parent_span_id == parent.span_id;
        let what = format!("{name} beneath {}", parent.name);
        let found = until(&what, async || self.spans().into_iter().find(is_it));
        let found = found.await;
        assert_eq!(found.trace_id, parent.trace_id, "{name}");
        found
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> StatusCode {
    collector.requests.lock().unwrap().push((headers, body));
    StatusCode::OK
}

/// An attribute, as text.
pub fn attribute(span: &Span, key: &str) -> Option<String> {
    text(&span.attributes, key)
}

pub fn is_server(span: &Span) -> bool {
    span.kind() == SpanKind::Server
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let AnyValue { value } = attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?;
    match value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        other => Some(format!("{other:?}")),
    }
}
