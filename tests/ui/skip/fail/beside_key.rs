use cache_runtime::cacheable;

#[cacheable(key = "product:{id}", skip(pool))]
async fn product(pool: u64, id: u64) -> u64 {
    pool + id
}

fn main() {}
