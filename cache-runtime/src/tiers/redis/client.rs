//! Connections over sockets of ours: the [`Wire`] of data, and the client library's for who subscribes.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo};
use tokio::task::JoinHandle;

use super::endpoint::{Address, Endpoint};
use super::socket::{self, Bounded};
use super::wire::Wire;

/// What reads and writes for a connection. The socket is closed with it, whatever is under way.
#[derive(Debug)]
pub(super) struct Driver {
    task: JoinHandle<()>,
}

impl Driver {
    fn running(task: impl Future<Output = ()> + Send + 'static) -> Self {
        let task = tokio::spawn(task);
        Self { task }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Endpoint {
    /// Connects to an address. Nothing is said yet: we sign in ourselves, so that a refusal
    /// comes with the server's own words.
    pub(super) async fn connect(&self, address: &Address) -> redis::RedisResult<(Wire, Driver)> {
        let stream = socket::open(self, address).await?;
        let (wire, carrier) = Wire::over(stream, self.most_of_an_answer());
        Ok((wire, Driver::running(carrier)))
    }

    /// Connects for who subscribes. It speaks RESP3, whose first word has to bring the account along.
    pub(super) async fn connect_subscriber(
        &self,
        address: &Address,
        config: AsyncConnectionConfig,
    ) -> redis::RedisResult<(MultiplexedConnection, Driver)> {
        let mut greeting = RedisConnectionInfo::default()
            .set_skip_set_lib_name()
            .set_protocol(ProtocolVersion::RESP3);
        if let Some(password) = &self.account.password {
            greeting = greeting.set_password(password);
        }
        if let Some(user) = &self.account.user {
            greeting = greeting.set_username(user);
        }
        let stream = socket::open(self, address).await?;
        let stream = Bounded::new(stream, self.most_of_an_answer());
        let made = MultiplexedConnection::new_with_config(&greeting, stream, config).await;
        let (connection, driver) = made?;
        Ok((connection, Driver::running(driver)))
    }
}
