//! `early_refresh`: whether refreshes begin as often as XFetch says.
//!
//! A value whose load took `delta` is refreshed by a hit with `r` left of its life with probability `exp(-r / (delta * beta))`, because
//! `-delta * beta * ln(u) >= r` is `u <= exp(-r / (delta * beta))`. Many keys of one age are hit at fixed ticks until the first refresh of each begins, so the
//! probability of each tick is that of the formula times that of no refresh before. The counts are compared by Pearson's chi-square test.

use std::time::Duration;

use cache_runtime::{Policy, Served};

use crate::origin::{MILLI, Origin, SECOND, alone, settle};
use tokio::time::{Instant, sleep_until};

const KEYS: usize = 200;
const ROUNDS: usize = 10;
const TTL: Duration = Duration::from_secs(10);
const DELTA: Duration = Duration::from_millis(400);
/// The first tick, and how long one lasts: what remains is 2.1 s, 1.9 s, … 0.1 s.
const FIRST: Duration = Duration::from_millis(7_900);
const TICK: Duration = Duration::from_millis(200);
const TICKS: usize = 11;
/// Critical values of the chi-square distribution at 0.1 %, for 11 and 10 degrees of freedom: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4,
/// <https://www.itl.nist.gov/div898/handbook/eda/section3/eda3674.htm>, upper-tail table, column 0.001.
const CRITICAL: [(usize, f64); 2] = [(11, 31.264), (10, 29.588)];
/// A bin of which fewer are expected is joined to its neighbour.
const LEAST: f64 = 5.0;

/// How many keys began to be refreshed at each tick; last, how many did not.
async fn measured(beta: f64) -> Vec<usize> {
    let mut counts = vec![0; TICKS + 1];
    for _ in 0..ROUNDS {
        let (cache, policy) = (alone(), Policy::new().ttl(TTL).early_refresh(beta));
        let origins: Vec<_> = (0..KEYS).map(|_| Origin::new()).collect();
        let ask = async |key: usize| origins[key].ask(&cache, &format!("k{key}"), &policy).await;
        let loads = (0..KEYS).map(|key| {
            origins[key].takes(DELTA);
            let ask = &ask;
            async move { ask(key).await.0.expect("it answers") }
        });
        crate::stale::futures_of(loads).await;
        let born = Instant::now();
        // Those that are refreshed are not asked again: each has one first refresh.
        let mut left: Vec<usize> = (0..KEYS).collect();
        for (tick, count) in counts.iter_mut().take(TICKS).enumerate() {
            sleep_until(born + FIRST + TICK * u32::try_from(tick).expect("few")).await;
            for key in &left {
                let served = ask(*key).await.1;
                assert_eq!(served, Served::Memory);
            }
            settle().await;
            left.retain(|key| origins[*key].loads() == 1);
            *count += KEYS - left.len();
        }
    }
    // Each count was of all until then.
    for tick in (1..TICKS).rev() {
        counts[tick] -= counts[tick - 1];
    }
    counts[TICKS] = KEYS * ROUNDS - counts[..TICKS].iter().sum::<usize>();
    counts
}

/// How many the formula expects.
fn expected(beta: f64) -> Vec<f64> {
    let mut left = (KEYS * ROUNDS) as f64;
    let mut expected: Vec<f64> = (0..TICKS)
        .map(|tick| {
            let remaining = TTL - FIRST - TICK * u32::try_from(tick).expect("few");
            let chance = (-remaining.as_secs_f64() / (DELTA.as_secs_f64() * beta)).exp();
            let now = left * chance;
            left -= now;
            now
        })
        .collect();
    expected.push(left);
    expected
}

/// Bins of at least [`LEAST`], from both ends.
fn joined(counts: &[usize], expected: &[f64]) -> Vec<(f64, f64)> {
    let mut bins: Vec<(f64, f64)> = Vec::new();
    for (count, expected) in counts.iter().zip(expected) {
        match bins.last_mut() {
            Some(last) if last.1 < LEAST => *last = (last.0 + *count as f64, last.1 + expected),
            _ => bins.push((*count as f64, *expected)),
        }
    }
    if let Some((count, few)) = bins.pop_if(|last| last.1 < LEAST)
        && let Some(last) = bins.last_mut()
    {
        *last = (last.0 + count, last.1 + few);
    }
    bins
}

/// The statistic and its degrees of freedom.
async fn chi_square(beta: f64, formula: f64) -> (f64, usize) {
    fastrand::seed(20_151);
    let counts = measured(beta).await;
    println!("{counts:?} {:.1?}", expected(formula));
    let bins = joined(&counts, &expected(formula));
    let statistic = bins
        .iter()
        .map(|(count, expected)| (count - expected).powi(2) / expected)
        .sum();
    (statistic, bins.len() - 1)
}

fn critical(freedom: usize) -> f64 {
    let known = CRITICAL.iter().find(|(of, _)| *of == freedom);
    known
        .unwrap_or_else(|| panic!("no critical value for {freedom} degrees of freedom"))
        .1
}

#[tokio::test(start_paused = true)]
async fn refreshes_begin_as_often_as_the_formula_says() {
    for beta in [1.0, 2.0] {
        let (statistic, freedom) = chi_square(beta, beta).await;
        let critical = critical(freedom);
        println!(
            "beta {beta}: chi-square {statistic:.2}, {freedom} degrees of freedom, critical {critical}"
        );
        assert!(
            statistic < critical,
            "beta {beta}: {statistic:.2} of {freedom} degrees of freedom, at most {critical}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_test_tells_a_tenth_more_or_less_from_the_formula() {
    for beta in [1.0, 2.0] {
        for wrong in [0.9, 1.1] {
            let (statistic, freedom) = chi_square(beta, beta * wrong).await;
            println!(
                "beta {beta} as {wrong}: chi-square {statistic:.2}, {freedom} degrees of freedom"
            );
            assert!(
                statistic > 31.264,
                "beta {beta}, {wrong}: {statistic:.2} would pass"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_that_took_no_time_is_not_refreshed_early() {
    let (cache, origin) = (alone(), Origin::new());
    let policy = Policy::new().ttl(TTL).early_refresh(100.0);
    for _ in 0..99 {
        origin
            .ask(&cache, "a", &policy)
            .await
            .0
            .expect("it answers");
        tokio::time::sleep(100 * MILLI).await;
    }
    assert_eq!(origin.loads(), 1);
    tokio::time::sleep(SECOND).await;
}
