use cache_runtime::cache_evict;

#[cache_evict]
async fn bare() {}

#[cache_evict(before, always)]
async fn only_when() {}

#[cache_evict(keys = [])]
async fn empty_list() {}

fn main() {}
