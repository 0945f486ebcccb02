//! `Cache::from_env`: the variables are a process's own, so each case runs in a process of its own.

use std::process::Command;
use std::time::Duration;

use cache_runtime::{Cache, Key, Memory, Policy, RedisHealth};

/// Tells the process that it is the one to look at its environment.
const CHILD: &str = "CACHE_ENV_TEST_CHILD";
const VARIABLES: [&str; 5] = [
    "CACHE_NAME",
    "CACHE_TTL",
    "CACHE_JITTER",
    "CACHE_MAX_ENTRIES",
    "REDIS_URL",
];

/// What `from_env` makes of these variables, in words.
#[track_caller]
fn with(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("a test is a program"));
    command
        .args(["--exact", "describes_its_own_environment", "--nocapture"])
        .env(CHILD, "1");
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    let output = command
        .envs(variables.iter().copied())
        .output()
        .expect("a test can be run again");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| {
        line.split_once("described: ")
            .map(|(_, line)| line.to_owned())
    });
    line.unwrap_or_else(|| {
        panic!(
            "the child said nothing: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// In a child: prints what it finds. By itself: that a clean environment gives the defaults.
#[test]
fn describes_its_own_environment() {
    if std::env::var_os(CHILD).is_some() {
        println!("described: {}", describe());
    } else {
        assert_eq!(with(&[]), "cache, 600 s, 100 entries of 100, no Redis");
    }
}

fn describe() -> String {
    let built = Cache::from_env().and_then(|builder| {
        // Settings of the program's own must not undo those of the environment.
        let builder = builder.defaults(Policy::new().wait_timeout(Duration::from_secs(1)));
        builder
            .memory(Memory::new().max_age(Duration::from_secs(1)))
            .build()
    });
    let cache = match built {
        Ok(cache) => cache,
        Err(error) => return format!("error: {error}"),
    };
    let redis = match cache.health().redis {
        RedisHealth::NotConfigured => "no Redis",
        _ => "Redis",
    };
    if redis == "Redis" {
        return format!("{}, {redis}", cache.name());
    }
    let runtime = tokio::runtime::Runtime::new().expect("a test can have a runtime");
    runtime.block_on(async {
        let mut longest = Duration::ZERO;
        for id in 0..100 {
            let key = Key::new(&id.to_string());
            assert!(cache.put(&key, id, &Policy::new()).await.is_ok());
            let stored = cache.inspect(&key).await.and_then(|info| info.memory);
            longest = longest.max(stored.expect("it was just put").remaining);
        }
        let mut held = 0;
        for id in 0..100 {
            held += usize::from(cache.get::<i32>(&Key::new(&id.to_string())).await.is_some());
        }
        // With jitter the longest of a hundred lives is a little short of the ttl.
        let seconds = longest.as_secs().next_multiple_of(20);
        format!(
            "{}, {seconds} s, {held} entries of 100, {redis}",
            cache.name()
        )
    })
}

#[test]
fn every_variable_has_its_setting() {
    let all = [
        ("CACHE_NAME", "shop"),
        ("CACHE_TTL", "1h30m"),
        ("CACHE_JITTER", "0.0"),
    ];
    assert_eq!(with(&all), "shop, 5400 s, 100 entries of 100, no Redis");
    assert_eq!(
        with(&[("CACHE_TTL", "120"), ("CACHE_JITTER", "0")]),
        "cache, 120 s, 100 entries of 100, no Redis"
    );
    assert_eq!(
        with(&[("CACHE_MAX_ENTRIES", "1")]),
        "cache, 600 s, 1 entries of 100, no Redis"
    );
    assert_eq!(
        with(&[("REDIS_URL", "redis://127.0.0.1:1")]),
        "cache, Redis"
    );
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    let empty = VARIABLES.map(|variable| (variable, ""));
    assert_eq!(with(&empty), "cache, 600 s, 100 entries of 100, no Redis");
}

#[test]
fn an_unreadable_value_is_an_error_that_names_the_variable() {
    let bad = [
        ("CACHE_TTL", "soon"),
        ("CACHE_TTL", "-1"),
        ("CACHE_TTL", "1h30"),
        ("CACHE_TTL", "0"),
        ("CACHE_TTL", "30m1h"),
        ("CACHE_JITTER", "1.5"),
        ("CACHE_JITTER", "-0.1"),
        ("CACHE_JITTER", "NaN"),
        ("CACHE_JITTER", "some"),
        ("CACHE_MAX_ENTRIES", "0"),
        ("CACHE_MAX_ENTRIES", "-5"),
        ("CACHE_MAX_ENTRIES", "many"),
        ("REDIS_URL", "localhost"),
        ("CACHE_NAME", "a b"),
    ];
    for (variable, value) in bad {
        let error = with(&[(variable, value)]);
        assert!(error.starts_with("error: "), "{variable}={value}: {error}");
        assert!(error.contains(variable), "{variable}={value}: {error}");
        // A URL may hold a password, so it is not repeated.
        assert!(
            error.contains(value) || variable == "REDIS_URL",
            "{variable}={value}: {error}"
        );
    }
}

#[test]
fn a_password_in_the_environment_is_not_told() {
    let error = with(&[("REDIS_URL", "redis://user:hunter2@host:port")]);
    assert!(
        error.contains("REDIS_URL") && !error.contains("hunter2"),
        "{error}"
    );
}
