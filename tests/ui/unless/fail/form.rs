use cache_runtime::cacheable;

#[cacheable(unless = "value.is_empty()")]
async fn text(id: u64) -> u64 {
    id
}

#[cacheable(unless = id > 0)]
async fn expression(id: u64) -> u64 {
    id
}

fn main() {}
