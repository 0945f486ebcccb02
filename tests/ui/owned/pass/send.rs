#![deny(warnings)]

use cache_runtime::cacheable;

#[cacheable(key = "{id}:{name}", background_refresh)]
async fn product(id: u64, name: &str) -> Result<u64, std::num::ParseIntError> {
    tokio::task::yield_now().await;
    Ok(name.parse::<u64>()? + id)
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::main]
async fn main() {
    assert_eq!(tokio::spawn(async { product(1, "2").await }).await.expect("joined"), Ok(3));
    assert_eq!(is_send(product(1, "2")).await, Ok(3));
}
