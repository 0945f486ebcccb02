use cache_runtime::cacheable;

#[cacheable(key = "name:{name}")]
async fn name(name: String) -> String {
    drop(name);
    name
}

fn main() {}
