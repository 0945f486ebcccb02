use cache_runtime::{cache_evict, cache_put, cacheable};

#[cacheable(tags = [])]
async fn empty_list(id: u64) -> u64 {
    id
}

#[cacheable(tags = "")]
async fn empty(id: u64) -> u64 {
    id
}

#[cacheable(tags = ["id:{id}", "all", "id:{id}"])]
async fn twice(id: u64) -> u64 {
    id
}

#[cache_put(key = "product:{id}", tags = "owner:*")]
async fn glob(id: u64) -> u64 {
    id
}

#[cache_evict(tags = ["id:{id}", "owner:*"])]
async fn glob_evicted(id: u64) {
    let _ = id;
}

#[cacheable(tags = "{shop}{id}")]
async fn run_together(shop: u64, id: u64) -> u64 {
    shop + id
}

#[cacheable(tags = TAGS)]
async fn not_a_literal(id: u64) -> u64 {
    id
}

#[cacheable(tags("id:{id}"))]
async fn parentheses(id: u64) -> u64 {
    id
}

#[cache_evict(all, tags = "id:{id}")]
async fn beside_all(id: u64) {
    let _ = id;
}

fn main() {}
