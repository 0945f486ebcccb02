use std::rc::Rc;

use cache_runtime::cacheable;

#[cacheable(key = "body:{id}", background_refresh)]
async fn product(id: u64) -> u64 {
    let shared = Rc::new(id);
    tokio::task::yield_now().await;
    *shared
}

fn main() {}
