use cache_runtime::cacheable;

#[cacheable(share_errors = true)]
async fn on(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cacheable(share_errors = "clone")]
async fn text(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cacheable(share_errors)]
async fn flag(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {}
