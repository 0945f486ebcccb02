use cache_runtime::cacheable;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Product {
    id: u64,
}

#[cacheable(tags = ["id:{result.id}", "owner:{result.owner}"])]
async fn no_such_field(id: u64) -> Product {
    Product { id }
}

#[cacheable(tags = "id:{result.id}", negative_ttl = 5)]
async fn of_an_option(id: u64) -> Option<Product> {
    Some(Product { id })
}

struct Opaque;

#[cacheable(skip(opaque), tags = "opaque:{opaque}")]
async fn not_serializable(opaque: Opaque) -> u64 {
    let Opaque = opaque;
    1
}

fn main() {}
