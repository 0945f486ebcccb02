//! Bad configuration fails in `build`, naming the setting and its value.

use std::time::Duration;

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Cache, CacheBuilder, Memory, Policy};

/// The error of a configuration no cache can be built from.
#[track_caller]
fn error(builder: CacheBuilder) -> String {
    let error = builder.build().expect_err("it makes no sense");
    error.to_string()
}

fn shop() -> CacheBuilder {
    Cache::builder("shop")
}

#[test]
fn a_name_is_letters_digits_and_three_signs() {
    for name in ["", "a b", "a:b", "{a}", "ä", "a*", "a/b", "a\n"] {
        let error = error(Cache::builder(name));
        assert!(
            error.contains("name") && error.contains(&format!("`{name}`")),
            "{error}"
        );
    }
    for name in ["a", "Shop-1", "shop.eu_1", "7"] {
        assert_eq!(Cache::builder(name).build().unwrap().name(), name);
    }
}

#[test]
fn defaults_that_make_no_sense_are_errors_that_name_them() {
    for share in [-0.1, 1.5, f64::NAN] {
        let error = error(shop().defaults(Policy::new().jitter(share)));
        assert!(
            error.contains(&format!("`defaults.jitter` is {share}")),
            "{error}"
        );
    }
    let error_of = |policy| error(shop().defaults(policy));
    assert!(error_of(Policy::new().ttl(Duration::ZERO)).contains("`defaults.ttl` is 0"));
    assert!(error_of(Policy::new().negative_ttl(Duration::ZERO)).contains("negative_ttl"));
}

#[tokio::test]
async fn a_later_setting_leaves_alone_what_it_does_not_say() {
    let cache = shop()
        .defaults(Policy::new().ttl(Duration::from_secs(7)).jitter(0.0))
        .defaults(Policy::new().wait_timeout(Duration::from_secs(1)))
        .build()
        .unwrap();
    let key = cache_runtime::Key::new("a");
    cache.put(&key, 1, &Policy::new()).await.unwrap();
    let stored = cache.inspect(&key).await.unwrap().memory.unwrap();
    assert!(stored.remaining <= Duration::from_secs(7));
}

#[tokio::test]
async fn close_takes_any_duration() {
    assert!(
        shop()
            .build()
            .unwrap()
            .close(Duration::MAX)
            .await
            .is_nothing()
    );
}

#[test]
fn a_bound_of_zero_is_an_error_that_names_the_bound() {
    let zeros: [(&str, CacheBuilder); 8] = [
        ("max_entries", shop().memory(Memory::new().max_entries(0))),
        ("max_bytes", shop().memory(Memory::new().max_bytes(0))),
        (
            "max_age",
            shop().memory(Memory::new().max_age(Duration::ZERO)),
        ),
        ("redis_budget", shop().redis_budget(Duration::ZERO)),
        ("evict_deadline", shop().evict_deadline(Duration::ZERO)),
        ("max_in_flight", shop().max_in_flight(0)),
        ("max_value_bytes", shop().max_value_bytes(0)),
        ("max_key_bytes", shop().max_key_bytes(0)),
    ];
    for (setting, builder) in zeros {
        let error = error(builder);
        assert!(
            error.contains(setting) && error.contains('0'),
            "{setting}: {error}"
        );
    }
}

#[test]
fn a_short_key_secret_is_an_error_that_does_not_tell_it() {
    let error = error(shop().key_secret("fifteen bytes !"));
    assert!(
        error.contains("key_secret") && error.contains("15") && error.contains("16"),
        "{error}"
    );
    assert!(!error.contains("fifteen"));
    assert!(shop().key_secret("sixteen bytes !!").build().is_ok());
}

#[test]
fn a_url_that_is_none_is_an_error_that_names_it() {
    for url in [
        "",
        "localhost",
        "http://localhost",
        "redis://",
        "redis://host:1/x",
    ] {
        let error = error(shop().redis(url));
        assert!(
            error.contains(&format!("`redis` is `{url}`")),
            "{url}: {error}"
        );
    }
    // Of an account without its `@` nothing is told.
    let error = error(shop().redis("redis://host:port"));
    assert!(
        error.contains("`redis` is `redis://…`: the port"),
        "{error}"
    );
}

#[test]
fn two_shared_tiers_are_an_error_that_names_both() {
    let model = ModelRedis::new();
    for builder in [
        shop().redis("redis://localhost").model_redis(&model),
        shop().model_redis(&model).redis("redis://localhost"),
    ] {
        let error = error(builder);
        assert!(error.contains("`redis` and `tier` are both set"), "{error}");
    }
}

#[test]
fn no_password_is_told() {
    let bad = "redis://user:hunter2@host:port/1";
    assert!(!error(shop().redis(bad)).contains("hunter2"));
    assert!(!format!("{:?}", shop().redis(bad)).contains("hunter2"));
    let good = "redis://user:hunter2@127.0.0.1:1/1";
    let cache = shop().redis(good).build().unwrap();
    assert!(!format!("{cache:?} {:?} {}", cache.health(), cache.health()).contains("hunter2"));
}

#[test]
fn building_touches_no_network_and_needs_no_runtime() {
    let cache = shop().redis("redis://192.0.2.1:6379").build().unwrap();
    assert_eq!(cache.name(), "shop");
}
