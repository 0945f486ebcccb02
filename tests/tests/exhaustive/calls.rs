//! What the processes do, and how each read is judged.

use std::{
    future::Future,
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};

use cache_runtime::{Evict, Served, cache_evict, cache_put, cacheable, refresh, traced};

use crate::{event::Kind, gate::Gate, world::World};

/// What a process does. The entry is one; a late tag is one that only the value names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    ReadLate,
    Refresh,
    /// Serves at once what is past its ttl, and refreshes it in the background.
    ReadKept,
    /// Waits for a moment, then serves what is past its ttl; the load goes on.
    ReadSoft,
    EvictKey,
    EvictTag,
    EvictRegion,
    EvictAll,
    Put,
}

impl Call {
    pub(crate) fn is_read(self) -> bool {
        matches!(
            self,
            Self::Read | Self::ReadLate | Self::Refresh | Self::ReadKept | Self::ReadSoft
        )
    }

    /// Whether it is a write that breaks leases and removes values, and not the generation of a label.
    pub(crate) fn is_by_key(self) -> bool {
        matches!(self, Self::EvictKey | Self::Put)
    }
}

/// What a read returned, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Read {
    pub(crate) version: u64,
    pub(crate) served: Option<Served>,
}

/// A process, as its functions see it.
pub(crate) struct Here {
    world: Rc<World>,
    process: usize,
}

#[cacheable(key = "row:{row}", ttl = "1h", tags = ["t:{row}"], stampede_protection = "fleet")]
async fn read(here: &Here, row: usize) -> Result<u64, String> {
    Ok(here.load().await)
}

#[cacheable(key = "late:{row}", ttl = "1h", tags = ["t:{result.0}"], stampede_protection = "fleet")]
async fn read_late(here: &Here, row: usize) -> Result<(usize, u64), String> {
    Ok((row, here.load().await))
}

#[cacheable(key = "row:{row}", ttl = "1h", tags = ["t:{row}"], stampede_protection = "fleet", stale_while_revalidate = "1h")]
async fn read_kept(origin: Origin, row: usize) -> Result<u64, String> {
    Ok(origin.load().await)
}

#[cacheable(key = "row:{row}", ttl = "1h", tags = ["t:{row}"], stampede_protection = "fleet", stale_if_error = "1h", soft_timeout = "3ms")]
async fn read_soft(origin: Origin, row: usize) -> Result<u64, String> {
    Ok(origin.load().await)
}

#[cache_evict(key = "row:{row}")]
async fn evict_key(here: &Here, row: usize) {
    here.world.commit(here.process);
}

#[cache_evict(tags = ["t:{row}"])]
async fn evict_tag(here: &Here, row: usize) {
    here.world.commit(here.process);
}

#[cache_put(key = "row:{row}", ttl = "1h", tags = ["t:{row}"])]
async fn put(here: &Here, row: usize) -> Result<u64, String> {
    here.at(Kind::Commits).await;
    let version = here.world.commit(here.process);
    here.at(Kind::Returns).await;
    Ok(version)
}

/// The database, as loads of a process reach it, whoever still waits for them.
#[derive(Clone)]
struct Origin {
    gate: Arc<Gate>,
    version: Arc<AtomicU64>,
    process: usize,
}

impl Origin {
    async fn load(&self) -> u64 {
        self.gate.pass(self.process, Kind::Looks).await;
        let version = self.version.load(Ordering::SeqCst);
        self.gate.pass(self.process, Kind::Returns).await;
        version
    }
}

impl Here {
    pub(crate) fn new(world: &Rc<World>, process: usize) -> Self {
        Self {
            world: Rc::clone(world),
            process,
        }
    }

    async fn at(&self, kind: Kind) {
        self.world.gate.pass(self.process, kind).await;
    }

    fn origin(&self) -> Origin {
        Origin {
            gate: Arc::clone(&self.world.gate),
            version: Arc::clone(&self.world.version),
            process: self.process,
        }
    }

    async fn load(&self) -> u64 {
        self.origin().load().await
    }

    /// Tells whoever waits for something to happen.
    pub(crate) fn is_done(&self) {
        self.world.gate.changed.notify_one();
    }

    /// Makes a call when the exploration says so; what a read returned, if it did.
    pub(crate) async fn make(&self, call: Call) -> Option<Read> {
        match call {
            Call::Read | Call::ReadLate | Call::Refresh | Call::ReadKept | Call::ReadSoft => {
                return self.read(call).await;
            }
            Call::Put => {
                self.at(Kind::Puts).await;
                self.write(put(self, 0)).await;
            }
            Call::EvictKey => {
                self.at(Kind::Commits).await;
                self.write(evict_key(self, 0)).await;
            }
            Call::EvictTag => {
                self.at(Kind::Commits).await;
                self.write(evict_tag(self, 0)).await;
            }
            Call::EvictRegion => {
                let regions = Evict::region("row").and(Evict::region("late"));
                self.evict(regions).await;
            }
            Call::EvictAll => self.evict(Evict::all()).await,
        }
        None
    }

    async fn evict(&self, what: Evict) {
        self.at(Kind::Commits).await;
        self.world.commit(self.process);
        self.write(self.world.caches[self.process].evict(what))
            .await;
    }

    /// Dropped or not, a write is complete in its own process.
    async fn write<F: Future>(&self, write: F) {
        let cache = &self.world.caches[self.process];
        self.droppable(cache.as_current(write)).await;
        self.world.complete(self.process);
    }

    async fn read(&self, call: Call) -> Option<Read> {
        let has_memory = self.world.memory[self.process];
        self.at(Kind::Reads { has_memory }).await;
        let floor = self.world.floor(self.process);
        let read = async {
            let value = match call {
                Call::ReadLate => read_late(self, 0).await.map(|(_, version)| version),
                Call::Refresh => refresh(read(self, 0)).await,
                Call::ReadKept => read_kept(self.origin(), 0).await,
                Call::ReadSoft => read_soft(self.origin(), 0).await,
                _ => read(self, 0).await,
            };
            value.expect("the database does not fail")
        };
        let cache = &self.world.caches[self.process];
        let (version, served) = self.droppable(cache.as_current(traced(read))).await?;
        let least = match served {
            Some(Served::Shared | Served::Stale(_)) => floor.shared,
            _ => floor.alone,
        };
        if version < least {
            let process = self.process;
            let text = format!("process {process} has read {version} after {least}: {served:?}");
            self.world.violation(text);
        }
        Some(Read { version, served })
    }

    /// The future's output, or `None` if it was dropped: while it waited, or instead of going on.
    async fn droppable<F: Future>(&self, future: F) -> Option<F::Output> {
        let gate = &self.world.gate;
        let mut future = Box::pin(future);
        let mut dropped = pin!(gate.pass(self.process, Kind::Drops));
        let mut began = false;
        std::future::poll_fn(move |context| {
            if dropped.as_mut().poll(context).is_ready() || (began && gate.drops_instead()) {
                return Poll::Ready(None);
            }
            began = true;
            future.as_mut().poll(context).map(Some)
        })
        .await
    }
}
