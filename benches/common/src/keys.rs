//! Which keys are asked for, and what they look like.
//!
//! The numbers are drawn before the clock starts, from a fixed seed, into an array that the loop walks through: drawing then costs every
//! candidate the same one load. The distribution is Zipf's with an exponent of one, by inverting its continuous form,
//! which needs no table and so works for ten million keys; a multiplication by a number coprime to their count spreads the popular ones over
//! the whole range.

use std::sync::OnceLock;

/// A key's three arguments: a category, a page and an order.
pub type Three = (&'static str, u32, bool);

const SEED: u64 = 0x5eed_0fca_c4e5;
/// A prime, so coprime to any number of keys that is not a multiple of it.
const SPREAD: u64 = 2_654_435_761;
const CATEGORIES: [&str; 4] = ["books", "garden-tools", "music", "toys-and-games"];

static THREES: OnceLock<Vec<Three>> = OnceLock::new();
static TEXTS: OnceLock<Vec<String>> = OnceLock::new();

/// How the keys of a measure are distributed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Distribution {
    Zipf,
    Uniform,
}

/// Draws this many keys out of `keys`, by Zipf's law.
pub fn zipf(keys: u64, count: usize) -> Vec<u32> {
    draw(Distribution::Zipf, keys, count)
}

/// Draws this many keys out of `keys`.
pub(crate) fn draw(distribution: Distribution, keys: u64, count: usize) -> Vec<u32> {
    // `SPREAD` is coprime to these.
    assert!(keys < u64::from(u32::MAX) && !keys.is_multiple_of(SPREAD));
    let mut state = SEED;
    let span = (2.0 * keys as f64 + 1.0).ln();
    let mut one = || {
        let random = (next(&mut state) >> 11) as f64 / (1u64 << 53) as f64;
        match distribution {
            Distribution::Uniform => ((random * keys as f64) as u64).min(keys - 1) as u32,
            Distribution::Zipf => {
                // P(rank <= r) = ln(2r + 1) / ln(2n + 1)
                let rank = (((random * span).exp() - 1.0) / 2.0).ceil() as u64;
                (rank.clamp(1, keys) * SPREAD % keys) as u32
            }
        }
    };
    (0..count).map(|_| one()).collect()
}

/// The three arguments of this number; made by [`prepare`].
pub fn three(id: u64) -> Three {
    THREES.get().expect("the run prepares them")[id as usize]
}

/// The 40-byte text of this number; made by [`prepare`].
pub fn text(id: u64) -> &'static str {
    &TEXTS.get().expect("the run prepares them")[id as usize]
}

/// Which product the three arguments stand for.
pub fn number_of_three(category: &str, page: u32, ascending: bool) -> u64 {
    let category = CATEGORIES.iter().position(|known| *known == category);
    let category = category.expect("the category is one of ours") as u64;
    u64::from(page) * 8 + category * 2 + u64::from(ascending)
}

/// Which product the text stands for.
pub fn number_of_text(text: &str) -> u64 {
    let digits = text.rsplit('-').next().expect("a split has one part");
    digits.parse().expect("the text ends in a number")
}

/// Makes the keys that are more than a number.
pub(crate) fn prepare(keys: u64) {
    THREES.get_or_init(|| {
        let three = |id: u64| {
            let category = CATEGORIES[(id / 2 % 4) as usize];
            (category, (id / 8) as u32, id % 2 == 1)
        };
        (0..keys).map(three).collect()
    });
    TEXTS.get_or_init(|| {
        let text = |id| format!("a-guide-to-the-garden-in-winter-{id:08}");
        (0..keys).map(text).collect()
    });
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_of_every_form_lead_back_to_their_number() {
        prepare(10_000);
        for id in 0..10_000 {
            let (category, page, ascending) = three(id);
            assert_eq!(number_of_three(category, page, ascending), id);
            assert_eq!(number_of_text(text(id)), id);
            assert_eq!(text(id).len(), 40);
        }
    }

    #[test]
    fn the_popular_tenth_gets_most_of_the_draws() {
        let drawn = draw(Distribution::Zipf, 10_000, 1 << 16);
        assert_eq!(drawn, draw(Distribution::Zipf, 10_000, 1 << 16));
        assert!(drawn.iter().all(|&id| id < 10_000));
        let mut counts = vec![0u32; 10_000];
        drawn.iter().for_each(|&id| counts[id as usize] += 1);
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let share = |top: usize| f64::from(counts[..top].iter().sum::<u32>()) / (1 << 16) as f64;
        // By the formula 0.11 and 0.77.
        assert!((0.09..0.13).contains(&share(1)), "{}", share(1));
        assert!((0.74..0.80).contains(&share(1_000)), "{}", share(1_000));
    }

    #[test]
    fn uniform_draws_reach_nearly_all_keys() {
        let drawn = draw(Distribution::Uniform, 10_000, 1 << 17);
        assert!(drawn.iter().collect::<HashSet<_>>().len() > 9_990);
    }
}
