use cache_runtime::cacheable;

#[cacheable]
async fn product((shop, id): (u64, u64)) -> u64 {
    shop + id
}

fn main() {}
