use cache_runtime::cacheable;

#[cacheable(skip = pool)]
async fn equals(pool: u64, id: u64) -> u64 {
    pool + id
}

#[cacheable(skip)]
async fn flag(pool: u64, id: u64) -> u64 {
    pool + id
}

#[cacheable(skip())]
async fn nothing(pool: u64, id: u64) -> u64 {
    pool + id
}

#[cacheable(skip("pool"))]
async fn text(pool: u64, id: u64) -> u64 {
    pool + id
}

#[cacheable(skip(pool, pool))]
async fn twice(pool: u64, id: u64) -> u64 {
    pool + id
}

fn main() {}
