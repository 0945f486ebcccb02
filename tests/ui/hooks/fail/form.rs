use cache_runtime::cacheable;

#[cacheable(on_hit)]
async fn flag() -> u64 {
    1
}

#[cacheable(on_hit = |event| drop(event))]
async fn closure() -> u64 {
    1
}

#[cacheable(on_miss = "log")]
async fn text() -> u64 {
    1
}

fn main() {}
