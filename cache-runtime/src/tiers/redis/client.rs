//! The client library's connection over a socket of ours.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo};
use tokio::task::JoinHandle;

use super::endpoint::{Address, Endpoint};
use super::socket::{self, Objection};

/// What reads and writes for a connection. The socket is closed with it, whatever is under way.
#[derive(Debug)]
pub(super) struct Driver {
    task: JoinHandle<()>,
    objection: Objection,
}

impl Driver {
    /// What ended the connection, in words, where it was an answer that may not be; else these.
    pub(super) fn words(&self, otherwise: impl FnOnce() -> String) -> String {
        self.objection.get().cloned().unwrap_or_else(otherwise)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Endpoint {
    /// Connects to an address. The account is not told: we sign in ourselves, so that a refusal
    /// comes with the server's own words.
    pub(super) async fn connect(
        &self,
        address: &Address,
        config: AsyncConnectionConfig,
    ) -> redis::RedisResult<(MultiplexedConnection, Driver)> {
        self.drive(address, greeting(), config).await
    }

    /// The same for who subscribes. It speaks RESP3, whose first word has to bring the account along.
    pub(super) async fn connect_subscriber(
        &self,
        address: &Address,
        config: AsyncConnectionConfig,
    ) -> redis::RedisResult<(MultiplexedConnection, Driver)> {
        let mut greeting = greeting().set_protocol(ProtocolVersion::RESP3);
        if let Some(password) = &self.account.password {
            greeting = greeting.set_password(password);
        }
        if let Some(user) = &self.account.user {
            greeting = greeting.set_username(user);
        }
        self.drive(address, greeting, config).await
    }

    async fn drive(
        &self,
        address: &Address,
        greeting: RedisConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> redis::RedisResult<(MultiplexedConnection, Driver)> {
        let (socket, objection) = socket::open(self, address).await?;
        let made = MultiplexedConnection::new_with_config(&greeting, socket, config).await;
        let (connection, driver) = made?;
        let task = tokio::spawn(driver);
        Ok((connection, Driver { task, objection }))
    }
}

/// What is said first.
fn greeting() -> RedisConnectionInfo {
    RedisConnectionInfo::default().set_skip_set_lib_name()
}

/// What every connection has in common. Deadlines are ours, around each call: a second timer
/// inside would only cost.
pub(super) fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
}
