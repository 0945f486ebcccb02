//! A tier around a sound one, which does one thing wrong.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::tier::{
    Acquire, Acquired, Announce, Bytes, Fut, Gone, Label, LabelEviction, Labelled, Labels,
    LeaseKind, LinkState, Listener, Manner, News, Pattern, Read, Register, Remote, Removal,
    Removed, Standing, Store, Stored, Tier, TierError, Token,
};

use crate::faults::Fault;
use crate::listeners::{Board, Overhearing};
use crate::locked;

pub(crate) struct Broken {
    pub(crate) inner: Arc<dyn Tier>,
    pub(crate) fault: Fault,
    pub(crate) board: Board,
    /// The latest lease of each key that was asked for on this store.
    pub(crate) asked: Arc<Mutex<HashMap<String, Acquire>>>,
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Broken")
    }
}

type Answer<'a, T> = Fut<'a, Result<T, TierError>>;

impl Broken {
    fn asked(&self, key: &str) -> Option<Acquire> {
        locked(&self.asked).get(key).copied()
    }

    /// Whether there is a note, whatever value there is.
    async fn noted(
        &self,
        key: &str,
        mut ask: Acquire,
        within: Duration,
    ) -> Result<Option<Duration>, TierError> {
        (ask.kind, ask.ignore_value) = (LeaseKind::Load, true);
        let asked = self.inner.acquire(key, ask, Labels::default(), within);
        match asked.await?.0 {
            Acquired::Failed { left } => Ok(Some(left)),
            Acquired::Lead => {
                self.inner.release_later(key, ask.token);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// A lease that is taken by force is nobody's to wait for.
    async fn forget_who_waits(
        &self,
        key: &str,
        token: Token,
        within: Duration,
    ) -> Result<(), TierError> {
        if self.inner.renew(key, token, within, within).await? {
            self.force(key, Some(token), within).await;
        }
        Ok(())
    }

    async fn wake_too_early(
        &self,
        key: &str,
        token: Token,
        within: Duration,
    ) -> Result<(), TierError> {
        if self.inner.renew(key, token, within, within).await? {
            self.board.tell(&News::Wake(vec![key.into()]));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Takes a lease by force.
    async fn force(&self, key: &str, token: Option<Token>, within: Duration) {
        if let Some(mut ask) = self.asked(key) {
            ask.kind = LeaseKind::Put;
            ask.token = token.unwrap_or(ask.token);
            let taken = self.inner.acquire(key, ask, Labels::default(), within);
            let _ = taken.await;
        }
    }
}

impl Tier for Broken {
    fn read<'a>(&'a self, key: &'a str, labels: &'a [Label], within: Duration) -> Answer<'a, Read> {
        Box::pin(async move {
            if self.fault == Fault::CreatesWhatItReads {
                let mut ask = Labels::default();
                ask.labels = labels;
                self.inner.labelled(ask, within).await?;
            }
            let mut answer = self.inner.read(key, labels, within).await?;
            if self.fault == Fault::MixesLabelsUp {
                answer.labels.reverse();
            }
            Ok(answer)
        })
    }

    fn standings<'a>(&'a self, labels: &'a [Label], within: Duration) -> Answer<'a, Vec<Standing>> {
        self.inner.standings(labels, within)
    }

    fn labelled<'a>(&'a self, mut ask: Labels<'a>, within: Duration) -> Answer<'a, Labelled> {
        if self.fault == Fault::RegistersNoRegion {
            ask.register = ask.register.and(Some(Register::Nothing));
        }
        Box::pin(async move {
            let mut answer = self.inner.labelled(ask, within).await?;
            if self.fault == Fault::ShowsTheClockLater && ask.clock {
                let mut again = ask;
                again.labels = &[];
                answer.clock = self.inner.labelled(again, within).await?.clock;
            }
            Ok(answer)
        })
    }

    fn acquire<'a>(
        &'a self,
        key: &'a str,
        mut ask: Acquire,
        labels: Labels<'a>,
        within: Duration,
    ) -> Answer<'a, (Acquired, Labelled)> {
        locked(&self.asked).insert(key.to_owned(), ask);
        let asked = ask;
        match self.fault {
            Fault::EverybodyHeedsNotes => ask.heeds_failures = true,
            Fault::NobodyHeedsNotes => ask.heeds_failures = false,
            Fault::ForgetsWhatWasSeen => ask.seen = None,
            Fault::PutsWaitTheirTurn => ask.kind = LeaseKind::Load,
            Fault::LeasesEndEarly => ask.lease /= 2,
            Fault::EverybodyWaits => ask.waits = true,
            Fault::LooksAtEveryValue => ask.ignore_value = false,
            _ => {}
        }
        Box::pin(async move {
            let noted = match self.fault {
                Fault::PutsHeedNotes => asked.heeds_failures && asked.kind == LeaseKind::Put,
                Fault::NotesHideValues => asked.heeds_failures,
                _ => false,
            };
            if noted && let Some(left) = self.noted(key, asked, within).await? {
                return Ok((Acquired::Failed { left }, Labelled::default()));
            }
            let (acquired, labelled) = self.inner.acquire(key, ask, labels, within).await?;
            let acquired = match (self.fault, acquired) {
                (Fault::EverybodyLeads, Acquired::Held { .. }) => Acquired::Lead,
                (_, acquired) => acquired,
            };
            Ok((acquired, labelled))
        })
    }

    fn store<'a>(
        &'a self,
        key: &'a str,
        mut entry: Store<'a>,
        within: Duration,
    ) -> Answer<'a, Stored> {
        match self.fault {
            Fault::ForgetsVersions => entry.schema_version = u32::MAX,
            Fault::LivesEndEarly => entry.life /= 2,
            Fault::CutsLongValuesOff => entry.bytes = &entry.bytes[..entry.bytes.len().min(1_000)],
            Fault::PutsTellWhoWaits => entry.announce = Announce::Waiters,
            _ => {}
        }
        Box::pin(async move {
            if self.fault == Fault::StoresWithoutALease {
                self.force(key, Some(entry.token), within).await;
            }
            self.inner.store(key, entry, within).await
        })
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        life: Duration,
        within: Duration,
    ) -> Answer<'a, bool> {
        self.inner.renew(key, token, life, within)
    }

    fn fail<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        mut pause: Duration,
        within: Duration,
    ) -> Answer<'a, bool> {
        match self.fault {
            Fault::NotesEndEarly => pause /= 2,
            Fault::NotesNeverEnd => pause = Duration::MAX,
            _ => {}
        }
        Box::pin(async move {
            match self.fault {
                Fault::NotesWithoutALease => self.force(key, Some(token), within).await,
                Fault::FailuresAreReleases => {
                    let stands = self.inner.renew(key, token, within, within).await?;
                    self.inner.release_later(key, token);
                    return Ok(stands);
                }
                Fault::FailuresKeepTheLease => {
                    return self.inner.renew(key, token, within, within).await;
                }
                Fault::FailuresWakeNobody => self.forget_who_waits(key, token, within).await?,
                Fault::TellsAFailureBeforeItIsNoted => {
                    self.wake_too_early(key, token, within).await?;
                }
                _ => {}
            }
            self.inner.fail(key, token, pause, within).await
        })
    }

    fn release_later(&self, key: &str, mut token: Token) {
        if let (Fault::ReleasesAnybodys, Some(ask)) = (self.fault, self.asked(key)) {
            token = ask.token;
        }
        if self.fault != Fault::KeepsLeases {
            self.inner.release_later(key, token);
        }
    }

    fn remove<'a>(&'a self, mut what: Removal<'a>, within: Duration) -> Answer<'a, Removed> {
        match self.fault {
            Fault::ExpireRemoves => what.manner = Manner::Evict,
            Fault::LeavesGenerations => what.labels = &[],
            Fault::RemovesTheFirstOnly => what.keys = &what.keys[..what.keys.len().min(100)],
            _ => {}
        }
        Box::pin(async move {
            let (mut keys, mut labels) = (what.keys.to_vec(), what.labels.to_vec());
            match self.fault {
                Fault::IgnoresHolds => keys.iter_mut().for_each(|key| key.hold = Duration::ZERO),
                Fault::IgnoresHoldsOfLabels => labels.iter_mut().for_each(no_hold),
                Fault::TellsBeforeItIsDone => {
                    let keys = what.keys.iter().map(|it| it.key.into()).collect();
                    self.board.tell(&News::Gone(Gone {
                        keys,
                        ..Gone::default()
                    }));
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => {}
            }
            let mut what = what;
            (what.keys, what.labels) = (&keys, &labels);
            let mut removed = self.inner.remove(what, within).await?;
            for it in what.keys {
                let leaves = match self.fault {
                    Fault::EvictionsLeaveNotes => what.manner == Manner::Evict,
                    Fault::ExpiriesLeaveNotes => what.manner == Manner::Expire,
                    _ => false,
                };
                if leaves && let Some(ask) = self.asked(it.key) {
                    self.force(it.key, Some(ask.token), within).await;
                    let noted = self.inner.fail(it.key, ask.token, within, within);
                    noted.await?;
                }
            }
            for it in what
                .keys
                .iter()
                .filter(|_| self.fault == Fault::LeavesLeases)
            {
                self.force(it.key, None, within).await;
            }
            if self.fault == Fault::ReliesOnAnyRegistry && what.registry {
                removed.regions.get_or_insert_default();
            }
            Ok(removed)
        })
    }

    fn sweep<'a>(
        &'a self,
        pattern: &'a Pattern,
        manner: Manner,
        batch_within: Duration,
    ) -> Answer<'a, u64> {
        Box::pin(async move {
            let all = Pattern::all();
            let pattern = match self.fault {
                Fault::SweepsEverything => &all,
                _ => pattern,
            };
            let swept = self.inner.sweep(pattern, manner, batch_within).await?;
            if self.fault == Fault::SweepsNoLeases {
                let asked: Vec<_> = locked(&self.asked).keys().cloned().collect();
                for key in asked {
                    self.force(&key, None, batch_within).await;
                }
            }
            Ok(swept)
        })
    }

    fn reclaim<'a>(
        &'a self,
        region: &'a str,
        dead: &'a (dyn Fn(&str, &Bytes) -> bool + Sync),
        batch_within: Duration,
    ) -> Answer<'a, u64> {
        Box::pin(async move {
            match self.fault {
                Fault::ReclaimsTheLiving => {
                    let all = |_: &str, _: &Bytes| true;
                    self.inner.reclaim(region, &all, batch_within).await
                }
                Fault::ReclaimsWhatIsNewer => {
                    let found = Mutex::new(Vec::new());
                    let look = |key: &str, first: &Bytes| {
                        let dead = dead(key, first);
                        locked(&found).extend(dead.then(|| key.to_owned()));
                        false
                    };
                    self.inner.reclaim(region, &look, batch_within).await?;
                    let found = locked(&found).clone();
                    let again = |key: &str, _: &Bytes| found.iter().any(|it| it == key);
                    self.inner.reclaim(region, &again, batch_within).await
                }
                _ => self.inner.reclaim(region, dead, batch_within).await,
            }
        })
    }

    fn inspect<'a>(&'a self, key: &'a str, within: Duration) -> Answer<'a, Remote> {
        self.inner.inspect(key, within)
    }

    fn listen(&self, listener: Arc<dyn Listener>) {
        self.board.add(&listener);
        self.inner.listen(Arc::new(Overhearing {
            to: listener,
            fault: self.fault,
            messages: Default::default(),
        }));
    }

    fn wake(&self) {
        self.inner.wake();
    }

    fn connection(&self) -> u64 {
        self.inner.connection()
    }

    fn now(&self) -> u64 {
        self.inner.now()
    }

    fn state(&self) -> LinkState {
        self.inner.state()
    }

    fn connected_within<'a>(&'a self, within: Duration) -> Fut<'a, bool> {
        self.inner.connected_within(within)
    }

    fn close<'a>(&'a self, within: Duration) -> Fut<'a, usize> {
        match self.fault {
            Fault::NeverCloses => Box::pin(std::future::ready(0)),
            _ => self.inner.close(within),
        }
    }
}

fn no_hold(eviction: &mut LabelEviction<'_>) {
    eviction.hold = Duration::ZERO;
}
