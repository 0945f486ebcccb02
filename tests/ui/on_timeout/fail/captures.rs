use cache_runtime::cacheable;

#[cacheable(hard_timeout = "2s", on_timeout = |_| format!("{id}"))]
async fn product(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn main() {}
