use cache_runtime::{cache_evict, cache_put, cacheable};

#[cacheable(tags = ["id:{id}", "shop:{shop}"])]
async fn unknown(id: u64) -> u64 {
    id
}

#[cache_evict(tags = "owner:{owner}")]
async fn unknown_evicted(id: u64) {
    let _ = id;
}

#[cacheable(tags = "shop:{self.shop}")]
async fn no_receiver(id: u64) -> u64 {
    id
}

#[cacheable(key = "product:{result}", tags = "id:{result}")]
async fn argument_named_result(result: u64) -> u64 {
    result
}

#[cacheable(tags = "shop:{shop.len() + result}")]
async fn with_an_argument(shop: String) -> usize {
    shop.len()
}

#[cache_put(key = "product:{id}", tags = ["id:{id}", "shop:{result + id}"])]
async fn with_an_argument_put(id: u64) -> u64 {
    id
}

#[cacheable(tags = "{format!(\"{shop}-{result}\")}")]
async fn with_an_argument_in_a_macro(shop: &str) -> usize {
    shop.len()
}

#[cacheable(tags = "shop:{token.len() + result}", secret(token))]
async fn with_a_secret(token: String) -> usize {
    token.len()
}

#[cacheable(key = "product:{id}", tags = "shop:{id}", secret(token))]
async fn secret_in_none(id: u64, token: String) -> usize {
    token.len() + id as usize
}

fn main() {}
