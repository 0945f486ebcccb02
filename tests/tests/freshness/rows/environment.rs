//! `stampede_protection`: who loads, and who waits for it.

use cache_runtime::{Cache, Policy, Served, StampedeProtection, Why, cacheable};

use crate::case::{Desk, Failed, pass, site, timed};
use crate::origin::{Down, MILLI, Origin, SECOND, Way, fleet, settle};

const KINDS: [StampedeProtection; 3] = [
    StampedeProtection::Fleet,
    StampedeProtection::Process,
    StampedeProtection::Off,
];

fn policy() -> Policy {
    Policy::new().ttl(10 * SECOND)
}

// Row: stampede_protection: background_refresh, early_refresh, stale_while_revalidate, refresh_every
#[tokio::test(start_paused = true)]
async fn one_refresh_in_the_fleet_whatever_the_protection() {
    let policies = [
        (policy().background_refresh(0.5), 6.0),
        (policy().early_refresh(1e6), 6.0),
        (policy().stale_while_revalidate(20 * SECOND), 12.0),
        (policy().refresh_every(6 * SECOND), 6.05),
    ];
    for protection in KINDS {
        for (number, (policy, after)) in policies.iter().enumerate() {
            let about = format!("{protection:?}, {number}");
            let policy = policy.clone().stampede_protection(protection);
            let ([one, other], _) = fleet().await;
            let origin = Origin::new();
            origin.takes(10 * MILLI);
            let ask = async |cache: &Cache| origin.ask(cache, "a", &policy).await.0;
            assert_eq!(ask(&one).await, Ok(0), "{about}");
            if number != 1 {
                assert_eq!(ask(&other).await, Ok(0), "{about}");
            }
            origin.takes(SECOND);
            pass(*after).await;
            for _ in 0..10 {
                for cache in [&one, &other] {
                    assert_eq!(ask(cache).await, Ok(0), "{about}");
                    settle().await;
                }
            }
            pass(1.2).await;
            assert_eq!(origin.loads(), 2, "{about}");
        }
    }
}

/// Two callers in one process and one in the other, at once; how often the origin ran.
async fn three<T, F: Future<Output = T>>(
    [one, other]: [&Cache; 2],
    origin: &Origin,
    call: impl Fn(Desk) -> F,
) -> ([T; 3], usize) {
    let desk = |cache: &Cache| Desk {
        cache: cache.clone(),
        origin: origin.clone(),
    };
    let before = origin.loads();
    let late = async |cache: &Cache| {
        tokio::time::sleep(5 * MILLI).await;
        call(desk(cache)).await
    };
    let (first, second, third) = tokio::join!(call(desk(one)), late(one), late(other));
    ([first, second, third], origin.loads() - before)
}

// Row: stampede_protection: stale_if_error, retry_after
#[tokio::test(start_paused = true)]
async fn who_tries_until_the_first_failure_begins_the_pause() {
    for protection in KINDS {
        let policy = policy()
            .stale_if_error(20 * SECOND)
            .stampede_protection(protection);
        let ([one, other], _) = fleet().await;
        let origin = Origin::new();
        let ask = async |desk: Desk| desk.origin.ask(&desk.cache, "a", &policy).await;
        let (first, _) = three([&one, &other], &origin, ask).await;
        assert!(first.iter().all(|answer| answer.0.is_ok()));
        origin.goes(Way::Fails);
        origin.takes(100 * MILLI);
        pass(12.0).await;
        let (answers, loads) = three([&one, &other], &origin, ask).await;
        assert_eq!(loads, 1, "{protection:?}: nobody tries beside another");
        for answer in answers {
            assert_eq!(answer.0, Ok(0), "{protection:?}");
        }
        let (answers, loads) = three([&one, &other], &origin, ask).await;
        assert_eq!(loads, 0, "{protection:?}");
        for answer in answers {
            assert_eq!(
                answer,
                (Ok(0), Served::Stale(Why::Throttled)),
                "{protection:?}"
            );
        }
    }
}

