//! Spans for an OpenTelemetry collector: `cargo run --release -p product-service --features otel`.
//!
//! They are the spans of `tracing`, those of the requests and of the cache among them, sent by OTLP over HTTP to
//! `OTEL_EXPORTER_OTLP_ENDPOINT` (`http://localhost:4318` by default). A request that comes with a `traceparent` is part of that trace.

use axum::http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::registry::LookupSpan;

const NAME: &str = "product-service";

/// Sends what is left when it is dropped.
#[derive(Debug)]
pub struct Spans(SdkTracerProvider);

impl Spans {
    /// Collects spans and sends them now and then, from a task of the runtime it is called on.
    ///
    /// # Errors
    /// If the endpoint is no URL.
    pub fn start() -> Result<Spans, ExporterBuildError> {
        let exporter = SpanExporter::builder().with_http().build()?;
        let batches = BatchSpanProcessor::builder(exporter, Tokio).build();
        let resource = Resource::builder().with_service_name(NAME).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(batches)
            .with_resource(resource);
        Ok(Spans(provider.build()))
    }

    /// What the spans of `tracing` go through.
    pub fn layer<S: Subscriber + for<'span> LookupSpan<'span>>(
        &self,
    ) -> OpenTelemetryLayer<S, SdkTracer> {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer(NAME))
    }
}

impl Drop for Spans {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last spans are lost");
        }
    }
}

/// Makes a span part of the trace that a request says it belongs to.
pub(crate) fn follow(span: &Span, headers: &HeaderMap) {
    let caller = TraceContextPropagator::new().extract(&Headers(headers));
    // Refused where the span is filtered out, and then there is nothing to follow.
    let _ = span.set_parent(caller);
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
