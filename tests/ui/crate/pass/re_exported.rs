#![deny(warnings)]

mod framework {
    pub mod cache {
        pub use cache_runtime::*;
    }
}

use framework::cache::{cache_evict, cache_put, cacheable, key};

#[cacheable(key = "a:{id}", crate = crate::framework::cache)]
async fn cached(id: u64) -> u64 {
    id
}

#[cache_evict(key = "a:{id}", crate = crate::framework::cache)]
async fn evicting(id: u64) -> u64 {
    id
}

#[cache_put(key = "a:{id}", crate = ::cache_runtime)]
async fn putting(id: u64) -> u64 {
    id
}

#[tokio::main]
async fn main() {
    assert_eq!(cached(1).await + evicting(1).await + putting(1).await, 3);
    let id = 1;
    let _ = key!("a:{id}");
}
