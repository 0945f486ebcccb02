#![deny(warnings)]

use cache_runtime::cacheable;

struct Pool;

#[cacheable(skip(pool))]
async fn product(pool: &Pool, id: u64) -> u64 {
    let _ = pool;
    id
}

struct Shop(u64);

impl Shop {
    #[cacheable(skip(self, pool), ttl = 5)]
    async fn product(&self, pool: &Pool, id: u64) -> u64 {
        let _ = pool;
        self.0 + id
    }
}

#[tokio::main]
async fn main() {
    assert_eq!(product(&Pool, 1).await, 1);
    assert_eq!(Shop(1).product(&Pool, 1).await, 2);
}
