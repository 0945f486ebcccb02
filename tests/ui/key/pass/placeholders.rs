#![deny(warnings)]

use cache_runtime::{cacheable, key};
use serde::Serialize;

#[derive(Serialize)]
struct Query {
    page: u64,
    terms: Vec<String>,
}

const REGION: &str = "eu";

struct Shop {
    tenant: String,
}

impl Shop {
    #[cacheable(key = "{self.tenant}:{query.page}:{query.terms.len()}:{REGION}")]
    async fn products(&self, query: &Query) -> u64 {
        query.page + self.tenant.len() as u64
    }

    #[cacheable(key = "{{braces}}:{ {let x = id; x + 1} }:{vec![id, 1]}:{double(id)}")]
    async fn expressions(id: u64) -> u64 {
        id
    }
}

fn double(id: u64) -> u64 {
    id * 2
}

#[cacheable(key = "pair:{a}:{b}:{c}")]
async fn patterns((a, b): (u64, u64), [c, ..]: [u64; 3], _: String) -> u64 {
    a + b + c
}

#[cacheable(key = "constant")]
async fn constant() -> u64 {
    1
}

#[tokio::main]
async fn main() {
    let shop = Shop { tenant: "acme".to_owned() };
    let query = Query { page: 1, terms: vec!["a".to_owned()] };
    assert_eq!(shop.products(&query).await, 5);
    assert_eq!(Shop::expressions(2).await, 2);
    assert_eq!(patterns((1, 2), [3, 4, 5], String::new()).await, 6);
    assert_eq!(constant().await, 1);
    let id = 7;
    let _ = key!("product:{id}:{query.page}");
}
