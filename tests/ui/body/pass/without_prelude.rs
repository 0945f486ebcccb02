#![no_implicit_prelude]
#![deny(warnings)]
#![warn(unused_results, unused_qualifications, unused_lifetimes, let_underscore_drop, trivial_casts, closure_returning_async_block)]

extern crate std;

use ::cache_runtime::{cache_evict, cache_put, cacheable};
use ::std::option::Option::{self, None, Some};
use ::std::result::Result::{self, Err, Ok};
use ::std::string::{String, ToString};

#[cacheable(key = "product:{id}", ttl = "3s", jitter = 0.1, version = 2, negative_ttl = 1)]
async fn product(id: u64) -> Result<Option<String>, String> {
    if id == 0 {
        return Ok(None);
    }
    Ok(Some(id.to_string()))
}

#[cacheable(unless = String::is_empty)]
async fn by_default(id: u64) -> String {
    id.to_string()
}

#[cache_evict(key = "product:{id}", pattern = "products:{result}:*", before, always)]
async fn rename(id: u64) -> Result<u64, String> {
    if id == 7 { Err(id.to_string()) } else { Ok(id) }
}

#[cache_put(key = "product:{id}", condition = id > 3)]
async fn update(id: u64) -> Result<Option<String>, String> {
    Ok(Some(id.to_string()))
}

fn main() {
    ::std::mem::drop((product(1), by_default(1), rename(1), update(1)));
}
