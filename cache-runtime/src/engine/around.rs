//! Patterns that no label covers: a scan, and where there can be none, the generation of a region around it.

use std::{sync::Arc, time::Duration};

use super::{
    Core,
    evict::{Settling, doubt, held_until, settle_label},
    selection::region_label,
};
use crate::{
    bus::Manner,
    key::{Below, Pattern, below},
    tiers::{LabelEviction, Removal, TierError},
};

/// A pattern that no label covers, and what is known of the regions around it.
pub(super) struct Around<'a> {
    pub(super) pattern: &'a Pattern,
    pub(super) hold: Duration,
    /// Regions, if they were asked for.
    pub(super) registered: Option<Vec<Box<str>>>,
}

impl Around<'_> {
    /// Evicts by scanning. What cannot be scanned for (not permitted, the cursor means nothing any more) dies by the generation of a
    /// region around it: too much rather than too little.
    pub(super) async fn sweep(
        mut self,
        core: &Arc<Core>,
        manner: Manner,
        within: Duration,
    ) -> Result<(), TierError> {
        // A hold replaces the generation.
        let held = if self.hold.is_zero() {
            None
        } else {
            Some(self.replace(core, Manner::Evict, within).await)
        };
        if let Some(Err(error)) = &held
            && error.is_silence()
        {
            return held.unwrap_or(Ok(()));
        }
        let mut swept = core
            .tier
            .sweep(self.pattern, manner, within)
            .await
            .map(drop);
        if swept.is_ok() {
            // The scan looks for digests where regions are registered. In a registry that was made anew meanwhile not all of them are: what it has left
            // there is of the generation before, which this process may still believe in.
            swept = self.ask_what_is_registered(core, within).await;
        }
        match (swept, held) {
            (Err(error), _) if error.is_silence() => Err(error),
            (Err(error), None) => {
                tracing::debug!(%error, "a pattern is evicted by the region around it");
                self.replace(core, manner, within).await
            }
            (_, held) => held.unwrap_or(Ok(())),
        }
    }

    /// Replaces the generation of the innermost region that all entries carry which the pattern could match: where an argument may lead
    /// below its literal region, they do not carry that one.
    async fn replace(
        &mut self,
        core: &Arc<Core>,
        manner: Manner,
        within: Duration,
    ) -> Result<(), TierError> {
        if self.registered.is_none() {
            // Who registers after this loads after what was written.
            self.ask_what_is_registered(core, within).await?;
        }
        let region = region_around(self.pattern.literal_region(), self.registered.as_deref());
        let label = region_label(region);
        let labels = [LabelEviction {
            label: &label,
            hold: self.hold,
        }];
        let what = Removal {
            manner,
            labels: &labels,
            ..Removal::default()
        };
        let result = core.tier.remove(what, within).await.map(drop);
        let now = core.clock.now();
        let how = Settling {
            manner,
            now,
            until: held_until(now, self.hold),
        };
        settle_label(core, &label, how);
        if result.is_ok() && manner == Manner::Evict {
            core.background.reclaim(core, region);
        }
        result
    }

    async fn ask_what_is_registered(
        &mut self,
        core: &Core,
        within: Duration,
    ) -> Result<(), TierError> {
        let ask = Removal {
            registry: true,
            ..Removal::default()
        };
        let answer = core.tier.remove(ask, within).await?;
        doubt(core, &answer);
        self.registered = answer.regions;
        Ok(())
    }
}

/// The innermost region at or around `region` that covers all registered templates; the empty one, everything, if nobody knows them.
fn region_around<'a>(region: &'a str, registered: Option<&[Box<str>]>) -> &'a str {
    let Some(registered) = registered else {
        return "";
    };
    let mut region = region;
    while registered
        .iter()
        .any(|other| below(other, region) == Below::Perhaps)
    {
        region = region.rsplit_once(':').map_or("", |(around, _)| around);
    }
    region
}

#[cfg(test)]
mod tests {
    use super::region_around;

    #[test]
    fn the_region_around_is_the_innermost_that_all_templates_carry() {
        let registered = ["user".into(), "products:list".into()];
        let around = |region| region_around(region, Some(&registered));
        assert_eq!(around("user:7"), "user");
        assert_eq!(around("user"), "user");
        assert_eq!(around("products:list:hot"), "products:list");
        assert_eq!(around("orders:7"), "orders:7", "no template leads there");
        assert_eq!(region_around("user:7", Some(&["".into()])), "");
        assert_eq!(region_around("user:7", None), "");
    }
}
