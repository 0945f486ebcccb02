//! An account that may use no channel: nobody tells it of evictions, so it believes its memory for a moment only.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::testing::ManualClock;
use cache_runtime::{BusHealth, Evict, Memory, Served, cacheable, traced};
use tests::scenarios::processes::{connected, of_url, process};
use tests::server::RedisServer;

const SECOND: Duration = Duration::from_secs(1);
const A_LITTLE: Duration = Duration::from_millis(1);

#[cacheable(key = "item:{id}", tags = ["about:{id}"], ttl = "1h")]
async fn item(loads: &AtomicU64, id: u64) -> u64 {
    let _ = id;
    loads.fetch_add(1, Ordering::SeqCst)
}

#[tokio::test]
async fn who_hears_nobody_asks_redis_again_after_a_second_or_what_was_set() {
    let server = RedisServer::start().await;
    let deaf = "ACL SETUSER deaf on >s3cret ~* +@all resetchannels";
    server.cli(&deaf.split(' ').collect::<Vec<_>>()).await;
    let url = format!("redis://deaf:s3cret@{}", server.addr());
    let (other, loads) = (process(&server).await, AtomicU64::new(0));
    let longer = Memory::new().max_age_without_bus(5 * SECOND);
    for (id, memory, cap) in [(1, Memory::new(), SECOND), (2, longer, 5 * SECOND)] {
        let clock = ManualClock::new();
        let builder = of_url(&url).redis_budget(5 * SECOND).memory(memory);
        let cache = connected(builder.manual_clock(clock.clone())).await;
        let health = cache.health();
        assert!(
            matches!(&health.bus, BusHealth::Unsupported { why } if why.contains("channel")),
            "{health:?}"
        );
        let read = async || cache.as_current(traced(item(&loads, id))).await;
        let (old, served) = read().await;
        assert_eq!(served, Some(Served::Loaded));
        for _ in 0..2 {
            clock.advance(cap - A_LITTLE);
            assert_eq!(read().await, (old, Some(Served::Memory)), "{cap:?}");
            clock.advance(A_LITTLE);
            assert_eq!(read().await, (old, Some(Served::Redis)), "{cap:?}");
        }
        other
            .evict(Evict::tag(format!("about:{id}")))
            .await
            .unwrap();
        clock.advance(cap);
        let (new, served) = read().await;
        assert_eq!(served, Some(Served::Loaded), "{cap:?}");
        assert_ne!(new, old);
    }
}
