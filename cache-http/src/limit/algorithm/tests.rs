//! The arithmetic against models that remember every request.

use proptest::prelude::*;

use crate::limit::decision::Decision;
use crate::limit::gcra::Gcra;
use crate::limit::window::Window;

/// Requests: how long after the one before, and what they count as.
fn requests(longest: u64) -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0..longest, 1..4_u64), 1..120)
}

const START: u64 = 1_700_000_000_000_123;

/// A bucket that holds `burst` tokens, each worth `interval`, and is refilled continuously.
struct Bucket {
    level: u64,
    at: u64,
}

proptest! {
    #[test]
    fn gcra_is_a_bucket_of_tokens(
        (n, per, burst) in (1..50_u64, 1..100_000_u64, 1..20_u64),
        requests in requests(30_000),
    ) {
        let gcra = Gcra::new(n, per, burst);
        let size = burst * gcra.interval;
        let mut bucket = Bucket { level: size, at: START };
        let (mut state, mut now) = (None, START);
        for (pause, cost) in requests {
            now += pause;
            bucket.level = size.min(bucket.level + (now - bucket.at));
            bucket.at = now;
            let price = cost.min(burst) * gcra.interval;
            let (decision, next) = gcra.decide(state, now, cost);
            prop_assert_eq!(decision.allowed, price <= bucket.level);
            if decision.allowed {
                bucket.level -= price;
                state = next;
            } else {
                prop_assert_eq!(decision.wait, price - bucket.level);
                prop_assert_eq!(next, None);
            }
            prop_assert_eq!(decision.left, bucket.level / gcra.interval);
            prop_assert_eq!(decision.full, size - bucket.level);
        }
    }

    #[test]
    fn a_window_counts_what_its_definition_says_and_keeps_its_bound(
        (most, size) in (1..30_u64, 1..2_000_u64),
        requests in requests(600),
    ) {
        let window = Window::new(most, size);
        // Every unit that was allowed, at its time.
        let mut allowed: Vec<u64> = Vec::new();
        let (mut state, mut now) = (None, START);
        for (pause, cost) in requests {
            now += pause;
            let cost = cost.min(most);
            let of = |index: u64| allowed.iter().filter(|&&at| at / size == index).count();
            let (here, before) = (of(now / size) as f64, of(now / size - 1) as f64);
            let weight = 1.0 - (now % size) as f64 / size as f64;
            let estimate = here + before * weight;
            let (decision, next) = window.decide(state, now, cost);
            // The model's fractions are not exact; where it is that close it has no say.
            let spare = most as f64 - estimate - cost as f64;
            if spare.abs() > 1e-6 {
                prop_assert_eq!(decision.allowed, spare > 0.0);
            }
            check_wait(window, state, now, cost, decision)?;
            if decision.allowed {
                allowed.extend(std::iter::repeat_n(now, usize::try_from(cost).unwrap()));
                state = next;
                let passed = (now % size) as f64 / size as f64;
                let within = allowed.iter().filter(|&&at| at + size > now).count() as f64;
                prop_assert!(within <= most as f64 + before * passed + 1e-6);
                prop_assert!(within < 2.0 * most as f64);
            }
        }
    }
}

/// What was promised for later is kept then, and no earlier.
fn check_wait(
    window: Window,
    state: Option<crate::limit::window::Counted>,
    now: u64,
    cost: u64,
    decision: Decision,
) -> Result<(), TestCaseError> {
    if !decision.allowed {
        let at = |time| window.decide(state, time, cost).0.allowed;
        prop_assert!(at(now + decision.wait));
        prop_assert!(!at(now + decision.wait - 1));
    }
    let gone = window.decide(state, now + decision.full, 1).0;
    prop_assert_eq!(gone.left + 1, window.most.max(1));
    Ok(())
}

#[test]
fn a_burst_and_then_one_for_each_interval() {
    let gcra = Gcra::new(10, 1_000_000, 3);
    let mut state = None;
    let mut ask = |now| {
        let (decision, next) = gcra.decide(state, START + now, 1);
        state = next.or(state);
        decision.allowed
    };
    let answers = [
        0, 0, 0, 0, 99_999, 100_000, 100_000, 400_000, 400_000, 400_000, 400_000,
    ]
    .map(&mut ask);
    let (yes, no) = (true, false);
    assert_eq!(answers, [yes, yes, yes, no, no, yes, no, yes, yes, yes, no]);
}

#[test]
fn a_clock_that_was_set_back_bars_nobody_for_long() {
    let gcra = Gcra::new(10, 1_000_000, 3);
    let (_, state) = gcra.decide(None, START + 3_600_000_000, 1);
    let (decision, _) = gcra.decide(state, START, 1);
    assert_eq!((decision.allowed, decision.wait), (false, gcra.interval));
    let window = Window::new(1, 1000);
    let (_, state) = window.decide(None, START + 3_600_000, 1);
    assert!(window.decide(state, START, 1).0.allowed);
}

#[test]
fn extreme_numbers_stay_within_what_is_counted_in() {
    let gcra = Gcra::new(1, 366 * 86_400_000_000, u64::from(u32::MAX));
    let (decision, state) = gcra.decide(None, START, u64::MAX);
    assert!(decision.allowed);
    assert!(state.unwrap() < 1 << 53);
    let window = Window::new(u64::from(u32::MAX), 366 * 86_400_000);
    assert!(window.decide(None, START / 1000, u64::MAX).0.allowed);
}
