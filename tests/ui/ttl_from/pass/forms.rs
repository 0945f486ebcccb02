#![deny(warnings)]

use cache_runtime::cacheable;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Token {
    life: Duration,
}

fn life(token: &Token) -> Duration {
    token.life
}

#[cacheable(key = "token:{id}", ttl_from = life)]
async fn by_path(id: u64) -> Token {
    Token { life: Duration::from_secs(id) }
}

#[cacheable(key = "closure:{id}", ttl_from = |token| token.life / 2)]
async fn by_closure(id: u64) -> Result<Token, std::fmt::Error> {
    Ok(Token { life: Duration::from_secs(id) })
}

#[cacheable(key = "option:{id}", negative_ttl = 5, ttl_from = |token| token.as_ref().map_or(Duration::ZERO, life))]
async fn by_option(id: u64) -> Result<Option<Token>, std::fmt::Error> {
    Ok((id > 1).then_some(Token { life: Duration::from_secs(id) }))
}

#[tokio::main]
async fn main() {
    assert_eq!(by_path(1).await.life, Duration::from_secs(1));
    assert!(by_closure(1).await.is_ok());
    assert_eq!(by_option(1).await, Ok(None));
}
