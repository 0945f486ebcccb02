use cache_runtime::cacheable;

#[cacheable(hard_timeout = "2s", on_timeout = |timeout| timeout.after())]
async fn closure(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn late() -> String {
    String::new()
}

#[cacheable(hard_timeout = "2s", on_timeout = late)]
async fn path(id: u64) -> Result<u64, String> {
    Ok(id)
}

fn text(timeout: cache_runtime::LoadTimeout) -> String {
    timeout.to_string()
}

#[cacheable(hard_timeout = "2s", on_timeout = text)]
async fn plain(id: u64) -> u64 {
    id
}

fn main() {}
