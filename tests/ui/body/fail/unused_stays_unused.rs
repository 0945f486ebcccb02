#![deny(warnings)]

use cache_runtime::cacheable;

#[cacheable(key = "product:{id}")]
pub async fn product(id: u64, unused: u64) -> u64 {
    let forgotten = id;
    id
}

fn main() {}
