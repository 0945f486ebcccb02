//! Which messages were heard lately.
//!
//! A message may come more than once (in a cluster over every node), and by its second time what it names may have been loaded
//! again. So many ids are remembered as can be under way at once, and not more.

use std::collections::{HashSet, VecDeque};

const MOST: usize = 4096;

#[derive(Debug, Default)]
pub(in crate::tiers::redis) struct Recent {
    ids: HashSet<[u8; 16], foldhash::fast::RandomState>,
    order: VecDeque<[u8; 16]>,
}

impl Recent {
    /// Remembers it; `false` if it was remembered already.
    pub(super) fn is_new(&mut self, id: [u8; 16]) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > MOST {
            let oldest = self.order.pop_front();
            oldest.inspect(|id| {
                self.ids.remove(id);
            });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> [u8; 16] {
        (n as u128).to_be_bytes()
    }

    #[test]
    fn a_copy_is_known() {
        let mut recent = Recent::default();
        assert!(recent.is_new(id(1)));
        assert!(recent.is_new(id(2)));
        assert!(!recent.is_new(id(1)));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut recent = Recent::default();
        assert!((0..3 * MOST).all(|n| recent.is_new(id(n))));
        assert_eq!(recent.ids.len(), MOST);
        assert_eq!(recent.order.len(), MOST);
        assert!(!recent.is_new(id(2 * MOST)));
        assert!(recent.is_new(id(0)));
    }
}
