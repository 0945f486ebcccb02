//! The subscribed connection.
//!
//! It speaks RESP3, in which messages are pushed beside replies: the library's own subscriber for RESP2 keeps what it receives in a
//! queue without a bound. Servers and their look-alikes speak RESP3 since Redis 6; one that does not has no bus.

use redis::aio::MultiplexedConnection;

use super::Bus;
use super::inbox::{Inbox, inbox};
use crate::tiers::redis::endpoint::{Address, Endpoint};

/// Both subscriptions, as long as it is there.
pub(super) struct Subscription {
    pub(super) inbox: Inbox,
    /// The socket is closed with the last handle.
    _connection: MultiplexedConnection,
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
        let config = endpoint.config().set_push_sender(take);
        let client = endpoint.subscriber(address)?;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await?;
        connection.subscribe(&[&bus.channel, &bus.beats]).await?;
        Ok(Self {
            inbox,
            _connection: connection,
        })
    }
}

/// Whether a refusal to subscribe is final for this account, or for this server.
pub(super) fn is_final(error: &redis::RedisError) -> bool {
    crate::tiers::redis::fault::is_forbidden(error)
        || error.kind() == redis::ErrorKind::RESP3NotSupported
        || error.code() == Some("NOPROTO")
}
