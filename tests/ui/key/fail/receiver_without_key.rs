use cache_runtime::cacheable;

struct Shop(u64);

impl Shop {
    #[cacheable]
    async fn product(&self, id: u64) -> u64 {
        self.0 + id
    }
}

fn main() {}
