//! Where the primary is, from the Sentinels that watch it.
//!
//! **Problem.** Sentinels are there to be believed when a primary is gone, and each of them may be gone as well, hang, or be cut off
//! from the others and name what was the primary once. A client that believes the first to answer stays with an old primary for as long as that one does:
//! it writes what is lost afterwards, and misses evictions.
//!
//! **Decision.** All are asked at once (`SENTINEL GET-MASTER-ADDR-BY-NAME`), on connections that are kept, and count like votes.
//!
//! * Who connects goes to the address that more than half of them name, as soon as they do; so one that hangs or is gone costs nothing. If there is no such
//!   address within [`WITHIN`], to the one that most of those name who answered. Elsewhere never.
//! * Who is connected asks each second, and leaves when at least half of all name one other address and fewer name the present one. A primary that
//!   answers is not left because Sentinels are silent: then nothing is known that was not known before. It is logged.
//! * A failover needs the majority of the Sentinels, so what one of the minority says is what was true before.
//!
//! The address may be a host name (`resolve-hostnames`, `announce-hostnames`): it is resolved by who connects.

mod seat;
mod votes;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::endpoint::{Address, Endpoint, Sentinels};
use seat::Seat;
use votes::Votes;

const ASK_EVERY: Duration = Duration::from_secs(1);
/// Bounds one question to one Sentinel, with the connection it may need.
const WITHIN: Duration = Duration::from_secs(1);

/// The Sentinels of one primary, and the connections to them.
pub(super) struct Council {
    primary: String,
    seats: Vec<Arc<Seat>>,
    /// Counts the attempts to connect: who is equal takes turns.
    attempts: AtomicUsize,
}

impl Council {
    pub(super) fn new(endpoint: &Endpoint, sentinels: &Sentinels) -> Self {
        let asked = Arc::new((endpoint.clone(), sentinels.clone()));
        let seat = |address: &Address| Arc::new(Seat::new(address.clone(), Arc::clone(&asked)));
        Self {
            primary: sentinels.primary.clone(),
            seats: sentinels.addresses.iter().map(seat).collect(),
            attempts: AtomicUsize::new(0),
        }
    }

    /// What they call the primary.
    pub(super) fn primary(&self) -> &str {
        &self.primary
    }

    /// Where to connect, or why nobody knows.
    pub(super) async fn find(&self) -> Result<Address, String> {
        let votes = self.vote(|votes| votes.agreed().is_some()).await;
        let turn = self.attempts.fetch_add(1, Ordering::Relaxed);
        let most = votes.most(turn).cloned();
        most.ok_or_else(|| votes.why_nobody_knows(&self.primary))
    }

    /// Waits until the primary is elsewhere, and says where.
    pub(super) async fn elsewhere(&self, present: &Address, cache: &str) -> Address {
        let mut ticks = interval_at(Instant::now() + ASK_EVERY, ASK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = true;
        loop {
            ticks.tick().await;
            // Who hangs is waited for here, where it costs nothing: so its connection is given up.
            let other = |votes: &Votes| votes.agreed().is_some_and(|named| named != present);
            let votes = self.vote(other).await;
            if let Some(other) = votes.against(present) {
                return other.clone();
            }
            self.log_change(&mut heard, &votes, cache);
        }
    }

    fn log_change(&self, heard: &mut bool, votes: &Votes, cache: &str) {
        let before = std::mem::replace(heard, votes.most(0).is_some());
        if before && !*heard {
            let why = votes.why_nobody_knows(&self.primary);
            tracing::warn!(
                cache,
                why,
                "a failover would not be noticed; asking the Sentinels again"
            );
        } else if *heard && !before {
            tracing::info!(cache, "the Sentinels tell where the primary is");
        }
    }

    /// Asks all of them, until it is enough.
    async fn vote(&self, enough: impl Fn(&Votes) -> bool) -> Votes {
        let mut votes = Votes::of(self.seats.len());
        let mut asked = JoinSet::new();
        for (number, seat) in self.seats.iter().enumerate() {
            let seat = Arc::clone(seat);
            asked.spawn(async move { (number, seat.ask(WITHIN).await) });
        }
        while let Some(answered) = asked.join_next().await {
            if let Ok((number, answer)) = answered {
                votes.add(&self.seats[number].address, answer);
            }
            if enough(&votes) {
                break;
            }
        }
        votes
    }
}
