//! The service without a cache.

use common::Run;
use http_service::{Handler, measure};

fn main() {
    let run = Run::from_arguments();
    match run.variant() {
        "plain" => measure(&run, Handler::Always, |router| router),
        _ => run.unknown(),
    }
}
