use cache_runtime::cacheable;

const SHARE: f32 = 0.5;

#[cacheable(background_refresh = SHARE)]
async fn product(id: u64) -> u64 {
    id
}

fn main() {}
