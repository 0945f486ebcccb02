use cache_runtime::{cache_evict, cacheable};

#[cacheable(scope = "user:{id}", scope = "tenant:{id}")]
async fn twice(id: u64) -> u64 {
    id
}

#[cacheable(scope = ["user:{id}", "tenant"])]
async fn list(id: u64) -> u64 {
    id
}

#[cacheable(scope = "")]
async fn empty(id: u64) -> u64 {
    id
}

#[cacheable(scope = "user:{user}")]
async fn unknown(id: u64) -> u64 {
    id
}

#[cacheable(scope = "{shop}{id}")]
async fn run_together(shop: u64, id: u64) -> u64 {
    shop + id
}

#[cacheable(scope)]
async fn nothing(id: u64) -> u64 {
    id
}

struct Tenant(String);

impl Tenant {
    #[cacheable(scope = "tenant:{self.0}")]
    async fn still_needs_a_key(&self, id: u64) -> u64 {
        id
    }
}

#[cache_evict(scope = "user:{id}", all)]
async fn beside_all(id: u64) {
    let _ = id;
}

fn main() {}
