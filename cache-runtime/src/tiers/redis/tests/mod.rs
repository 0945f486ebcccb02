//! The tier against real servers, each started on a free port in a directory of its own.
//!
//! What every shared tier has to do is in `conformance`; beside it, what is Redis' own: names, scripts, commands, accounts, memory.

mod announce;
mod bus;
mod cluster;
#[cfg(feature = "test-util")]
mod conformance;
mod labels;
mod lease;
mod link;
mod reclaim;
mod registry;
mod removal;
mod server;
mod sweep;
mod trouble;
mod urls;

use std::time::Duration;

use bytes::Bytes;

use super::{Limits, RedisTier};
use crate::bus::Manner;
use crate::entry::Token;
use crate::key::Pattern;
use crate::tags::{Generation, Label, Standing};
use crate::tiers::{
    Acquire, Acquired, Announce, Eviction, LabelEviction, Labelled, Labels, LeaseKind, Register,
    Removal, Removed, Store, Stored, Tier, TierError,
};
use server::Server;

const SOON: Duration = Duration::from_secs(2);
const LEASE: Duration = Duration::from_secs(3);
const LIFE: Duration = Duration::from_secs(60);

fn limits(max_in_flight: usize) -> Limits {
    Limits {
        max_in_flight,
        patience: Duration::from_millis(100),
        max_value_bytes: 1 << 20,
    }
}

fn tier(server: &Server) -> RedisTier {
    RedisTier::new("shop", super::parse(&server.url()).unwrap(), limits(1024))
}

/// The calls of the port without labels.
impl RedisTier {
    async fn get(&self, key: &str, within: Duration) -> Result<Option<Bytes>, TierError> {
        Ok(self.read(key, &[], within).await?.value)
    }

    async fn acquire(
        &self,
        key: &str,
        ask: Acquire,
        within: Duration,
    ) -> Result<Acquired, TierError> {
        let answer = Tier::acquire(self, key, ask, Labels::default(), within);
        Ok(answer.await?.0)
    }

    async fn evict(&self, keys: &[Eviction<'_>], within: Duration) -> Result<(), TierError> {
        let what = Removal {
            keys,
            ..Removal::default()
        };
        self.remove(what, within).await.map(drop)
    }

    async fn sweep(&self, pattern: &Pattern, within: Duration) -> Result<u64, TierError> {
        Tier::sweep(self, pattern, Manner::Evict, within).await
    }
}

fn load(token: Token) -> Acquire {
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

/// As much of an envelope as the scripts read.
fn envelope(token: Token, version: u32) -> Vec<u8> {
    let mut bytes = token.as_bytes().to_vec();
    bytes.extend([0xCA, 0xC4, 1, 0, 0, 0]);
    bytes.extend(version.to_be_bytes());
    bytes.extend(b"payload");
    bytes
}

async fn store(
    tier: &RedisTier,
    key: &str,
    token: Token,
    version: u32,
) -> Result<Stored, TierError> {
    let entry = Store {
        token,
        schema_version: version,
        bytes: &envelope(token, version),
        life: LIFE,
        announce: Announce::Waiters,
    };
    tier.store(key, entry, SOON).await
}

/// Loads and stores as a leader would.
async fn fill(tier: &RedisTier, key: &str) -> Token {
    let token = Token::random();
    let led = tier.acquire(key, load(token), SOON).await.unwrap();
    assert_eq!(led, Acquired::Lead);
    assert_eq!(store(tier, key, token, 1).await.unwrap(), Stored::Stored);
    token
}

/// As a load asks for labels.
async fn ask(tier: &RedisTier, labels: &[Label]) -> Labelled {
    let ask = Labels {
        labels,
        life: LIFE,
        clock: true,
        ..Labels::default()
    };
    tier.labelled(ask, SOON).await.unwrap()
}

async fn register(tier: &RedisTier, region: &str) -> Standing {
    let ask = Labels {
        register: Some(Register::Region(region)),
        ..Labels::default()
    };
    let answer = tier.labelled(ask, SOON).await.unwrap();
    answer.cache.unwrap()
}

async fn standing(tier: &RedisTier, label: &Label) -> Standing {
    let standings = tier.standings(std::slice::from_ref(label), SOON).await;
    standings.unwrap()[0]
}

fn is(standing: Standing) -> Generation {
    match standing {
        Standing::Is(generation) => generation,
        other => panic!("{other:?}"),
    }
}

async fn remove_labels(
    tier: &RedisTier,
    manner: Manner,
    labels: &[&Label],
    hold: Duration,
) -> Removed {
    let labels: Vec<_> = labels
        .iter()
        .map(|label| LabelEviction { label, hold })
        .collect();
    let what = Removal {
        manner,
        labels: &labels,
        registry: true,
        ..Removal::default()
    };
    tier.remove(what, SOON).await.unwrap()
}

/// A number in a raw answer.
fn integer(answer: &str) -> i64 {
    answer.trim_matches([':', '\r', '\n']).parse().unwrap()
}
