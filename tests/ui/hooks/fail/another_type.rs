use cache_runtime::cacheable;

fn counted(hits: u64) -> u64 {
    hits
}

#[cacheable(on_hit = counted)]
async fn hit(id: u64) -> u64 {
    id
}

async fn told(_: &cache_runtime::Event) {}

#[cacheable(on_miss = told)]
async fn miss(id: u64) -> u64 {
    id
}

#[cacheable(on_hit = nowhere)]
async fn unknown(id: u64) -> u64 {
    id
}

fn main() {}
