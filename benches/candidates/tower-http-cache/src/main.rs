//! `tower-http-cache` over its backend in memory (moka), with what says how long a response is good.
//!
//! It cannot be put around a router of axum as it is: it wants bodies that are `Sync`, and answers with errors. What is around it below costs next to nothing.

use axum::{
    body::{Body, Bytes},
    error_handling::HandleErrorLayer,
    http::StatusCode,
};
use common::Run;
use http_body::{Body as _, Frame, SizeHint};
use http_service::{Handler, measure};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use sync_wrapper::SyncWrapper;
use tower::ServiceBuilder;
use tower_http_cache::prelude::*;

fn main() {
    let run = Run::from_arguments();
    let layer = CacheLayer::builder(InMemoryBackend::new(run.capacity() as u64))
        .ttl(Duration::from_secs(3_600))
        .respect_cache_control(true)
        .build();
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |_| StatusCode::BAD_GATEWAY))
        .layer(layer)
        .map_response(|response: axum::response::Response| {
            response.map(|body| Shareable {
                hint: body.size_hint(),
                body: SyncWrapper::new(body),
            })
        });
    match run.variant() {
        "memory" => measure(&run, Handler::Once, |router| router.layer(layers)),
        _ => run.unknown(),
    }
}

struct Shareable {
    body: SyncWrapper<Body>,
    /// Without one nothing is stored.
    hint: SizeHint,
}

impl http_body::Body for Shareable {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(self.body.get_mut()).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}
