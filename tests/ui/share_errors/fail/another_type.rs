use cache_runtime::cacheable;

struct Foreign;

#[cacheable(share_errors = |error| error.to_string())]
async fn product(id: u64) -> Result<u64, Foreign> {
    Ok(id)
}

fn main() {}
