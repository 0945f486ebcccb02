#![deny(warnings)]

use cache_runtime::{cache_evict, cache_put, cacheable};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Session {
    id: u64,
}

#[cacheable(key = "session:{token}:{page}", secret(token))]
async fn session(token: &str, page: u64) -> Session {
    Session { id: page + token.len() as u64 }
}

#[cache_evict(key = "session:{token}:{page}", secret(token))]
async fn by_key(token: &str, page: u64) {
    let _ = (token, page);
}

#[cache_evict(keys = ["session:{token}:{page}", "page:{page}"], pattern = "sessions:{token}:*", secret(token))]
async fn in_one_template_at_least(token: String, page: u64) -> Result<(), String> {
    drop(token);
    if page > 9 { Err("no such page".to_owned()) } else { Ok(()) }
}

#[cache_evict("session:{token.trim()}:*", secret(token))]
#[cache_evict(key = "session:{token}:{result.id}", secret(token))]
async fn beside_the_result(token: String) -> Session {
    Session { id: token.len() as u64 }
}

#[cache_put(key = "session:{token}:{page}", secret(token))]
async fn put(token: String, page: u64) -> Session {
    Session { id: page + token.len() as u64 }
}

#[cache_put(key = "session:{token}:{result.id}", secret(token))]
async fn put_beside_the_result(token: &str) -> Session {
    Session { id: token.len() as u64 }
}

#[tokio::main]
async fn main() {
    assert_eq!(session("abc", 1).await.id, 4);
    by_key("abc", 1).await;
    assert!(in_one_template_at_least("abc".to_owned(), 1).await.is_ok());
    assert_eq!(beside_the_result("abc".to_owned()).await.id, 3);
    assert_eq!(put("abc".to_owned(), 1).await.id, 4);
    assert_eq!(put_beside_the_result("abc").await.id, 3);
}
