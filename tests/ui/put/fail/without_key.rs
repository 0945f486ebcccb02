use cache_runtime::cache_put;

#[cache_put(ttl = 60)]
async fn update(id: u64) -> u64 {
    id
}

fn main() {}
