//! One Sentinel, and the connection to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::super::client::Driver;
use super::super::endpoint::{Address, Endpoint, Sentinels};
use super::super::wire::Wire;

/// What a Sentinel says.
pub(super) enum Answer {
    Primary(Address),
    /// It does not know the name.
    Unknown,
    /// It says nothing, or refuses to.
    None(String),
}

/// A connection, and what it ends with.
struct Kept {
    wire: Wire,
    _driver: Driver,
}

pub(super) struct Seat {
    pub(super) address: Address,
    asked: Arc<(Endpoint, Sentinels)>,
    kept: Mutex<Option<Kept>>,
}

impl Seat {
    pub(super) fn new(address: Address, asked: Arc<(Endpoint, Sentinels)>) -> Self {
        Self {
            address,
            asked,
            kept: Mutex::new(None),
        }
    }

    /// Where the primary is. Dropping it loses nothing.
    pub(super) async fn ask(&self, within: Duration) -> Answer {
        let mut kept = self.kept.lock().await;
        match timeout(within, self.ask_on(&mut kept)).await {
            Ok(Ok(answer)) => self.read(&answer),
            Ok(Err(error)) => {
                *kept = None;
                Answer::None(self.asked.0.words(&error))
            }
            Err(_) => {
                *kept = None;
                Answer::None(format!("no answer within {within:?}"))
            }
        }
    }

    async fn ask_on(&self, kept: &mut Option<Kept>) -> redis::RedisResult<redis::Value> {
        if let Some(Kept { wire, .. }) = kept {
            // A Sentinel that was restarted is not one that is gone.
            if let Ok(answer) = self.question(wire).await {
                return Ok(answer);
            }
        }
        let made = kept.insert(self.connect().await?);
        self.question(&made.wire).await
    }

    async fn question(&self, wire: &Wire) -> redis::RedisResult<redis::Value> {
        let mut command = redis::cmd("SENTINEL");
        command
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.asked.1.primary);
        wire.command(&command).await
    }

    async fn connect(&self) -> redis::RedisResult<Kept> {
        let (endpoint, sentinels) = &*self.asked;
        let (wire, driver) = endpoint.connect(&self.address).await?;
        if let Some(sign_in) = sentinels.account.sign_in() {
            wire.command(&sign_in).await?;
        }
        Ok(Kept {
            wire,
            _driver: driver,
        })
    }

    fn read(&self, answer: &redis::Value) -> Answer {
        match redis::from_redis_value_ref::<Option<(String, u16)>>(answer) {
            Ok(Some((host, port))) => Answer::Primary(Address::Tcp {
                host,
                port,
                tls: self.asked.1.tls,
            }),
            Ok(None) => Answer::Unknown,
            Err(_) => Answer::None("an answer that is no address".to_owned()),
        }
    }
}
