#![deny(warnings)]

use cache_runtime::{Cache, cache_evict, cache_put, cacheable};
use std::sync::{Arc, Mutex};

struct Shop {
    cache: Cache,
    shared: Arc<Cache>,
    locked: Mutex<Cache>,
}

fn made() -> Cache {
    Cache::builder("made").build().expect("a memory cache needs nothing")
}

impl Shop {
    #[cacheable(key = "field:{id}", cache = self.cache)]
    async fn field(&self, id: u64) -> u64 {
        id
    }

    #[cacheable(key = "shared:{id}", cache = self.shared)]
    async fn shared(&self, id: u64) -> u64 {
        id
    }

    // The guard is gone before anything is awaited, so the future stays `Send`.
    #[cacheable(key = "locked:{id}", cache = self.locked.lock().expect("nobody panics"))]
    async fn locked(&self, id: u64) -> u64 {
        id
    }

    // The body consumes what the expression borrowed.
    #[cacheable(key = "consumed:{id}", cache = self.cache)]
    async fn consumed(self, id: u64) -> u64 {
        drop(self);
        id
    }
}

#[cacheable(key = "temporary:{id}", cache = made())]
async fn temporary(id: u64) -> u64 {
    id
}

#[cache_evict(key = "field:{id}", cache = cache)]
async fn evicting(cache: &Cache, id: u64) -> u64 {
    let _ = cache;
    id
}

#[cache_put(key = "field:{id}", cache = shop.locked.lock().expect("nobody panics"))]
async fn putting(shop: &Shop, id: u64) -> u64 {
    let _ = shop;
    id
}

fn sent<T: Send>(future: T) -> T {
    future
}

#[tokio::main]
async fn main() {
    let shop = Shop { cache: made(), shared: Arc::new(made()), locked: Mutex::new(made()) };
    assert_eq!(sent(shop.field(1)).await, 1);
    assert_eq!(sent(shop.shared(1)).await, 1);
    assert_eq!(sent(shop.locked(1)).await, 1);
    assert_eq!(sent(temporary(1)).await, 1);
    assert_eq!(sent(evicting(&shop.cache, 1)).await, 1);
    assert_eq!(sent(putting(&shop, 1)).await, 1);
    assert_eq!(sent(shop.consumed(1)).await, 1);
}
