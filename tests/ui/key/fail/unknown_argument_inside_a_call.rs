use cache_runtime::cacheable;

#[cacheable(key = "product:{u64::from(ident)}")]
async fn product(id: u32) -> u32 {
    id
}

fn main() {}
