//! The port, as the checks speak it: what a healthy store cannot answer fails the check.

use std::{fmt::Display, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    bus::Manner,
    entry::Token,
    key::Pattern,
    tags::{Generation, Label, Standing},
    tiers::{
        Acquire, Acquired, Announce, Eviction, LabelEviction, Labelled, Labels, LeaseKind, Read,
        Register, Remote, Removal, Removed, Store, Stored, Tier, TierError,
    },
};

/// The deadline of every call, longer than a healthy store needs on a busy machine.
pub(super) const WITHIN: Duration = Duration::from_secs(10);
/// The life of a lease that is not to run out.
pub(super) const LEASE: Duration = Duration::from_secs(60);
/// The life of a value that is not to run out.
pub(super) const LIFE: Duration = Duration::from_secs(600);

/// One instance of the tier.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) tier: Arc<dyn Tier>,
}

impl Process {
    pub(super) fn new(tier: Arc<dyn Tier>) -> Self {
        Self { tier }
    }

    pub(super) async fn read(&self, key: &str, labels: &[Label]) -> Read {
        answered("read", key, self.tier.read(key, labels, WITHIN).await)
    }

    pub(super) async fn get(&self, key: &str) -> Option<Bytes> {
        self.read(key, &[]).await.value
    }

    pub(super) async fn inspect(&self, key: &str) -> Remote {
        answered("inspect", key, self.tier.inspect(key, WITHIN).await)
    }

    pub(super) async fn acquire(&self, key: &str, ask: Acquire) -> Acquired {
        self.acquire_with(key, ask, Labels::default()).await.0
    }

    pub(super) async fn acquire_with(
        &self,
        key: &str,
        ask: Acquire,
        labels: Labels<'_>,
    ) -> (Acquired, Labelled) {
        let answer = self.tier.acquire(key, ask, labels, WITHIN).await;
        answered("acquire", key, answer)
    }

    /// Takes the lease, which nobody has.
    pub(super) async fn lead(&self, key: &str) -> Token {
        self.lead_for(key, LEASE).await
    }

    /// Takes the lease for so long.
    pub(super) async fn lead_for(&self, key: &str, lease: Duration) -> Token {
        let token = Token::random();
        let ask = Acquire {
            lease,
            ignore_value: true,
            ..load(token)
        };
        let led = self.acquire(key, ask).await;
        assert_eq!(led, Acquired::Lead, "nobody has the lease of `{key}`");
        token
    }

    /// Takes the lease of what has a value, as a load that cannot serve it does.
    pub(super) async fn lead_over(&self, key: &str, seen: Token) -> Token {
        let token = Token::random();
        let ask = Acquire {
            seen: Some(seen),
            ..load(token)
        };
        let led = self.acquire(key, ask).await;
        assert_eq!(led, Acquired::Lead, "the value of `{key}` was seen");
        token
    }

    /// One more load asks for the lease that another has, and waits.
    pub(super) async fn wait_for(&self, key: &str) {
        let ask = Acquire {
            ignore_value: true,
            waits: true,
            ..load(Token::random())
        };
        let held = self.acquire(key, ask).await;
        assert!(
            matches!(held, Acquired::Held { .. }),
            "another has the lease of `{key}`: {held:?}"
        );
    }

    /// Stores an entry of this schema version.
    pub(super) async fn store(&self, key: &str, token: Token, version: u32) -> Stored {
        let bytes = envelope(token, version);
        self.store_entry(key, entry(token, version, &bytes)).await
    }

    pub(super) async fn store_entry(&self, key: &str, entry: Store<'_>) -> Stored {
        answered("store", key, self.tier.store(key, entry, WITHIN).await)
    }

    /// Loads and stores, as a leader does.
    pub(super) async fn fill(&self, key: &str) -> Token {
        let token = self.lead(key).await;
        let stored = self.store(key, token, 1).await;
        assert_eq!(stored, Stored::Stored, "the lease of `{key}` stands");
        token
    }

    /// Stores an entry whose last bytes were lost, with those that say that it is one.
    pub(super) async fn fill_cut_off(&self, key: &str) -> Bytes {
        let token = self.lead(key).await;
        let mut bytes = envelope(token, 1);
        bytes.truncate(20);
        let stored = self.store_entry(key, entry(token, 1, &bytes)).await;
        assert_eq!(stored, Stored::Stored, "whatever the bytes are");
        bytes.into()
    }

    pub(super) async fn renew(&self, key: &str, token: Token, life: Duration) -> bool {
        answered(
            "renew",
            key,
            self.tier.renew(key, token, life, WITHIN).await,
        )
    }

    pub(super) async fn fail(&self, key: &str, token: Token, pause: Duration) -> bool {
        let answer = self.tier.fail(key, token, pause, WITHIN).await;
        answered("fail", key, answer)
    }

    pub(super) fn release(&self, key: &str, token: Token) {
        self.tier.release_later(key, token);
    }

    pub(super) async fn remove(&self, what: Removal<'_>) -> Removed {
        answered("remove", "", self.tier.remove(what, WITHIN).await)
    }

    /// Evicts one key.
    pub(super) async fn evict(&self, key: &str) {
        self.evict_and_hold(key, Duration::ZERO).await;
    }

