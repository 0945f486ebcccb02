use cache_runtime::cacheable;

#[cacheable(on_timeout = |timeout| timeout.to_string())]
async fn product(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {}
