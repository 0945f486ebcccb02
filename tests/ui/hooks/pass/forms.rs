#![deny(warnings)]

use cache_runtime::{Event, cacheable};

mod metrics {
    pub fn hit(_: &cache_runtime::Event) {}
    pub fn any<T>(_: &T) {}
}

#[cacheable(key = "both:{id}", on_hit = metrics::hit, on_miss = metrics::any)]
async fn both(id: u64) -> u64 {
    id
}

struct Shop;

impl Shop {
    fn hook(_: &Event) {}

    // Nothing has to outlive the call.
    #[cacheable(key = "method:{id}", on_miss = Self::hook)]
    async fn method(&self, id: &mut u64) -> u64 {
        *id += 1;
        *id
    }

    #[cacheable(key = "refreshed:{id}", on_hit = Self::hook, background_refresh)]
    async fn refreshed(id: u64) -> u64 {
        id
    }
}

#[tokio::main]
async fn main() {
    assert_eq!(both(1).await, 1);
    assert_eq!(Shop.method(&mut 1).await, 2);
    assert_eq!(Shop::refreshed(1).await, 1);
}
