use cache_runtime::cache_put;

#[cache_put(key = "product:{id}", background_refresh)]
async fn refreshed(id: u64) -> u64 {
    id
}

#[cache_put(key = "product:{id}", stale_while_revalidate = 0, hard_timeout = "2s")]
async fn timed(id: u64) -> Result<u64, cache_runtime::LoadTimeout> {
    Ok(id)
}

#[cache_put(key = "product:{id}", fail_safe = "1h", on_hit = told)]
async fn safe(id: u64) -> u64 {
    id
}

fn main() {}
