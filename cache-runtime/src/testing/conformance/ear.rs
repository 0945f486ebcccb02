//! A listener that remembers what it was told.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{process::Process, stores::PATIENCE};
use crate::{
    bus::{Gone, Listener, News},
    tiers::Tier,
};

/// What a listener is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    Subscribed {
        since: u64,
    },
    Lost(String),
    Unsupported,
    Beat {
        since: u64,
        /// When it was told.
        now: u64,
    },
    News(News, bool),
}

#[derive(Debug)]
pub(super) struct Ear {
    told: Mutex<Vec<Told>>,
    more: Notify,
    began: Instant,
}

impl Ear {
    fn tell(&self, told: Told) {
        self.lock().push(told);
        self.more.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything so far.
    pub(super) fn told(&self) -> Vec<Told> {
        self.lock().clone()
    }

    /// Waits until enough was told.
    pub(super) async fn until(&self, what: &str, enough: impl Fn(&[Told]) -> bool) {
        let began = Instant::now();
        loop {
            let more = self.more.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            if enough(&self.lock()) {
                return;
            }
            let told = tokio::time::timeout(Duration::from_millis(100), more).await;
            let waited = began.elapsed();
            assert!(
                told.is_ok() || waited < PATIENCE,
                "never told: {what}; told was {:#?}",
                self.told()
            );
        }
    }
}

impl Listener for Ear {
    fn moment(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
    fn subscribed(&self, since: u64) {
        self.tell(Told::Subscribed { since });
    }
    fn lost(&self, why: &str) {
        self.tell(Told::Lost(why.to_owned()));
    }
    fn beat(&self, since: u64) {
        let now = self.moment();
        self.tell(Told::Beat { since, now });
    }
    fn unsupported(&self, _: &str) {
        self.tell(Told::Unsupported);
    }
    fn news(&self, news: &News, own: bool) {
        self.tell(Told::News(news.clone(), own));
    }
}

/// The keys of last messages.
const END: &str = "the-end:";
/// So many of them are sent: a store may be of several parts, which are told of in any order.
const ENDS: usize = 64;

/// A process that has subscribed.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) process: Process,
    pub(super) ear: Arc<Ear>,
    /// So much of what was told has been looked at.
    looked_at: usize,
}

impl Listening {
    /// Subscribes; `None` where the store can tell nothing.
    pub(super) async fn begin(tier: Arc<dyn Tier>) -> Option<Self> {
        let ear = Arc::new(Ear {
            told: Mutex::default(),
            more: Notify::new(),
            began: Instant::now(),
        });
        tier.listen(Arc::clone(&ear) as Arc<dyn Listener>);
        tier.wake();
        ear.until("subscribed or unsupported", |told| !told.is_empty())
            .await;
        match ear.told()[0] {
            Told::Unsupported => return None,
            Told::Subscribed { .. } => {}
            ref other => panic!("the first thing told is `subscribed` or `unsupported`: {other:?}"),
        }
        Some(Self {
            process: Process::new(tier),
            ear,
            looked_at: 0,
        })
    }

    /// What was told since the last time, until now, and whether it was by this very instance.
    ///
    /// Messages about one part of the store come in the order in which they were sent: some more are sent, and then all before
    /// them are there.
    pub(super) async fn heard(&mut self) -> Vec<(News, bool)> {
        let by = self.process.clone();
        self.heard_from(&by).await
    }

    /// The same, when another was the last who sent something.
    pub(super) async fn heard_from(&mut self, by: &Process) -> Vec<(News, bool)> {
        let end = format!("{END}{:016x}:", fastrand::u64(..));
        let ends: Vec<_> = (0..ENDS).map(|n| format!("{end}{n}")).collect();
        by.evict_all(&ends).await;
        let from = self.looked_at;
        let ends_among = |told: &[Told]| {
            let keys = told.iter().flat_map(told_keys);
            keys.filter(|key| key.starts_with(&end)).count()
        };
        self.ear
            .until("the last messages", |told| {
                ends_among(&told[from..]) == ENDS
            })
            .await;
        let told = self.ear.told();
        self.looked_at = told.len();
        let news = |told: &Told| match told {
            // Another's last message.
            Told::News(..) if told_keys(told).iter().any(|key| key.starts_with(END)) => None,
            Told::News(news, own) => Some((news.clone(), *own)),
            Told::Lost(why) => panic!("the bus was lost: {why}"),
            _ => None,
        };
        told[from..].iter().filter_map(news).collect()
    }

    /// The same without whose they are.
    pub(super) async fn news(&mut self) -> Vec<News> {
        let by = self.process.clone();
        self.news_from(&by).await
    }

    /// The same, when another was the last who sent something.
    pub(super) async fn news_from(&mut self, by: &Process) -> Vec<News> {
        let heard = self.heard_from(by).await;
        heard.into_iter().map(|(news, _)| news).collect()
    }

    /// Waits for this news, from whoever.
    pub(super) async fn hears(&self, what: &str, is_it: impl Fn(&News) -> bool) {
        let from = self.looked_at;
        let is_it = |told: &Told| matches!(told, Told::News(news, _) if is_it(news));
        self.ear
            .until(what, |told| told[from..].iter().any(is_it))
            .await;
    }
}

/// The keys that were told to be gone.
fn told_keys(told: &Told) -> &[Box<str>] {
    match told {
        Told::News(News::Gone(gone), _) => &gone.keys,
        _ => &[],
    }
}

/// One key was evicted.
pub(super) fn gone(key: &str) -> News {
    News::Gone(Gone {
        keys: vec![key.into()],
        ..Gone::default()
    })
}

/// Who waits for one key may look again.
pub(super) fn wake(key: &str) -> News {
    News::Wake(vec![key.into()])
}
