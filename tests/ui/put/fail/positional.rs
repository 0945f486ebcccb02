use cache_runtime::cache_put;

#[cache_put(60, key = "product:{id}")]
async fn update(id: u64) -> u64 {
    id
}

fn main() {}
