//! Annotated functions: timeouts, hooks, what is known, and why something was served.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use cache_runtime::{Event, LoadTimeout, Policy, Served, Why, cache_put, cacheable, known, traced};

use crate::case::{Desk, Failed, each, pass, site, timed};
use crate::origin::{MILLI, SECOND, Way, settle};
use tests::caches::assert_nothing_left;

site!(by_conversion -> u64, ttl = "10s", hard_timeout = "300ms");
site!(by_closure -> u64, ttl = "10s", hard_timeout = "300ms", on_timeout = |timeout| Failed::Late(timeout.after() * 2));
site!(by_path -> u64, ttl = "10s", hard_timeout = Duration::from_millis(300), on_timeout = three_times);

fn three_times(timeout: LoadTimeout) -> Failed {
    Failed::Late(timeout.after() * 3)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_up_has_its_error_and_the_load_goes_on() {
    for times in 1..=3 {
        for case in each(Policy::new()).await {
            let ask = async || match times {
                1 => by_conversion(case.desk()).await,
                2 => by_closure(case.desk()).await,
                _ => by_path(case.desk()).await,
            };
            case.origin.takes(SECOND);
            let (own, shared) = tokio::join!(timed(ask()), async {
                tokio::time::sleep(100 * MILLI).await;
                timed(ask()).await
            });
            for (answer, took) in [own, shared] {
                assert_eq!(answer, Err(Failed::Late(times * 300 * MILLI)));
                case.took(took, 300 * MILLI);
            }
            // Who comes near its end gets its value.
            pass(0.4).await;
            assert_eq!(ask().await, Ok(0), "{}", case.kind);
            case.loads(1);
            let stats = case.cache.stats().total;
            assert_eq!((stats.timeouts, stats.loads), (2, 1), "{}", case.kind);
            assert_nothing_left(&case.cache);
        }
    }
}

thread_local! {
    static TOLD: RefCell<Vec<(&'static str, Event)>> = const { RefCell::new(Vec::new()) };
    static SLOW: Cell<usize> = const { Cell::new(0) };
}

fn hit(event: &Event) {
    TOLD.with_borrow_mut(|told| told.push(("hit", event.clone())));
}

fn miss(event: &Event) {
    TOLD.with_borrow_mut(|told| told.push(("miss", event.clone())));
}

site!(told -> u64, ttl = "10s", on_hit = hit, on_miss = miss);

#[tokio::test(start_paused = true)]
async fn hooks_are_told_who_asked_for_what_and_how_it_was_served() {
    for case in each(Policy::new()).await {
        for _ in 0..3 {
            for _ in 0..5 {
                told(case.desk()).await.expect("it answers");
            }
            pass(11.0).await;
        }
        let told = TOLD.with_borrow_mut(std::mem::take);
        let count = |what: &str| told.iter().filter(|(hook, _)| *hook == what).count();
        assert_eq!((count("hit"), count("miss")), (12, 3), "{}", case.kind);
        for (hook, event) in &told {
            assert_eq!((&*event.cache, &*event.key), (case.cache.name(), "a"));
            assert!(event.site.ends_with("told"), "{}", event.site);
            let expected = if *hook == "hit" {
                Served::Memory
            } else {
                Served::Loaded
            };
            assert_eq!(event.served, expected);
        }
    }
}

fn panics(_: &Event) {
    SLOW.set(SLOW.get() + 1);
    std::panic::resume_unwind(Box::new("a hook, on purpose"));
}

site!(told_badly -> u64, ttl = "10s", on_hit = panics, on_miss = panics);

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_is_alone_with_that() {
    for case in each(Policy::new()).await {
        SLOW.set(0);
        for _ in 0..10 {
            assert_eq!(told_badly(case.desk()).await, Ok(0), "{}", case.kind);
        }
        settle().await;
        assert_eq!(SLOW.get(), 10, "{}: told of each", case.kind);
        assert_eq!(case.cache.stats().total.events_dropped, 0);
        assert!(case.cache.close(SECOND).await.is_nothing());
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_into_the_queue_is_dropped_and_counted() {
    for case in each(Policy::new()).await {
        TOLD.take();
        // Nothing yields here, so no hook has its turn.
        for _ in 0..1_500 {
            told(case.desk()).await.expect("it answers");
        }
        let dropped = case.cache.stats().total.events_dropped;
        assert!(dropped > 0, "{}", case.kind);
        settle().await;
        let told_of = TOLD.take().len() as u64;
        assert_eq!(told_of + dropped, 1_500, "{}", case.kind);
        told(case.desk()).await.expect("it answers");
        settle().await;
        assert_eq!(TOLD.take().len(), 1, "{}: there is room again", case.kind);
    }
}

fn slow(_: &Event) {
    std::thread::sleep(Duration::from_millis(300));
}

site!(told_slowly -> u64, ttl = "10s", on_hit = slow, on_miss = slow);

#[test]
fn a_slow_hook_slows_no_call() {
    // On the real clock: a hook that blocks takes a thread.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let desk = Desk {
        cache: tests::caches::in_memory(),
        origin: crate::origin::Origin::new(),
    };
    let took = runtime.block_on(async {
        told_slowly(desk.clone()).await.expect("it answers");
        let began = std::time::Instant::now();
        for _ in 0..20 {
            told_slowly(desk.clone()).await.expect("it answers");
        }
        began.elapsed()
    });
    assert!(took < Duration::from_millis(250), "{took:?}");
    runtime.shutdown_background();
}

#[cacheable(key = "etag", ttl = "10s", jitter = 0.0, cache = desk.cache, background_refresh = 0.5, stale_if_error = "20s")]
async fn conditional(desk: Desk) -> Result<(u64, String), Failed> {
    let known = known::<(u64, String)>();
    let etag = known.as_ref().map(|known| known.value().0);
    let now = desk.origin.answer().await?;
    if let Some(known) = known.filter(|_| etag == Some(now)) {
        assert!(known.age() >= 5 * SECOND);
        return Ok(known.not_modified());
    }
    Ok((now, format!("body of {now}, after {etag:?}")))
}

#[tokio::test(start_paused = true)]
async fn a_body_knows_what_it_is_to_replace() {
    for case in each(Policy::new()).await {
        let ask = async || traced(conditional(case.desk())).await;
        let body = |text: &str, number| Ok((number, text.to_owned()));
        let first = body("body of 0, after None", 0);
        assert_eq!(ask().await, (first.clone(), Some(Served::Loaded)));
        for _ in 0..2 {
            pass(6.0).await;
            assert_eq!(ask().await, (first.clone(), Some(Served::Memory)));
            settle().await;
        }
        assert_eq!(case.cache.stats().total.not_modified, 2, "{}", case.kind);
        // In the foreground, of what is stale.
        pass(15.0).await;
        assert_eq!(ask().await, (first, Some(Served::Loaded)));
        assert_eq!(case.cache.stats().total.not_modified, 3, "{}", case.kind);
        case.origin.becomes(1);
        pass(15.0).await;
        let second = body("body of 1, after Some(0)", 1);
        assert_eq!(ask().await, (second, Some(Served::Loaded)));
        case.cache
            .evict(cache_runtime::Evict::all())
            .await
            .expect("it is confirmed");
        assert_eq!(ask().await.0, body("body of 1, after None", 1));
    }
}

site!(everything -> u64, ttl = "10s", stale_while_revalidate = "2s", stale_if_error = "60s", retry_after = "3s", soft_timeout = "300ms",
    hard_timeout = "600ms", wait_timeout = "5s");
site!(hard -> u64, ttl = "10s", stale_if_error = "60s", hard_timeout = "600ms", wait_timeout = "100ms");

#[tokio::test(start_paused = true)]
async fn traced_tells_every_reason() {
    let stale = |why| (Ok(0), Some(Served::Stale(why)));
    for case in each(Policy::new()).await {
        let ask = async || traced(everything(case.desk())).await;
        assert_eq!(ask().await, (Ok(0), Some(Served::Loaded)));
        assert_eq!(ask().await, (Ok(0), Some(Served::Memory)));
        case.origin.goes(Way::Fails);
        pass(11.0).await;
        assert_eq!(ask().await, stale(Why::Revalidating), "{}", case.kind);
        pass(5.0).await;
        assert_eq!(ask().await, stale(Why::Failed), "{}", case.kind);
        assert_eq!(ask().await, stale(Why::Throttled), "{}", case.kind);
        pass(3.1).await;
        case.origin.takes(SECOND);
        assert_eq!(ask().await, stale(Why::SoftTimeout), "{}", case.kind);
        pass(5.0).await;
        let (own, shared) = tokio::join!(traced(hard(case.desk())), async {
            tokio::time::sleep(MILLI).await;
            traced(hard(case.desk())).await
        });
        assert_eq!(own, stale(Why::HardTimeout), "{}", case.kind);
        assert_eq!(shared, stale(Why::WaitTimeout), "{}", case.kind);
        assert_eq!(case.cache.stats().total.stale_hits, 6, "{}", case.kind);
    }
}

#[cache_put(key = "a", ttl = "10s", jitter = 0.0, cache = desk.cache, stale_while_revalidate = "5s", stale_if_error = "20s")]
async fn write(desk: Desk) -> Result<u64, Failed> {
    Ok(desk.origin.answer().await?)
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_put_is_stale_for_as_long_as_the_put_says() {
    for case in each(Policy::new()).await {
        let ask = async || traced(everything(case.desk())).await;
        assert_eq!(write(case.desk()).await, Ok(0));
        case.origin.goes(Way::Fails);
        pass(11.0).await;
        // In the windows of the reader, as far as the value is kept.
        assert_eq!(ask().await, (Ok(0), Some(Served::Stale(Why::Revalidating))));
        pass(18.5).await;
        assert_eq!(ask().await, (Ok(0), Some(Served::Stale(Why::Failed))));
        pass(1.0).await;
        assert_eq!(ask().await.0, Err(Failed::Down), "{}", case.kind);
    }
}
