//! Traces by OpenTelemetry, where somebody asks for them.

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanLimits};
use reqwest::Client;
use reqwest::header::HeaderMap;
use url::Url;

use super::export::{Collector, Export};

/// Where spans are sent, and which.
pub struct Settings {
    /// The collector's address for traces.
    pub url: Url,
    /// What it wants to be shown.
    pub headers: HeaderMap,
    /// The share of the traces begun here that is kept, from 0 to 1.
    pub sample: f64,
    /// What this node is called.
    pub node: String,
    /// What requests are sent with.
    pub client: Client,
}

/// Makes spans; whoever runs the [`Export`] sends them.
pub struct Traces {
    pub(super) tracer: SdkTracer,
    export: Export,
}

impl Traces {
    /// Nothing is sent before the [`Export`] runs.
    ///
    /// Everything that the SDK would otherwise read from `OTEL_…` variables is said here:
    /// the hub has one configuration.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { url, headers, sample, node, client } = settings;
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", "slo-hub"),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", node),
            ])
            .build();
        let (queue, export) =
            Export::new(ResourceAttributesWithSchema::from(&resource), Collector { client, url, headers });
        // Who was told to keep a trace keeps it, who was told not to does not.
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(sample)));
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_span_limits(SpanLimits::default())
            .with_resource(resource)
            .with_span_processor(queue)
            .build();
        Self { tracer: provider.tracer("slo-hub"), export }
    }

    /// The one who sends the spans.
    #[must_use]
    pub fn into_export(self) -> Export {
        self.export
    }
}
