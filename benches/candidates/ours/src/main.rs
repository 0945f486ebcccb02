//! This project's `#[cacheable]`, as its README writes it.

mod evicted;
mod memory;

use common::Run;

fn main() {
    let run = Run::from_arguments();
    memory::install(run.capacity());
    match run.variant() {
        "memory" => run.measure(memory::Plain),
        "tag-1" => run.measure(memory::OneTag),
        "tag-rendered" => run.measure(memory::RenderedTag),
        "tags-3" => run.measure(memory::ThreeTags),
        "evicted" => run.measure(evicted::Evicted),
        _ => run.unknown(),
    }
}
