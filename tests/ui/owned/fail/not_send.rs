use std::rc::Rc;

use cache_runtime::cacheable;

#[cacheable(key = "argument", background_refresh)]
async fn argument(shared: Rc<u64>) -> u64 {
    *shared
}

#[cacheable(key = "reference", background_refresh)]
async fn reference(cell: &std::cell::Cell<u64>) -> u64 {
    cell.get()
}

fn main() {}
