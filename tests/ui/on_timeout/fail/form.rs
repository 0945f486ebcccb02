use cache_runtime::cacheable;

#[cacheable(hard_timeout = "2s", on_timeout = "too late")]
async fn text(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cacheable(hard_timeout = "2s", on_timeout)]
async fn flag(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {}
