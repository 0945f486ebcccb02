//! One subscription, from the first word to the last.

use std::sync::PoisonError;
use std::time::Duration;

use redis::Msg;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::Bus;
use super::inbox::Inbox;
use super::subscription::{Subscription, is_final};
use super::teller::Teller;
use crate::bus::Message;
use crate::tiers::TierError;
use crate::tiers::redis::announcer::random;
use crate::tiers::redis::fault::is_forbidden;
use crate::tiers::redis::link::{Connection, Lane, Place};
use crate::tiers::redis::scripts;

const WITHIN: Duration = Duration::from_secs(1);
const BEAT: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(3);
/// Heard at once before anything else is looked at.
const BATCH: usize = 64;

/// Why it ended.
pub(super) enum End {
    Lost(String),
    /// This account, or this server, cannot.
    Forbidden(String),
    /// The owner is gone.
    Over,
}

/// What the server said to a beat.
enum Answer {
    /// What it remembers.
    Memory(Vec<u8>),
    Forbidden(String),
}

struct Session<'a> {
    bus: &'a Bus,
    teller: &'a mut Teller,
    /// When the last beat came back, or the session began.
    heard: Instant,
    /// What the server remembers.
    memory: Option<Vec<u8>>,
}

/// Subscribes and listens for as long as that works.
pub(super) async fn session(bus: &Bus, teller: &mut Teller, place: &mut Place) -> End {
    let subscription = match subscribe(bus, place).await {
        Ok(subscription) => subscription,
        Err(end) => return end,
    };
    let session = Session {
        bus,
        teller,
        heard: Instant::now(),
        memory: None,
    };
    session.listen(subscription, place).await
}

async fn subscribe(bus: &Bus, place: &mut Place) -> Result<Subscription, End> {
    let known = place.wait_for(Option::is_some).await;
    let address = known.ok().and_then(|known| known.clone());
    let address = address.ok_or(End::Over)?;
    let link = bus.link.upgrade().ok_or(End::Over)?;
    let endpoint = link.endpoint().clone();
    // Who drops the link is not to wait for us.
    drop(link);
    match timeout(WITHIN, Subscription::make(&endpoint, &address, bus)).await {
        Ok(Ok(made)) => Ok(made),
        Ok(Err(error)) if is_final(&error) => Err(End::Forbidden(endpoint.words(&error))),
        Ok(Err(error)) => Err(End::Lost(endpoint.words(&error))),
        Err(_) => Err(End::Lost(format!("no subscription within {WITHIN:?}"))),
    }
}

impl Session<'_> {
    /// Messages come last: a flood of them must neither delay the beats nor hide their absence.
    async fn listen(mut self, mut subscription: Subscription, place: &mut Place) -> End {
        let mut ticks = interval_at(Instant::now() + BEAT, BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let beat = beat(self.bus);
        tokio::pin!(beat);
        let mut under_way = true;
        loop {
            tokio::select! {
                biased;
                () = sleep_until(self.heard + SILENCE) => {
                    return End::Lost(format!("no beat within {SILENCE:?}"));
                }
                moved = place.changed() => return match moved {
                    Ok(()) => End::Lost("another server is the primary".to_owned()),
                    Err(_) => End::Over,
                },
                answer = &mut beat, if under_way => {
                    under_way = false;
                    if let Some(end) = self.felt(answer) {
                        return end;
                    }
                }
                _ = ticks.tick(), if !under_way => {
                    beat.set(super::session::beat(self.bus));
                    under_way = true;
                }
                message = subscription.inbox.next() => match message {
                    Ok(message) => self.hear_all(message, &mut subscription.inbox),
                    Err(why) => return End::Lost(why.to_owned()),
                },
            }
        }
    }

    /// What the answer to a beat shows. A beat that fails is not heard, which ends the session soon enough.
    fn felt(&mut self, answer: Option<Result<Answer, TierError>>) -> Option<End> {
        match answer {
            None => Some(End::Over),
            Some(Ok(Answer::Forbidden(why))) => Some(End::Forbidden(why)),
            Some(Ok(Answer::Memory(memory))) => {
                let before = self.memory.replace(memory);
                if before.is_some() && before != self.memory {
                    self.teller.anew("the server lost its data");
                }
                None
            }
            Some(Err(_)) => None,
        }
    }

    fn hear_all(&mut self, first: Msg, inbox: &mut Inbox) {
        self.hear(&first);
        for _ in 1..BATCH {
            let Some(message) = inbox.waiting() else {
                return;
            };
            self.hear(&message);
        }
    }

    fn hear_beat(&mut self, sent: &[u8]) {
        // Nobody else writes to this channel; what is not a time is no sign of life.
        if let Ok(sent) = sent.try_into() {
            self.heard = Instant::now();
            self.teller.beat(u64::from_be_bytes(sent));
        }
    }

    fn hear(&mut self, message: &Msg) {
        if message.get_channel_name() == self.bus.beats {
            return self.hear_beat(message.get_payload_bytes());
        }
        let Some(heard) = Message::decode(message.get_payload_bytes()) else {
            return self.teller.anew("a message could not be read");
        };
        // What is said to nobody is not remembered: another server of a cluster, which is relied on, says it as well.
        if heard.database != self.bus.database || !self.teller.is_relied_on() {
            return;
        }
        // Held while it is told: who hears a copy at another server must not go on to a beat before that.
        let mut recent = self
            .bus
            .recent
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if recent.is_new(heard.id) {
            let own = heard.sender == self.bus.instance;
            self.teller.news(&heard.news, own);
        }
    }
}

/// One beat; `None` when the owner is gone. It carries the time of its sending.
async fn beat(bus: &Bus) -> Option<Result<Answer, TierError>> {
    let link = bus.link.upgrade()?;
    let sent = bus.listener.moment().to_be_bytes();
    let (candidate, keys) = (random(), [bus.memory.as_str()]);
    let args = [&candidate[..], bus.beats.as_bytes(), &sent[..]];
    let work = async |mut connection: Connection| {
        let answer = scripts::BEAT.run(&mut connection, &keys, &args).await;
        match answer {
            Err(error) if is_forbidden(&error) => {
                Ok(Answer::Forbidden(link.endpoint().words(&error)))
            }
            answer => Ok(Answer::Memory(redis::from_redis_value(answer?)?)),
        }
    };
    Some(link.call(Lane::Upkeep, WITHIN, work).await)
}
