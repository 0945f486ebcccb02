use cache_runtime::cache_put;

#[cache_put(key = "name:{id}")]
async fn update(id: u64) -> &'static str {
    let _ = id;
    "name"
}

fn main() {}
