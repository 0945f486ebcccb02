//! Host names of a test's own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// What names mean, in the place of the system's resolver: a test can let one mean another server, from the next look-up on. The answer has the
/// port as well, because servers of a test share an address.
///
/// Clones share the names.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Arc<Mutex<HashMap<String, SocketAddr>>>);

impl Hosts {
    /// No name means anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the name mean this server.
    pub fn set(&self, name: &str, server: SocketAddr) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.to_owned(), server);
    }

    /// What the name means now; an address means itself.
    #[cfg(feature = "redis")]
    pub(crate) fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = names.get(host).copied();
        let unknown = || std::io::Error::new(std::io::ErrorKind::NotFound, "no such host");
        found.map(|server| vec![server]).ok_or_else(unknown)
    }
}
