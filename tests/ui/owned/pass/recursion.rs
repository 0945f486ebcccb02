#![deny(warnings)]
//! A function that calls itself has a future that can be named before its body is known.

use std::pin::Pin;

use cache_runtime::cacheable;

#[cacheable(key = "product:{id}", background_refresh)]
fn product(id: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if id == 0 {
            return 0;
        }
        product(id - 1).await + 1
    })
}

#[tokio::main]
async fn main() {
    assert_eq!(product(3).await, 3);
}
