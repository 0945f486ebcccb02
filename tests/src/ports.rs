//! Free TCP ports that stay ours while nobody listens on them.
//!
//! The usual way, binding port 0, hands out a port of the ephemeral range. Once the server on it is killed, any
//! outgoing connection of the machine may be given that port, and a client that keeps reconnecting to a dead local
//! port of that range ends up connected to itself. Tests kill servers, so ports come from below the range.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Linux starts its ephemeral range at 32,768, other systems higher.
const BELOW_EPHEMERAL: Range<u16> = 12_000..32_000;

/// A port nobody listens on right now. Another process may still take it first: who binds it must be ready to ask again.
pub(crate) fn free() -> u16 {
    (0..1_000)
        .map(|_| fastrand::u16(BELOW_EPHEMERAL))
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("a machine with no free port among a thousand cannot run the tests")
}
