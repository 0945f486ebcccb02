//! The model as a cache's shared tier.

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Command, Fate, Line, ModelRedis, Passage, Step, Subscriber, closed,
    scan::{Name, scan_one, values_below},
    slot::{Parcel, acquire, fail, free, holds_lease, release, remove, store, until},
};
use crate::{
    bus::{Gone, Listener, Manner, News},
    entry::Token,
    key::Pattern,
    tags::{Label, Standing},
    tiers::{
        Acquire, Acquired, Announce, ErrorKind, Fut, LabelEviction, Labelled, Labels, LinkState,
        Read, Register, Remote, Removal, Removed, Store, Stored, Tier, TierError,
    },
};

/// The model as a cache's tier: one process.
pub(super) struct ModelTier {
    pub(super) server: ModelRedis,
    pub(super) process: usize,
    pub(super) subscriber: Subscriber,
    pub(super) closed: AtomicBool,
}

impl fmt::Debug for ModelTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelTier")
    }
}

/// An owned copy of what a load asks.
struct Asked {
    /// Whether to register, and which region.
    register: Option<Option<Box<str>>>,
    labels: Vec<Label>,
    life: Duration,
    clock: bool,
}

impl Asked {
    fn of(ask: Labels<'_>) -> Self {
        Self {
            register: ask.register.map(|register| match register {
                Register::Nothing => None,
                Register::Region(region) => Some(region.into()),
            }),
            labels: ask.labels.to_vec(),
            life: ask.life,
            clock: ask.clock,
        }
    }

    fn answer(&self, server: &ModelRedis, by: &Weak<Line>) -> Labelled {
        let ask = Labels {
            register: self.register.as_ref().map(|region| {
                region
                    .as_deref()
                    .map_or(Register::Nothing, Register::Region)
            }),
            labels: &self.labels,
            life: self.life,
            clock: self.clock,
        };
        if ask.is_empty() {
            return Labelled::default();
        }
        let (answer, made) = server.lock().labels.ask(ask);
        if made {
            server.publish(News::Anew, by);
        }
        answer
    }
}

impl ModelTier {
    fn by(&self) -> Weak<Line> {
        self.subscriber.line()
    }

    fn between(&self) -> Passage {
        self.server.step(self.process, Step::Between)
    }

