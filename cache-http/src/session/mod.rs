//! Sessions: a store for [`tower-sessions`](https://docs.rs/tower-sessions), in Redis.
//!
//! What a store of sessions has to keep is what the rest of this project keeps of values: **what was ended stays ended**. A request loads a session, works, and
//! saves it; if the session is revoked in between, by its user on another device, a plain store writes it back to life. So:
//!
//! * A session is written only if it is there (`scripts/save.lua`). Nothing but [`create`](SessionStore) makes one, under an id that never was.
//! * A session of a user is alive while it has the user's *mark*, a random number beside the user's list of sessions. [`revoke_all`](SessionStore::revoke_all) takes the mark away:
//!   one step, whatever is being created or saved meanwhile. A load asks for both; where this process has met the session before, in one round trip.
//! * A request that gives its session another id (`cycle_id`) deletes the one and creates the other. Data of a user that was logged in go into the
//!   new session only if it was this request that ended the old one, and if the mark is the same still. Else the new one is not created: the response is as it would be, and its cookie names nothing.
//!
//! In Redis a session is known by a digest of its id: who reads there cannot take sessions over. Sessions end by the server's own clock.
//!
//! While Redis does not answer, sessions are served and changed from what this process has seen of them ([`offline_grace`](SessionStoreBuilder::offline_grace)), and written back afterwards unless somebody
//! else has changed them. A cookie nobody here knows gets a session that is empty, and keeps its name: when Redis is back, so is the session. Revocations count
//! here at once and in Redis when it answers.

mod copies;
mod digest;
mod offline;
mod queue;
mod record;
mod revoke;
mod shelf;
mod store;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, SystemTime};

use cache_runtime::Cache;
use tokio::sync::Mutex;
use tower_sessions_core::session::Id;

use copies::Copies;
pub use digest::{NoDigest, SessionDigest};
use queue::Queue;
use shelf::{MemoryShelf, RedisShelf, Shelf};

/// How long what is known here is served without Redis.
const GRACE: Duration = Duration::from_secs(300);

/// How many sessions are known here.
const COPIES: usize = 10_000;

/// How many bytes of them.
const BYTES: usize = 64 << 20;

/// How many sessions there are without Redis.
const IN_MEMORY: usize = 100_000;

/// A store of sessions in a cache's Redis; in memory where the cache has none.
///
/// A cheap handle. Its futures may be dropped at any time: what was asked of Redis has then happened or not, each step whole.
///
/// ```
/// use axum::{Router, http::StatusCode, routing::post};
/// use cache_http::session::SessionStore;
/// use cache_runtime::Cache;
/// use tower_sessions::{Expiry, Session, SessionManagerLayer, cookie::time::Duration};
///
/// async fn login(session: Session) -> Result<(), StatusCode> {
///     let broken = |_| StatusCode::INTERNAL_SERVER_ERROR;
///     // After the password was found right: another id, so that nobody has the session who had the visitor's.
///     session.cycle_id().await.map_err(broken)?;
///     session.insert("user", "alice").await.map_err(broken)
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let cache = Cache::builder("shop").build()?;
/// let store = SessionStore::new(&cache);
/// let sessions = SessionManagerLayer::new(store.clone())
///     .with_expiry(Expiry::OnInactivity(Duration::hours(8)));
/// let app: Router = Router::new().route("/login", post(login)).layer(sessions);
///
/// // Elsewhere: the password was changed.
/// store.revoke_all("alice").await?;
/// # let _ = app;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct SessionStore {
    inner: Arc<Inner>,
}

struct Inner {
    field: String,
    shelf: Shelf,
    copies: Copies,
    queue: Queue,
    /// One writes back at a time.
    settling: Mutex<()>,
    /// How often that failed: who waited for somebody who failed does not try as well.
    failures: AtomicU64,
    /// Whether a task looks after what is to be written back.
    watched: AtomicBool,
}

