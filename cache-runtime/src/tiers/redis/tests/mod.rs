//! The tier against real servers, each started on a free port in a directory of its own.

mod lease;
mod link;
mod server;
mod sweep;
mod trouble;
mod urls;

use std::time::Duration;

use super::RedisTier;
use crate::entry::Token;
use crate::tiers::{Acquire, Acquired, LeaseKind, SharedTier, Store, Stored, TierError};
use server::Server;

const SOON: Duration = Duration::from_secs(2);
const LEASE: Duration = Duration::from_secs(3);
const LIFE: Duration = Duration::from_secs(60);

fn tier(server: &Server) -> RedisTier {
    RedisTier::new("shop", super::parse(&server.url()).unwrap(), 1024)
}

fn load(token: Token) -> Acquire {
    Acquire {
        token,
        seen: None,
        ignore_value: false,
        lease: LEASE,
        kind: LeaseKind::Load,
    }
}

fn put(token: Token) -> Acquire {
    Acquire {
        kind: LeaseKind::Put,
        ..load(token)
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