    fn command(&self, name: &'static str, within: Duration) -> Command {
        Command {
            process: self.process,
            name,
            within,
            closed: self.is_closed(),
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

impl Tier for ModelTier {
    fn read<'a>(
        &'a self,
        key: &'a str,
        labels: &'a [Label],
        within: Duration,
    ) -> Fut<'a, Result<Read, TierError>> {
        let (key, labels) = (key.to_owned(), labels.to_vec());
        let between = self.between();
        Box::pin(
            self.server
                .send_slowly(self.command("read", within), async move |server| {
                    let value = server.with(&key, |slot| {
                        slot.value.as_ref().map(|(value, _)| value.clone())
                    });
                    if labels.is_empty() {
                        return Read {
                            value,
                            labels: Vec::new(),
                        };
                    }
                    between.await;
                    Read {
                        value,
                        labels: standings(&server, &labels),
                    }
                }),
        )
    }

    fn standings<'a>(
        &'a self,
        labels: &'a [Label],
        within: Duration,
    ) -> Fut<'a, Result<Vec<Standing>, TierError>> {
        let labels = labels.to_vec();
        Box::pin(
            self.server
                .send(self.command("standings", within), move |server| {
                    standings(server, &labels)
                }),
        )
    }

    fn labelled<'a>(
        &'a self,
        ask: Labels<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Labelled, TierError>> {
        if ask.is_empty() {
            return Box::pin(std::future::ready(Ok(Labelled::default())));
        }
        let (asked, by) = (Asked::of(ask), self.by());
        Box::pin(
            self.server
                .send(self.command("labelled", within), move |server| {
                    asked.answer(server, &by)
                }),
        )
    }

    fn acquire<'a>(
        &'a self,
        key: &'a str,
        ask: Acquire,
        labels: Labels<'a>,
        within: Duration,
    ) -> Fut<'a, Result<(Acquired, Labelled), TierError>> {
        let (key, asked, by) = (key.to_owned(), Asked::of(labels), self.by());
        let between = self.between();
        let nothing = labels.is_empty();
        Box::pin(
            self.server
                .send_slowly(self.command("acquire", within), async move |server| {
                    let acquired =
                        server.with_sweeps(&key, |slot, sweeps| acquire(slot, ask, sweeps.known()));
                    if nothing {
                        return (acquired, Labelled::default());
                    }
                    between.await;
                    (acquired, asked.answer(&server, &by))
                }),
        )
    }

    fn store<'a>(
        &'a self,
        key: &'a str,
        entry: Store<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Stored, TierError>> {
        let (key, by) = (key.to_owned(), self.by());
        let announce = entry.announce;
        let parcel = Parcel {
            token: entry.token,
            schema_version: entry.schema_version,
            bytes: Bytes::copy_from_slice(entry.bytes),
            life: entry.life,
        };
        let name = match announce {
            Announce::Everybody => "put",
            Announce::Waiters => "store",
        };
        Box::pin(self.server.send(self.command(name, within), move |server| {
            let (stored, awaited) = server.with_sweeps(&key, |slot, sweeps| {
                let lease = slot.lease.filter(|lease| lease.token == parcel.token);
                let older = lease.is_some_and(|lease| sweeps.refuse(&key, lease.knows));
                let awaited = lease.is_some_and(|lease| lease.awaited);
                (store(slot, parcel, older), awaited)
            });
            let names = vec![key.into_boxed_str()];
            match announce {
                Announce::Everybody if stored == Stored::Stored => {
                    let gone = Gone {
                        keys: names,
                        ..Gone::default()
                    };
                    server.publish(News::Gone(gone), &by);
                }
                _ if awaited => {
                    server.publish(News::Wake(names), &by);
                }
                _ => {}
            }
            stored
        }))
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        life: Duration,
        within: Duration,
    ) -> Fut<'a, Result<bool, TierError>> {
        let key = key.to_owned();
        Box::pin(
            self.server
                .send(self.command("renew", within), move |server| {
                    server.with(&key, |slot| {
                        let held = holds_lease(slot, token);
                        if let Some(lease) = slot.lease.as_mut().filter(|_| held) {
                            lease.until = until(life);
                        }
                        held
                    })
                }),
        )
    }

    fn fail<'a>(
        &'a self,
        key: &'a str,
        token: Token,
        pause: Duration,
        within: Duration,
    ) -> Fut<'a, Result<bool, TierError>> {
        let (key, by) = (key.to_owned(), self.by());
        Box::pin(
            self.server
                .send(self.command("fail", within), move |server| {
                    let (stood, awaited) = server.with(&key, |slot| fail(slot, token, pause));
                    if awaited {
                        server.publish(News::Wake(vec![key.into_boxed_str()]), &by);
                    }
                    stood
                }),
        )
    }

    fn release_later(&self, key: &str, token: Token) {
        let (server, key, by) = (self.server.clone(), key.to_owned(), self.by());
        let there = server.step(self.process, Step::Command("release"));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        // Nobody waits for the answer.
        runtime.spawn(async move {
            let arrived = there.await == Fate::Arrived;
            if arrived && server.with(&key, |slot| release(slot, token)) {
                server.publish(News::Wake(vec![key.into_boxed_str()]), &by);
            }
        });
    }

    fn remove<'a>(
        &'a self,
        what: Removal<'a>,
        within: Duration,
    ) -> Fut<'a, Result<Removed, TierError>> {
        let keys: Vec<_> = what
            .keys
            .iter()
            .map(|one| (Box::<str>::from(one.key), one.hold))
            .collect();
        let labels: Vec<_> = what
            .labels
            .iter()
            .map(|one| (one.label.clone(), one.hold))
            .collect();
        let (manner, registry, by) = (what.manner, what.registry, self.by());
        let news = what.news();
        if news.is_empty() && !registry {
            return Box::pin(std::future::ready(Ok(Removed::default())));
        }
        Box::pin(
            self.server
                .send(self.command("remove", within), move |server| {
                    for (key, hold) in &keys {
                        server.with(key, |slot| remove(slot, manner, *hold));
                    }
                    let mut state = server.lock();
                    for (label, hold) in &labels {
                        let eviction = LabelEviction { label, hold: *hold };
                        state.labels.evict(eviction, manner);
                    }
                    let regions = registry.then(|| state.labels.registry()).flatten();
                    let cache = state.labels.standing(&Label::cache());
                    let cache = (registry && cache != Standing::Missing).then_some(cache);
                    drop(state);
                    for gone in news {
                        server.publish(News::Gone(gone), &by);
                    }
                    Removed { cache, regions }
                }),
        )
    }

    fn sweep<'a>(
        &'a self,
        pattern: &'a Pattern,
        manner: Manner,
        batch_within: Duration,
    ) -> Fut<'a, Result<u64, TierError>> {
        Box::pin(async move {
            let (meant, mut swept) = (pattern.clone(), 0);
            let begin = move |server: &ModelRedis| server.lock().sweeps.begin(meant);
            let command = || self.command("sweep", batch_within);
            let number = self.server.send(command(), begin).await?;
            let mut cursor: Option<Name> = None;
            loop {
                let (from, pattern) = (cursor.clone(), pattern.clone());
                let step = move |server: &ModelRedis| scan_one(server, from, &pattern, manner);
                let Some((next, touched)) = self.server.send(command(), step).await? else {
                    break;
                };
                swept += u64::from(touched);
                cursor = Some(next);
            }
            let (by, pattern) = (self.by(), pattern.clone());
            let end = move |server: &ModelRedis| {
                let stood = server.lock().sweeps.end(number);
                if stood {
                    let gone = Gone {
                        manner,
                        patterns: vec![pattern],
                        ..Gone::default()
                    };
                    server.publish(News::Gone(gone), &by);
                }
                stood
            };
            if self.server.send(command(), end).await? {
                return Ok(swept);
            }
            // What was loaded before may have been stored meanwhile.
            Err(TierError::new(ErrorKind::Refused, "the sweep was lost"))
        })
    }

    fn reclaim<'a>(
        &'a self,
        region: &'a str,
        dead: &'a (dyn Fn(&str, &Bytes) -> bool + Sync),
        _: Duration,
    ) -> Fut<'a, Result<u64, TierError>> {
        let there = self.server.step(self.process, Step::Command("reclaim"));
        Box::pin(async move {
            if self.is_closed() {
                return Err(closed());
            }
            if there.await == Fate::Lost {
                return Ok(0);
            }
            // What is stored meanwhile has another token.
            let dead: Vec<_> = values_below(&self.server, region)
                .into_iter()
                .filter(|(key, bytes)| dead(key, bytes))
                .collect();
            let freed = dead.iter().filter(|(key, bytes)| {
                let seen = Token::of_stored(bytes);
                self.server.with(key, |slot| free(slot, seen))
            });
            Ok(freed.count() as u64)
        })
    }

    fn inspect<'a>(&'a self, key: &'a str, within: Duration) -> Fut<'a, Result<Remote, TierError>> {
        let key = key.to_owned();
        Box::pin(
            self.server
                .send(self.command("inspect", within), move |server| {
                    server.with(&key, |slot| {
                        let left = |until: Instant| until.saturating_duration_since(Instant::now());
                        Remote {
                            value: slot.value.as_ref().map(|(value, _)| value.clone()),
                            remaining: slot.value.as_ref().map(|(_, until)| left(*until)),
                            leased: slot.lease.is_some(),
                            hold: slot.hold.map(left),
                        }
                    })
                }),
        )
    }

    fn now(&self) -> u64 {
        const START: u64 = 1_700_000_000_000;
        let epoch = *self.server.lock().epoch.get_or_insert_with(Instant::now);
        START + u64::try_from(epoch.elapsed().as_millis()).unwrap_or(u64::MAX / 2)
    }

    fn state(&self) -> LinkState {
        if self.is_closed() {
            LinkState::Closed
        } else {
            LinkState::Connecting
        }
    }

    fn connected_within<'a>(&'a self, _: Duration) -> Fut<'a, bool> {
        Box::pin(std::future::ready(!self.is_closed()))
    }

    fn wake(&self) {
        if !self.is_closed() {
            self.subscriber.wake(&self.server);
        }
    }

    fn close<'a>(&'a self, _: Duration) -> Fut<'a, usize> {
        self.closed.store(true, Ordering::SeqCst);
        self.subscriber.close();
        Box::pin(std::future::ready(0))
    }

    fn listen(&self, listener: Arc<dyn Listener>) {
        self.subscriber.listen(listener);
    }

    fn connection(&self) -> u64 {
        self.server.lock().connection
    }
}

fn standings(server: &ModelRedis, labels: &[Label]) -> Vec<Standing> {
    let state = server.lock();
    labels
        .iter()
        .map(|label| state.labels.standing(label))
        .collect()
}
