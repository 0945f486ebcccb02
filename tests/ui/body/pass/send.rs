#![deny(warnings)]

use cache_runtime::{cache_evict, cache_put, cacheable};

#[cacheable(key = "product:{name}")]
async fn product(name: &str) -> Result<String, std::io::Error> {
    tokio::task::yield_now().await;
    Ok(name.to_owned())
}

#[cache_evict(key = "product:{name}", keys = ["by:{result}"], before, hold = 1, always)]
async fn rename(name: String) -> Result<String, std::io::Error> {
    tokio::task::yield_now().await;
    Ok(name)
}

#[cache_put(key = "product:{name}")]
async fn update(name: &str) -> Result<String, std::io::Error> {
    tokio::task::yield_now().await;
    Ok(name.to_owned())
}

fn sent<T: Send>(future: T) -> T {
    future
}

#[tokio::main]
async fn main() {
    assert_eq!(sent(product("a")).await.unwrap(), "a");
    assert_eq!(sent(rename("a".to_owned())).await.unwrap(), "a");
    assert_eq!(sent(update("a")).await.unwrap(), "a");
}
