use cache_runtime::cacheable;

#[cacheable(key = "product:{shop}-{id}")]
async fn product(shop: String, id: u64) -> u64 {
    let _ = shop;
    id
}

fn main() {}
