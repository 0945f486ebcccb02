use cache_runtime::cacheable;

#[cacheable(tags_from = |value| value.to_string())]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
