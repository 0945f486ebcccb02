#![deny(warnings)]

use cache_runtime::cacheable;

#[cacheable(key = "product:{id}", background_refresh)]
async fn product(id: u64, mut unused: u64, text: &str, mut other: u64) -> u64 {
    let forgotten = id;
    other
}

fn main() {}
