use cache_runtime::cacheable;

struct Product;
type Answer<T> = Result<T, std::fmt::Error>;

#[cacheable(key = "product:{id}")]
async fn product(id: u64) -> Answer<Product> {
    let _ = id;
    Ok(Product)
}

fn main() {}
