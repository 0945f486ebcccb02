//! What was received and not heard yet.
//!
//! The client library hands over each message on the task that reads the socket, and reads on whether or not anybody listens. So there
//! has to be a queue, and it must not grow with the flood. It is bounded in bytes, because a count of messages would bound
//! nothing. To drop a message silently would be to miss an eviction: a full queue is the end of the subscription.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use redis::{Msg, PushInfo, PushKind};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The server itself gives up on a subscriber that is 32 MB behind.
const MOST: usize = 16 << 20;
/// What a message costs beside its text, generously.
const EACH: usize = 256;

/// The reading end.
pub(super) struct Inbox {
    messages: UnboundedReceiver<Msg>,
    tally: Arc<Tally>,
}

/// The writing end, which the connection holds.
pub(super) struct Slot {
    /// Gone when nothing more is taken.
    messages: Mutex<Option<UnboundedSender<Msg>>>,
    tally: Arc<Tally>,
}

#[derive(Default)]
struct Tally {
    bytes: AtomicUsize,
    end: OnceLock<&'static str>,
}

pub(super) fn inbox() -> (Slot, Inbox) {
    let (sender, receiver) = unbounded_channel();
    let tally = Arc::<Tally>::default();
    let slot = Slot {
        messages: Mutex::new(Some(sender)),
        tally: Arc::clone(&tally),
    };
    let inbox = Inbox {
        messages: receiver,
        tally,
    };
    (slot, inbox)
}

impl Inbox {
    /// The next message, or why there is none any more. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) -> Result<Msg, &'static str> {
        match self.messages.recv().await {
            Some(message) if self.tally.end.get().is_none() => Ok(self.taken(message)),
            _ => Err(self.tally.end.get().unwrap_or(&CLOSED)),
        }
    }

    /// Another one, if it is here already and nothing is wrong.
    pub(super) fn waiting(&mut self) -> Option<Msg> {
        if self.tally.end.get().is_some() {
            return None;
        }
        let message = self.messages.try_recv().ok()?;
        Some(self.taken(message))
    }

    fn taken(&self, message: Msg) -> Msg {
        let size = size(&message);
        self.tally.bytes.fetch_sub(size, Ordering::Relaxed);
        message
    }
}

const CLOSED: &str = "the connection was closed";

impl Slot {
    /// Takes what the server pushed.
    pub(super) fn put(&self, push: PushInfo) {
        match push.kind {
            PushKind::Message => {
                if let Some(message) = Msg::from_push_info(push) {
                    self.keep(message);
                }
            }
            PushKind::Disconnection => self.end(CLOSED),
            _ => {}
        }
    }

    fn keep(&self, message: Msg) {
        let size = size(&message);
        let before = self.tally.bytes.fetch_add(size, Ordering::Relaxed);
        if before + size > MOST {
            return self.end("messages came faster than they could be heard");
        }
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(messages) = &*messages {
            // Without a reader the connection is about to be dropped.
            let _ = messages.send(message);
        }
    }

    fn end(&self, why: &'static str) {
        // The first reason is the reason.
        let _ = self.tally.end.set(why);
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        *messages = None;
    }
}

fn size(message: &Msg) -> usize {
    EACH + message.get_channel_name().len() + message.get_payload_bytes().len()
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    fn message(payload: Vec<u8>) -> PushInfo {
        let text = |bytes| Value::BulkString(bytes);
        PushInfo {
            kind: PushKind::Message,
            data: vec![text(b"shop:#bus".to_vec()), text(payload)],
        }
    }

    #[tokio::test]
    async fn messages_come_out_in_order() {
        let (slot, mut inbox) = inbox();
        for n in 0..3 {
            slot.put(message(vec![n]));
        }
        assert_eq!(inbox.next().await.unwrap().get_payload_bytes(), [0]);
        assert_eq!(inbox.waiting().unwrap().get_payload_bytes(), [1]);
        assert_eq!(inbox.next().await.unwrap().get_payload_bytes(), [2]);
        assert!(inbox.waiting().is_none());
    }

    #[tokio::test]
    async fn a_lost_connection_is_the_end() {
        let (slot, mut inbox) = inbox();
        slot.put(PushInfo {
            kind: PushKind::Disconnection,
            data: Vec::new(),
        });
        assert_eq!(inbox.next().await.unwrap_err(), CLOSED);
    }

    #[tokio::test]
    async fn a_connection_that_vanishes_is_the_end() {
        let (slot, mut inbox) = inbox();
        drop(slot);
        assert_eq!(inbox.next().await.unwrap_err(), CLOSED);
    }

    #[tokio::test]
    async fn a_flood_is_the_end_at_once_and_is_not_kept() {
        let (slot, mut inbox) = inbox();
        for _ in 0..100 {
            slot.put(message(vec![0; 1 << 20]));
        }
        let why = inbox.next().await.unwrap_err();
        assert!(why.contains("faster"), "{why}");
        assert!(inbox.messages.len() < 16, "{}", inbox.messages.len());
    }

    #[tokio::test]
    async fn what_was_heard_makes_room() {
        let (slot, mut inbox) = inbox();
        for _ in 0..100 {
            slot.put(message(vec![0; 1 << 20]));
            assert!(inbox.next().await.is_ok());
        }
        assert_eq!(inbox.tally.bytes.load(Ordering::Relaxed), 0);
    }
}