    /// Evicts one key and refuses stores for so long.
    pub(super) async fn evict_and_hold(&self, key: &str, hold: Duration) {
        self.remove_key(Manner::Evict, key, hold).await;
    }

    pub(super) async fn expire(&self, key: &str) {
        self.remove_key(Manner::Expire, key, Duration::ZERO).await;
    }

    /// Evicts several in one call.
    pub(super) async fn evict_all(&self, keys: &[String]) {
        let hold = Duration::ZERO;
        let key = |key| Eviction { key, hold };
        let keys: Vec<_> = keys.iter().map(|it| key(it.as_str())).collect();
        let what = Removal {
            keys: &keys,
            ..Removal::default()
        };
        self.remove(what).await;
    }

    pub(super) async fn remove_key(&self, manner: Manner, key: &str, hold: Duration) {
        let what = Removal {
            manner,
            keys: &[Eviction { key, hold }],
            ..Removal::default()
        };
        self.remove(what).await;
    }

    /// Evicts or expires one label.
    pub(super) async fn remove_label(&self, manner: Manner, label: &Label, hold: Duration) {
        let what = Removal {
            manner,
            labels: &[LabelEviction { label, hold }],
            ..Removal::default()
        };
        self.remove(what).await;
    }

    /// The registered regions, in order; `None` if they cannot be relied on.
    pub(super) async fn regions(&self) -> Option<Vec<String>> {
        let what = Removal {
            registry: true,
            ..Removal::default()
        };
        sorted(self.remove(what).await)
    }

    pub(super) async fn sweep(&self, pattern: &str, manner: Manner) -> u64 {
        let parsed = Pattern::parse(pattern);
        let swept = self.tier.sweep(&parsed, manner, WITHIN).await;
        answered("sweep", pattern, swept)
    }

    pub(super) async fn reclaim(
        &self,
        region: &str,
        dead: &(dyn Fn(&str, &Bytes) -> bool + Sync),
    ) -> u64 {
        let reclaimed = self.tier.reclaim(region, dead, WITHIN).await;
        answered("reclaim", region, reclaimed)
    }

    pub(super) async fn labelled(&self, ask: Labels<'_>) -> Labelled {
        let answer = answered("labelled", "", self.tier.labelled(ask, WITHIN).await);
        let (asked, got) = (ask.labels.len(), answer.labels.len());
        assert_eq!(got, asked, "one answer for each label");
        answer
    }

    /// As a load asks for labels and for the clock.
    pub(super) async fn ask(&self, labels: &[Label]) -> Labelled {
        let ask = Labels {
            labels,
            life: LIFE,
            clock: true,
            ..Labels::default()
        };
        self.labelled(ask).await
    }

    /// Registers a region; how the cache stands.
    pub(super) async fn register(&self, region: &str) -> Standing {
        let ask = Labels {
            register: Some(Register::Region(region)),
            life: LIFE,
            ..Labels::default()
        };
        let answer = self.labelled(ask).await;
        answer.cache.expect("the cache was asked for")
    }

    pub(super) async fn standings(&self, labels: &[Label]) -> Vec<Standing> {
        let standings = self.tier.standings(labels, WITHIN).await;
        let standings = answered("standings", "", standings);
        assert_eq!(standings.len(), labels.len(), "one answer for each label");
        standings
    }

    pub(super) async fn standing(&self, label: &Label) -> Standing {
        self.standings(std::slice::from_ref(label)).await[0]
    }
}

/// The answer of a store that is well.
fn answered<T>(call: &str, of: &str, answer: Result<T, TierError>) -> T {
    let why =
        |error: &dyn Display| format!("`{call}` of `{of}` failed on a healthy store: {error}");
    answer.unwrap_or_else(|error| panic!("{}", why(&error)))
}

pub(super) fn load(token: Token) -> Acquire {
    Acquire {
        token,
        seen: None,
        ignore_value: false,
        lease: LEASE,
        kind: LeaseKind::Load,
        waits: false,
        heeds_failures: false,
    }
}

pub(super) fn put(token: Token) -> Acquire {
    Acquire {
        kind: LeaseKind::Put,
        ..load(token)
    }
}

/// As much of an envelope as a tier may look at.
pub(super) fn envelope(token: Token, version: u32) -> Vec<u8> {
    let mut bytes = token.as_bytes().to_vec();
    bytes.extend([0xCA, 0xC4, 1, 0, 0, 0]);
    bytes.extend(version.to_be_bytes());
    bytes.extend(b"payload");
    bytes
}

pub(super) fn entry(token: Token, schema_version: u32, bytes: &[u8]) -> Store<'_> {
    Store {
        token,
        schema_version,
        bytes,
        life: LIFE,
        announce: Announce::Waiters,
    }
}

/// The generation, where there has to be one.
pub(super) fn is(standing: Standing) -> Generation {
    match standing {
        Standing::Is(generation) => generation,
        other => panic!("there has to be a generation, not {other:?}"),
    }
}

/// The regions of an answer, in order.
pub(super) fn sorted(removed: Removed) -> Option<Vec<String>> {
    let mut regions: Vec<_> = removed.regions?.into_iter().map(String::from).collect();
    regions.sort();
    Some(regions)
}
