use cache_runtime::cacheable;

struct Failed;

#[cacheable(hard_timeout = "2s")]
async fn product(id: u64) -> Result<Option<u64>, Failed> {
    Ok(Some(id))
}

type Aliased = Result<u64, Failed>;

#[cacheable(hard_timeout = "2s")]
async fn aliased(id: u64) -> Aliased {
    Ok(id)
}

fn main() {}
