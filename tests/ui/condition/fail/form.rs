use cache_runtime::cacheable;

#[cacheable(condition = |id| id > 0)]
async fn closure(id: u64) -> u64 {
    id
}

#[cacheable(condition = "id > 0")]
async fn text(id: u64) -> u64 {
    id
}

#[cacheable(condition = true)]
async fn constant(id: u64) -> u64 {
    id
}

fn main() {}
