use cache_runtime::cacheable;

struct NotClone(u64);

#[cacheable(key = "a:{id}", background_refresh)]
async fn by_value(id: u64, pool: NotClone) -> u64 {
    id + pool.0
}

#[cacheable(key = "b:{id}", background_refresh)]
async fn by_reference(id: u64, pool: &NotClone) -> u64 {
    id + pool.0
}

#[cacheable(key = "c:{id}", background_refresh)]
async fn optional(id: u64, pool: Option<&NotClone>) -> u64 {
    id + pool.map_or(0, |pool| pool.0)
}

#[cacheable(key = "d:{id}", background_refresh)]
async fn in_pattern(id: u64, (pool, other): (NotClone, u64)) -> u64 {
    id + pool.0 + other
}

impl NotClone {
    #[cacheable(key = "e:{self.0}", background_refresh)]
    async fn receiver(&self) -> u64 {
        self.0
    }

    #[cacheable(key = "f:{self.0}", background_refresh)]
    async fn by_self(self) -> u64 {
        self.0
    }
}

#[cacheable(key = "g:{id}", background_refresh)]
async fn opaque(id: u64, text: impl ToString) -> String {
    text.to_string()
}

#[cacheable(key = "h:{id}", background_refresh)]
async fn generic<T: ToString>(id: u64, text: &T) -> String {
    text.to_string()
}

fn main() {}
