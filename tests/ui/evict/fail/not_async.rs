use cache_runtime::cache_evict;

#[cache_evict(all)]
fn rename() {}

fn main() {}
