use cache_runtime::cacheable;

#[cacheable(key = "a:{id}", background_refresh)]
async fn product(id: u64, #[cfg(any())] gone: u64) -> u64 {
    id
}

fn main() {}
