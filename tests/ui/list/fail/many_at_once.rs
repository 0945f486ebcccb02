// Every mistake is reported, each on its own token, and the function is still there.
use cache_runtime::cacheable;

#[cacheable(key = "product:{nobody}", ttl = "1x", jitter = 2.0, expire = 5, version = "a")]
async fn product(id: u64) -> &'static str {
    let _ = id;
    "value"
}

fn main() {
    let _ = product(1);
}
