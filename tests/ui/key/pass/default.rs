#![deny(warnings)]

use cache_runtime::cacheable;

#[cacheable]
async fn sum(a: u64, b: &u64, c: impl Into<u64> + Copy + serde::Serialize, _ignored: bool, _: String) -> u64 {
    a + b + c.into()
}

#[cacheable]
async fn nothing() -> u64 {
    3
}

#[tokio::main]
async fn main() {
    assert_eq!(sum(1, &2, 3_u32, true, String::new()).await, 6);
    assert_eq!(nothing().await, 3);
}
