use cache_runtime::cacheable;

#[cacheable(key = "products:{page}")]
async fn products(page: u64) -> impl Iterator<Item = u64> {
    [page].into_iter()
}

fn main() {}
