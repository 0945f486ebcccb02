use cache_runtime::cacheable;

#[cacheable(key = "product:{id")]
async fn open(id: u64) -> u64 {
    id
}

#[cacheable(key = "product:id}")]
async fn close(id: u64) -> u64 {
    id
}

#[cacheable(key = "product:{}")]
async fn nothing(id: u64) -> u64 {
    id
}

#[cacheable(key = "product:{id +}")]
async fn half(id: u64) -> u64 {
    id
}

fn main() {}
