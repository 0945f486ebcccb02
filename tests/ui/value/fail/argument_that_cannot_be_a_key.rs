use cache_runtime::cacheable;

struct Pool;

#[cacheable]
async fn product(pool: Pool, id: u64) -> u64 {
    let _ = pool;
    id
}

fn main() {}
