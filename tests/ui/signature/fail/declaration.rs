use cache_runtime::cacheable;

trait Products {
    #[cacheable(key = "product:{id}")]
    async fn product(&self, id: u64) -> u64;
}

fn main() {}
