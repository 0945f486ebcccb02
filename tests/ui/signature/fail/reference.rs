use cache_runtime::cacheable;

#[cacheable(key = "name:{id}")]
async fn name(id: u64) -> &'static str {
    let _ = id;
    "name"
}

#[cacheable(key = "names:{id}")]
async fn names(id: &u64) -> Result<Vec<&u64>, String> {
    Ok(vec![id])
}

fn main() {}
