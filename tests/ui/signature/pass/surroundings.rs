#![deny(warnings)]
//! Where functions come from and what surrounds them.

use cache_runtime::{cache_evict, cache_put, cacheable};
use std::pin::Pin;

mod shadowing {
    #![allow(dead_code)]
    pub mod core {}
    pub mod std {}
    pub struct Option;
    pub struct Result;
    pub struct Box;
    pub struct Duration;

    #[cache_runtime::cacheable(key = "shadowing:{id}", ttl = 60, negative_ttl = 1)]
    pub async fn cached(id: u64) -> ::std::option::Option<u64> {
        Some(id)
    }

    #[cache_runtime::cache_evict(key = "shadowing:{id}", hold = 3)]
    pub async fn evicting(id: u64) {
        let _ = id;
    }
}

macro_rules! by_parts {
    ($name:ident, $argument:ident, $key:expr, $ttl:expr) => {
        #[cacheable(key = $key, secret($argument), ttl = $ttl, crate = ::cache_runtime)]
        async fn $name($argument: &str) -> usize {
            $argument.len()
        }
    };
}

by_parts!(parts, argument, "parts:{argument}", std::time::Duration::from_secs(1));

const _: () = {
    #[cacheable(key = "constant")]
    async fn inside_a_constant() {}
    let _ = inside_a_constant;
};

#[cacheable(key = "there:{id}:{other}")]
async fn one_of_two(id: u64, #[cfg(windows)] other: u64, #[cfg(not(windows))] other: u64) -> u64 {
    id + other
}

#[cfg_attr(all(), cacheable(skip(gone)), must_use)]
async fn not_there(id: u64, #[cfg(any())] gone: u64) -> u64 {
    id
}

struct Counter(u64);

impl Counter {
    #[cache_put(key = "counter:{self.0}")]
    async fn pinned(mut self: Pin<&mut Self>) -> u64 {
        self.0 += 1;
        self.0
    }

    #[cache_evict(key = "counter:{self.0}:{result}")]
    async fn borrowed<'a>(&'a mut self, text: &'a str) -> &'a str {
        self.0 += 1;
        text
    }

    #[cacheable(key = "counter:{self.0}")]
    async fn boxed(mut self: Box<Self>) -> u64 {
        self.0 += 1;
        self.0
    }
}

#[tokio::main]
async fn main() {
    #[cacheable(key = "inside:{id}")]
    async fn inside(id: u64) -> u64 {
        id
    }
    let closure = async |id| inside(id).await;
    assert_eq!(closure(1).await, 1);
    assert_eq!(shadowing::cached(1).await, Some(1));
    shadowing::evicting(1).await;
    assert_eq!(parts("abc").await, 3);
    assert_eq!(one_of_two(1, 2).await + not_there(1).await, 4);
    let mut counter = Counter(0);
    assert_eq!(Pin::new(&mut counter).pinned().await, 1);
    assert_eq!(counter.borrowed("x").await, "x");
    assert_eq!(Box::new(counter).boxed().await, 3);
}
