//! Evicting by key: one script for one key; many keys in chunks.
//!
//! A chunk holds keys of several slots, which only a standalone server takes: a cluster has to send
//! one script per logical key.

use std::time::Duration;

use crate::tiers::redis::RedisTier;
use crate::tiers::redis::link::{Connection, Lane};
use crate::tiers::redis::scripts;
use crate::tiers::{Eviction, TierError};

/// Long enough to make a large eviction quick, short enough not to hold the server up for others.
const CHUNK: usize = 256;

impl RedisTier {
    pub(in crate::tiers::redis) async fn evict_keys(
        &self,
        keys: &[Eviction<'_>],
        within: Duration,
    ) -> Result<(), TierError> {
        for chunk in keys.chunks(CHUNK) {
            self.evict_chunk(chunk, within).await?;
        }
        Ok(())
    }

    async fn evict_chunk(&self, chunk: &[Eviction<'_>], within: Duration) -> Result<(), TierError> {
        let names: Vec<String> = chunk.iter().flat_map(|it| self.trio(it.key)).collect();
        let holds: Vec<String> = chunk.iter().map(|it| hold(it.hold)).collect();
        let keys: Vec<&str> = names.iter().map(String::as_str).collect();
        let args: Vec<&[u8]> = holds.iter().map(String::as_bytes).collect();
        let work = async |mut connection: Connection| {
            scripts::EVICT.run(&mut connection, &keys, &args).await
        };
        self.link.call(Lane::Upkeep, within, work).await.map(drop)
    }
}

/// Zero is "no hold", so it must stay zero.
fn hold(hold: Duration) -> String {
    if hold.is_zero() {
        "0".to_owned()
    } else {
        super::millis(hold)
    }
}
