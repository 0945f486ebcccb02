#![deny(warnings)]

use cache_runtime::{cache_evict, cache_put, cacheable};

#[cacheable(key = "{key}:{result}:{cache}:{self_}:{__key}:{__value}:{site}")]
async fn taken(key: u64, result: u64, cache: u64, self_: u64, __key: u64, __value: u64, site: u64) -> u64 {
    key + result + cache + self_ + __key + __value + site
}

#[cacheable]
async fn by_default(key: u64, result: u64, __found: u64, __shape: u64, value: u64) -> u64 {
    key + result + __found + __shape + value
}

#[cache_evict(key = "{plan}:{guard}:{__plan}:{__out}:{result}")]
async fn evicting(plan: u64, guard: u64, __plan: u64, __out: u64) -> u64 {
    plan + guard + __plan + __out
}

#[cache_put(key = "{put}:{__put}:{policy}")]
async fn putting(put: u64, __put: u64, policy: u64) -> u64 {
    put + __put + policy
}

// Names that generated code uses mean something else here.
#[expect(dead_code, reason = "their presence is the test")]
mod shadows {
    use cache_runtime::cacheable;

    struct Result;
    struct Option;
    struct Box;
    struct Some;
    fn drop() {}
    mod core {}
    mod std {}
    mod cache_runtime_private {}

    #[cacheable(key = "shadows:{id}")]
    pub async fn product(id: u64) -> u64 {
        id
    }
}

#[tokio::main]
async fn main() {
    assert_eq!(taken(1, 2, 3, 4, 5, 6, 7).await, 28);
    assert_eq!(by_default(1, 2, 3, 4, 5).await, 15);
    assert_eq!(evicting(1, 2, 3, 4).await, 10);
    assert_eq!(putting(1, 2, 3).await, 6);
    assert_eq!(shadows::product(1).await, 1);
}
