use cache_runtime::cacheable;

#[derive(Clone)]
struct Shop(u64);

impl Shop {
    #[cacheable(key = "a:{id}", background_refresh)]
    async fn field(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[cacheable(key = "b:{id}", background_refresh)]
    async fn value(&self, id: u64, name: &str) -> u64 {
        name
    }

    #[cacheable(key = "c:{id}", background_refresh)]
    async fn moved(&self, id: u64, name: String) -> u64 {
        drop(name);
        name.len() as u64 + id
    }

    #[cacheable(key = "d:{id}", background_refresh)]
    async fn questioned(&self, id: &str) -> Result<u64, String> {
        Ok(id.parse()?)
    }
}

fn main() {}
