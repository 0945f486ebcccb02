use cache_runtime::cache_evict;

#[cache_evict(key = "product:{result}")]
async fn rename(id: u64) -> impl std::fmt::Display {
    id
}

fn main() {}
