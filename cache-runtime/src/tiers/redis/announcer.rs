//! Messages as bytes, under the name of this instance.

use crate::bus::{Gone, Message, News, Sender};

/// Makes the messages of one cache instance.
#[derive(Debug)]
pub(super) struct Announcer {
    instance: Sender,
    database: u32,
    channel: String,
}

impl Announcer {
    pub(super) fn new(database: u32, channel: String) -> Self {
        Self {
            instance: random(),
            database,
            channel,
        }
    }

    pub(super) fn instance(&self) -> Sender {
        self.instance
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    pub(super) fn message(&self, news: News) -> Vec<u8> {
        let message = Message {
            id: random(),
            sender: self.instance,
            database: self.database,
            news,
        };
        message.encode()
    }

    /// That a key was stored under, or its lease given back.
    pub(super) fn wake(&self, key: &str) -> Vec<u8> {
        self.message(News::Wake(vec![key.into()]))
    }

    /// That a key has another value.
    pub(super) fn changed(&self, key: &str) -> Vec<u8> {
        self.gone(Gone {
            keys: vec![key.into()],
            ..Gone::default()
        })
    }

    /// That something is gone.
    pub(super) fn gone(&self, gone: Gone) -> Vec<u8> {
        self.message(News::Gone(gone))
    }
}

pub(super) fn random() -> [u8; 16] {
    fastrand::u128(..).to_be_bytes()
}
