//! The subscribed connection.
//!
//! It speaks RESP3, in which messages are pushed beside replies: the library's own subscriber for RESP2 keeps what it receives in a
//! queue without a bound. Servers and their look-alikes speak RESP3 since Redis 6; one that does not has no bus.

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;

use super::Bus;
use super::inbox::{Inbox, inbox};
use crate::tiers::redis::client::Driver;
use crate::tiers::redis::endpoint::{Address, Endpoint};

/// Both subscriptions, as long as it is there.
pub(super) struct Subscription {
    pub(super) inbox: Inbox,
    /// Without a handle the driver ends.
    _connection: MultiplexedConnection,
    /// The socket is closed with it.
    _driver: Driver,
}

impl Subscription {
    /// Connects and subscribes; both subscriptions are acknowledged afterwards. Has no deadline of its own.
    pub(super) async fn make(
        endpoint: &Endpoint,
        address: &Address,
        bus: &Bus,
    ) -> redis::RedisResult<Self> {
        let (slot, inbox) = inbox();
        let take = move |push| {
            slot.put(push);
            Ok::<(), redis::aio::SendError>(())
        };
        // Who connects has a deadline around it: a second timer inside would only cost.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(take);
        let connecting = endpoint.connect_subscriber(address, config);
        let (mut connection, driver) = connecting.await?;
        connection.subscribe(&[&bus.channel, &bus.beats]).await?;
        Ok(Self {
            inbox,
            _connection: connection,
            _driver: driver,
        })
    }
}

/// Whether a refusal to subscribe is final for this account, or for this server.
pub(super) fn is_final(error: &redis::RedisError) -> bool {
    crate::tiers::redis::fault::is_forbidden(error)
        || error.kind() == redis::ErrorKind::RESP3NotSupported
        || error.code() == Some("NOPROTO")
}
