#![deny(warnings)]

use cache_runtime::cacheable;

#[cacheable(secret(token))]
async fn by_default(id: u64, token: &str) -> u64 {
    id + token.len() as u64
}

#[cacheable(key = "session:{id}:{token}", secret(token))]
async fn by_template(id: u64, token: String) -> u64 {
    id + token.len() as u64
}

#[cacheable(key = "session:{token.trim().to_lowercase()}", secret(token))]
async fn derived(token: String) -> usize {
    token.len()
}

#[tokio::main]
async fn main() {
    assert_eq!(by_default(1, "abc").await, 4);
    assert_eq!(by_template(1, "abc".to_owned()).await, 4);
    assert_eq!(derived("abc".to_owned()).await, 3);
}
