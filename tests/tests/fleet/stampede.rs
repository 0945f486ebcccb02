//! One load per key in a whole fleet.

use std::time::Duration;

use tests::scenarios::Function::Product;
use tests::scenarios::crew::Crew;
use tests::scenarios::functions::key;

/// Callers in each of four workers.
const EACH: usize = 100;

#[tokio::test]
async fn four_hundred_callers_in_four_processes_share_one_load() {
    let crew = Crew::of(4).await;
    crew.origin.delay(Duration::from_millis(50));
    let call = |worker| crew.call(worker, "callers", Product, EACH);
    let (a, b, c, d) = tokio::join!(call(0), call(1), call(2), call(3));
    let answers = a.and(b).and(c).and(d);
    assert_eq!(answers.values.get(&1), Some(&(4 * EACH)), "{answers:?}");
    assert_eq!(answers.len(), 4 * EACH, "{answers:?}");
    assert_eq!(crew.origin.loads(&key(7)), 1);
    assert_eq!(crew.figures("loads").await, 1);
    assert_eq!(crew.figures("wait_timeouts").await, 0);
    crew.nothing_is_left(0..4).await;
}
