#![deny(warnings)]

use cache_runtime::{cache_evict, cache_put, cacheable};

#[derive(Clone)]
struct Tenant {
    name: String,
}

impl Tenant {
    #[cacheable(skip(self), scope = "tenant:{self.name}")]
    async fn by_default(&self, id: u64) -> u64 {
        id
    }

    #[cacheable(key = "product:{id}", scope = "{self.name}:{user}", tags = "id:{id}")]
    async fn product(&self, id: u64, user: &str) -> usize {
        user.len() + id as usize
    }

    #[cache_evict(scope = "tenant:{self.name}")]
    async fn close(self) {
        drop(self);
    }
}

/// A glob is a character here, and a literal scope is one too.
#[cacheable(key = "rates", scope = "everybody*")]
async fn literal() -> u64 {
    1
}

#[cacheable(key = "session", scope = "session:{token}", secret(token))]
async fn secret(token: &str) -> usize {
    token.len()
}

#[cacheable(key = "own", scope = "user:{result}")]
async fn argument_named_result(result: u64) -> u64 {
    result
}

#[cache_put(key = "product:{result}", scope = "user:{user}")]
async fn put(user: u64) -> u64 {
    user
}

#[cache_evict(key = "product:{id}", keys = ["stock:{id}", "name:{result}"], scope = "user:{user}")]
async fn keys_in_it(id: u64, user: String) -> usize {
    user.len() + id as usize
}

#[cache_evict(scope = "user:{result}")]
async fn of_the_value(user: u64) -> u64 {
    user
}

#[cache_evict(scope = "user:{user}", tags = "users", pattern = "users:*", region = "rates", before)]
async fn beside_others(user: u64) {
    let _ = user;
}

/// The scope alone is rendered before the body: without it there would be nothing to evict then.
#[cache_evict(scope = "session:{token}", key = "session", secret(token))]
async fn log_out(token: String) {
    drop(token);
}

#[tokio::main]
async fn main() {
    let tenant = Tenant { name: "a".to_owned() };
    assert_eq!(tenant.by_default(1).await, 1);
    assert_eq!(tenant.product(1, "abc").await, 4);
    tenant.clone().close().await;
    assert_eq!(literal().await, 1);
    assert_eq!(secret("abc").await, 3);
    assert_eq!(argument_named_result(4).await, 4);
    assert_eq!(put(5).await, 5);
    assert_eq!(keys_in_it(1, "ab".to_owned()).await, 3);
    assert_eq!(of_the_value(6).await, 6);
    beside_others(7).await;
    log_out("abc".to_owned()).await;
}
