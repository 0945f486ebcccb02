//! Free TCP ports that stay ours while nobody listens on them.
//!
//! The usual way, binding port 0, hands out a port of the ephemeral range. Once the server on it is killed, any
//! outgoing connection of the machine may be given that port, and a client that keeps reconnecting to a dead local
//! port of that range ends up connected to itself. Tests kill servers, so ports come from below the range.
//!
//! Another test, in this process or in one beside it, must not be given the port of a server that is down for a moment either: the
//! processes that wait for it would find that other server, and keep their leases there. So a port is locked until the process ends.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};

/// Linux starts its ephemeral range at 32,768, other systems higher.
const BELOW_EPHEMERAL: Range<u16> = 12_000..32_000;

/// The locks of this process's ports.
static OURS: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A port nobody listens on right now. A process that is no test may still take it first: who binds it must be ready to ask again.
pub(crate) fn free() -> u16 {
    (0..1_000)
        .map(|_| fastrand::u16(BELOW_EPHEMERAL))
        .find(|&port| is_ours(port))
        .expect("a machine with no free port among a thousand cannot run the tests")
}

/// Whether a port is free, and from now on nobody else's.
pub(crate) fn is_ours(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && is_locked(port)
}

fn is_locked(port: u16) -> bool {
    let folder = std::env::temp_dir().join("ports-of-tests");
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(port.to_string()))
        .expect("the folder for temporary files can be written");
    let locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    if locked {
        let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
        ours.push(file);
    }
    locked
}

#[cfg(test)]
mod tests {
    use super::{free, is_locked};

    #[test]
    fn a_port_is_given_once() {
        assert!(!is_locked(free()));
    }
}
