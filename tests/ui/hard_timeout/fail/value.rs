use cache_runtime::cacheable;

#[cacheable(hard_timeout = 0)]
async fn zero() -> Result<u64, cache_runtime::LoadTimeout> {
    Ok(1)
}

#[cacheable(hard_timeout)]
async fn flag() -> Result<u64, cache_runtime::LoadTimeout> {
    Ok(1)
}

fn main() {}
