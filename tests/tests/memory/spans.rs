//! Spans around what is not a hit in memory: their names, what they tell, what is within what, and what they hide.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Evict, Key, Policy, Refresh, cache_evict, cacheable, key};
use tests::caches::{build, builder, in_memory};
use tests::logs::{Logs, Span};
use tracing::Instrument;

const SECOND: Duration = Duration::from_secs(1);

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(id: u64) -> Result<u64, String> {
    tracing::info_span!("query").in_scope(|| ());
    if id == 0 {
        Err("none".to_owned())
    } else {
        Ok(id)
    }
}

#[cache_evict(key = "product:{id}", tags = "secret tag")]
async fn rename(id: u64) {
    let _ = id;
}

fn names(spans: &[Span]) -> Vec<(&str, Option<&str>)> {
    spans.iter().map(|span| (span.name, span.parent)).collect()
}

fn field<'s>(span: &'s Span, name: &str) -> Option<&'s str> {
    span.fields.get(name).map(String::as_str)
}

#[tokio::test]
async fn a_miss_is_a_fill_with_the_load_within_and_a_hit_is_no_span() {
    let (logs, cache) = (Logs::capture(), in_memory());
    let request = tracing::info_span!("request");
    let ask = cache.as_current(product(7)).instrument(request);
    assert_eq!(ask.await, Ok(7));
    let spans = logs.spans();
    let expected = [
        ("request", None),
        ("cache.fill", Some("request")),
        ("cache.load", Some("cache.fill")),
        ("query", Some("cache.load")),
    ];
    assert_eq!(names(&spans), expected);
    for span in &spans[1..3] {
        assert_eq!(field(span, "cache"), Some("memory"));
        assert!(
            field(span, "site").is_some_and(|site| site.ends_with("product")),
            "{span:?}"
        );
        assert_eq!(field(span, "region"), Some("product"));
        assert_eq!(field(span, "key"), None);
    }
    let told = ["leader", "served", "outcome"].map(|name| field(&spans[1], name));
    assert_eq!(told, [Some("true"), Some("Loaded"), Some("ok")]);

    for _ in 0..10 {
        assert_eq!(cache.as_current(product(7)).await, Ok(7));
    }
    assert_eq!(logs.spans().len(), 4, "hits in memory");
    assert!(cache.as_current(product(0)).await.is_err());
    let failed = &logs.spans()[4];
    assert_eq!(
        (failed.name, field(failed, "outcome")),
        ("cache.fill", Some("error"))
    );
}

#[tokio::test]
async fn programmatic_calls_have_them_under_the_name_of_their_site() {
    let (logs, cache) = (Logs::capture(), in_memory());
    let policy = Policy::new().site("rate");
    let key = Key::new("rate:7");
    cache.get_or_load(&key, &policy, async || 7).await;
    cache.get_or_load(&key, &policy, async || 8).await;
    let load = |_| async { Ok::<_, String>(Refresh::Value(7)) };
    cache
        .try_get_or_refresh(&Key::new("a"), &policy, load)
        .await
        .unwrap();
    cache
        .try_get_or_refresh(&Key::new("a"), &policy, load)
        .await
        .unwrap();
    let spans = logs.spans();
    let expected = [("cache.fill", None), ("cache.load", Some("cache.fill"))].repeat(2);
    assert_eq!(names(&spans), expected);
    assert!(spans.iter().all(|span| field(span, "site") == Some("rate")));
}

