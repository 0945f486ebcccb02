use cache_runtime::cacheable;

#[cacheable(key = "a:{id}", background_refresh)]
async fn argument(id: u64, log: &mut Vec<u64>) -> u64 {
    log.push(id);
    id
}

#[cacheable(key = "b", early_refresh = 2)]
async fn optional(log: Option<&mut Vec<u64>>) -> u64 {
    log.map_or(0, |log| log.len() as u64)
}

#[derive(Clone)]
struct Shop(u64);

impl Shop {
    #[cacheable(key = "c", soft_timeout = "1s")]
    async fn receiver(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    #[cacheable(key = "d", consistency_check = 0.1)]
    async fn typed(self: &mut Self) -> u64 {
        self.0
    }
}

fn main() {}
