#![deny(warnings)]
//! A lock taken to find the cache is free again before anything is awaited.

use cache_runtime::{Cache, cache_evict, cache_put, cacheable};
use std::sync::{Arc, Mutex};

struct State {
    cache: Mutex<Cache>,
}

#[cacheable(key = "state:{id}", cache = state.cache.lock().unwrap())]
async fn cached(state: Arc<State>, id: u64) -> u64 {
    drop(state.cache.lock().unwrap());
    id
}

#[cache_evict(key = "state:{id}", cache = state.cache.lock().unwrap(), before)]
async fn evicting(state: Arc<State>, id: u64) {
    drop((state.cache.lock().unwrap(), id));
}

#[cache_put(key = "state:{id}", cache = state.cache.lock().unwrap())]
async fn putting(state: Arc<State>, id: u64) -> u64 {
    drop(state.cache.lock().unwrap());
    id
}

#[tokio::main]
async fn main() {
    let state = Arc::new(State { cache: Mutex::new(Cache::builder("guarded").build().unwrap()) });
    assert_eq!(tokio::spawn(cached(Arc::clone(&state), 1)).await.unwrap(), 1);
    tokio::spawn(evicting(Arc::clone(&state), 1)).await.unwrap();
    assert_eq!(tokio::spawn(putting(state, 1)).await.unwrap(), 1);
}
