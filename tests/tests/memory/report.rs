//! What `Cache::report` finds where there is memory only.

use std::time::Duration;

use cache_runtime::{Cache, Key, Policy, StampedeProtection};
use tests::caches::in_memory;

const SECOND: Duration = Duration::from_secs(1);

async fn codes(cache: &Cache) -> Vec<(&'static str, Option<String>)> {
    let found = cache.report().await.into_iter();
    found.map(|it| (it.code, it.site)).collect()
}

async fn load(cache: &Cache, policy: &Policy, takes: Duration) {
    for number in 0..5 {
        let key = Key::new(&format!("{takes:?}:{number}"));
        let load = async || tokio::time::sleep(takes).await;
        cache.get_or_load(&key, policy, load).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_calls_have_met_is_judged() {
    let cache = in_memory();
    let named = |name: &str| Policy::new().site(name);
    load(&cache, &named("fine"), SECOND).await;
    assert_eq!(codes(&cache).await, []);
    load(&cache, &named("short").ttl(SECOND), 2 * SECOND).await;
    let short = ("ttl-shorter-than-load", Some("short".to_owned()));
    assert_eq!(codes(&cache).await, std::slice::from_ref(&short));
    // By the life that its values have, where they say so.
    let own = named("own").ttl_from(|(): &()| 60 * SECOND).ttl(SECOND);
    load(&cache, &own, 2 * SECOND).await;
    assert_eq!(codes(&cache).await, std::slice::from_ref(&short));
    let fleet = named("fleet").stampede_protection(StampedeProtection::Fleet);
    load(&cache, &fleet, SECOND / 10).await;
    let fleet = ("fleet-without-redis", Some("fleet".to_owned()));
    assert_eq!(codes(&cache).await, [fleet, short]);
}
