use cache_runtime::cacheable;

#[cacheable(key = "product:{id}", background_refresh)]
async fn product(id: u64) -> u64 {
    if id == 0 {
        return 0;
    }
    Box::pin(product(id - 1)).await + 1
}

fn main() {}
