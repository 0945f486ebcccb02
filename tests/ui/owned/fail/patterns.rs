use cache_runtime::cacheable;

#[cacheable(key = "a", background_refresh)]
async fn through_reference((a, b): &(u64, u64)) -> u64 {
    a + b
}

#[cacheable(key = "b", background_refresh)]
async fn by_reference((ref a, b): (String, u64), ref c: u64) -> u64 {
    a.len() as u64 + b + c
}

fn main() {}
