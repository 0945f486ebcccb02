//! What is stored under a key, and where.

use std::time::Duration;

use crate::{engine::Core, entry::Envelope, key::Key, tags::Label};

/// What [`Cache::inspect`](crate::Cache::inspect) found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryInfo {
    /// The key as it stands in Redis, without the cache's name.
    pub key: String,
    /// In this process.
    pub memory: Option<StoredInfo>,
    /// In Redis.
    pub redis: Option<StoredInfo>,
    /// A load or a put of the key runs somewhere in the fleet.
    pub leased: bool,
    /// Loads of the key are not stored for this long.
    pub held: Option<Duration>,
}

/// One stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredInfo {
    /// Time since it was loaded.
    pub age: Duration,
    /// Time it stays fresh; zero when it is dead.
    pub remaining: Duration,
    /// Bytes of its encoded form.
    pub size: usize,
    /// Schema version.
    pub version: u32,
    /// The value is `None`.
    pub absent: bool,
    /// The tags it carries, as they stand in Redis: encoded like keys.
    pub tags: Vec<String>,
    /// How it is encoded: `typed` in memory, `json` or `unreadable` in Redis.
    pub codec: &'static str,
}

pub(super) async fn inspect(core: &Core, key: &Key) -> Option<EntryInfo> {
    let remote = core
        .tier
        .inspect(key.text(), core.settings.redis_budget)
        .await
        .unwrap_or_default();
    let info = EntryInfo {
        key: key.text().to_owned(),
        memory: in_memory(core, key),
        redis: remote.value.as_ref().map(|bytes| in_redis(core, bytes)),
        leased: remote.leased,
        held: remote.hold.max(held_here(core, key)),
    };
    let anything =
        info.memory.is_some() || info.redis.is_some() || info.leased || info.held.is_some();
    anything.then_some(info)
}

/// A hold of this process, where Redis does not answer or there is none.
fn held_here(core: &Core, key: &Key) -> Option<Duration> {
    let left = core.holds.left(key.text(), core.clock.now());
    (left > 0).then(|| Duration::from_millis(left))
}

fn in_memory(core: &Core, key: &Key) -> Option<StoredInfo> {
    let entry = core
        .memory
        .get(core.hash(key.text()), key.text().as_bytes())?;
    let now = core.clock.now();
    if !core.serves(&entry, now, key.text().as_bytes()) {
        return None;
    }
    Some(StoredInfo {
        tags: entry.labels().filter_map(Label::as_tag).collect(),
        age: Duration::from_millis(now.saturating_sub(entry.term().born)),
        remaining: Duration::from_millis(entry.term().fresh_until.saturating_sub(now)),
        size: entry.size().unwrap_or_default(),
        version: entry.birth().of.schema.unwrap_or_default(),
        absent: entry.is_absent(),
        codec: "typed",
    })
}

fn in_redis(core: &Core, bytes: &bytes::Bytes) -> StoredInfo {
    let now = core.tier.now();
    match Envelope::decode(bytes) {
        Ok(Envelope {
            header,
            payload,
            tags,
            ..
        }) => StoredInfo {
            tags: tags.iter().filter_map(|it| it.label.as_tag()).collect(),
            age: Duration::from_millis(now.saturating_sub(header.birth)),
            remaining: if header.expired {
                Duration::ZERO
            } else {
                Duration::from_millis(header.fresh_until.saturating_sub(now))
            },
            size: payload.len(),
            version: header.schema,
            absent: header.absent,
            codec: "json",
        },
        Err(_) => StoredInfo {
            tags: Vec::new(),
            age: Duration::ZERO,
            remaining: Duration::ZERO,
            size: bytes.len(),
            version: 0,
            absent: false,
            codec: "unreadable",
        },
    }
}