/// How a [`SessionStore`] is made.
#[derive(Clone, Debug)]
pub struct SessionStoreBuilder {
    cache: Cache,
    field: String,
    grace: Duration,
    copies: usize,
    in_memory: usize,
}

impl SessionStore {
    /// A store with the default settings.
    #[must_use]
    pub fn new(cache: &Cache) -> Self {
        Self::builder(cache).build()
    }

    /// Begins a store with other settings.
    #[must_use]
    pub fn builder(cache: &Cache) -> SessionStoreBuilder {
        SessionStoreBuilder {
            cache: cache.clone(),
            field: "user".to_owned(),
            grace: GRACE,
            copies: COPIES,
            in_memory: IN_MEMORY,
        }
    }
}

impl SessionStoreBuilder {
    /// Under which name a service puts the user into a session, a text or a number; default `user`. It is how sessions are known to be whose.
    #[must_use]
    pub fn user_key(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }

    /// How long a session is served from this process's memory, without Redis, after Redis last confirmed it; default five minutes. For so long a revocation elsewhere may not be
    /// seen here, if Redis cannot be reached. Zero: sessions need Redis.
    #[must_use]
    pub const fn offline_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How many sessions are kept in memory for that, default 10,000; never more than 64 MiB of them.
    #[must_use]
    pub const fn max_copies(mut self, copies: usize) -> Self {
        self.copies = copies;
        self
    }

    /// How many sessions there are at most where the cache has no Redis, default 100,000. Beyond it those that would end first are dropped.
    #[must_use]
    pub const fn max_in_memory(mut self, sessions: usize) -> Self {
        self.in_memory = sessions;
        self
    }

    /// The store.
    #[must_use]
    pub fn build(self) -> SessionStore {
        let shelf = match self.cache.redis() {
            Some(redis) => Shelf::Redis(RedisShelf::new(redis)),
            None => Shelf::Memory(MemoryShelf::new(self.in_memory)),
        };
        // What is in memory already needs no copies.
        let grace = match shelf {
            Shelf::Redis(_) => self.grace,
            Shelf::Memory(_) => Duration::ZERO,
        };
        let inner = Inner {
            field: self.field,
            shelf,
            copies: Copies::new(grace, self.copies, BYTES),
            queue: Queue::default(),
            settling: Mutex::default(),
            failures: AtomicU64::new(0),
            watched: AtomicBool::new(false),
        };
        SessionStore {
            inner: Arc::new(inner),
        }
    }
}

/// A session of a user's, as [`SessionStore::sessions_of`] tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// What it is called where its id must not be shown.
    pub id: SessionDigest,
    /// When it was created. A session that got another id is another session.
    pub created: SystemTime,
    /// When a request last loaded it, at most half a minute ago if it is in use.
    pub last_seen: SystemTime,
    /// When it ends if nobody saves it.
    pub expires: SystemTime,
}

/// Why sessions are not known to be ended, or not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError {
    /// Redis did not confirm it. In this process they are ended; in Redis they will be, before this process looks at any session there, if
    /// it lives until Redis answers.
    Queued,
    /// The same, but too much waits for Redis already: it has to be asked for again.
    Forgotten,
    /// Redis did not answer.
    Unavailable,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "Redis did not confirm that sessions are revoked; it is done here, and will be tried until it is done there",
            Self::Forgotten => "Redis did not confirm that sessions are revoked, and too much waits for it already; it is done here alone",
            Self::Unavailable => "Redis did not tell of sessions",
        })
    }
}

impl std::error::Error for SessionError {}

impl SessionStore {
    /// What a session is called in [`SessionInfo`]; `session.id()` is its id, once it was saved.
    #[must_use]
    pub fn digest(id: &Id) -> SessionDigest {
        SessionDigest::of(id)
    }
}

impl fmt::Debug for SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionStore")
            .field("user_key", &self.inner.field)
            .field("shelf", &self.inner.shelf)
            .finish_non_exhaustive()
    }
}
