use cache_runtime::cacheable;

#[cacheable(soft_timeout = 0)]
async fn zero() -> Result<u64, cache_runtime::LoadTimeout> {
    Ok(1)
}

#[cacheable(soft_timeout)]
async fn flag() -> Result<u64, cache_runtime::LoadTimeout> {
    Ok(1)
}

#[cacheable(soft_timeout = "2s", hard_timeout = "2s")]
async fn as_long() -> Result<u64, cache_runtime::LoadTimeout> {
    Ok(1)
}

#[cacheable(hard_timeout = 1, stale_if_error = "1h", soft_timeout = "1s1ms")]
async fn longer() -> Result<u64, cache_runtime::LoadTimeout> {
    Ok(1)
}

fn main() {}
