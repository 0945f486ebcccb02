//! The bus on Redis: a connection that is subscribed, and the beats that prove it.
//!
//! **Problem.** A subscribed connection is silent when there is no news, and as silent when it is half open, when the server lost
//! the subscription, or when it became a replica. And one connection cannot be both: a subscribed one falls under the server's limit for
//! subscribers, which the replies of traffic would hit.
//!
//! **Decision.** A connection of its own, which one task owns, beside the link's and with the same start and end.
//!
//! * A beat is a script on the *data* connection that writes, and publishes to a channel of this instance's own. When it
//!   comes back over the subscribed connection, the way through the server and back works, and what was announced before it was sent
//!   has been heard: so it carries that time. The answer shows whether the server lost its data meanwhile. Any other message proves nothing.
//! * `subscribed` is told only after the first beat came back. Three seconds without one, and the connection is dropped.
//! * It is subscribed where the data connection is: when that is to another server, the subscription is over.
//! * What is received waits in a bounded [`inbox`]; more than fits ends the subscription as a lost connection does.
//! * Who may not subscribe, publish or write has no bus: told once, tried again every half minute.
//! * Which changes the listener and the log hear of, and which they have heard already, is [`teller`]'s.

mod chorus;
mod inbox;
mod recent;
mod session;
mod subscription;
mod teller;

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::link::{Backoff, Link};
use super::names::Names;
use crate::bus::{Listener, Sender};
pub(super) use chorus::{Chorus, Owner};
pub(super) use recent::Recent;
use session::{End, session};
use teller::Teller;

const RETRY_FORBIDDEN: Duration = Duration::from_secs(30);

/// What the task needs to know.
pub(super) struct Bus {
    pub(super) cache: String,
    /// The channel of the cache.
    pub(super) channel: String,
    /// The channel of this instance's beats.
    pub(super) beats: String,
    /// The key of the server's memory of beats.
    pub(super) memory: String,
    pub(super) instance: Sender,
    pub(super) database: u32,
    pub(super) retry_forbidden: Duration,
    /// Weak, because the link owns the task.
    pub(super) link: Weak<Link>,
    pub(super) listener: Arc<dyn Listener>,
    /// What was heard lately, here or at another server of a cluster.
    pub(super) recent: Arc<Mutex<Recent>>,
}

impl Bus {
    /// Of one instance at one server, in whose slots the tag is.
    pub(super) fn new(
        names: &Names,
        instance: Sender,
        link: &Arc<Link>,
        tag: u32,
        listener: Arc<dyn Listener>,
    ) -> Self {
        Self {
            cache: names.cache().to_owned(),
            channel: names.bus(),
            beats: names.own_beat(instance, tag),
            memory: names.beat(tag),
            instance,
            database: link.endpoint().database,
            retry_forbidden: RETRY_FORBIDDEN,
            link: Arc::downgrade(link),
            listener,
            recent: Arc::default(),
        }
    }

    /// What was heard lately is remembered with others.
    pub(super) fn with_recent(self, recent: Arc<Mutex<Recent>>) -> Self {
        Self { recent, ..self }
    }

    /// Subscribes again and again, until the link is gone.
    pub(super) async fn run(self: Arc<Self>) {
        let mut backoff = Backoff::new();
        let mut teller = Teller::new(&self.cache, Arc::clone(&self.listener));
        let Some(mut place) = self.link.upgrade().map(|link| link.place()) else {
            return;
        };
        loop {
            let began = Instant::now();
            match session(&self, &mut teller, &mut place).await {
                End::Lost(why) => {
                    teller.lost(&why);
                    backoff.stood(began.elapsed());
                    // Another server is tried at once.
                    let _ = timeout(backoff.delay(), place.changed()).await;
                }
                End::Forbidden(why) => {
                    teller.unsupported(&why);
                    sleep(self.retry_forbidden).await;
                }
                End::Over => return,
            }
        }
    }
}
