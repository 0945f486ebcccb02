use cache_runtime::cache_put;

struct Product;

#[cache_put(key = "product:{id}")]
async fn product(id: u64) -> Product {
    let _ = id;
    Product
}

fn main() {}
