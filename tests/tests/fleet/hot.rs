//! One key that everybody asks for, and whose value ends every second.

use std::time::Duration;

use tests::scenarios::Function::{Hot, Lasting, Remote};
use tests::scenarios::crew::Crew;
use tests::scenarios::functions::hot_key;

/// Tasks in each of four workers.
const TASKS: usize = 64;
const REST: Duration = Duration::from_millis(2);
const LENGTH: Duration = Duration::from_secs(10);

#[tokio::test]
async fn hot_key_of_a_second_is_refreshed_by_one_and_waited_for_by_nobody() {
    let crew = Crew::of(4).await;
    crew.origin.delay(Duration::from_millis(50));
    let hot = crew.hammer(Hot, TASKS, REST, LENGTH).await;
    let runs = crew.origin.loads(&hot_key(7));
    let lasting = crew.hammer(Lasting, TASKS, REST, LENGTH).await;
    println!("a ttl of a second: {runs} runs of the origin; {hot}");
    println!(
        "a ttl of an hour:  {} runs of the origin; {lasting}",
        crew.origin.loads("lasting:7")
    );
    assert_eq!((hot.errors, lasting.errors), (0, 0));
    assert!(hot.calls() > 10_000, "too little happened: {hot}");
    assert_eq!(hot.loaded(), 0, "{hot}");
    assert!((8..=14).contains(&runs), "{runs}");
    assert_eq!(lasting.loaded(), 0, "{lasting}");
    assert_eq!(crew.origin.loads("lasting:7"), 1);
    crew.nothing_is_left(0..4).await;
}

/// Who finds a refresh on its way reads what Redis still has.
#[tokio::test]
async fn hot_key_that_nobody_has_in_memory_is_refreshed_by_one_and_waited_for_by_nobody() {
    let crew = Crew::of(4).await;
    let takes = Duration::from_millis(150);
    crew.origin.delay(takes);
    let hot = crew.hammer(Remote, TASKS / 8, 2 * REST, LENGTH / 2).await;
    let runs = crew.origin.loads("remote:7");
    println!("in Redis alone: {runs} runs of the origin; {hot}");
    assert_eq!(hot.errors, 0);
    // A hundredth of the calls begin while a refresh runs, if nobody waits for one, else fewer.
    assert!(hot.p999 < takes * 2 / 3, "{hot}");
    assert!((4..=7).contains(&runs), "{runs}");
    crew.nothing_is_left(0..4).await;
}
