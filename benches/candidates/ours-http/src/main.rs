//! This project's `ResponseCache`, as its README writes it.

use cache_http::response::ResponseCache;
use cache_runtime::{Cache, Memory};
use common::Run;
use http_service::{Handler, measure};

fn main() {
    let run = Run::from_arguments();
    let memory = Memory::new().max_entries(run.capacity());
    let cache = Cache::builder("shop").memory(memory).build();
    let layer = ResponseCache::new(&cache.expect("the settings make sense"));
    match run.variant() {
        "memory" => measure(&run, Handler::Once, |router| router.layer(layer)),
        _ => run.unknown(),
    }
}
