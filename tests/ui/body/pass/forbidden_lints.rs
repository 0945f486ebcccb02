// Generated code allows nothing for itself that a strict crate forbids.
#![forbid(unused, unreachable_code, unsafe_code, future_incompatible, nonstandard_style)]

use cache_runtime::{cache_evict, cache_put, cacheable, key};

#[cacheable(key = "product:{id}")]
async fn product(id: u64) -> Result<u64, String> {
    id.checked_add(1).ok_or_else(|| "too many".to_owned())
}

#[cacheable]
async fn by_default(id: u64, _unused: u64) -> Option<u64> {
    Some(id)
}

#[cache_evict(key = "product:{id}", pattern = "products:{result}:*", before)]
async fn rename(id: u64) -> u64 {
    id
}

#[cache_put(key = "product:{id}")]
async fn update(id: u64) -> u64 {
    id
}

fn main() {
    let id = 1;
    drop((product(id), by_default(id, 2), rename(id), update(id), key!("product:{id}")));
}
