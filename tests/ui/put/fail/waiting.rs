use cache_runtime::cache_put;

#[cache_put(key = "product:{id}", stampede_protection, share_errors = false)]
async fn update(id: u64) -> u64 {
    id
}

fn main() {}
