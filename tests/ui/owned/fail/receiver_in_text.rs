use cache_runtime::cacheable;

#[derive(Clone, Debug)]
struct Shop(u64);

impl Shop {
    #[cacheable(key = "a:{id}", background_refresh)]
    async fn product(&self, id: u64) -> String {
        format!("{id} of {self:?}")
    }
}

fn main() {}
