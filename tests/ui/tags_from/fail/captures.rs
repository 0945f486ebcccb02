use cache_runtime::cacheable;

#[cacheable(tags_from = |value| vec![format!("{value}:{id}")])]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
