//! Logs, figures and, with the feature `otel`, spans for a collector.

use std::error::Error;
use std::io::{self, IsTerminal};

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::config::Config;

/// Fine below a millisecond, where answers from memory are, up to a request that is cut off.
const SECONDS: [f64; 12] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 2.0, 10.0,
];

/// Logs to the standard error from here on; `RUST_LOG` says how much. With the feature `otel` spans are sent until the value is dropped.
///
/// # Errors
/// If somebody else logs already, or spans have nowhere to go.
pub fn logs(config: &Config) -> Result<Logs, Box<dyn Error + Send + Sync>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let lines = if config.json_logs {
        lines.json().boxed()
    } else {
        lines.boxed()
    };
    #[cfg(feature = "otel")]
    let spans = crate::otel::Spans::start()?;
    let registry = tracing_subscriber::registry().with(filter).with(lines);
    #[cfg(feature = "otel")]
    let registry = registry.with(spans.layer());
    registry.try_init()?;
    Ok(Logs {
        #[cfg(feature = "otel")]
        _spans: spans,
    })
}

/// What logging needs to the end.
#[derive(Debug)]
#[must_use = "spans are sent until it is dropped"]
pub struct Logs {
    #[cfg(feature = "otel")]
    _spans: crate::otel::Spans,
}

/// Collects what the service and its libraries count.
///
/// # Errors
/// If somebody else does.
pub fn figures() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets(&SECONDS)?
        .install_recorder()
}
