//! `axum-response-cache`, as its README writes it.

use axum_response_cache::CacheLayer;
use common::Run;
use http_service::{Handler, measure};
use std::time::Duration;

fn main() {
    let run = Run::from_arguments();
    let layer = CacheLayer::with_lifespan(Duration::from_secs(3_600));
    match run.variant() {
        "lifespan" => measure(&run, Handler::Once, |router| router.layer(layer)),
        _ => run.unknown(),
    }
}