// Row: stampede_protection: soft_timeout
#[tokio::test(start_paused = true)]
async fn the_soft_timeout_counts_whoever_loads() {
    for protection in KINDS {
        let policy = policy()
            .stale_if_error(60 * SECOND)
            .soft_timeout(300 * MILLI)
            .stampede_protection(protection);
        let ([one, other], _) = fleet().await;
        let origin = Origin::new();
        let ask = async |desk: Desk| desk.origin.ask(&desk.cache, "a", &policy).await;
        ask(Desk {
            cache: one.clone(),
            origin: origin.clone(),
        })
        .await
        .0
        .expect("it answers");
        origin.takes(2 * SECOND);
        origin.becomes(1);
        pass(12.0).await;
        let ((answers, loads), took) = timed(Box::pin(three([&one, &other], &origin, ask))).await;
        assert_eq!(loads, 1, "{protection:?}");
        for answer in answers {
            assert_eq!(
                answer,
                (Ok(0), Served::Stale(Why::SoftTimeout)),
                "{protection:?}"
            );
        }
        assert!(took < 330 * MILLI, "{protection:?}: {took:?}");
        // They go on.
        pass(2.0).await;
        let (answers, loads) = three([&one, &other], &origin, ask).await;
        assert_eq!(loads, 0, "{protection:?}");
        assert!(
            answers.iter().all(|answer| answer.0 == Ok(1)),
            "{protection:?}: {answers:?}"
        );
    }
}

site!(in_fleet -> u64, ttl = "10s", hard_timeout = "300ms", stampede_protection = "fleet");
site!(in_process -> u64, ttl = "10s", hard_timeout = "300ms", stampede_protection = "process");
site!(off -> u64, ttl = "10s", hard_timeout = "300ms", stampede_protection = "off");

async fn given_up<F: Future<Output = Result<u64, Failed>>>(call: fn(Desk) -> F, expected: usize) {
    let ([one, other], _) = fleet().await;
    let origin = Origin::new();
    origin.takes(2 * SECOND);
    let ((answers, loads), took) = timed(Box::pin(three([&one, &other], &origin, call))).await;
    assert_eq!(loads, expected);
    for answer in answers {
        assert_eq!(answer, Err(Failed::Late(300 * MILLI)), "{expected}");
    }
    assert!(took < 330 * MILLI, "{took:?}");
    pass(2.0).await;
    let (answers, loads) = three([&one, &other], &origin, call).await;
    assert_eq!((answers, loads), ([Ok(0), Ok(0), Ok(0)], 0), "{expected}");
}

// Row: stampede_protection: hard_timeout
#[tokio::test(start_paused = true)]
async fn who_gives_up_leaves_a_load_behind() {
    given_up(in_fleet, 1).await;
    given_up(in_process, 2).await;
    given_up(off, 3).await;
}

// Row: stampede_protection: consistency_check
#[tokio::test(start_paused = true)]
async fn a_check_takes_no_lease_and_waits_for_nobody() {
    for protection in KINDS {
        let policy = policy()
            .consistency_check(1.0)
            .stampede_protection(protection);
        let ([one, other], model) = fleet().await;
        let origin = Origin::new();
        for cache in [&one, &other] {
            origin.ask(cache, "a", &policy).await.0.expect("it answers");
        }
        settle().await;
        let before = origin.loads();
        origin.takes(2 * SECOND);
        for cache in [&one, &other] {
            assert_eq!(
                origin.ask(cache, "a", &policy).await,
                (Ok(0), Served::Memory)
            );
        }
        settle().await;
        assert_eq!(
            (origin.loads() - before, model.leases()),
            (2, 0),
            "{protection:?}"
        );
        // A caller that loads meanwhile has no part in it.
        one.evict(cache_runtime::Key::new("a"))
            .await
            .expect("it is confirmed");
        origin.goes(Way::Fails);
        assert_eq!(origin.ask(&one, "a", &policy).await.0, Err(Down));
    }
}