#[tokio::test]
async fn evictions_tell_how_much_of_what_and_how_it_ended() {
    let (logs, cache) = (Logs::capture(), in_memory());
    cache.as_current(rename(7)).await;
    let what = Evict::keys(["a", "b"].map(Key::new)).and(Evict::region("c"));
    cache.expire(what).await.unwrap();
    let spans = logs.spans();
    assert_eq!(names(&spans), [("cache.evict", None); 2]);
    let told = ["what", "expires", "outcome"];
    assert_eq!(
        told.map(|name| field(&spans[0], name)),
        [Some("1 key, 1 tag"), Some("false"), Some("ok")]
    );
    assert_eq!(
        told.map(|name| field(&spans[1], name)),
        [Some("2 key, 1 region"), Some("true"), Some("ok")]
    );
    assert!(field(&spans[0], "site").is_some_and(|site| site.ends_with("rename")));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_in_the_background_is_within_nothing_and_has_its_load_within() {
    let logs = Logs::capture();
    let cache = build(builder().tokio_clock());
    let policy = Policy::new().ttl(10 * SECOND).background_refresh(0.5);
    let loads = Arc::new(AtomicU64::new(0));
    let ask = async || {
        let loads = Arc::clone(&loads);
        let load = move |_| {
            let number = loads.fetch_add(1, Ordering::SeqCst);
            async move {
                if number == 2 {
                    Err("down".to_owned())
                } else {
                    Ok(Refresh::Value(number))
                }
            }
        };
        let key = Key::new("a");
        let ask = cache.try_get_or_refresh(&key, &policy, load);
        ask.instrument(tracing::info_span!("request"))
            .await
            .unwrap();
        tokio::time::sleep(6 * SECOND).await;
    };
    ask().await;
    ask().await;
    ask().await;
    let all = logs.spans();
    let expected = [
        ("request", None),
        ("cache.fill", Some("request")),
        ("cache.load", Some("cache.fill")),
        ("request", None),
        ("cache.refresh", None),
        ("cache.load", Some("cache.refresh")),
        ("request", None),
        ("cache.refresh", None),
        ("cache.load", Some("cache.refresh")),
    ];
    assert_eq!(names(&all), expected);
    assert_eq!(field(&all[4], "outcome"), Some("ok"));
    assert_eq!(field(&all[7], "outcome"), Some("error"));
}

/// What they and the lines show of a key, a tag and a scope.
async fn shown(cache: &Cache) -> String {
    let logs = Logs::capture();
    let many: Vec<String> = (0..65).map(|number| format!("tag {number}")).collect();
    for tags in [vec!["hush-tag".to_owned()], many] {
        let policy = Policy::new().tags(tags).scope("hush-scope");
        let text = "hush-key";
        let key = key!("of:{text}");
        cache.get_or_load(&key, &policy, async || 7).await;
    }
    let what = Evict::key(Key::new("hush-key")).and(Evict::tag("hush-tag"));
    let what = what
        .and(Evict::scope("hush-scope"))
        .and(Evict::pattern("*hush-pattern"));
    cache.evict(what).await.expect("memory alone");
    format!("{:?} {:?}", logs.spans(), logs.all())
}

#[tokio::test]
async fn keys_tags_and_scopes_are_shown_only_where_that_was_asked_for() {
    let hidden = shown(&in_memory()).await;
    assert!(hidden.contains("cache.evict") && hidden.contains("more than 64 tags"));
    assert!(!hidden.contains("hush"), "{hidden}");
    let shown = shown(&build(builder().show_keys(true))).await;
    for name in ["of:hush-key", "tag hush-tag", "hush-scope", "hush-pattern"] {
        assert!(shown.contains(name), "{name}: {shown}");
    }
}

#[test]
fn the_documented_names_are_those_of_the_spans() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/observability.md");
    let text = std::fs::read_to_string(file).expect("it is there");
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../cache-runtime/src/engine/spans.rs"
    );
    let source = std::fs::read_to_string(source).expect("it is there");
    let table = text.split("\n## Spans").nth(1).expect("it has them");
    let rows = table.lines();
    let rows = rows.filter_map(|line| line.strip_prefix("| `cache."));
    let documented: Vec<_> = rows.map(|row| row.split('`').next().unwrap()).collect();
    let made = source.split("\"cache.").skip(1);
    let made: Vec<_> = made.map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(documented, made);
}
