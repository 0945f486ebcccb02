use cache_runtime::cacheable;

#[async_trait::async_trait]
trait Products {
    async fn product(&self, pair: (u64, u64)) -> u64;
}

struct Shop;

#[async_trait::async_trait]
impl Products for Shop {
    #[cacheable(key = "product:{shop}")]
    async fn product(&self, (shop, id): (u64, u64)) -> u64 {
        shop + id
    }
}

fn main() {}
