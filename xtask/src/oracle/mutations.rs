//! The guards, and what takes each of them out.

/// One change that breaks the promise, or leaves something behind.
pub(super) struct Mutation {
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    pub(super) find: &'static str,
    pub(super) replace: &'static str,
    pub(super) trial: Trial,
}

/// What has to fail.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trial {
    /// 100,000 random schedules.
    Schedules,
    /// Tests of the Redis tier against real servers.
    Tier(&'static str),
    /// A program of tests, and a part of its tests' names.
    Tests(&'static str, &'static str),
}

use Trial::{Schedules, Tests, Tier};

macro_rules! engine {
    ($name:literal, $file:literal, $find:literal => $replace:literal, $trial:expr) => {
        Mutation {
            name: $name,
            file: concat!("cache-runtime/src/", $file),
            find: $find,
            replace: $replace,
            trial: $trial,
        }
    };
}

pub(super) const ALL: &[Mutation] = &[
    engine!("an entry in memory does not look at its labels", "tags/cells.rs",
        "self.at_root == self.root.evictions.load(Ordering::SeqCst)" => "self.at_root <= u64::MAX", Schedules),
    engine!("an entry in memory does not look at the epoch", "bus/coherence.rs",
        "self.served_from.load(Ordering::SeqCst) <= stamp.epoch" => "stamp.epoch < u64::MAX", Schedules),
    engine!("memory takes things in without a subscription", "bus/coherence.rs",
        "epoch.is_multiple_of(2) && epoch == self.epoch()" => "epoch < u64::MAX", Schedules),
    engine!("a generation is believed though its label was evicted since it was asked for", "tags/cells.rs",
        "if self.before() == before {" => "if before == before {", Schedules),
    engine!("a generation is believed in another epoch", "tags/cells.rs",
        "let fits = known.epoch == epoch && known.life >= life;" => "let fits = epoch > 0 && known.life >= life;", Schedules),
    engine!("an eviction does not forget the generation", "tags/cells.rs",
        "        self.evictions.fetch_add(1, Ordering::SeqCst);\n        self.forget();" => "        self.evictions.fetch_add(1, Ordering::SeqCst);", Schedules),
    engine!("joiners take what this process may have missed", "engine/core.rs",
        "self.listening() == Some(flight.stamp.epoch)" => "flight.stamp.epoch < u64::MAX", Schedules),
    engine!("a load does not notice evictions of tags it learns of later", "flight/state.rs",
        "self.tag_evictions == cells.tag_evictions()" => "self.tag_evictions <= cells.tag_evictions()", Schedules),
    engine!("the clock does not order tags that the value names", "tags/generation.rs",
        "self.era == seen.era && self.n <= seen.n" => "self.era == seen.era || self.n <= seen.n || seen.n > 0", Schedules),
    engine!("every pattern is taken for a region", "engine/evict.rs",
        "(None, _) => false," => "(None, _) => true,", Schedules),
    engine!("an entry from Redis is alive whatever its labels say", "engine/lead.rs",
        "match self.view.judge(&call.core, &call.key, &entry) {" => "match Verdict::Alive {", Schedules),
    engine!("expired counts as fresh", "engine/labels.rs",
        "(true, false) => Verdict::Expired," => "(true, false) => Verdict::Alive,", Schedules),
    engine!("memory is evicted before Redis", "engine/evict.rs",
        "        let delivered = self.deliver().await;\n        let items = mem::take(&mut self.items);" =>
        "        settle(&self.core, &self.items);\n        let delivered = self.deliver().await;\n        let items = mem::take(&mut self.items);\n        if delivered.is_ok() {\n            return Ok(());\n        }", Schedules),
    engine!("flights are not marked", "flight/state.rs",
        "self.marked.store(true, Ordering::SeqCst);" => "self.marked.store(false, Ordering::SeqCst);", Schedules),
    engine!("the eviction of a label marks no flight", "engine/evict.rs",
        "    core.flights.mark_outdated();\n" => "", Schedules),
    engine!("messages are not heeded", "engine/ear.rs", "if !own {" => "if own {", Schedules),
    engine!("an eviction does not settle in its own process", "engine/evict.rs",
        "        settle(&self.core, &items);\n        delivered.map_err" => "        delivered.map_err", Schedules),
    engine!("a sweep has one pass", "tiers/redis/commands/sweep.rs",
        "        self.scan(&live, &scan(Part::Lease)).await?;\n" => "", Tests("fleet", "writes")),
    engine!("a dropped write evicts nothing", "door/evict.rs",
        "            drop(self.plan.task(items));" => "            drop(items);", Tests("memory", "")),
    engine!("a store presents no lease", "tiers/redis/scripts/store.lua",
        "if bytes(KEYS[2], 0, 15) ~= ARGV[1] then return 0 end" => "", Tier("tiers::redis")),
    engine!("a value that was seen is returned again", "tiers/redis/scripts/acquire.lua",
        "if #token == 16 and token ~= ARGV[3] then" => "if #token == 16 then", Tier("tiers::redis")),
    engine!("an acquire does not look at the hold", "tiers/redis/scripts/acquire.lua",
        "if redis.call('EXISTS', KEYS[3]) == 1 then return {3, now} end" => "", Tier("tiers::redis")),
    engine!("a renewal does not compare tokens", "tiers/redis/scripts/renew.lua",
        "if reply ~= ARGV[1] then return 0 end" => "", Tier("tiers::redis")),
];
