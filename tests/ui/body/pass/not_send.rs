#![deny(warnings)]

use cache_runtime::cacheable;
use std::rc::Rc;

#[cacheable(key = "local:{id}")]
async fn local(id: u64) -> u64 {
    let not_send = Rc::new(id);
    tokio::task::yield_now().await;
    *not_send
}

#[tokio::main]
async fn main() {
    assert_eq!(local(1).await, 1);
}
