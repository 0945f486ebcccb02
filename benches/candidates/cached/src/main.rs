//! `cached`'s macros: the sharded store, without and with a time to live, each without and with a bound on its size; the one behind a lock; the same with shared reads, its
//! fastest documented setting; and with its single flight by key.

mod concurrent;
mod locked;

use common::Run;

fn main() {
    let run = Run::from_arguments();
    match run.variant() {
        "concurrent" => run.measure(concurrent::Forever),
        "concurrent-ttl" => run.measure(concurrent::Ttl),
        "concurrent-bounded" => run.measure(concurrent::Bounded),
        "concurrent-bounded-ttl" => run.measure(concurrent::BoundedTtl),
        "cached" => run.measure(locked::Plain),
        "cached-unsync-reads" => run.measure(locked::SharedReads),
        "cached-by-key" => run.measure(locked::ByKey),
        _ => run.unknown(),
    }
}
