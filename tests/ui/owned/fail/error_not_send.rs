use std::rc::Rc;

use cache_runtime::cacheable;

#[cacheable(key = "error:{id}", background_refresh)]
async fn product(id: u64) -> Result<u64, Rc<String>> {
    Ok(id)
}

fn main() {}
