use cache_runtime::cache_put;

#[cache_put(key = "product:{result.0}")]
async fn update(result: u64) -> (u64,) {
    (result,)
}

fn main() {}
