#![deny(warnings)]

use cache_runtime::{cache_evict, cacheable};
use std::pin::Pin;

struct Shop(u64);

impl Shop {
    #[cacheable(key = "boxed:{self.0}:{id}")]
    fn boxed(&self, id: u64) -> Pin<Box<dyn Future<Output = Result<u64, std::num::ParseIntError>> + Send + '_>> {
        if id == 0 {
            return Box::pin(async { Ok(0) });
        }
        Box::pin(async move {
            let one: u64 = "1".parse()?;
            Ok(self.0 + id + one)
        })
    }
}

#[cacheable(key = "recursive:{n}")]
fn recursive(n: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move { if n == 0 { 0 } else { recursive(n - 1).await + 1 } })
}

#[cache_evict(key = "boxed:{id}")]
fn evicting<'a>(id: &'a u64) -> Pin<Box<dyn std::future::Future<Output = &'a u64> + 'a>> {
    Box::pin(async move { id })
}

#[tokio::main]
async fn main() {
    assert_eq!(Shop(1).boxed(1).await, Ok(3));
    assert_eq!(Shop(1).boxed(0).await, Ok(0));
    assert_eq!(recursive(3).await, 3);
    assert_eq!(*evicting(&1).await, 1);
}
